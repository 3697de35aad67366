package api

import (
	"fmt"
	"net/http"
	"strconv"

	"example.com/shop/internal/catalog"
	"example.com/shop/internal/httpserver"
	"example.com/shop/internal/money"
)

func parseCents(text string) (money.Cents, error) {
	cents, err := strconv.ParseInt(text, 10, 64)
	return money.Cents(cents), err
}

func (s *Server) listProducts(writer http.ResponseWriter, request *http.Request) error {
	var filters []catalog.Filter
	if tag := request.URL.Query().Get("tag"); tag != "" {
		filters = append(filters, catalog.WithTag(tag))
	}
	limit, err := httpserver.Query(request, "max_price_cents", 0, parseCents)
	if err != nil {
		return err
	}
	if limit > 0 {
		filters = append(filters, catalog.CostingAtMost(limit))
	}
	inStock, err := httpserver.Query(request, "in_stock", false, strconv.ParseBool)
	if err != nil {
		return err
	}
	if inStock {
		filters = append(filters, catalog.InStock())
	}
	found, err := s.products.Search(request.URL.Query().Get("sort"), filters...)
	if err != nil {
		return err
	}
	return httpserver.WriteJSON(writer, http.StatusOK, found)
}

func (s *Server) showProduct(writer http.ResponseWriter, request *http.Request) error {
	product, err := s.products.Find(request.PathValue("sku"))
	if err != nil {
		return err
	}
	return httpserver.WriteJSON(writer, http.StatusOK, product)
}

func (s *Server) putProduct(writer http.ResponseWriter, request *http.Request) error {
	product, err := httpserver.ReadJSON[catalog.Product](writer, request)
	if err != nil {
		return err
	}
	sku := request.PathValue("sku")
	if product.SKU != "" && product.SKU != sku {
		return fmt.Errorf("%w: the body is about %s", httpserver.ErrBadRequest, product.SKU)
	}
	product.SKU = sku
	if err := product.Validate(); err != nil {
		return fmt.Errorf("%w: %w", httpserver.ErrBadRequest, err)
	}
	code := http.StatusOK
	if s.products.Put(product) {
		code = http.StatusCreated
	}
	return httpserver.WriteJSON(writer, code, product)
}

// Package api is the shop as its customers and its workers see it over HTTP.
package api

import (
	"errors"
	"log/slog"
	"net/http"

	"example.com/shop/internal/catalog"
	"example.com/shop/internal/httpserver"
	"example.com/shop/internal/orders"
	"example.com/shop/internal/payment"
	"example.com/shop/internal/pricing"
	"example.com/shop/internal/queue"
)

type Server struct {
	products *catalog.Catalog
	orders   *orders.Service
	logger   *slog.Logger
}

func New(products *catalog.Catalog, orders *orders.Service, logger *slog.Logger) *Server {
	return &Server{products: products, orders: orders, logger: logger}
}

func (s *Server) Handler(health *httpserver.Health) http.Handler {
	mux := http.NewServeMux()
	health.Register(mux)
	for pattern, handler := range map[string]httpserver.Handler{
		"GET /products":             s.listProducts,
		"GET /products/{sku}":       s.showProduct,
		"PUT /products/{sku}":       s.putProduct,
		"POST /quotes":              s.quote,
		"GET /orders":               s.listOrders,
		"POST /orders":              s.placeOrder,
		"GET /orders/{id}":          s.showOrder,
		"POST /orders/{id}/payment": s.payOrder,
		"POST /orders/{id}/cancel":  s.cancelOrder,
		"POST /jobs/claim":          s.claimJob,
		"POST /jobs/{id}/result":    s.settleJob,
		"POST /orders/{id}/return":  s.returnOrder,
		"GET /orders.csv":           s.exportOrders,
		"GET /stats":                s.showStatistics,
	} {
		mux.Handle(pattern, httpserver.Handle(s.logger, status, handler))
	}
	return httpserver.Chain(mux, httpserver.Log(s.logger), httpserver.Recover(s.logger))
}

var codes = []struct {
	err  error
	code int
}{
	{catalog.ErrUnknownProduct, http.StatusNotFound},
	{catalog.ErrOutOfStock, http.StatusConflict},
	{catalog.ErrUnknownOrder, http.StatusBadRequest},
	{orders.ErrInvalid, http.StatusBadRequest},
	{orders.ErrUnknownOrder, http.StatusNotFound},
	{orders.ErrConflict, http.StatusConflict},
	{orders.ErrTooLate, http.StatusConflict},
	{payment.ErrInvalidCard, http.StatusBadRequest},
	{payment.ErrDeclined, http.StatusPaymentRequired},
	{pricing.ErrUnknownCoupon, http.StatusUnprocessableEntity},
	{pricing.ErrCouponMinimum, http.StatusUnprocessableEntity},
	{queue.ErrNotLeased, http.StatusConflict},
	{queue.ErrFull, http.StatusServiceUnavailable},
	{queue.ErrClosed, http.StatusServiceUnavailable},
}

func status(err error) int {
	for _, known := range codes {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	return 0
}

package api

import (
	"net/http"

	"example.com/shop/internal/httpserver"
	"example.com/shop/internal/orders"
	"example.com/shop/internal/payment"
)

type cart struct {
	Coupon string        `json:"coupon"`
	Lines  []orders.Line `json:"lines"`
}

func (s *Server) quote(writer http.ResponseWriter, request *http.Request) error {
	cart, err := httpserver.ReadJSON[cart](writer, request)
	if err != nil {
		return err
	}
	quote, err := s.orders.Quote(cart.Lines, cart.Coupon)
	if err != nil {
		return err
	}
	return httpserver.WriteJSON(writer, http.StatusOK, quote)
}

func (s *Server) placeOrder(writer http.ResponseWriter, request *http.Request) error {
	wanted, err := httpserver.ReadJSON[orders.Request](writer, request)
	if err != nil {
		return err
	}
	order, created, err := s.orders.Place(wanted, request.Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	code := http.StatusOK
	if created {
		code = http.StatusCreated
		s.logger.InfoContext(request.Context(), "order placed", "order", order.ID, "total", order.Quote.Total.String())
	}
	writer.Header().Set("Location", "/orders/"+order.ID)
	return httpserver.WriteJSON(writer, code, order)
}

func (s *Server) listOrders(writer http.ResponseWriter, request *http.Request) error {
	var filters []func(orders.Order) bool
	query := request.URL.Query()
	if query.Has("status") {
		status, err := orders.ParseStatus(query.Get("status"))
		if err != nil {
			return err
		}
		filters = append(filters, orders.WithStatus(status))
	}
	if customer := query.Get("customer"); customer != "" {
		filters = append(filters, orders.OfCustomer(customer))
	}
	return httpserver.WriteJSON(writer, http.StatusOK, s.orders.List(filters...))
}

func (s *Server) showOrder(writer http.ResponseWriter, request *http.Request) error {
	return answer(writer)(s.orders.Find(request.PathValue("id")))
}

func (s *Server) payOrder(writer http.ResponseWriter, request *http.Request) error {
	card, err := httpserver.ReadJSON[payment.Card](writer, request)
	if err != nil {
		return err
	}
	return answer(writer)(s.orders.Pay(request.PathValue("id"), card))
}

func (s *Server) cancelOrder(writer http.ResponseWriter, request *http.Request) error {
	return answer(writer)(s.orders.Cancel(request.PathValue("id")))
}

func (s *Server) returnOrder(writer http.ResponseWriter, request *http.Request) error {
	wanted, err := httpserver.ReadJSON[orders.Return](writer, request)
	if err != nil {
		return err
	}
	return answer(writer)(s.orders.Return(request.PathValue("id"), wanted))
}

func (s *Server) showStatistics(writer http.ResponseWriter, _ *http.Request) error {
	return httpserver.WriteJSON(writer, http.StatusOK, s.orders.Statistics())
}

func answer(writer http.ResponseWriter) func(orders.Order, error) error {
	return func(order orders.Order, err error) error {
		if err != nil {
			return err
		}
		return httpserver.WriteJSON(writer, http.StatusOK, order)
	}
}

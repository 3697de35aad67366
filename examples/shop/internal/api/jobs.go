package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/httpserver"
)

const longestWait = 30 * time.Second

// claimJob holds the request open until there is work: workers hear of an order at once and ask seldom.
func (s *Server) claimJob(writer http.ResponseWriter, request *http.Request) error {
	wait, err := httpserver.Query(request, "wait", 0, time.ParseDuration)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(request.Context(), min(wait, longestWait))
	defer cancel()
	delivery, err := s.orders.Claim(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		writer.WriteHeader(http.StatusNoContent)
		return nil
	case errors.Is(err, context.Canceled):
		s.logger.DebugContext(request.Context(), "worker went away while waiting")
		return nil
	case err != nil:
		writer.Header().Set("Retry-After", "1")
		return err
	}
	if delivery.Attempt > 1 {
		s.logger.WarnContext(request.Context(), "job is delivered again", "job", delivery.ID, "attempt", delivery.Attempt)
	}
	return httpserver.WriteJSON(writer, http.StatusOK, delivery)
}

func (s *Server) settleJob(writer http.ResponseWriter, request *http.Request) error {
	result, err := httpserver.ReadJSON[fulfilment.Result](writer, request)
	if err != nil {
		return err
	}
	return answer(writer)(s.orders.Settle(request.PathValue("id"), result))
}

package orders

import (
	"context"
	"log/slog"
	"time"
)

// Sweep cancels orders that nobody pays, because they hold stock that others would buy. It ends with its context.
func (s *Service) Sweep(ctx context.Context, logger *slog.Logger, every, patience time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if cancelled := s.cancelUnpaid(patience); cancelled > 0 {
				logger.Info("unpaid orders cancelled", "count", cancelled)
			}
		}
	}
}

func (s *Service) cancelUnpaid(patience time.Duration) (cancelled int) {
	limit := s.now().Add(-patience)
	forgotten := s.List(WithStatus(Placed), func(order Order) bool { return order.Placed.Before(limit) })
	for _, order := range forgotten {
		// An error means that the customer has paid or cancelled since the list was made.
		if _, err := s.Cancel(order.ID); err == nil {
			cancelled++
		}
	}
	return cancelled
}

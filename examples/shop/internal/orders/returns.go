package orders

import (
	"errors"
	"fmt"
	"time"

	"example.com/shop/internal/money"
)

var ErrTooLate = errors.New("too late to return")

const returnWindow = 14 * 24 * time.Hour

type Return struct {
	Opened bool `json:"opened"`
}

// Return puts unopened things back on sale. Opened ones are worth less to everybody, so part of the price is kept.
func (s *Service) Return(id string, request Return) (Order, error) {
	order, err := s.store.update(id, func(order *Order) error {
		now := s.now()
		if age := now.Sub(order.Changed); order.Status == Shipped && age > returnWindow {
			return fmt.Errorf("%w: %s was shipped %d days ago", ErrTooLate, order.ID, int(age.Hours()/24))
		}
		if err := order.become(Returned, now); err != nil {
			return err
		}
		order.Refund = refund(order.Quote.Total-order.Quote.Shipping, request.Opened)
		return nil
	})
	if err == nil && !request.Opened {
		s.products.Restore(order.quantities())
	}
	return order, err
}

func refund(price money.Cents, opened bool) money.Cents {
	if opened {
		return price.Percent(70)
	}
	return price
}

package orders

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/money"
)

func mustShip(t *testing.T, service *Service) Order {
	t.Helper()
	order := mustPlace(t, service)
	if _, err := service.Pay(order.ID, card); err != nil {
		t.Fatal(err)
	}
	delivery, err := service.Claim(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	order, err = service.Settle(delivery.ID, fulfilment.Result{Shipped: true})
	if err != nil {
		t.Fatal(err)
	}
	return order
}

func TestReturn(t *testing.T) {
	for name, test := range map[string]struct {
		opened bool
		refund money.Cents
		stock  int
	}{
		"unopened": {false, 1000, 10},
		"opened":   {true, 700, 8},
	} {
		t.Run(name, func(t *testing.T) {
			service := newTestService(1)
			order, err := service.Return(mustShip(t, service).ID, Return{Opened: test.opened})
			if err != nil || order.Refund != test.refund {
				t.Errorf("refund %s, %v; want %s", order.Refund, err, test.refund)
			}
			if got := stock(service); got != test.stock {
				t.Errorf("stock is %d, want %d", got, test.stock)
			}
		})
	}
}

func TestReturnIsPossibleForTwoWeeks(t *testing.T) {
	service := newTestService(1)
	order := mustShip(t, service)
	service.now = func() time.Time { return order.Changed.Add(returnWindow + time.Second) }
	if _, err := service.Return(order.ID, Return{}); !errors.Is(err, ErrTooLate) {
		t.Errorf("got %v, want %v", err, ErrTooLate)
	}
}

func TestForgottenOrdersAreCancelled(t *testing.T) {
	service := newTestService(1)
	forgotten := mustPlace(t, service)
	service.now = func() time.Time { return forgotten.Placed.Add(time.Hour) }
	recent := mustPlace(t, service)
	if got := service.cancelUnpaid(30 * time.Minute); got != 1 {
		t.Errorf("%d orders were cancelled, want 1", got)
	}
	if order, _ := service.Find(recent.ID); order.Status != Placed {
		t.Errorf("the recent order is %s", order.Status)
	}
	if got := stock(service); got != 8 {
		t.Errorf("stock is %d, want 8", got)
	}
}

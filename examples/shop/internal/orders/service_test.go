package orders

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/shop/internal/catalog"
	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/payment"
	"example.com/shop/internal/queue"
)

var card = payment.Card{Number: "4242424242424242"}

func newTestService(capacity int) *Service {
	products := catalog.New(catalog.Product{SKU: "cup", Price: 500, WeightGrams: 300, Stock: 10})
	return NewService(products, nil, queue.New[fulfilment.Job](capacity, time.Minute))
}

func mustPlace(t *testing.T, service *Service) Order {
	t.Helper()
	order, _, err := service.Place(Request{Customer: "ada", Country: "DE", Lines: []Line{{"cup", 2}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	return order
}

func stock(service *Service) int {
	cup, _ := service.products.Find("cup")
	return cup.Stock
}

func TestARejectedOrderGivesItsStockBack(t *testing.T) {
	service := newTestService(1)
	order := mustPlace(t, service)
	if _, err := service.Pay(order.ID, card); err != nil {
		t.Fatal(err)
	}
	delivery, err := service.Claim(context.Background())
	if err != nil || delivery.Job.Items[0].WeightGrams != 300 {
		t.Fatalf("got %+v, %v", delivery, err)
	}
	order, err = service.Settle(delivery.ID, fulfilment.Result{Reason: "no such street"})
	if err != nil || order.Status != Rejected || order.Reason != "no such street" {
		t.Fatalf("got %+v, %v", order, err)
	}
	if got := stock(service); got != 10 {
		t.Errorf("stock is %d, want 10", got)
	}
}

func TestAFullQueueLeavesTheOrderUnpaid(t *testing.T) {
	service := newTestService(0)
	order := mustPlace(t, service)
	if _, err := service.Pay(order.ID, card); !errors.Is(err, queue.ErrFull) {
		t.Fatalf("got %v, want %v", err, queue.ErrFull)
	}
	if order, _ = service.Find(order.ID); order.Status != Placed {
		t.Errorf("the order is %s, want %s", order.Status, Placed)
	}
}

func TestAnOrderOnTheRoadCannotBeCancelled(t *testing.T) {
	service := newTestService(1)
	order := mustPlace(t, service)
	if _, err := service.Pay(order.ID, card); err != nil {
		t.Fatal(err)
	}
	if _, err := service.Cancel(order.ID); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v, want %v", err, ErrConflict)
	}
	if got := stock(service); got != 8 {
		t.Errorf("stock is %d, want 8", got)
	}
}

func TestValidate(t *testing.T) {
	for name, request := range map[string]Request{
		"no customer":  {Country: "DE", Lines: []Line{{"cup", 1}}},
		"long country": {Customer: "ada", Country: "Germany", Lines: []Line{{"cup", 1}}},
		"no lines":     {Customer: "ada", Country: "DE"},
		"no sku":       {Customer: "ada", Country: "DE", Lines: []Line{{"", 1}}},
		"twice":        {Customer: "ada", Country: "DE", Lines: []Line{{"cup", 1}, {"cup", 1}}},
		"none":         {Customer: "ada", Country: "DE", Lines: []Line{{"cup", 0}}},
		"too many":     {Customer: "ada", Country: "DE", Lines: []Line{{"cup", 1001}}},
	} {
		if err := request.Validate(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want %v", name, err, ErrInvalid)
		}
	}
}

func TestStatusesReadBack(t *testing.T) {
	for _, status := range statuses {
		if got, err := ParseStatus(status.String()); got != status || err != nil {
			t.Errorf("%s reads back as %s, %v", status, got, err)
		}
	}
	if got := Status(42).String(); got != "Status(42)" {
		t.Errorf("got %s", got)
	}
}

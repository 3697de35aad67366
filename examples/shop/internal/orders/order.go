package orders

import (
	"errors"
	"fmt"
	"time"

	"example.com/shop/internal/catalog"
	"example.com/shop/internal/collections"
	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/money"
	"example.com/shop/internal/pricing"
)

var (
	ErrInvalid      = errors.New("invalid order")
	ErrUnknownOrder = errors.New("unknown order")
	ErrConflict     = errors.New("not possible in this status")
)

const largestQuantity = 1_000

type Line struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

type Request struct {
	Customer string `json:"customer"`
	Country  string `json:"country"`
	Coupon   string `json:"coupon,omitempty"`
	Lines    []Line `json:"lines"`
}

type Order struct {
	ID       string        `json:"id"`
	Customer string        `json:"customer"`
	Country  string        `json:"country"`
	Lines    []Line        `json:"lines"`
	Quote    pricing.Quote `json:"quote"`
	Status   Status        `json:"status"`
	Reason   string        `json:"reason,omitempty"`
	Tracking string        `json:"tracking,omitempty"`
	Parcels  int           `json:"parcels,omitempty"`
	Refund   money.Cents   `json:"refund_cents,omitempty"`
	Placed   time.Time     `json:"placed"`
	Changed  time.Time     `json:"changed"`
}

func (r Request) Validate() error {
	if r.Customer == "" {
		return fmt.Errorf("%w: customer is missing", ErrInvalid)
	}
	if len(r.Country) != 2 {
		return fmt.Errorf("%w: country must be a code of two letters, not %q", ErrInvalid, r.Country)
	}
	return validateLines(r.Lines)
}

func validateLines(lines []Line) error {
	if len(lines) == 0 {
		return fmt.Errorf("%w: there are no lines", ErrInvalid)
	}
	seen := make(map[string]bool, len(lines))
	for index, line := range lines {
		switch {
		case line.SKU == "":
			return fmt.Errorf("%w: line %d has no sku", ErrInvalid, index+1)
		case seen[line.SKU]:
			return fmt.Errorf("%w: %s is on two lines", ErrInvalid, line.SKU)
		case line.Quantity < 1 || line.Quantity > largestQuantity:
			return fmt.Errorf("%w: quantity of %s must be 1 to %d, not %d", ErrInvalid, line.SKU, largestQuantity, line.Quantity)
		}
		seen[line.SKU] = true
	}
	return nil
}

func (o *Order) become(next Status, now time.Time) error {
	if !o.Status.mayBecome(next) {
		return fmt.Errorf("%w: %s is %s and cannot become %s", ErrConflict, o.ID, o.Status, next)
	}
	o.Status, o.Changed = next, now
	return nil
}

func (o *Order) quantities() map[string]int {
	quantities := make(map[string]int, len(o.Lines))
	for _, line := range o.Lines {
		quantities[line.SKU] = line.Quantity
	}
	return quantities
}

func (o *Order) job(products *catalog.Catalog) fulfilment.Job {
	return fulfilment.Job{
		OrderID: o.ID,
		Country: o.Country,
		Items: collections.Map(o.Lines, func(line Line) fulfilment.Item {
			item := fulfilment.Item{SKU: line.SKU, Quantity: line.Quantity}
			if product, err := products.Find(line.SKU); err == nil {
				item.WeightGrams = product.WeightGrams
			}
			return item
		}),
	}
}

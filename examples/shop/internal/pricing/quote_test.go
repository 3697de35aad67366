package pricing

import (
	"errors"
	"testing"

	"example.com/shop/internal/catalog"
	"example.com/shop/internal/money"
)

var (
	book    = catalog.Product{SKU: "book", Price: 2000, WeightGrams: 500, Tags: []string{"book"}}
	atlas   = catalog.Product{SKU: "atlas", Price: 3000, WeightGrams: 1500, Tags: []string{"book"}}
	pencil  = catalog.Product{SKU: "pencil", Price: 100, WeightGrams: 5}
	voucher = catalog.Product{SKU: "voucher", Price: 1000}
)

func TestNewQuote(t *testing.T) {
	for _, test := range []struct {
		name     string
		lines    []Line
		coupon   string
		shipping money.Cents
		total    money.Cents
	}{
		{"plain", []Line{{pencil, 2}}, "", 490, 690},
		{"bulk", []Line{{pencil, 10}}, "", 490, 950 + 490},
		{"the cheapest book is free", []Line{{atlas, 2}, {book, 1}}, "", 490, 6000 + 490},
		{"two books are no offer", []Line{{atlas, 1}, {book, 1}}, "", 490, 5000 + 490},
		{"free shipping above a value", []Line{{atlas, 2}, {book, 3}}, "", 0, 10_000},
		{"nothing to carry", []Line{{voucher, 1}}, "", 0, 1000},
		{"coupon after the other discounts", []Line{{pencil, 10}}, "save10 ", 490, 855 + 490},
		{"free shipping coupon", []Line{{pencil, 1}}, "FREESHIP", 0, 100},
		{"heavy", []Line{{catalog.Product{Price: 50_000, WeightGrams: 20_000}, 1}}, "", 1990, 51_990},
		{"dear", []Line{{catalog.Product{Price: 50_000, WeightGrams: 1}, 1}}, "", 0, 50_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			quote, err := NewQuote(test.lines, test.coupon, StandardRules()...)
			if err != nil {
				t.Fatal(err)
			}
			if quote.Shipping != test.shipping || quote.Total != test.total {
				t.Errorf("shipping %s, total %s; want %s and %s", quote.Shipping, quote.Total, test.shipping, test.total)
			}
		})
	}
}

func TestCouponHasAMinimum(t *testing.T) {
	if _, err := NewQuote([]Line{{pencil, 1}}, "MINUS5"); !errors.Is(err, ErrCouponMinimum) {
		t.Errorf("got %v, want %v", err, ErrCouponMinimum)
	}
	quote, err := NewQuote([]Line{{book, 1}}, "MINUS5")
	if err != nil || quote.Total != 2000-500+490 {
		t.Errorf("got %s, %v", quote.Total, err)
	}
}

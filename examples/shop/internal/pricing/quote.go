package pricing

import (
	"example.com/shop/internal/collections"
	"example.com/shop/internal/money"
)

const (
	standardShipping  money.Cents = 490
	heavyShipping     money.Cents = 1990
	heavyGrams                    = 20_000
	freeShippingAbove money.Cents = 10_000
)

type Quote struct {
	Subtotal  money.Cents `json:"subtotal_cents"`
	Discounts []Discount  `json:"discounts,omitempty"`
	Shipping  money.Cents `json:"shipping_cents"`
	Total     money.Cents `json:"total_cents"`
}

func StandardRules() []Rule {
	return []Rule{Bulk(10, 5), OneFree("book", 3)}
}

func NewQuote(lines []Line, coupon string, rules ...Rule) (Quote, error) {
	quote := Quote{Subtotal: collections.Sum(lines, Line.total)}
	for _, rule := range rules {
		if discount := rule(lines); discount.Amount > 0 {
			quote.Discounts = append(quote.Discounts, discount)
		}
	}
	quote.Shipping = shipping(lines, quote.Subtotal-quote.discounts())
	if err := quote.redeem(coupon); err != nil {
		return Quote{}, err
	}
	quote.Total = quote.Subtotal - quote.discounts() + quote.Shipping
	return quote, nil
}

func (q *Quote) discounts() money.Cents {
	return collections.Sum(q.Discounts, func(discount Discount) money.Cents { return discount.Amount })
}

func shipping(lines []Line, value money.Cents) money.Cents {
	grams := collections.Sum(lines, func(line Line) int { return line.Product.WeightGrams * line.Quantity })
	switch {
	case grams == 0:
		return 0
	case grams >= heavyGrams:
		return heavyShipping
	case value >= freeShippingAbove:
		return 0
	default:
		return standardShipping
	}
}

package pricing

import (
	"fmt"
	"slices"

	"example.com/shop/internal/catalog"
	"example.com/shop/internal/collections"
	"example.com/shop/internal/money"
)

type Line struct {
	Product  catalog.Product
	Quantity int
}

func (l Line) total() money.Cents {
	return l.Product.Price * money.Cents(l.Quantity)
}

type Discount struct {
	Name   string      `json:"name"`
	Amount money.Cents `json:"amount_cents"`
}

// A Rule answers with a zero amount when it does not apply.
type Rule func([]Line) Discount

// Bulk looks at each line on its own: many different things are not bulk.
func Bulk(threshold int, percent int64) Rule {
	return func(lines []Line) Discount {
		many := collections.Filter(lines, func(line Line) bool { return line.Quantity >= threshold })
		return Discount{
			Name:   fmt.Sprintf("%d %% on %d or more", percent, threshold),
			Amount: collections.Sum(many, Line.total).Percent(percent),
		}
	}
}

// OneFree makes the cheapest of every group free, so mixing prices never beats the offer.
func OneFree(tag string, group int) Rule {
	return func(lines []Line) Discount {
		discount := Discount{Name: fmt.Sprintf("one of %d with tag %s is free", group, tag)}
		var prices []money.Cents
		for _, line := range lines {
			if !line.Product.Tagged(tag) {
				continue
			}
			for range line.Quantity {
				prices = append(prices, line.Product.Price)
			}
		}
		slices.Sort(prices)
		slices.Reverse(prices)
		for _, chunk := range collections.Chunk(prices, group) {
			if len(chunk) == group {
				discount.Amount += chunk[group-1]
			}
		}
		return discount
	}
}

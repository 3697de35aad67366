package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/shop/internal/money"
)

var ErrUnknownOrder = errors.New("unknown sort order")

type Filter func(Product) bool

func WithTag(tag string) Filter {
	return func(product Product) bool { return product.Tagged(tag) }
}

func CostingAtMost(limit money.Cents) Filter {
	return func(product Product) bool { return product.Price <= limit }
}

func InStock() Filter {
	return func(product Product) bool { return product.Stock > 0 }
}

var comparisons = map[string]func(a, b Product) int{
	"":       func(a, b Product) int { return strings.Compare(a.SKU, b.SKU) },
	"name":   func(a, b Product) int { return strings.Compare(a.Name, b.Name) },
	"price":  func(a, b Product) int { return cmp.Compare(a.Price, b.Price) },
	"weight": func(a, b Product) int { return cmp.Compare(a.WeightGrams, b.WeightGrams) },
}

// Search sorts by the named field; a leading minus turns the order around.
func (c *Catalog) Search(order string, filters ...Filter) ([]Product, error) {
	field, descending := strings.CutPrefix(order, "-")
	compare, known := comparisons[field]
	if !known {
		return nil, fmt.Errorf("%w: %s", ErrUnknownOrder, order)
	}

	c.mutex.RLock()
	found := make([]Product, 0, len(c.products))
	for _, product := range c.products {
		if matches(product, filters) {
			found = append(found, product)
		}
	}
	c.mutex.RUnlock()

	slices.SortFunc(found, func(a, b Product) int {
		if descending {
			a, b = b, a
		}
		return cmp.Or(compare(a, b), strings.Compare(a.SKU, b.SKU))
	})
	return found, nil
}

func matches(product Product, filters []Filter) bool {
	for _, filter := range filters {
		if !filter(product) {
			return false
		}
	}
	return true
}

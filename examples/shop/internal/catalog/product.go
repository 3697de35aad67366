package catalog

import (
	"errors"
	"fmt"
	"slices"

	"example.com/shop/internal/money"
)

type Product struct {
	SKU         string      `json:"sku"`
	Name        string      `json:"name"`
	Price       money.Cents `json:"price_cents"`
	WeightGrams int         `json:"weight_grams"`
	Stock       int         `json:"stock"`
	Tags        []string    `json:"tags,omitempty"`
}

// Validate reports every mistake at once, so that a caller corrects them in one round.
func (p Product) Validate() error {
	var mistakes []error
	if p.Name == "" {
		mistakes = append(mistakes, errors.New("name is missing"))
	}
	if p.Price <= 0 {
		mistakes = append(mistakes, fmt.Errorf("price_cents must be positive, not %d", p.Price))
	}
	if p.WeightGrams < 0 {
		mistakes = append(mistakes, fmt.Errorf("weight_grams must not be negative, not %d", p.WeightGrams))
	}
	if p.Stock < 0 {
		mistakes = append(mistakes, fmt.Errorf("stock must not be negative, not %d", p.Stock))
	}
	return errors.Join(mistakes...)
}

func (p Product) Tagged(tag string) bool {
	return slices.Contains(p.Tags, tag)
}

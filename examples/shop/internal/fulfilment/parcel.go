package fulfilment

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

var ErrTooHeavy = errors.New("too heavy for any parcel")

type Parcel struct {
	Grams int
	SKUs  []string
}

// Pack puts the heaviest pieces first into the first parcel with room, which wastes few parcels.
func Pack(items []Item, limit int) ([]Parcel, error) {
	heaviestFirst := slices.Clone(items)
	slices.SortStableFunc(heaviestFirst, func(a, b Item) int { return cmp.Compare(b.WeightGrams, a.WeightGrams) })

	var parcels []Parcel
	for _, item := range heaviestFirst {
		if item.WeightGrams > limit {
			return nil, fmt.Errorf("%w: %s weighs %d g", ErrTooHeavy, item.SKU, item.WeightGrams)
		}
		for range item.Quantity {
			parcels = place(parcels, item, limit)
		}
	}
	return parcels, nil
}

func place(parcels []Parcel, item Item, limit int) []Parcel {
	for index := range parcels {
		parcel := &parcels[index]
		if parcel.Grams+item.WeightGrams <= limit {
			parcel.Grams += item.WeightGrams
			parcel.SKUs = append(parcel.SKUs, item.SKU)
			return parcels
		}
	}
	return append(parcels, Parcel{Grams: item.WeightGrams, SKUs: []string{item.SKU}})
}

// Package cart has what instrumentation treats specially: type parameters, methods, closures, literals outside of any
// function, several functions of one name, functions without statements.
package cart

import "strconv"

// Cart counts items.
type Cart[Item comparable] struct {
	quantities map[Item]int
	observers  []func(Item)
}

var started int

func init() { started++ }

func init() {
	if started > 1 {
		started = 0
	}
}

// Describe is a literal outside of any function, with another one in it.
var Describe = func(items int) string {
	plural := func() string {
		if items == 1 {
			return " item"
		}
		return " items"
	}
	return strconv.Itoa(items) + plural()
}

var ignore, never = func() {}, func() { panic("never called") }

// New makes an empty cart.
func New[Item comparable]() *Cart[Item] {
	cart := &Cart[Item]{quantities: map[Item]int{}}
	cart.observers = append(cart.observers, func(Item) { ignore() })
	return cart
}

// Add puts items in.
func (cart *Cart[Item]) Add(item Item, quantity int) {
	for _, observe := range cart.observers {
		observe(item)
	}
	cart.quantities[item] += quantity
}

// Remove takes items out.
func (cart *Cart[Item]) Remove(item Item) {
	if _, found := cart.quantities[item]; !found {
		return
	} else if len(cart.quantities) == 1 {
		clear(cart.quantities)
	} else {
		delete(cart.quantities, item)
	}
}

// Len has a value receiver.
func (cart Cart[Item]) Len() int { return len(cart.quantities) }

// Total asks for each item's price.
func (cart *Cart[Item]) Total(price func(Item) int) (total int) {
	for item, quantity := range cart.quantities {
		total += func() int { return price(item) * quantity }()
	}
	return
}

// Close has no statements.
func (cart *Cart[Item]) Close() {}

// Largest is generic over what can be ordered.
func Largest[Number int | float64](one, other Number) Number {
	if one > other {
		return one
	}
	return other
}

func unused() {
	switch {
	case never == nil:
		never()
	case len(strconv.Itoa(started)) > 3 &&
		started%2 == 0:
		goto end
	default:
		select {}
	}
end:
	unused()
}

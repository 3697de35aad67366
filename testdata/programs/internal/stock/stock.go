// Package stock has type parameters and closures in each other: generic functions and types, closures in package
// variables, in fields and in each other.
package stock

import "sort"

// Pair has two type parameters, and closures in its fields.
type Pair[Key comparable, Value any] struct {
	Key    Key
	Value  func() Value
	Change func(func(Value) Value)
}

// Shelf has a generic type in it.
type Shelf[Key comparable, Value any] struct{ pairs []Pair[Key, Value] }

// Put keeps a value that only closures can reach.
func (shelf *Shelf[Key, Value]) Put(key Key, value Value) *Shelf[Key, Value] {
	shelf.pairs = append(shelf.pairs, Pair[Key, Value]{
		Key:    key,
		Value:  func() Value { return value },
		Change: func(change func(Value) Value) { value = change(value) },
	})
	return shelf
}

// Each calls a closure with each pair.
func (shelf Shelf[Key, Value]) Each(visit func(Key, Value) bool) {
	for _, pair := range shelf.pairs {
		if !visit(pair.Key, pair.Value()) {
			return
		}
	}
}

// Map makes values of another type.
func Map[From, To any](values []From, convert func(From) To) []To {
	converted := make([]To, 0, len(values))
	for _, value := range values {
		converted = append(converted, func() To {
			defer func() {
				if recover() != nil {
					panic("convert panics")
				}
			}()
			return convert(value)
		}())
	}
	return converted
}

// Sorted is limited to what can be compared.
func Sorted[Value ~int | ~string](values []Value) []Value {
	sort.Slice(values, func(one, other int) bool { return values[one] < values[other] })
	return values
}

// Compose returns a closure of closures.
func Compose[Value any](steps ...func(Value) Value) func(Value) Value {
	return func(value Value) Value {
		for _, step := range steps {
			value = step(value)
		}
		return value
	}
}

// Closures outside of any function: in a map, in a generic call, in each other.
var (
	Units = map[string]func(int) int{
		"dozen": func(count int) int { return 12 * count },
		"gross": func(count int) int {
			dozen := func(count int) int { return 12 * count }
			return dozen(dozen(count))
		},
	}
	Twice = Compose(func(count int) int { return 2 * count }, func(count int) int {
		if count < 0 {
			return 0
		}
		return count
	})
	Never = func() func() {
		return func() { panic("never called") }
	}()
)

// A program of type parameters and closures.
package main

import (
	"fmt"
	"os"
	"strings"

	"example.com/shop/internal/stock"
)

type label string

func main() {
	shelf := new(stock.Shelf[label, int])
	for count, unit := range os.Args[1:] {
		if convert, known := stock.Units[unit]; known {
			shelf.Put(label(unit), convert(count+1))
		} else {
			defer func(unit string) { fmt.Println("no unit:", unit) }(unit)
		}
	}
	shelf.Each(func(unit label, count int) bool {
		fmt.Println(unit, stock.Twice(count))
		return count < 100
	})
	lengths := stock.Map(os.Args[1:], func(unit string) int { return len(unit) })
	fmt.Println(stock.Sorted(lengths), stock.Sorted(stock.Map(lengths, func(length int) label {
		return label(strings.Repeat("x", length))
	})))
}

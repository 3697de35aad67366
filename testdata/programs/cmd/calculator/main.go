// A program with generated code, whose lines are those of the grammar that it was made from.
package main

import (
	"fmt"
	"os"

	"example.com/shop/internal/grammar"
)

func main() {
	for _, expression := range os.Args[1:] {
		fmt.Println(grammar.Evaluate(expression))
	}
}

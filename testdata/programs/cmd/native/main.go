//go:build cgo

// A program that needs cgo.
package main

import (
	"fmt"
	"os"

	"example.com/shop/internal/native"
)

func main() {
	heaviest := "a"
	for _, item := range os.Args[1:] {
		heaviest = native.Heavier(heaviest, item)
	}
	fmt.Println(heaviest)
}

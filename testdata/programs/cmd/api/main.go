// One of two programs that share packages. Its arguments choose what runs and how it ends.
package main

import (
	"errors"
	"fmt"
	"os"

	"example.com/shop/internal/cart"
	"example.com/shop/internal/empty"
	"example.com/shop/internal/price"
)

func main() {
	defer fmt.Println("main returns")
	for _, command := range os.Args[1:] {
		if err := handle(command); err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
	}
}

func handle(command string) error {
	switch command {
	case "add":
		basket := cart.New[string]()
		basket.Add("apple", 2)
		basket.Add("pear", 1)
		fmt.Println(basket.Total(price.Of))
	case "remove":
		basket := cart.New[int]()
		basket.Add(1, 2)
		basket.Remove(1)
		basket.Remove(2)
	case "discount":
		fmt.Println(price.Discount(120), price.Rounded(7))
	case "panic":
		defer func() {
			if reason := recover(); reason != nil {
				fmt.Println("recovered", reason)
			}
		}()
		panic("asked for")
	case "limits":
		fmt.Println(empty.Limit)
	default:
		return errors.New("unknown command " + command)
	}
	return nil
}

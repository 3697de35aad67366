// The other program. It never asks for a price.
package main

import (
	"fmt"
	"os"
	"sync"

	"example.com/shop/internal/cart"
)

func main() {
	baskets := []*cart.Cart[int]{cart.New[int](), cart.New[int]()}
	var wait sync.WaitGroup
	for number, basket := range baskets {
		wait.Add(1)
		go func(basket *cart.Cart[int], quantity int) {
			defer wait.Done()
			for item := 0; item < 1000*len(os.Args); item++ {
				basket.Add(item, quantity)
			}
		}(basket, number+1)
	}
	wait.Wait()
	fmt.Println(cart.Largest(baskets[0].Len(), baskets[1].Len()), cart.Describe(baskets[0].Len()))
}

// Package work is what is covered.
package work

import "strings"

type number interface{ ~int | ~int64 }

func sum[T number](numbers []T) T {
	var total T
	for _, number := range numbers {
		total += number
	}
	return total
}

type counter struct{ words map[string]int }

func (c *counter) add(text string) {
	for _, word := range strings.Fields(text) {
		if word == "never" {
			c.unreachable()
			continue
		}
		c.words[word]++
	}
}

func (c *counter) unreachable() {
	c.words = nil
}

var scale = func(value int) int {
	if value > 10 {
		return 10 * value
	}
	return value
}

// Do runs a fixed number of each block for each round.
func Do(rounds int) {
	c := counter{words: map[string]int{}}
	for round := 0; round < rounds; round++ {
		c.add("one two three")
		if round%3 == 2 {
			func() {
				sum([]int{scale(round), scale(20)})
			}()
		} else {
			sum([]int64{int64(round)})
		}
	}
	if rounds < 0 {
		panic("fewer than no rounds")
	}
}

// Unused is covered and never called, so that the linker leaves it out.
func Unused() int {
	return 1
}

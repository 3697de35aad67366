// Counts, says how often each block ran, and ends in the way that it is told to. What is covered are this package and
// work; what waits and ends is not, so that no counter changes after the program has said what they are.
package main

import (
	"os"

	"example.com/endings/ends"
	"example.com/endings/ledger"
	"example.com/endings/work"
)

func main() {
	ledger.Here()
	work.Do(7)
	ends.As(os.Args[1:], work.Do)
}

// Package work is what is covered. Every block says that it runs.
package work

import (
	"runtime"

	"example.com/endings/ledger"
)

// Do runs each block a number of times that depends on rounds alone. Half of it is done by other threads.
func Do(rounds int) {
	ledger.Here()
	for round := 0; round < rounds; round++ {
		ledger.Here()
		if round%2 == 0 {
			ledger.Here()
			elsewhere(func() {
				ledger.Here()
				add(round, 100)
			})
		} else {
			ledger.Here()
			add(round, 10)
		}
	}
	ledger.Here()
	if rounds < 0 {
		ledger.Here()
		Never()
	}
}

func add[T int | int64](number T, limit int) (sum T) {
	ledger.Here()
	for i := 0; i < limit; i++ {
		ledger.Here()
		sum += number
	}
	ledger.Here()
	return sum
}

// elsewhere calls on a thread that ends then, and waits: in the mode count, two at once would lose counts.
func elsewhere(call func()) {
	ledger.Here()
	done := make(chan struct{})
	go func() {
		ledger.Here()
		runtime.LockOSThread()
		call()
		close(done)
	}()
	ledger.Here()
	<-done
}

// Never is not called.
func Never() {
	ledger.Here()
}

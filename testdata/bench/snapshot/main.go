// A program whose counters are read while it does nothing else than count. `functions`, of which there are as many as one
// likes, are generated beside it. Each line of its input is a number of milliseconds, and how many of them it calls for that
// long, one after the other, and again; it answers with how often it could.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"time"
)

const callsAtOnce = 1000

func main() {
	sum := 0
	for _, function := range functions {
		sum = function(sum)
	}
	fmt.Println(len(functions))
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var milliseconds, called int
		if _, err := fmt.Sscan(lines.Text(), &milliseconds, &called); err != nil {
			log.Fatal(err)
		}
		functions := functions[:called]
		calls := 0
		for until := time.Now().Add(time.Duration(milliseconds) * time.Millisecond); time.Now().Before(until); {
			for range callsAtOnce {
				sum = functions[calls%len(functions)](sum)
				calls++
			}
		}
		fmt.Println(calls)
	}
	os.Exit(sum & 0)
}

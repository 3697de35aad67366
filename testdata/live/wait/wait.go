// Package wait is built without coverage.
package wait

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
)

// Serve says "ready", calls work with each number that it reads, and returns at the end of the input.
func Serve(work func(int)) {
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() == "forever" {
			for {
				work(1)
			}
		}
		rounds, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		work(rounds)
		fmt.Println("done")
	}
}

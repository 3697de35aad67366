// Package wait is built without coverage.
package wait

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// Serve says "ready", calls work with each number that it reads, and returns at the end of the input. "forever" makes it
// work without end, and "again" makes the process a new program.
func Serve(work func(int)) {
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		switch lines.Text() {
		case "forever":
			for {
				work(1)
			}
		case "again":
			panic(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
		}
		rounds, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		work(rounds)
		fmt.Println("done")
	}
}

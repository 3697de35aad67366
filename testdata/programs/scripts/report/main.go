// Built by its file name instead of its package: its package is then called command-line-arguments.
package main

import (
	"fmt"
	"os"
)

var footer = func() { fmt.Println("end") }

func main() {
	if len(os.Args) > 2 {
		fmt.Println("too many arguments")
		os.Exit(2)
	}
	footer()
}

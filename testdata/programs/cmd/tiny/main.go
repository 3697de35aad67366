// The smallest program worth reading: one package, two functions, one branch.
package main

import "os"

func main() {
	if len(os.Args) > 1 {
		greet(os.Args[1])
	}
}

func greet(name string) { os.Stdout.WriteString("hello " + name + "\n") }

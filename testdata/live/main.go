// Does some work when it starts, more when it is told to, and ends when its input does. What waits is in a package that
// is built without coverage, so that no counter changes unless there is work.
package main

import (
	"os"
	"strconv"

	"example.com/live/wait"
	"example.com/live/work"
)

func main() {
	rounds := 3
	if len(os.Args) > 1 {
		rounds, _ = strconv.Atoi(os.Args[1])
	}
	work.Do(rounds)
	wait.Serve(work.Do)
}

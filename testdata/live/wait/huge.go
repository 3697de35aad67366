//go:build huge

package wait

// Of an odd size, so that up to Go 1.26 the counters behind it are not aligned, and the program fails when it ends.
var huge [50_000_001]byte

func init() {
	huge[7] = 1
}

package work

import (
	"testing"

	"example.com/live/wait"
)

// TestServe does what main does.
func TestServe(t *testing.T) {
	Do(3)
	wait.Serve(Do)
}

//go:build !deaf

package shutdown

import (
	"os"
	"os/signal"
	"syscall"
)

// Requested gives what is closed when the service is to end.
func Requested() <-chan struct{} {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	stop := make(chan struct{})
	go func() {
		<-signals
		close(stop)
	}()
	return stop
}

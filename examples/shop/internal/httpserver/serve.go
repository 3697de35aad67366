package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	drain         = 10 * time.Second
	headerTimeout = 5 * time.Second
)

// Serve answers until the context ends, then lets open requests finish. Each of the stopping functions runs before that.
func Serve(ctx context.Context, logger *slog.Logger, listen string, handler http.Handler, stopping ...func()) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", listen, err)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	logger.Info("listening", "address", listener.Addr().String())

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}

	logger.Info("stopping", "cause", context.Cause(ctx))
	for _, stop := range stopping {
		stop()
	}
	drained, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(drained); err != nil {
		return errors.Join(fmt.Errorf("draining: %w", err), server.Close())
	}
	logger.Info("stopped")
	return nil
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/httpserver"
	"example.com/shop/internal/settings"
	"example.com/shop/internal/worker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	values := settings.New("worker", os.Stderr)
	address := values.Text("api", "SHOP_API", "http://127.0.0.1:8080", "`URL` of the API")
	listen := values.Text("listen", "SHOP_LISTEN", ":8081", "`address` to listen on")
	parallel := settings.Of(values, "parallel", "SHOP_PARALLEL", 2, "`number` of jobs at the same time", strconv.Atoi)
	level := settings.Of(values, "log-level", "SHOP_LOG_LEVEL", slog.LevelInfo, "least `level` to log", settings.Level)
	if err := values.Parse(arguments); err != nil {
		return err
	}
	if *parallel < 1 {
		return fmt.Errorf("parallel must be positive, not %d", *parallel)
	}

	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: *level}))
	client, err := worker.NewClient(*address)
	if err != nil {
		return err
	}
	shipper := worker.New(client, fulfilment.Ship, logger)

	ctx, cancel := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Add(1)
	go func() {
		defer working.Done()
		shipper.Run(ctx, *parallel)
	}()
	// Without its health endpoints nobody would know about the worker, so it ends with them.
	defer working.Wait()
	defer cancel()

	health := httpserver.NewHealth(shipper.Ready)
	return httpserver.Serve(ctx, logger, *listen, shipper.Handler(health), health.Stop)
}

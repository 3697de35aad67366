package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/shop/internal/api"
	"example.com/shop/internal/catalog"
	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/httpserver"
	"example.com/shop/internal/orders"
	"example.com/shop/internal/pricing"
	"example.com/shop/internal/queue"
	"example.com/shop/internal/settings"
)

const (
	longestQueue = 10_000
	sweepEvery   = time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	values := settings.New("api", os.Stderr)
	listen := values.Text("listen", "SHOP_LISTEN", ":8080", "`address` to listen on")
	lease := settings.Of(values, "lease", "SHOP_LEASE", 10*time.Second, "`time` a worker has for a job", time.ParseDuration)
	patience := settings.Of(values, "patience", "SHOP_PATIENCE", 30*time.Minute, "`time` until an unpaid order is cancelled", time.ParseDuration)
	level := settings.Of(values, "log-level", "SHOP_LOG_LEVEL", slog.LevelInfo, "least `level` to log", settings.Level)
	if err := values.Parse(arguments); err != nil {
		return err
	}

	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: *level}))
	products := catalog.New(catalog.Assortment()...)
	jobs := queue.New[fulfilment.Job](longestQueue, *lease)
	service := orders.NewService(products, pricing.StandardRules(), jobs)
	go service.Sweep(ctx, logger, sweepEvery, *patience)
	health := httpserver.NewHealth(func() error { return nil })
	handler := api.New(products, service, logger).Handler(health)
	return httpserver.Serve(ctx, logger, *listen, handler, health.Stop, jobs.Close)
}

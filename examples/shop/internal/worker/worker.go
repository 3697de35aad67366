// Package worker takes paid orders from the API, has them sent and reports back.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/retry"
)

var errNoContact = errors.New("the API has not answered yet")

var (
	reportPolicy = retry.Policy{Attempts: 5, First: 100 * time.Millisecond, Longest: 2 * time.Second}
	claimPolicy  = retry.Policy{First: 100 * time.Millisecond, Longest: 5 * time.Second}
)

type jobs interface {
	Claim(ctx context.Context, wait time.Duration) (fulfilment.Delivery, bool, error)
	Report(ctx context.Context, job string, result fulfilment.Result) error
}

type Worker struct {
	jobs     jobs
	ship     func(fulfilment.Job) fulfilment.Result
	logger   *slog.Logger
	contact  atomic.Bool
	shipped  atomic.Int64
	rejected atomic.Int64
	lost     atomic.Int64
}

func New(jobs jobs, ship func(fulfilment.Job) fulfilment.Result, logger *slog.Logger) *Worker {
	return &Worker{jobs: jobs, ship: ship, logger: logger}
}

func (w *Worker) Ready() error {
	if !w.contact.Load() {
		return errNoContact
	}
	return nil
}

// Run ends with its context, after the jobs in hand are done.
func (w *Worker) Run(ctx context.Context, parallel int) {
	var running sync.WaitGroup
	for range parallel {
		running.Add(1)
		go func() {
			defer running.Done()
			w.loop(ctx)
		}()
	}
	running.Wait()
}

func (w *Worker) loop(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		// The first claim does not wait for work, so that readiness does not wait for it either.
		wait := longPoll
		if !w.contact.Load() {
			wait = 0
		}
		delivery, found, err := w.jobs.Claim(ctx, wait)
		switch {
		case ctx.Err() != nil && !found:
			return
		case err != nil:
			delay := claimPolicy.Delay(failures)
			failures++
			w.contact.Store(false)
			w.logger.Warn("no job from the API", "error", err, "failures", failures, "delay", delay)
			if retry.Sleep(ctx, delay) != nil {
				return
			}
			continue
		case found:
			// A job in hand is finished even when the worker is told to stop: the customer has paid.
			w.process(context.WithoutCancel(ctx), delivery)
		}
		failures = 0
		w.contact.Store(true)
	}
}

func (w *Worker) process(ctx context.Context, delivery fulfilment.Delivery) {
	logger := w.logger.With("job", delivery.ID, "attempt", delivery.Attempt)
	result := w.ship(delivery.Job)
	_, err := retry.Do(ctx, reportPolicy, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, w.jobs.Report(ctx, delivery.ID, result)
	})
	switch {
	case errors.Is(err, ErrTakenOver):
		w.lost.Add(1)
		logger.Warn("another worker has the job")
	case err != nil:
		w.lost.Add(1)
		logger.Error("result was not delivered", "error", err)
	case result.Shipped:
		w.shipped.Add(1)
		logger.Info("shipped", "tracking", result.Tracking, "parcels", result.Parcels)
	default:
		w.rejected.Add(1)
		logger.Info("rejected", "reason", result.Reason)
	}
}

type Statistics struct {
	Shipped  int64 `json:"shipped"`
	Rejected int64 `json:"rejected"`
	Lost     int64 `json:"lost"`
}

func (w *Worker) Statistics() Statistics {
	return Statistics{Shipped: w.shipped.Load(), Rejected: w.rejected.Load(), Lost: w.lost.Load()}
}

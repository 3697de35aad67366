package retry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

type Policy struct {
	Attempts int
	First    time.Duration
	Longest  time.Duration
}

// Delay spreads callers out, so that those who failed together do not come back together.
func (p Policy) Delay(attempt int) time.Duration {
	delay := p.Longest
	if attempt < 16 {
		delay = min(p.First<<attempt, p.Longest)
	}
	return delay/2 + rand.N(delay/2+1)
}

type permanentError struct{ cause error }

func (e permanentError) Error() string { return e.cause.Error() }
func (e permanentError) Unwrap() error { return e.cause }

// Permanent marks an error that trying again does not mend.
func Permanent(err error) error {
	return permanentError{err}
}

func Do[T any](ctx context.Context, policy Policy, action func(context.Context) (T, error)) (T, error) {
	var zero T
	for attempt := 0; ; attempt++ {
		value, err := action(ctx)
		if err == nil {
			return value, nil
		}
		var permanent permanentError
		if errors.As(err, &permanent) {
			return zero, permanent.cause
		}
		if attempt+1 >= policy.Attempts {
			return zero, fmt.Errorf("giving up after %d attempts: %w", attempt+1, err)
		}
		if err := Sleep(ctx, policy.Delay(attempt)); err != nil {
			return zero, err
		}
	}
}

func Sleep(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

package retry

import (
	"context"
	"errors"
	"testing"
	"time"
)

var errFlaky = errors.New("flaky")

func failing(times int, err error) (action func(context.Context) (int, error), calls *int) {
	calls = new(int)
	return func(context.Context) (int, error) {
		*calls++
		if *calls <= times {
			return 0, err
		}
		return *calls, nil
	}, calls
}

func TestDo(t *testing.T) {
	policy := Policy{Attempts: 3, First: time.Microsecond, Longest: time.Millisecond}
	for name, test := range map[string]struct {
		failures int
		err      error
		calls    int
		want     error
	}{
		"at once":      {0, nil, 1, nil},
		"third time":   {2, errFlaky, 3, nil},
		"never":        {9, errFlaky, 3, errFlaky},
		"not mendable": {9, Permanent(errFlaky), 1, errFlaky},
	} {
		t.Run(name, func(t *testing.T) {
			action, calls := failing(test.failures, test.err)
			if _, err := Do(context.Background(), policy, action); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if *calls != test.calls {
				t.Errorf("%d calls, want %d", *calls, test.calls)
			}
		})
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	action, _ := failing(9, errFlaky)
	if _, err := Do(ctx, Policy{Attempts: 9, First: time.Hour, Longest: time.Hour}, action); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestDelayGrowsToItsLimit(t *testing.T) {
	policy := Policy{First: time.Second, Longest: 10 * time.Second}
	for attempt, longest := range map[int]time.Duration{0: time.Second, 2: 4 * time.Second, 9: 10 * time.Second, 99: 10 * time.Second} {
		if got := policy.Delay(attempt); got < longest/2 || got > longest {
			t.Errorf("attempt %d waits %s, want %s to %s", attempt, got, longest/2, longest)
		}
	}
}

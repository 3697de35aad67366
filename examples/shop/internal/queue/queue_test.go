package queue

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestPullWaitsForAPush(t *testing.T) {
	queue := New[string](1, time.Minute)
	pulled := make(chan Delivery[string])
	go func() {
		delivery, _ := queue.Pull(context.Background())
		pulled <- delivery
	}()
	if err := queue.Push("1", "work"); err != nil {
		t.Fatal(err)
	}
	if got := <-pulled; got != (Delivery[string]{ID: "1", Attempt: 1, Value: "work"}) {
		t.Errorf("got %+v", got)
	}
}

func TestLostWorkIsDeliveredAgain(t *testing.T) {
	now := time.Now()
	queue := New[int](2, time.Minute)
	queue.now = func() time.Time { return now }
	_ = queue.Push("1", 7)
	_, _ = queue.Pull(context.Background())

	now = now.Add(time.Minute)
	again, err := queue.Pull(context.Background())
	if err != nil || again.Attempt != 2 {
		t.Fatalf("got %+v, %v; want attempt 2", again, err)
	}
	if _, err := queue.Done("1"); err != nil {
		t.Error(err)
	}
	if _, err := queue.Done("1"); !errors.Is(err, ErrNotLeased) {
		t.Errorf("got %v, want %v", err, ErrNotLeased)
	}
}

func TestAFullQueueRefuses(t *testing.T) {
	queue := New[int](1, time.Minute)
	_ = queue.Push("1", 1)
	if err := queue.Push("2", 2); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want %v", err, ErrFull)
	}
}

func TestCloseSendsWaitingWorkersAway(t *testing.T) {
	queue := New[int](1, time.Minute)
	ended := make(chan error)
	go func() {
		_, err := queue.Pull(context.Background())
		ended <- err
	}()
	queue.Close()
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
	if err := queue.Push("1", 1); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
}

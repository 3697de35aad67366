// Package queue hands out work under a lease: what a worker takes and does not finish in time goes to another.
package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

var (
	ErrFull      = errors.New("queue is full")
	ErrClosed    = errors.New("queue is closed")
	ErrNotLeased = errors.New("not leased")
)

type Delivery[T any] struct {
	ID      string
	Attempt int
	Value   T
}

type lease[T any] struct {
	delivery Delivery[T]
	ends     time.Time
}

type Queue[T any] struct {
	capacity int
	term     time.Duration
	now      func() time.Time

	mutex   sync.Mutex
	waiting []Delivery[T]
	leases  map[string]lease[T]
	changed chan struct{}
	closed  bool
}

func New[T any](capacity int, term time.Duration) *Queue[T] {
	return &Queue[T]{
		capacity: capacity,
		term:     term,
		now:      time.Now,
		leases:   make(map[string]lease[T]),
		changed:  make(chan struct{}),
	}
}

func (q *Queue[T]) Push(id string, value T) error {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if q.closed {
		return ErrClosed
	}
	if len(q.waiting)+len(q.leases) >= q.capacity {
		return ErrFull
	}
	q.waiting = append(q.waiting, Delivery[T]{ID: id, Value: value})
	q.wake()
	return nil
}

// Pull waits for a delivery until the context ends.
func (q *Queue[T]) Pull(ctx context.Context) (Delivery[T], error) {
	for {
		delivery, ready, next, err := q.take()
		if ready || err != nil {
			return delivery, err
		}
		if err := q.wait(ctx, next); err != nil {
			return Delivery[T]{}, err
		}
	}
}

type event struct {
	changed <-chan struct{}
	expiry  time.Duration
}

func (q *Queue[T]) take() (delivery Delivery[T], ready bool, next event, err error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if q.closed {
		return delivery, false, next, ErrClosed
	}
	expiry := q.expire()
	if len(q.waiting) == 0 {
		return delivery, false, event{q.changed, expiry}, nil
	}
	delivery, q.waiting = q.waiting[0], q.waiting[1:]
	delivery.Attempt++
	q.leases[delivery.ID] = lease[T]{delivery: delivery, ends: q.now().Add(q.term)}
	return delivery, true, next, nil
}

func (q *Queue[T]) wait(ctx context.Context, next event) error {
	timer := time.NewTimer(next.expiry)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-next.changed:
	case <-timer.C:
	}
	return nil
}

// expire puts lost work at the head of the queue, because it has waited longest, and says when to look again.
func (q *Queue[T]) expire() time.Duration {
	now, next := q.now(), q.term
	for id, lease := range q.leases {
		if left := lease.ends.Sub(now); left > 0 {
			next = min(next, left)
			continue
		}
		delete(q.leases, id)
		q.waiting = slices.Insert(q.waiting, 0, lease.delivery)
	}
	return next
}

// Done ends the lease. A worker that comes after its lease has ended learns that the work is no longer its own.
func (q *Queue[T]) Done(id string) (T, error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	lease, leased := q.leases[id]
	if !leased {
		var zero T
		return zero, ErrNotLeased
	}
	delete(q.leases, id)
	return lease.delivery.Value, nil
}

func (q *Queue[T]) Lengths() (waiting, leased int) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return len(q.waiting), len(q.leases)
}

// Close sends every waiting worker away, so that a server can end without waiting for them.
func (q *Queue[T]) Close() {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if !q.closed {
		q.closed = true
		q.wake()
	}
}

func (q *Queue[T]) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

package orders

import (
	"fmt"
	"slices"
)

//go:generate go run golang.org/x/tools/cmd/stringer@v0.28.0 -type=Status -linecomment

type Status int

const (
	Placed    Status = iota // placed
	Paid                    // paid
	Shipped                 // shipped
	Rejected                // rejected
	Cancelled               // cancelled
	Returned                // returned
)

var statuses = []Status{Placed, Paid, Shipped, Rejected, Cancelled, Returned}

var transitions = map[Status][]Status{
	Placed:  {Paid, Cancelled},
	Paid:    {Shipped, Rejected},
	Shipped: {Returned},
}

func (s Status) mayBecome(next Status) bool {
	return slices.Contains(transitions[s], next)
}

func ParseStatus(text string) (Status, error) {
	for _, status := range statuses {
		if status.String() == text {
			return status, nil
		}
	}
	return 0, fmt.Errorf("%w: %q is no status", ErrInvalid, text)
}

func (s Status) MarshalText() ([]byte, error) {
	return []byte(s.String()), nil
}

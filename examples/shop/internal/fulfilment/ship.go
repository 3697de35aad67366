package fulfilment

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

var (
	ErrNotServed = errors.New("destination is not served")
	ErrEmpty     = errors.New("nothing to send")
)

var parcelLimits = map[string]int{
	"DE": 31_500,
	"AT": 31_500,
	"FR": 30_000,
	"CH": 20_000,
}

// Ship never fails: an order that cannot be sent is a result too, and the customer is told why.
func Ship(job Job) Result {
	parcels, err := pack(job)
	if err != nil {
		return Result{Reason: err.Error()}
	}
	return Result{Shipped: true, Tracking: trackingCode(job), Parcels: len(parcels)}
}

func pack(job Job) ([]Parcel, error) {
	if len(job.Items) == 0 {
		return nil, ErrEmpty
	}
	limit, served := parcelLimits[strings.ToUpper(job.Country)]
	if !served {
		return nil, fmt.Errorf("%w: %s", ErrNotServed, job.Country)
	}
	return Pack(job.Items, limit)
}

// trackingCode depends on the order alone, so that a job done twice is seen as one parcel.
func trackingCode(job Job) string {
	return fmt.Sprintf("%s%08X", strings.ToUpper(job.Country), crc32.ChecksumIEEE([]byte(job.OrderID)))
}

package fulfilment

import (
	"errors"
	"strings"
	"testing"
)

func TestPackFillsParcelsHeaviestFirst(t *testing.T) {
	parcels, err := Pack([]Item{{"pen", 3, 100}, {"pot", 2, 800}, {"book", 1, 700}}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(parcels) != 3 {
		t.Fatalf("%d parcels, want 3: %v", len(parcels), parcels)
	}
	if got := strings.Join(parcels[0].SKUs, " "); got != "pot pen pen" {
		t.Errorf("the first parcel holds %q", got)
	}
}

func TestPackRefusesWhatNoParcelHolds(t *testing.T) {
	if _, err := Pack([]Item{{"anvil", 1, 2000}}, 1000); !errors.Is(err, ErrTooHeavy) {
		t.Errorf("got %v, want %v", err, ErrTooHeavy)
	}
}

func TestShipTellsWhyNot(t *testing.T) {
	if result := Ship(Job{OrderID: "1", Country: "DE"}); result.Shipped || result.Reason != ErrEmpty.Error() {
		t.Errorf("got %+v", result)
	}
}

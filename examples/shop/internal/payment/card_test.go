package payment

import (
	"errors"
	"testing"
)

func TestValidate(t *testing.T) {
	for number, want := range map[string]error{
		"4242 4242 4242 4242": nil,
		"5555555555554444":    nil,
		"4242424242424241":    ErrInvalidCard,
		"4242-4242-4242-4242": ErrInvalidCard,
		"42":                  ErrInvalidCard,
	} {
		if err := (Card{Number: number}).Validate(); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", number, err, want)
		}
	}
}

func TestChargeHasALimit(t *testing.T) {
	card := Card{Number: "4242424242424242"}
	if err := card.Charge(limit); err != nil {
		t.Errorf("the limit itself: %v", err)
	}
	if err := card.Charge(limit + 1); !errors.Is(err, ErrDeclined) {
		t.Errorf("got %v, want %v", err, ErrDeclined)
	}
}

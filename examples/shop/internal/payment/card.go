package payment

import (
	"errors"
	"fmt"
	"strings"

	"example.com/shop/internal/money"
)

var (
	ErrInvalidCard = errors.New("invalid card")
	ErrDeclined    = errors.New("payment declined")
)

const limit money.Cents = 500_000

type Card struct {
	Number string `json:"number"`
}

func (c Card) Validate() error {
	digits := strings.ReplaceAll(c.Number, " ", "")
	if len(digits) < 12 || len(digits) > 19 {
		return fmt.Errorf("%w: a number has 12 to 19 digits, not %d", ErrInvalidCard, len(digits))
	}
	sum := 0
	for index := range len(digits) {
		digit := int(digits[len(digits)-1-index] - '0')
		if digit < 0 || digit > 9 {
			return fmt.Errorf("%w: the number holds more than digits", ErrInvalidCard)
		}
		if index%2 == 1 {
			digit *= 2
			if digit > 9 {
				digit -= 9
			}
		}
		sum += digit
	}
	if sum%10 != 0 {
		return fmt.Errorf("%w: the check digit is wrong", ErrInvalidCard)
	}
	return nil
}

func (c Card) Charge(amount money.Cents) error {
	if strings.HasSuffix(c.Number, "0002") {
		return fmt.Errorf("%w by the bank", ErrDeclined)
	}
	if amount > limit {
		return fmt.Errorf("%w: %s is more than one card may pay", ErrDeclined, amount)
	}
	return nil
}

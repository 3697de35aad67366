package pricing

import (
	"errors"
	"fmt"
	"strings"

	"example.com/shop/internal/money"
)

var (
	ErrUnknownCoupon = errors.New("unknown coupon")
	ErrCouponMinimum = errors.New("order is too small for this coupon")
)

type (
	percentOff   struct{ percent int64 }
	amountOff    struct{ amount, minimum money.Cents }
	freeShipping struct{}
)

var coupons = map[string]any{
	"SAVE10":   percentOff{percent: 10},
	"MINUS5":   amountOff{amount: 500, minimum: 2000},
	"FREESHIP": freeShipping{},
}

func (q *Quote) redeem(code string) error {
	code = strings.ToUpper(strings.TrimSpace(code))
	if code == "" {
		return nil
	}
	remaining := q.Subtotal - q.discounts()
	switch coupon := coupons[code].(type) {
	case percentOff:
		q.Discounts = append(q.Discounts, Discount{Name: code, Amount: remaining.Percent(coupon.percent)})
	case amountOff:
		if remaining < coupon.minimum {
			return fmt.Errorf("%w: %s needs %s", ErrCouponMinimum, code, coupon.minimum)
		}
		q.Discounts = append(q.Discounts, Discount{Name: code, Amount: coupon.amount})
	case freeShipping:
		q.Shipping = 0
	default:
		return fmt.Errorf("%w: %s", ErrUnknownCoupon, code)
	}
	return nil
}

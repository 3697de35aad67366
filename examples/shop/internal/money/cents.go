// Package money counts in whole cents, because floating point loses some of them.
package money

import "fmt"

type Cents int64

// Percent rounds half a cent away from zero, as an invoice does.
func (c Cents) Percent(percent int64) Cents {
	product := int64(c) * percent
	if product < 0 {
		return Cents((product - 50) / 100)
	}
	return Cents((product + 50) / 100)
}

func (c Cents) String() string {
	sign := ""
	if c < 0 {
		sign = "-"
		c = -c
	}
	return fmt.Sprintf("%s%d.%02d", sign, c/100, c%100)
}

package money

import "testing"

func TestPercentRoundsHalfAwayFromZero(t *testing.T) {
	for _, test := range []struct {
		amount  Cents
		percent int64
		want    Cents
	}{
		{1000, 10, 100},
		{5, 10, 1},
		{4, 10, 0},
		{-5, 10, -1},
	} {
		if got := test.amount.Percent(test.percent); got != test.want {
			t.Errorf("%d %% of %d = %d, want %d", test.percent, test.amount, got, test.want)
		}
	}
}

func TestString(t *testing.T) {
	for amount, want := range map[Cents]string{0: "0.00", 5: "0.05", 1234: "12.34", -150: "-1.50"} {
		if got := amount.String(); got != want {
			t.Errorf("Cents(%d) = %q, want %q", int64(amount), got, want)
		}
	}
}

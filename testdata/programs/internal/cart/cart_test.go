package cart

import "testing"

func TestTotalIsPriceTimesQuantity(t *testing.T) {
	cart := New[string]()
	cart.Add("apple", 3)
	if total := cart.Total(func(string) int { return 2 }); total != 6 {
		t.Fatal(total)
	}
}

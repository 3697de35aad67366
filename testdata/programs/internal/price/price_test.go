package price_test

import (
	"testing"

	"example.com/shop/internal/price"
)

func TestApplesCostThree(t *testing.T) {
	if price.Of("apple") != 3 {
		t.Fail()
	}
}

package stock_test

import (
	"fmt"
	"os"
	"testing"

	"example.com/shop/internal/stock"
)

// TestMain is another program when it is told so.
func TestMain(m *testing.M) {
	if unit, told := os.LookupEnv("STOCK_UNIT"); told {
		fmt.Println(stock.Units[unit](1))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestAGrossIsTwelveDozens(t *testing.T) {
	if stock.Units["gross"](1) != stock.Units["dozen"](12) {
		t.Fail()
	}
}

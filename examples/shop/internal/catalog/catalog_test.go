package catalog

import (
	"errors"
	"strings"
	"testing"

	"example.com/shop/internal/collections"
)

func TestReserveTakesAllOrNothing(t *testing.T) {
	catalog := New(
		Product{SKU: "cup", Stock: 5},
		Product{SKU: "plate", Stock: 1},
	)

	err := catalog.Reserve(map[string]int{"cup": 2, "plate": 2})
	if !errors.Is(err, ErrOutOfStock) {
		t.Fatalf("got %v, want %v", err, ErrOutOfStock)
	}
	if cup, _ := catalog.Find("cup"); cup.Stock != 5 {
		t.Errorf("a failed reservation left %d cups, want 5", cup.Stock)
	}

	if err := catalog.Reserve(map[string]int{"cup": 2, "plate": 1}); err != nil {
		t.Fatal(err)
	}
	catalog.Restore(map[string]int{"plate": 1, "withdrawn": 3})
	if plate, _ := catalog.Find("plate"); plate.Stock != 1 {
		t.Errorf("%d plates after the return, want 1", plate.Stock)
	}
}

func TestReserveRefusesUnknownProducts(t *testing.T) {
	if err := New().Reserve(map[string]int{"ghost": 1}); !errors.Is(err, ErrUnknownProduct) {
		t.Errorf("got %v, want %v", err, ErrUnknownProduct)
	}
}

func TestSearch(t *testing.T) {
	catalog := New(Assortment()...)
	for _, test := range []struct {
		name    string
		order   string
		filters []Filter
		want    string
	}{
		{"by tag and price", "price", []Filter{WithTag("tea"), CostingAtMost(3000)}, "tea-green book-tea"},
		{"descending", "-price", []Filter{WithTag("book")}, "book-go book-tea"},
		{"by weight, in stock", "weight", []Filter{InStock(), CostingAtMost(1000)}, "tea-green"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, err := catalog.Search(test.order, test.filters...)
			if err != nil {
				t.Fatal(err)
			}
			skus := collections.Map(found, func(p Product) string { return p.SKU })
			if got := strings.Join(skus, " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestValidateReportsEveryMistake(t *testing.T) {
	err := Product{WeightGrams: -1, Stock: -1}.Validate()
	for _, want := range []string{"name", "price_cents", "weight_grams", "stock"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not mention %s", err, want)
		}
	}
}

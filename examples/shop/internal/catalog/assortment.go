package catalog

// Assortment is what a new shop has on its shelves.
func Assortment() []Product {
	return []Product{
		{SKU: "book-go", Name: "The Go Book", Price: 3990, WeightGrams: 900, Stock: 100_000, Tags: []string{"book"}},
		{SKU: "book-tea", Name: "The Tea Book", Price: 2450, WeightGrams: 650, Stock: 100_000, Tags: []string{"book", "tea"}},
		{SKU: "tea-green", Name: "Green tea", Price: 890, WeightGrams: 120, Stock: 100_000, Tags: []string{"tea"}},
		{SKU: "tea-pot", Name: "Cast iron tea pot", Price: 6900, WeightGrams: 2400, Stock: 100_000, Tags: []string{"tea", "kitchen"}},
		{SKU: "anvil", Name: "Anvil", Price: 24900, WeightGrams: 55_000, Stock: 100_000, Tags: []string{"workshop"}},
		{SKU: "lamp", Name: "Brass lamp", Price: 4900, WeightGrams: 1500, Stock: 0, Tags: []string{"home"}},
	}
}

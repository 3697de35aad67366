// Package price is used by one of the programs only.
package price

// Of is the price of an item.
func Of(item string) int {
	switch item {
	case "apple":
		return 3
	case "pear":
		return 5
	}
	return 0
}

// Discount is a tenth off, above a hundred.
func Discount(total int) int {
	if total > 100 {
		return total - total/10
	}
	return total
}

//go:build cgo

package native

// Heavier is without any C, in the package that has some.
func Heavier(one, other string) string {
	if Weight(one) < Weight(other) {
		return other
	}
	return one
}

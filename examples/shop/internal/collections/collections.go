package collections

import "cmp"

func Filter[T any](items []T, keep func(T) bool) []T {
	kept := make([]T, 0, len(items))
	for _, item := range items {
		if keep(item) {
			kept = append(kept, item)
		}
	}
	return kept
}

func Map[T, U any](items []T, convert func(T) U) []U {
	converted := make([]U, 0, len(items))
	for _, item := range items {
		converted = append(converted, convert(item))
	}
	return converted
}

func Sum[T any, N cmp.Ordered](items []T, value func(T) N) N {
	var total N
	for _, item := range items {
		total += value(item)
	}
	return total
}

func CountBy[T any, K comparable](items []T, key func(T) K) map[K]int {
	counts := make(map[K]int)
	for _, item := range items {
		counts[key(item)]++
	}
	return counts
}

// Chunk gives the last chunk what is left, and refuses a size that would never end.
func Chunk[T any](items []T, size int) [][]T {
	if size < 1 {
		panic("collections: the size of a chunk must be positive")
	}
	var chunks [][]T
	for len(items) > size {
		chunks = append(chunks, items[:size])
		items = items[size:]
	}
	if len(items) > 0 {
		chunks = append(chunks, items)
	}
	return chunks
}

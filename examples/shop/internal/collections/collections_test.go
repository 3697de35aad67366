package collections

import (
	"reflect"
	"testing"
)

func TestFilterAndMap(t *testing.T) {
	even := Filter([]int{1, 2, 3, 4}, func(n int) bool { return n%2 == 0 })
	words := Map(even, func(n int) string { return string(rune('a' + n)) })
	if want := []string{"c", "e"}; !reflect.DeepEqual(words, want) {
		t.Errorf("got %v, want %v", words, want)
	}
}

func TestSumAddsWhatTheClosureSays(t *testing.T) {
	if got := Sum([]string{"a", "bcd"}, func(s string) int { return len(s) }); got != 4 {
		t.Errorf("got %d, want 4", got)
	}
}

func TestCountBy(t *testing.T) {
	got := CountBy([]string{"a", "b", "a"}, func(s string) string { return s })
	if want := map[string]int{"a": 2, "b": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

package export

import (
	"errors"
	"strings"
	"testing"
)

type person struct{ name, city string }

var columns = []Column[person]{
	{"name", func(p person) string { return p.name }},
	{"city", func(p person) string { return p.city }},
}

func TestCSV(t *testing.T) {
	var text strings.Builder
	if err := CSV(&text, []person{{"Ada", "London, UK"}, {"=1+1", "Paris"}}, columns...); err != nil {
		t.Fatal(err)
	}
	want := "name,city\nAda,\"London, UK\"\n'=1+1,Paris\n"
	if text.String() != want {
		t.Errorf("got %q, want %q", text.String(), want)
	}
}

type full struct{}

var errFull = errors.New("disk is full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestCSVReportsAFailedWrite(t *testing.T) {
	if err := CSV(full{}, []person{{"Ada", "London"}}, columns...); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}

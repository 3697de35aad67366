// Package ask is what test suites of several kinds share: they ask servers for work, and podcov what it knows.
package ask

import (
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// Servers are where they listen.
func Servers() []string { return strings.Fields(os.Getenv("SERVERS")) }

// Work asks all servers for a kind of work, so often.
func Work(t testing.TB, kind string, times int) {
	t.Helper()
	for range times {
		for _, server := range Servers() {
			response, err := http.Get(server + "/work?kind=" + kind)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
	}
}

// UntilKnown waits until podcov knows that these tests run, and no others: what ran before is read, and none of theirs.
func UntilKnown(t testing.TB, tests ...string) {
	t.Helper()
	slices.Sort(tests)
	Until(t, strings.Join(tests, ", ")+" known to run", func() bool {
		known := strings.FieldsFunc(Known(t), func(r rune) bool { return r == '\n' })
		slices.Sort(known)
		return slices.Equal(known, tests)
	})
}

// Known is what podcov answers when it is asked which tests run: a line for each.
func Known(t testing.TB) string {
	t.Helper()
	response, err := http.Get(os.Getenv("PODCOV_MARK"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, err)
	}
	return string(text)
}

// Until waits.
func Until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited too long for: " + what)
		}
	}
}

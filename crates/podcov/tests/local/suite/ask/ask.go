// Package ask is what test suites of several kinds share: they ask servers for work, and know what podcov has kept of it.
package ask

import (
	"net/http"
	"os"
	"path/filepath"
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

// UntilKept waits until what a test ran is kept. It is named as its directory.
func UntilKept(t testing.TB, test string) {
	t.Helper()
	Until(t, test+" is kept", func() bool {
		files, _ := filepath.Glob(filepath.Join(os.Getenv("COVERAGE"), "tests", test, "covcounters.*"))
		return len(files) > 0
	})
}

// ReadSince tells whether all servers were read since then: what was read of those that live is kept.
func ReadSince(then time.Time) bool {
	patterns := []string{"data/*/.latest/covcounters.*", "data/*/*/*/covcounters.*"}
	all := 0
	for _, pattern := range patterns {
		files, _ := filepath.Glob(filepath.Join(os.Getenv("COVERAGE"), pattern))
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil || info.ModTime().Before(then) {
				return false
			}
			all++
		}
	}
	return all >= len(Servers())
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

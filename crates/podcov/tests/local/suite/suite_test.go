// Package suite asks servers for work of several kinds, each test so often as is written there.
//
// A test whose counts have to be exact waits until those of the test before it are kept.
package suite

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestA(t *testing.T) {
	work(t, "a", 1)
	// From some moment on, this is known to be TestA.
	started := time.Now()
	until(t, "the servers were read", func() bool {
		work(t, "a", 1)
		return readSince(started)
	})
	work(t, "a", 20)
}

func TestB(t *testing.T) {
	untilKept(t, "TestA")
	work(t, "b", 3)
	t.Run("sub", func(t *testing.T) { work(t, "c", 2) })
}

func TestC(t *testing.T) {
	untilKept(t, "TestB")
	work(t, "c", 5)
}

func TestP(t *testing.T) {
	t.Parallel()
	meet(t, "P begins", "Q begins")
	untilKept(t, "TestC")
	work(t, "p", 4)
	meet(t, "P", "Q")
}

func TestQ(t *testing.T) {
	t.Parallel()
	meet(t, "Q begins", "P begins")
	untilKept(t, "TestC")
	work(t, "q", 6)
	meet(t, "Q", "P")
}

// TestMarks says itself when each part of it begins.
func TestMarks(t *testing.T) {
	for i := 1; i <= 10; i++ {
		mark(t, fmt.Sprintf("mark %d", i), i%2 == 0)
		work(t, "x", i)
	}
	mark(t, "mark 1", true)
	work(t, "x", 100)
	if output, err := exec.Command(os.Getenv("PODCOV"), "mark", "--end").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	work(t, "a", 1)
}

// TestTwice runs the same twice.
func TestTwice(t *testing.T) {
	mark(t, "first", false)
	work(t, "c", 1)
	mark(t, "second", false)
	work(t, "c", 1)
	work(t, "b", 1)
}

func TestKill(t *testing.T) {
	mark(t, "kill", false)
	work(t, "x", 3)
	for _, server := range servers() {
		// Something in between may answer instead of it.
		if response, err := http.Get(server + "/exit"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				t.Fatal("it lives")
			}
		}
	}
}

func servers() []string { return strings.Fields(os.Getenv("SERVERS")) }

func work(t *testing.T, kind string, times int) {
	t.Helper()
	for range times {
		for _, server := range servers() {
			response, err := http.Get(server + "/work?kind=" + kind)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
	}
}

func mark(t *testing.T, name string, byHTTP bool) {
	t.Helper()
	if !byHTTP {
		if output, err := exec.Command(os.Getenv("PODCOV"), "mark", name).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		return
	}
	response, err := http.Post(os.Getenv("PODCOV_MARK"), "text/plain", strings.NewReader(name))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
}

// meet returns when both have come: they run at the same time.
func meet(t *testing.T, own, other string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(os.Getenv("MEETING"), own), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	until(t, other, func() bool {
		_, err := os.Stat(filepath.Join(os.Getenv("MEETING"), other))
		return err == nil
	})
}

func untilKept(t *testing.T, test string) {
	t.Helper()
	until(t, test+" is kept", func() bool {
		files, _ := filepath.Glob(filepath.Join(os.Getenv("COVERAGE"), "tests", test, "covcounters.*"))
		return len(files) > 0
	})
}

// readSince tells whether all servers were read since then: what was read of those that live is kept.
func readSince(then time.Time) bool {
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
	return all >= len(servers())
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited too long for: " + what)
		}
	}
}

// Package suite asks servers for work of several kinds, each test so often as is written there.
//
// A test whose counts have to be exact waits until podcov knows that it runs.
package suite

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.com/suite/ask"
)

func TestA(t *testing.T) {
	ask.Work(t, "a", 1)
	ask.UntilKnown(t, "TestA")
	ask.Work(t, "a", 20)
}

func TestB(t *testing.T) {
	ask.UntilKnown(t, "TestB")
	ask.Work(t, "b", 3)
	t.Run("sub", func(t *testing.T) { ask.Work(t, "c", 2) })
}

func TestC(t *testing.T) {
	ask.UntilKnown(t, "TestC")
	ask.Work(t, "c", 5)
}

func TestP(t *testing.T) {
	t.Parallel()
	ask.UntilKnown(t, "TestP", "TestQ")
	ask.Work(t, "p", 4)
	meet(t, "P", "Q")
}

func TestQ(t *testing.T) {
	t.Parallel()
	ask.UntilKnown(t, "TestP", "TestQ")
	ask.Work(t, "q", 6)
	meet(t, "Q", "P")
}

// TestMarks says itself when each part of it begins.
func TestMarks(t *testing.T) {
	for i := 1; i <= 10; i++ {
		mark(t, fmt.Sprintf("mark %d", i), i%2 == 0)
		ask.Work(t, "x", i)
	}
	known(t, "mark 10\n")
	mark(t, "mark 1", true)
	ask.Work(t, "x", 100)
	podcov(t, "mark", "--end")
	known(t, "")
	ask.Work(t, "a", 1)
}

// TestTwice runs the same twice.
func TestTwice(t *testing.T) {
	mark(t, "first", false)
	ask.Work(t, "c", 1)
	mark(t, "second", false)
	ask.Work(t, "c", 1)
	ask.Work(t, "b", 1)
}

// TestUnread ends its first part while what one server has counted cannot be kept.
func TestUnread(t *testing.T) {
	mark(t, "first", false)
	ask.Work(t, "b", 3)
	latest := filepath.Join(os.Getenv("COVERAGE"), "data", "two", ".latest")
	move(t, latest, latest+".away")
	output, err := exec.Command(os.Getenv("PODCOV"), "mark", "second").CombinedOutput()
	if err == nil || !strings.Contains(string(output), "not everything was read") {
		t.Fatalf("%v: %s", err, output)
	}
	move(t, latest+".away", latest)
	ask.Work(t, "c", 2)
	mark(t, "third", false)
	ask.Work(t, "x", 1)
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestKill(t *testing.T) {
	mark(t, "kill", false)
	ask.Work(t, "x", 3)
	for _, server := range ask.Servers() {
		parent := parentOf(server)
		// Something in between may answer instead of it.
		if response, err := http.Get(server + "/exit"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				t.Fatal("it lives")
			}
		}
		ask.Until(t, "podcov to have seen the end of "+server, func() bool {
			return parent == 0 || syscall.Kill(parent, 0) != nil
		})
	}
}

// parentOf is the process that started a server, for those that run on this machine and tell.
func parentOf(server string) int {
	response, err := http.Get(server + "/parent")
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	parent, _ := strconv.Atoi(string(text))
	return parent
}

func mark(t *testing.T, name string, byHTTP bool) {
	t.Helper()
	if !byHTTP {
		podcov(t, "mark", name)
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

// podcov runs it, and returns what it prints.
func podcov(t *testing.T, arguments ...string) string {
	t.Helper()
	output, err := exec.Command(os.Getenv("PODCOV"), arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return string(output)
}

// known fails unless these lines are the tests that podcov knows to run, whichever way it is asked.
func known(t *testing.T, lines string) {
	t.Helper()
	if shown, answered := podcov(t, "mark", "--show"), ask.Known(t); shown != lines || answered != lines {
		t.Fatalf("known to run: %q and %q, not %q", shown, answered, lines)
	}
}

// meet returns when both have come: they run at the same time.
func meet(t *testing.T, own, other string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(os.Getenv("MEETING"), own), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	ask.Until(t, other, func() bool {
		_, err := os.Stat(filepath.Join(os.Getenv("MEETING"), other))
		return err == nil
	})
}

// Program shape is what runs in the tests' images while they are built: each step leaves a layer that hides or replaces
// something of those below it.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	steps := map[string]func() error{"create": create, "change": change, "remove": remove}
	if len(os.Args) != 2 || steps[os.Args[1]] == nil {
		fmt.Println("serving")
		return
	}
	if err := steps[os.Args[1]](); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

// first returns the first error; every argument has been carried out.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func create() error {
	long := strings.Repeat("long-name/", 20) + strings.Repeat("x", 200)
	return first(
		write("/data/keep", "kept\n"),
		write("/data/gone", "to be removed\n"),
		write("/data/empty", ""),
		write("/data/changed", "old\n"),
		write("/data/emptied/a", "a\n"),
		write("/data/emptied/b/c", "c\n"),
		write("/data/emptied-not", "its name begins like a directory's\n"),
		write("/data/becomes-directory", "a file\n"),
		write("/data/becomes-file/inner", "inner\n"),
		write("/data/removed/deep/inner", "inner\n"),
		write("/data/"+long, "long\n"),
		write("/data/caf\xe9", "latin 1\n"),
		write("/data/new\nline", "line\n"),
		write("/usr/lib/library", "library\n"),
		os.Symlink("usr/lib", "/lib"),
		os.Symlink("keep", "/data/link"),
		os.Symlink("/data/link", "/data/absolute"),
		os.Symlink("../../../../data/keep", "/data/up"),
		os.Symlink("loop-b", "/data/loop-a"),
		os.Symlink("loop-a", "/data/loop-b"),
		os.Symlink("/nowhere", "/data/dangling"),
		os.Link("/data/keep", "/data/hard"),
		os.Link("/data/changed", "/data/hard-changed"),
		os.Link("/data/link", "/data/hard-link-to-link"),
		syscall.Mkfifo("/data/pipe", 0o644),
		os.Chmod("/data/empty", 0o4755),
	)
}

func change() error {
	return first(
		os.Remove("/data/gone"),
		write("/data/changed", "new and longer\n"),
		os.RemoveAll("/data/emptied"),
		write("/data/emptied/d", "d\n"),
		os.Remove("/data/becomes-directory"),
		write("/data/becomes-directory/inner", "inner\n"),
		os.RemoveAll("/data/becomes-file"),
		write("/data/becomes-file", "a file\n"),
		write("/lib/second", "through a link\n"),
		write("/data/large", string(bytes.Repeat([]byte("0123456789abcdef"), 1<<16))),
	)
}

func remove() error {
	return first(
		os.RemoveAll("/data/removed"),
		os.Remove("/data/hard"),
		write("/data/gone", "back again\n"),
	)
}

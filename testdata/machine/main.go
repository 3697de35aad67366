// The first process of an emulated machine: runs programs as a container's runtime does, one after the other, and prints
// what each left. What is to be run is in /programs.json; what was left is a tar archive, in base64 between two lines.
package main

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	left    = "/left"
	user    = 65532
	patient = 2 * time.Minute
)

// A program, and what is done to it.
type program struct {
	Name        string // of a directory in the archive
	Words       []string
	Environment []string
	// Those that it writes to, which become those with the names of the keys.
	Directories map[string]string
	// Once it is ready; 0 for none.
	Signal syscall.Signal
	// SIGKILL to it, or to its first child, once it is ready, or ready to be killed after the signal.
	Kill, KillChild bool
}

func main() {
	if len(os.Args) > 1 {
		contain(os.Args[1:])
	}
	for _, mount := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}} {
		check(os.MkdirAll(mount[1], 0o755))
		check(syscall.Mount(mount[0], mount[1], mount[0], 0, ""))
	}
	check(os.Chmod("/tmp", 0o1777))
	contents, err := os.ReadFile("/programs.json")
	check(err)
	var programs []program
	check(json.Unmarshal(contents, &programs))
	for _, program := range programs {
		fmt.Println(program.Name, program.run())
	}
	hand()
	check(syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF))
}

// run returns the exit code, as a shell's.
func (p program) run() int {
	directory := filepath.Join(left, p.Name)
	check(os.MkdirAll(directory, 0o755))
	for _, path := range p.Directories {
		check(os.RemoveAll(path))
		check(os.MkdirAll(path, 0o755))
		check(os.Chown(path, user, user))
	}
	output, err := os.Create(filepath.Join(directory, "output"))
	check(err)
	defer output.Close()
	command := exec.Command("/proc/self/exe", p.Words...)
	command.Env, command.Stdout, command.Stderr = append(p.Environment, "PATH=/bin"), output, output
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	check(command.Start())
	// Whatever takes longer has failed, and says so with its exit code.
	late := time.AfterFunc(patient, func() {
		fmt.Println(p.Name, "takes too long")
		check(command.Process.Kill())
	})
	defer late.Stop()
	ready := 0
	if p.Signal != 0 {
		ready++
		p.untilReady(ready, output.Name())
		check(command.Process.Signal(p.Signal))
	}
	if p.Kill || p.KillChild {
		p.untilReady(ready+1, output.Name())
		process := command.Process.Pid
		if p.KillChild {
			process = child(process)
		}
		check(syscall.Kill(process, syscall.SIGKILL))
	}
	_ = command.Wait()
	for name, path := range p.Directories {
		check(os.CopyFS(filepath.Join(directory, name), os.DirFS(path)))
	}
	status := command.ProcessState.Sys().(syscall.WaitStatus)
	code := status.ExitStatus()
	if status.Signaled() {
		code = 128 + int(status.Signal())
	}
	check(os.WriteFile(filepath.Join(directory, "code"), []byte(strconv.Itoa(code)), 0o644))
	return code
}

func (p program) untilReady(times int, output string) {
	until(p.Name+" is ready", func() bool {
		contents, err := os.ReadFile(output)
		return err == nil && bytes.Count(contents, []byte("ready\n")) >= times
	})
}

func child(parent int) (number int) {
	until("there is a child", func() bool {
		lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
		check(err)
		for _, list := range lists {
			contents, _ := os.ReadFile(list)
			if words := strings.Fields(string(contents)); len(words) > 0 {
				number, err = strconv.Atoi(words[0])
				return err == nil
			}
		}
		return false
	})
	return number
}

func until(what string, holds func() bool) {
	for end := time.Now().Add(patient); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			fmt.Println("not in time:", what)
			return
		}
	}
}

// contain becomes the program, in namespaces of its own, as another user who can gain no privileges.
func contain(words []string) {
	const noNewPrivileges = 38
	runtime.LockOSThread()
	check(syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	check(syscall.Mount("proc", "/proc", "proc", 0, ""))
	check(syscall.Setgroups(nil))
	check(syscall.Setgid(user))
	check(syscall.Setuid(user))
	_, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, noNewPrivileges, 1, 0)
	if failed != 0 {
		log.Fatal(failed)
	}
	path, err := exec.LookPath(words[0])
	check(err)
	check(syscall.Exec(path, words, os.Environ()))
}

func hand() {
	fmt.Println("BEGIN")
	lines := &folded{}
	encoder := base64.NewEncoder(base64.StdEncoding, lines)
	archive := tar.NewWriter(encoder)
	check(archive.AddFS(os.DirFS(left)))
	check(archive.Close())
	check(encoder.Close())
	fmt.Println("\nEND")
}

// A terminal is not made for lines of any length.
type folded struct{ column int }

func (f *folded) Write(text []byte) (int, error) {
	const width = 120
	for rest := text; len(rest) > 0; {
		length := min(len(rest), width-f.column)
		if _, err := os.Stdout.Write(rest[:length]); err != nil {
			return 0, err
		}
		rest, f.column = rest[length:], f.column+length
		if f.column == width {
			fmt.Println()
			f.column = 0
		}
	}
	return len(text), nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

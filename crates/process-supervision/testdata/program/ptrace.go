package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"
)

func init() {
	endings["refuse-ptrace"] = func() { filterPtrace(seccompErrno | uint32(syscall.EPERM)) }
	endings["kill-for-ptrace"] = func() { filterPtrace(seccompKill) }
	endings["trace"] = trace
}

const (
	seccompAllow       = 0x7fff0000
	seccompErrno       = 0x00050000
	seccompKill        = 0x80000000
	seccompModeFilter  = 2
	prSetNoNewPrivs    = 38
	offsetOfSystemCall = 0
)

// filterPtrace becomes a program for which each call of ptrace has this result.
func filterPtrace(result uint32) {
	runtime.LockOSThread()
	filter := []syscall.SockFilter{
		{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: offsetOfSystemCall},
		{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, Jf: 1, K: syscall.SYS_PTRACE},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: result},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: seccompAllow},
	}
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	set := func(what, first, second uintptr) {
		if _, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, what, first, second, 0, 0, 0); err != 0 {
			log.Fatal(err)
		}
	}
	set(prSetNoNewPrivs, 1, 0)
	set(syscall.PR_SET_SECCOMP, seccompModeFilter, uintptr(unsafe.Pointer(&program)))
	execute(os.Args[2:])
}

// trace runs a program as a debugger does.
func trace() {
	runtime.LockOSThread()
	child := exec.Command("true")
	child.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := child.Start(); err != nil {
		log.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(child.Process.Pid, &status, 0, nil); err != nil || !status.Stopped() {
		log.Fatal(err, status)
	}
	if err := syscall.PtraceDetach(child.Process.Pid); err != nil {
		log.Fatal(err)
	}
	fmt.Println("traced")
}

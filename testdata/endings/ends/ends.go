// Package ends ends the program. It is not covered.
package ends

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/coverage"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"example.com/endings/ledger"
)

// As ends the program in the way that the first word says, or returns. work counts more.
func As(words []string, work func(rounds int)) {
	switch words[0] {
	case "handle":
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		Ready()
		<-signals
		work(3)
	case "drain":
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		Ready()
		<-signals
		work(5)
		Ready()
		wait()
	case "orphan":
		// Its parent is killed when it is ready.
		parent := os.Getppid()
		Ready()
		for os.Getppid() == parent {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(number(words[1]))
		return
	case "flush":
		for i := 0; i < 3; i++ {
			work(2)
			if err := coverage.WriteCountersDir(os.Getenv("GOCOVERDIR")); err != nil {
				log.Fatal(err)
			}
		}
	case "busy":
		Ready()
		for {
			work(1)
			time.Sleep(time.Millisecond)
		}
	}
	ledger.Write()
	switch words[0] {
	case "return", "handle", "flush":
	case "exit":
		os.Exit(3)
	case "log-fatal":
		log.Fatal("fatal")
	case "ignore":
		signal.Ignore(syscall.SIGTERM)
		Ready()
		wait()
	case "wait":
		Ready()
		wait()
	case "panic":
		panic("panic")
	case "map-write":
		writeMap()
	case "overflow":
		debug.SetMaxStack(16 << 20)
		overflow(0)
	case "allocate":
		allocate()
	case "exec":
		log.Fatal(syscall.Exec(words[1], words[1:], os.Environ()))
	case "run":
		if err := exec.Command(words[1], words[2:]...).Run(); err != nil {
			log.Fatal(err)
		}
	case "leave":
		leave(words[1], words[2:])
	default:
		log.Fatalf("no ending %q", words[0])
	}
}

// Ready says that what was counted is written, and that nothing more is counted until something happens.
func Ready() {
	ledger.Write()
	fmt.Println("ready")
}

func wait() { time.Sleep(time.Hour) }

func number(text string) time.Duration {
	number, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return time.Duration(number) * time.Millisecond
}

func writeMap() {
	// On one processor, Go would let no other goroutine run while one writes.
	runtime.GOMAXPROCS(8)
	values := map[int]int{}
	for i := 0; i < 8; i++ {
		go func() {
			for i := 0; ; i++ {
				values[i%8] = i
			}
		}()
	}
	select {}
}

func overflow(depth int) int { return overflow(depth+1) + 1 }

var kept [][]byte

func allocate() {
	for {
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = 1
		}
		kept = append(kept, block)
		// A leak takes a while, and nobody else gets memory in the end.
		time.Sleep(5 * time.Millisecond)
	}
}

// leave starts a program, and waits when that is ready.
func leave(program string, arguments []string) {
	child := exec.Command(program, arguments...)
	output, err := child.StdoutPipe()
	if err != nil {
		log.Fatal(err)
	}
	if err := child.Start(); err != nil {
		log.Fatal(err)
	}
	if _, err := output.Read(make([]byte, 1)); err != nil {
		log.Fatal(err)
	}
	Ready()
	wait()
}

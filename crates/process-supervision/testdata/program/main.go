// Ends in the way that it is told to, after it counted on many threads.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// counter is what the observer reads; its address is left in a file.
var counter atomic.Uint64

func main() {
	if directory := os.Getenv("COUNTERS"); directory != "" {
		file := directory + "/" + strconv.Itoa(os.Getpid())
		if err := os.WriteFile(file, []byte(fmt.Sprintf("%p", &counter)), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	how := "return"
	if len(os.Args) > 1 {
		how = os.Args[1]
	}
	end, known := endings[how]
	if !known {
		log.Fatalf("no ending %q", how)
	}
	end()
}

var endings = map[string]func(){
	"return":    func() {},
	"exit":      func() { os.Exit(3) },
	"log-fatal": func() { log.Fatal("fatal") },
	"panic":     func() { panic("panic") },
	"goroutine-panic": func() {
		go panic("in a goroutine")
		select {}
	},
	"map-write":      concurrentMapWrites,
	"stack-overflow": func() { debug.SetMaxStack(16 << 20); overflow(0) },
	"nil":            func() { var nothing *int; fmt.Println(*nothing) },
	"kill-self":      func() { kill(syscall.SIGKILL); wait() },
	"abort-self":     func() { kill(syscall.SIGABRT); wait() },
	"wait":           func() { ready(); wait() },
	"handle":         handle,
	"busy-exit":      func() { busy(); time.Sleep(50 * time.Millisecond); os.Exit(4) },
	"busy-kill":      func() { busy(); time.Sleep(50 * time.Millisecond); kill(syscall.SIGKILL); wait() },
	"busy-wait":      func() { busy(); ready(); wait() },
	"exec":           func() { counter.Add(7); execute(os.Args[2:]) },
	"exec-other-thread": func() {
		counter.Add(7)
		go func() {
			runtime.LockOSThread()
			for syscall.Gettid() == syscall.Getpid() {
				runtime.UnlockOSThread()
				runtime.Gosched()
				runtime.LockOSThread()
			}
			execute(os.Args[2:])
		}()
		select {}
	},
	"busy-exec": func() { busy(); time.Sleep(20 * time.Millisecond); execute(os.Args[2:]) },
	"exec-nothing": func() {
		err := syscall.Exec("/nowhere/program", []string{"program"}, os.Environ())
		fmt.Println(err)
		os.Exit(5)
	},
	"children":          func() { children(200, os.Args[2:]) },
	"threads":           threads,
	"first-thread-ends": firstThreadEnds,
	"leave-child":       leaveChild,
	"count":             func() { counter.Add(5) },
	"signals":           countSignals,
	"parent":            func() { fmt.Println(os.Getppid() == atoi(os.Args[2])) },
	"hide":              func() { hide(); os.Exit(6) },
	"hide-exec":         func() { hide(); endThreads(); execute(os.Args[2:]) },
}

func atoi(text string) int {
	number, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return number
}

// wait is no deadlock for the runtime, which ends the program where nothing would ever wake it up.
func wait() {
	for {
		time.Sleep(time.Hour)
	}
}

// ready says that signals may come.
func ready() { fmt.Println("ready") }

func kill(signal syscall.Signal) {
	if err := syscall.Kill(os.Getpid(), signal); err != nil {
		log.Fatal(err)
	}
}

func handle() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	ready()
	received := <-signals
	fmt.Println("got", received)
	counter.Add(1)
}

// countSignals counts each signal until SIGTERM, and prints what came.
func countSignals() {
	signals := make(chan os.Signal, 100)
	signal.Notify(signals)
	ready()
	for received := range signals {
		if received == syscall.SIGURG || received == syscall.SIGCHLD {
			continue
		}
		fmt.Println("got", int(received.(syscall.Signal)))
		if received == syscall.SIGTERM {
			// Another one would come right behind it.
			time.Sleep(100 * time.Millisecond)
			for len(signals) > 0 {
				if next := <-signals; next != syscall.SIGURG && next != syscall.SIGCHLD {
					fmt.Println("and", int(next.(syscall.Signal)))
				}
			}
			return
		}
	}
}

func busy() {
	for range 4 {
		go func() {
			for {
				counter.Add(1)
			}
		}()
	}
}

func concurrentMapWrites() {
	// On one processor, Go would let no other goroutine run while one writes.
	runtime.GOMAXPROCS(8)
	values := map[int]int{}
	for range 8 {
		go func() {
			for i := 0; ; i++ {
				values[i%8] = i
			}
		}()
	}
	select {}
}

func overflow(depth int) int { return overflow(depth+1) + 1 }

func execute(command []string) {
	path, err := exec.LookPath(command[0])
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(syscall.Exec(path, command, os.Environ()))
}

// children starts many processes at once, from many threads.
func children(number int, command []string) {
	var all sync.WaitGroup
	for range number {
		all.Add(1)
		go func() {
			defer all.Done()
			if output, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
				log.Fatalf("%v: %s", err, output)
			}
		}()
	}
	all.Wait()
	if _, err := exec.Command("/nowhere/program").Output(); err == nil {
		log.Fatal("started what is not there")
	}
}

// threads come and go.
func threads() {
	var all sync.WaitGroup
	for range 300 {
		all.Add(1)
		go func() {
			defer all.Done()
			// Without UnlockOSThread, the thread ends with the goroutine.
			runtime.LockOSThread()
			counter.Add(1)
		}()
	}
	all.Wait()
	os.Exit(7)
}

// The main goroutine has the first thread to itself.
func init() { runtime.LockOSThread() }

// firstThreadEnds ends one thread, and later the process.
func firstThreadEnds() {
	go func() {
		time.Sleep(50 * time.Millisecond)
		counter.Add(9)
		os.Exit(3)
	}()
	syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
}

// hide lets nobody without privileges look at this process.
func hide() { syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0) }

// endThreads ends some threads, which are gone then.
func endThreads() {
	threads := make(chan int)
	for range 5 {
		go func() {
			runtime.LockOSThread()
			threads <- syscall.Gettid()
		}()
	}
	for range 5 {
		thread := fmt.Sprintf("/proc/self/task/%d", <-threads)
		for start := time.Now(); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(thread); err != nil {
				break
			}
			if time.Since(start) > time.Second {
				log.Fatal("the thread has not ended: ", thread)
			}
		}
	}
}

// leaveChild ends at once, and its child later: when its standard input is closed.
func leaveChild() {
	child := exec.Command(os.Args[2], os.Args[3:]...)
	child.Stdin, child.Stdout = os.Stdin, os.Stdout
	if err := child.Start(); err != nil {
		log.Fatal(err)
	}
	kill(syscall.SIGKILL)
	wait()
}

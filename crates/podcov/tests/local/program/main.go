// The program does what its first argument says: each way to start, to run and to end that matters for coverage.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A literal outside of any function: covdata counts its statements, cover -func does not.
var greeting = func(name string) string {
	if name == "" {
		return "hello"
	}
	return "hello " + name
}

func main() {
	name, arguments := os.Args[1], os.Args[2:]
	switch name {
	case "print":
		print(arguments)
	case "exit":
		os.Exit(number(arguments[0]))
	case "fail":
		fmt.Fprintln(os.Stderr, "no configuration at "+arguments[0])
		os.Exit(7)
	case "panic":
		panic("at the disco")
	case "spawn":
		spawn(number(arguments[0]))
	case "signals":
		answerSignal()
	case "again":
		startAgain(arguments[0])
	case "serve":
		serve(arguments[0], arguments[1], arguments[2:])
	case "get":
		get(arguments[0])
	}
}

func print(arguments []string) {
	fmt.Println(greeting(strings.Join(arguments, " ")))
	fmt.Fprintln(os.Stderr, "aside")
	must(io.Copy(os.Stdout, os.Stdin))
}

// Children that run at the same time, each with counters of its own.
func spawn(children int) {
	var running sync.WaitGroup
	for range children {
		running.Add(1)
		go func() {
			defer running.Done()
			must(0, exec.Command(os.Args[0], "exit", "0").Run())
		}()
	}
	running.Wait()
}

// Ends with 40 + the signal's number.
func answerSignal() {
	received := signals(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	fmt.Println("waiting")
	os.Exit(40 + int(<-received))
}

// The same process, with counters that begin anew.
func startAgain(when string) {
	fmt.Println("waiting")
	waitForFile(when)
	must(0, syscall.Exec(os.Args[0], []string{os.Args[0], "signals"}, os.Environ()))
}

func serve(address, ending string, arguments []string) {
	stop := make(<-chan syscall.Signal)
	switch ending {
	case "graceful", "patient":
		stop = signals(syscall.SIGTERM)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "abrupt":
	}
	go listen(address)
	<-stop
	fmt.Println("stopping")
	if ending == "patient" {
		waitForFile(arguments[0])
	}
}

func listen(address string) {
	var asked atomic.Int32
	http.HandleFunc("/ready", func(writer http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) <= 3 {
			http.Error(writer, "not yet", http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/never", func(writer http.ResponseWriter, _ *http.Request) {
		http.Error(writer, "never", http.StatusServiceUnavailable)
	})
	http.HandleFunc("/greeting", func(writer http.ResponseWriter, request *http.Request) {
		fmt.Fprintln(writer, greeting(os.Getenv("GREETED")))
	})
	http.HandleFunc("/exit", func(_ http.ResponseWriter, request *http.Request) {
		fmt.Println("exit was asked for")
		os.Exit(number(request.URL.Query().Get("code")))
	})
	fmt.Println("listening")
	must(0, http.ListenAndServe(address, nil))
}

// Prints what a URL answers. That the other side goes away is an answer, too.
func get(url string) {
	response, err := http.Get(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	must(io.Copy(os.Stdout, response.Body))
}

func signals(which ...os.Signal) <-chan syscall.Signal {
	received, numbers := make(chan os.Signal, 1), make(chan syscall.Signal)
	signal.Notify(received, which...)
	go func() { numbers <- (<-received).(syscall.Signal) }()
	return numbers
}

func waitForFile(path string) {
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func number(text string) int {
	return must(strconv.Atoi(text))
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

// Probe is a service that ends in every way a service can end, for tests of what is captured from it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

var (
	listen        = flag.String("listen", ":8080", "address to listen at")
	readyAfter    = flag.Duration("ready-after", 0, "answer the readiness probe only after this time")
	slowStop      = flag.Duration("slow-stop", 0, "take this long to end after SIGTERM")
	dieOnSigterm  = flag.Bool("die-on-sigterm", false, "do not handle SIGTERM")
	unready       = flag.Bool("unready-with-gocoverdir", false, "never get ready when GOCOVERDIR is set")
	refuse        = flag.Bool("refuse-gocoverdir", false, "fail at start when GOCOVERDIR is set")
	directory     = flag.String("chdir", "", "go to this directory")
	fillDirectory = flag.Bool("fill-gocoverdir", false, "leave no room in GOCOVERDIR before ending")
)

func main() {
	flag.Parse()
	if *refuse && os.Getenv("GOCOVERDIR") != "" {
		log.Fatal("probe: GOCOVERDIR is not a setting of this service")
	}
	if *directory != "" {
		if err := os.Chdir(*directory); err != nil {
			log.Fatal(err)
		}
	}
	if err := serve(); err != nil {
		log.Fatal(err)
	}
	if *fillDirectory {
		fill(filepath.Join(os.Getenv("GOCOVERDIR"), "ballast"))
	}
}

func serve() error {
	ctx := context.Background()
	if !*dieOnSigterm {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
		defer stop()
	}
	server := &http.Server{Addr: *listen, Handler: handler(time.Now())}
	go func() {
		<-ctx.Done()
		time.Sleep(*slowStop)
		_ = server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func handler(started time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if *unready && os.Getenv("GOCOVERDIR") != "" || time.Since(started) < *readyAfter {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/work", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, worked()) })
	mux.HandleFunc("/children", func(w http.ResponseWriter, r *http.Request) {
		count, _ := strconv.Atoi(r.FormValue("count"))
		for i := 0; i < count; i++ {
			_ = exec.Command("/proc/self/exe", "-h").Run()
		}
	})
	mux.HandleFunc("/exit", func(_ http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.FormValue("code"))
		os.Exit(code)
	})
	// Without Go's exit hooks.
	mux.HandleFunc("/syscall-exit", func(http.ResponseWriter, *http.Request) { syscall.Exit(0) })
	// Not in the handler, where the server recovers from it.
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) {
		go panic("probe: as it was asked to")
	})
	mux.HandleFunc("/fill", func(http.ResponseWriter, *http.Request) {
		fill(filepath.Join(os.Getenv("GOCOVERDIR"), "ballast"))
	})
	// Not as process 1: the kernel keeps that one from killing itself.
	mux.HandleFunc("/kill", func(http.ResponseWriter, *http.Request) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	})
	// Process 1, too, is killed at the container's limit, with all others in it.
	mux.HandleFunc("/exhaust", func(http.ResponseWriter, *http.Request) {
		var memory [][]byte
		for {
			block := make([]byte, 1<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			memory = append(memory, block)
		}
	})
	return mux
}

// worked is covered by the tests that ask for work, and by no other.
func worked() string {
	return "worked"
}

func fill(path string) {
	file, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	for block := 64 << 10; block > 0; block /= 2 {
		for {
			if _, err := file.Write(make([]byte, block)); err != nil {
				break
			}
		}
	}
}

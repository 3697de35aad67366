// What supervision costs a busy HTTP server: the same server alone, supervised, and alone again. All three run all the
// time, and each gets its short turn in each round, in random order, so that whatever else the machine does meets all of
// them. The two that are alone show what the machine makes of no difference at all.
//
// bench SUPERVISE ROUNDS MILLISECONDS prints requests per second, latency, and processor time for each request.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const clients = 16

func main() {
	log.SetFlags(0)
	if len(os.Args) == 2 && os.Args[1] == "server" {
		serve()
	}
	if len(os.Args) != 4 {
		log.Fatal("usage: bench SUPERVISE ROUNDS MILLISECONDS")
	}
	rounds, err := strconv.Atoi(os.Args[2])
	check(err)
	milliseconds, err := strconv.Atoi(os.Args[3])
	check(err)
	turn := time.Duration(milliseconds) * time.Millisecond
	alone := []string{os.Args[0], "server"}
	servers := []*server{
		start("alone", alone),
		start("supervised", append([]string{os.Args[1], "--"}, alone...)),
		start("alone again", alone),
	}
	for _, server := range servers {
		server.requests += len(load(server.url, time.Second))
	}
	for range rounds {
		for _, i := range rand.Perm(len(servers)) {
			servers[i].measure(turn)
		}
	}
	for _, server := range servers {
		server.stop()
	}
	print(servers, rounds)
}

// print shows the medians of all turns, and those of the differences within a round.
func print(servers []*server, rounds int) {
	figures := []func(s *server, round int) float64{
		func(s *server, round int) float64 { return s.turns[round].rate },
		func(s *server, round int) float64 { return s.turns[round].p50 },
		func(s *server, round int) float64 { return s.turns[round].p99 },
		func(s *server, round int) float64 { return s.cpu },
	}
	fmt.Printf("%-11s %12s %10s %10s %15s\n", "medians", "requests/s", "p50 µs", "p99 µs", "CPU µs/request")
	line := func(name, format string, value func(figure func(*server, int) float64, round int) float64) {
		fmt.Printf("%-11s", name)
		for column, width := range []int{13, 11, 11, 16} {
			var values []float64
			for round := range rounds {
				values = append(values, value(figures[column], round))
			}
			slices.Sort(values)
			fmt.Printf(" %*s", width-1, fmt.Sprintf(format, values[len(values)/2]))
		}
		fmt.Println()
	}
	for _, s := range servers {
		line(s.name, "%.1f", func(figure func(*server, int) float64, round int) float64 { return figure(s, round) })
	}
	for _, s := range servers[1:] {
		line(s.name, "%+.2f %%", func(figure func(*server, int) float64, round int) float64 {
			return 100 * (figure(s, round)/figure(servers[0], round) - 1)
		})
	}
}

type turn struct{ rate, p50, p99 float64 }

type server struct {
	name     string
	process  *exec.Cmd
	url      string
	turns    []turn
	requests int
	cpu      float64 // of the supervisor and the server, in µs per request
}

func start(name string, words []string) *server {
	process := exec.Command(words[0], words[1:]...)
	process.Stderr = os.Stderr
	output, err := process.StdoutPipe()
	check(err)
	check(process.Start())
	address, err := bufio.NewReader(output).ReadString('\n')
	check(err)
	return &server{name: name, process: process, url: "http://" + address[:len(address)-1] + "/?name=plum"}
}

func (s *server) measure(duration time.Duration) {
	latencies := load(s.url, duration)
	s.requests += len(latencies)
	slices.Sort(latencies)
	at := func(share float64) float64 {
		return float64(latencies[int(float64(len(latencies))*share)].Nanoseconds()) / 1000
	}
	s.turns = append(s.turns, turn{rate: float64(len(latencies)) / duration.Seconds(), p50: at(0.5), p99: at(0.99)})
}

func (s *server) stop() {
	check(s.process.Process.Signal(syscall.SIGTERM))
	_ = s.process.Wait()
	// Of what it waited for, too.
	usage := s.process.ProcessState.SysUsage().(*syscall.Rusage)
	s.cpu = float64((usage.Utime.Nano()+usage.Stime.Nano())/1000) / float64(s.requests)
}

func load(url string, duration time.Duration) []time.Duration {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	results := make([][]time.Duration, clients)
	until := time.Now().Add(duration)
	var all sync.WaitGroup
	for i := range clients {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(until) {
				start := time.Now()
				response, err := client.Get(url)
				check(err)
				_, err = io.Copy(io.Discard, response.Body)
				check(err)
				response.Body.Close()
				results[i] = append(results[i], time.Since(start))
			}
		}()
	}
	all.Wait()
	return slices.Concat(results...)
}

type item struct {
	Name  string
	Sizes []int
	Hash  []byte
}

// serve answers with what costs memory and time, so that garbage is collected and goroutines are preempted.
func serve() {
	kept := make([][]byte, 0, 64)
	for range cap(kept) {
		kept = append(kept, make([]byte, 1<<19))
	}
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		items := make([]item, 50)
		for i := range items {
			hash := sha256.Sum256([]byte(request.FormValue("name") + strconv.Itoa(i)))
			items[i] = item{Name: request.FormValue("name"), Sizes: make([]int, i), Hash: hash[:]}
		}
		_ = json.NewEncoder(response).Encode(items)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, nil), len(kept))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

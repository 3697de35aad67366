// What supervision costs a busy HTTP server: the same server alone, supervised, and alone again. Two processes of the same
// program can differ by several percent for as long as they live, so the servers are started anew for each batch. In it, all
// three run all the time, and each gets its short turn in each round, in random order, so that whatever else the machine does
// meets all of them. The one that is alone again shows what the machine makes of no difference at all.
//
// bench SUPERVISE BATCHES MILLISECONDS MEGABYTES prints requests per second, latency, and processor time for each request.
// The less memory the server keeps, the more often it collects garbage, which is what the supervision notices.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	clients = 16
	rounds  = 5 // in each batch
)

func main() {
	log.SetFlags(0)
	if len(os.Args) == 3 && os.Args[1] == "server" {
		megabytes, err := strconv.Atoi(os.Args[2])
		check(err)
		serve(megabytes)
	}
	if len(os.Args) != 5 {
		log.Fatal("usage: bench SUPERVISE BATCHES MILLISECONDS MEGABYTES")
	}
	batches, err := strconv.Atoi(os.Args[2])
	check(err)
	milliseconds, err := strconv.Atoi(os.Args[3])
	check(err)
	alone := []string{os.Args[0], "server", os.Args[4]}
	kinds := []kind{
		{"alone", alone},
		{"supervised", append([]string{os.Args[1], "--"}, alone...)},
		{"alone again", alone},
	}
	measured := make([][]figures, len(kinds))
	for range batches {
		for i, figures := range batch(kinds, time.Duration(milliseconds)*time.Millisecond) {
			measured[i] = append(measured[i], figures)
		}
	}
	print(kinds, measured)
}

type kind struct {
	name  string
	words []string
}

// Requests per second, median and 99th percentile of the latency in µs, and processor time in µs for each request.
type figures [4]float64

var columns = [len(figures{})]string{"requests/s", "p50 µs", "p99 µs", "CPU µs/request"}

// batch starts a server of each kind, and measures them.
func batch(kinds []kind, turn time.Duration) []figures {
	servers := make([]*server, len(kinds))
	for _, i := range rand.Perm(len(kinds)) {
		servers[i] = start(kinds[i].words)
		servers[i].warmUp()
	}
	for range rounds {
		for _, i := range rand.Perm(len(kinds)) {
			servers[i].measure(turn)
		}
	}
	measured := make([]figures, len(kinds))
	for i, server := range servers {
		measured[i] = server.stop(rounds * turn)
	}
	return measured
}

// print shows the means of all batches, and those of the differences within a batch with their standard errors.
func print(kinds []kind, measured [][]figures) {
	fmt.Printf("%-11s", "means")
	for _, column := range columns {
		fmt.Printf(" %18s", column)
	}
	fmt.Println()
	line := func(name string, cell func(column int) string) {
		fmt.Printf("%-11s", name)
		for column := range columns {
			fmt.Printf(" %18s", cell(column))
		}
		fmt.Println()
	}
	for i, kind := range kinds {
		line(kind.name, func(column int) string {
			mean, _ := mean(measured[i], func(_ int, of figures) float64 { return of[column] })
			return fmt.Sprintf("%.1f", mean)
		})
	}
	for i, kind := range kinds[1:] {
		line(kind.name, func(column int) string {
			mean, deviation := mean(measured[i+1], func(batch int, of figures) float64 {
				return 100 * (of[column]/measured[0][batch][column] - 1)
			})
			return fmt.Sprintf("%+.2f ± %.2f %%", mean, deviation)
		})
	}
}

// mean returns the mean of a value over all batches, and its standard error.
func mean(batches []figures, value func(batch int, of figures) float64) (float64, float64) {
	var sum, squares float64
	for batch, of := range batches {
		sum += value(batch, of)
	}
	count := float64(len(batches))
	for batch, of := range batches {
		squares += math.Pow(value(batch, of)-sum/count, 2)
	}
	return sum / count, math.Sqrt(squares / (count - 1) / count)
}

type server struct {
	process   *exec.Cmd
	url       string
	latencies []time.Duration
	requests  int // those to warm it up, too
}

func start(words []string) *server {
	process := exec.Command(words[0], words[1:]...)
	process.Stderr = os.Stderr
	output, err := process.StdoutPipe()
	check(err)
	check(process.Start())
	address, err := bufio.NewReader(output).ReadString('\n')
	check(err)
	return &server{process: process, url: "http://" + address[:len(address)-1] + "/?name=plum"}
}

func (s *server) warmUp() {
	s.requests += len(load(s.url, time.Second/4))
}

func (s *server) measure(turn time.Duration) {
	latencies := load(s.url, turn)
	s.requests += len(latencies)
	s.latencies = append(s.latencies, latencies...)
}

func (s *server) stop(measured time.Duration) figures {
	check(s.process.Process.Signal(syscall.SIGTERM))
	_ = s.process.Wait()
	// Of what it waited for, too: of the supervisor and the server.
	usage := s.process.ProcessState.SysUsage().(*syscall.Rusage)
	slices.Sort(s.latencies)
	at := func(share float64) float64 {
		return float64(s.latencies[int(float64(len(s.latencies))*share)].Nanoseconds()) / 1000
	}
	return figures{
		float64(len(s.latencies)) / measured.Seconds(),
		at(0.5),
		at(0.99),
		float64((usage.Utime.Nano()+usage.Stime.Nano())/1000) / float64(s.requests),
	}
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
func serve(megabytes int) {
	kept := make([]byte, megabytes<<20)
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
	err = http.Serve(listener, nil)
	runtime.KeepAlive(kept)
	log.Fatal(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// What supervision costs a busy HTTP server: the same server alone, supervised, and alone again, in turn. The two that
// are alone show what the machine makes of no difference at all.
//
// bench SUPERVISE ROUNDS SECONDS prints requests per second, latency, and processor time for each request.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
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
		log.Fatal("usage: bench SUPERVISE ROUNDS SECONDS")
	}
	rounds, err := strconv.Atoi(os.Args[2])
	check(err)
	seconds, err := strconv.Atoi(os.Args[3])
	check(err)
	names := []string{"alone", "supervised", "alone again"}
	alone := []string{os.Args[0], "server"}
	commands := [][]string{alone, append([]string{os.Args[1], "--"}, alone...), alone}
	all := make([][]round, len(commands))
	for range rounds {
		for i, command := range commands {
			all[i] = append(all[i], measure(command, time.Duration(seconds)*time.Second))
		}
	}
	figures := []func(round) float64{
		func(r round) float64 { return r.rate },
		func(r round) float64 { return r.p50 },
		func(r round) float64 { return r.p99 },
		func(r round) float64 { return r.cpu },
	}
	fmt.Printf("%-11s %12s %10s %10s %15s\n", "medians", "requests/s", "p50 µs", "p99 µs", "CPU µs/request")
	line := func(name, format string, value func(i int, figure func(round) float64) float64) {
		fmt.Printf("%-11s", name)
		for column, width := range []int{13, 11, 11, 16} {
			var values []float64
			for i := range rounds {
				values = append(values, value(i, figures[column]))
			}
			slices.Sort(values)
			fmt.Printf(" %*s", width-1, fmt.Sprintf(format, values[len(values)/2]))
		}
		fmt.Println()
	}
	for i, name := range names {
		line(name, "%.1f", func(round int, figure func(round) float64) float64 { return figure(all[i][round]) })
	}
	for i, name := range names[1:] {
		line(name, "%+.2f %%", func(round int, figure func(round) float64) float64 {
			return 100 * (figure(all[i+1][round])/figure(all[0][round]) - 1)
		})
	}
}

type round struct{ rate, p50, p99, cpu float64 }

func measure(words []string, duration time.Duration) round {
	server := exec.Command(words[0], words[1:]...)
	server.Stderr = os.Stderr
	output, err := server.StdoutPipe()
	check(err)
	check(server.Start())
	address, err := bufio.NewReader(output).ReadString('\n')
	check(err)
	url := "http://" + address[:len(address)-1] + "/?name=plum"

	load(url, duration/10)
	latencies := load(url, duration)
	check(server.Process.Signal(syscall.SIGTERM))
	_ = server.Wait()
	usage := server.ProcessState.SysUsage().(*syscall.Rusage)
	// Of the supervisor and of what it waited for.
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	slices.Sort(latencies)
	at := func(share float64) float64 {
		return float64(latencies[int(float64(len(latencies))*share)].Microseconds())
	}
	return round{
		rate: float64(len(latencies)) / duration.Seconds(),
		p50:  at(0.5),
		p99:  at(0.99),
		cpu:  float64(cpu.Microseconds()) / float64(len(latencies)) / 1.1,
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

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
)

var forwardingFrom = regexp.MustCompile(`^Forwarding from (127\.0\.0\.1:\d+) ->`)

// A portForward runs kubectl, and runs it again when the pod behind it has gone.
type portForward struct {
	namespace string
	service   string
	port      string

	mutex  sync.Mutex
	tunnel *tunnel
}

type tunnel struct {
	address string
	cancel  context.CancelFunc
	ended   chan struct{}
}

func (f *portForward) address(ctx context.Context) (string, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.tunnel != nil && f.tunnel.open() {
		return f.tunnel.address, nil
	}
	tunnel, err := f.dig(ctx)
	if err != nil {
		return "", err
	}
	f.tunnel = tunnel
	return tunnel.address, nil
}

func (f *portForward) broken(address string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.tunnel != nil && f.tunnel.address == address {
		f.tunnel.close()
		f.tunnel = nil
	}
}

func (f *portForward) stop() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.tunnel != nil {
		f.tunnel.close()
		f.tunnel = nil
	}
}

// dig waits for kubectl to name the free port it has chosen. The tunnel outlives the context of the first request.
func (f *portForward) dig(ctx context.Context) (*tunnel, error) {
	life, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(life, "kubectl", "port-forward",
		"--namespace", f.namespace, "--address", "127.0.0.1", "service/"+f.service, ":"+f.port)
	command.WaitDelay = time.Second
	var complaint bytes.Buffer
	command.Stderr = io.MultiWriter(&complaint, GinkgoWriter)
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("kubectl port-forward: %w", err)
	}

	dug := &tunnel{cancel: cancel, ended: make(chan struct{})}
	address := make(chan string, 1)
	go func() {
		defer close(dug.ended)
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			if match := forwardingFrom.FindStringSubmatch(lines.Text()); match != nil {
				address <- "http://" + match[1]
			}
		}
		_ = command.Wait()
	}()

	select {
	case dug.address = <-address:
		return dug, nil
	case <-dug.ended:
		cancel()
		return nil, fmt.Errorf("kubectl port-forward to %s ended: %s", f.service, bytes.TrimSpace(complaint.Bytes()))
	case <-ctx.Done():
		dug.close()
		return nil, ctx.Err()
	}
}

func (t *tunnel) open() bool {
	select {
	case <-t.ended:
		return false
	default:
		return true
	}
}

func (t *tunnel) close() {
	t.cancel()
	<-t.ended
}

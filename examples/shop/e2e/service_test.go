package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// A way leads to a service. It may break, and then another one is made.
type way interface {
	address(context.Context) (string, error)
	broken(address string)
}

type fixed string

func (f fixed) address(context.Context) (string, error) {
	return strings.TrimRight(string(f), "/"), nil
}
func (f fixed) broken(string) {}

type service struct {
	name string
	way  way
}

type answer struct {
	code   int
	header http.Header
	body   []byte
	// repeated is true when an earlier answer to the same request was lost.
	repeated bool
}

func (a answer) text() string {
	return fmt.Sprintf("%d %s", a.code, a.body)
}

// expect takes the code of a second success too, but only where the first may have been lost.
func (a answer) expect(code, again int) {
	GinkgoHelper()
	if a.repeated {
		Expect(a.code).To(BeElementOf(code, again), a.text())
		return
	}
	Expect(a.code).To(Equal(code), a.text())
}

func decode[T any](a answer) T {
	GinkgoHelper()
	var value T
	Expect(json.Unmarshal(a.body, &value)).To(Succeed(), a.text())
	return value
}

var client = &http.Client{Timeout: 20 * time.Second}

func (s *service) try(ctx context.Context, method, path string, header http.Header, body []byte) (answer, error) {
	address, err := s.way.address(ctx)
	if err != nil {
		return answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, method, address+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := client.Do(request)
	if err != nil {
		s.way.broken(address)
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.way.broken(address)
	}
	return answer{code: response.StatusCode, header: response.Header, body: text}, err
}

// send repeats a request until there is an answer. An answer that was lost may have had its effect all the same.
func (s *service) send(ctx context.Context, method, path string, header http.Header, body any) answer {
	GinkgoHelper()
	text, raw := body.(string)
	encoded := []byte(text)
	if !raw && body != nil {
		var err error
		encoded, err = json.Marshal(body)
		Expect(err).NotTo(HaveOccurred())
	}

	var got answer
	attempts := 0
	Eventually(func() (err error) {
		attempts++
		got, err = s.try(ctx, method, path, header, encoded)
		return err
	}).WithContext(ctx).WithTimeout(processTime).WithPolling(interval).Should(Succeed(), "%s %s %s", s.name, method, path)
	got.repeated = attempts > 1
	return got
}

func (s *service) get(ctx context.Context, path string) answer {
	GinkgoHelper()
	return s.send(ctx, http.MethodGet, path, nil, nil)
}

func (s *service) post(ctx context.Context, path string, body any) answer {
	GinkgoHelper()
	return s.send(ctx, http.MethodPost, path, nil, body)
}

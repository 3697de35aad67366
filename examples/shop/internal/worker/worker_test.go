package worker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/retry"
)

var logger = slog.New(slog.NewTextHandler(io.Discard, nil))

type script struct {
	claims  []error
	stop    context.CancelFunc
	report  error
	reports []fulfilment.Result
}

func (s *script) Claim(context.Context, time.Duration) (fulfilment.Delivery, bool, error) {
	if len(s.claims) == 0 {
		s.stop()
		return fulfilment.Delivery{}, false, context.Canceled
	}
	err := s.claims[0]
	s.claims = s.claims[1:]
	return fulfilment.Delivery{ID: "1"}, err == nil, err
}

func (s *script) Report(_ context.Context, _ string, result fulfilment.Result) error {
	s.reports = append(s.reports, result)
	return s.report
}

func run(s *script) *Worker {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.stop = cancel
	worker := New(s, func(fulfilment.Job) fulfilment.Result { return fulfilment.Result{Shipped: true} }, logger)
	worker.Run(ctx, 1)
	return worker
}

func TestAWorkerGoesOnAfterTheAPIWasAway(t *testing.T) {
	worker := run(&script{claims: []error{errors.New("connection refused"), nil}})
	if got := worker.Statistics(); got.Shipped != 1 {
		t.Errorf("got %+v", got)
	}
	if err := worker.Ready(); err != nil {
		t.Error(err)
	}
}

func TestAJobTakenOverIsNotCounted(t *testing.T) {
	worker := run(&script{claims: []error{nil}, report: retry.Permanent(ErrTakenOver)})
	if got := worker.Statistics(); got.Lost != 1 || got.Shipped != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestReadyNeedsAnAnswer(t *testing.T) {
	if err := run(&script{}).Ready(); !errors.Is(err, errNoContact) {
		t.Errorf("got %v, want %v", err, errNoContact)
	}
}

func TestClientUnderstandsTheAPI(t *testing.T) {
	code := http.StatusConflict
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) { writer.WriteHeader(code) }))
	defer server.Close()
	client, err := NewClient(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Report(context.Background(), "1", fulfilment.Result{}); !errors.Is(err, ErrTakenOver) {
		t.Errorf("got %v, want %v", err, ErrTakenOver)
	}
	code = http.StatusBadGateway
	if _, found, err := client.Claim(context.Background(), 0); found || err == nil {
		t.Errorf("got %v, %v", found, err)
	}
}

func TestNewClientRefusesWhatIsNoAddress(t *testing.T) {
	for _, address := range []string{"localhost:8080", "http://[::1", "ftp://shop"} {
		if _, err := NewClient(address); err == nil {
			t.Errorf("%s was taken", address)
		}
	}
}

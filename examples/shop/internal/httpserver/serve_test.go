package httpserver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

var discard = slog.New(slog.NewTextHandler(io.Discard, nil))

func TestServeReportsAnAddressItCannotHave(t *testing.T) {
	if err := Serve(context.Background(), discard, "256.0.0.1:0", nil); err == nil {
		t.Error("no error")
	}
}

func TestServeStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	health := NewHealth(func() error { return nil })
	if err := Serve(ctx, discard, "127.0.0.1:0", http.NotFoundHandler(), health.Stop); err != nil {
		t.Error(err)
	}
	if err := health.check(); !errors.Is(err, errStopping) {
		t.Errorf("got %v, want %v", err, errStopping)
	}
}

func TestReadyzTellsWhyNot(t *testing.T) {
	mux := http.NewServeMux()
	NewHealth(func() error { return errTeapot }).Register(mux)
	response := httptest.NewRecorder()
	mux.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if response.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d %s", response.Code, response.Body)
	}
}

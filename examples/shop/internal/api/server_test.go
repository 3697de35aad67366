package api

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/shop/internal/catalog"
	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/httpserver"
	"example.com/shop/internal/orders"
	"example.com/shop/internal/queue"
)

func newTestHandler(capacity int) (http.Handler, *queue.Queue[fulfilment.Job]) {
	products := catalog.New(catalog.Assortment()...)
	jobs := queue.New[fulfilment.Job](capacity, time.Minute)
	server := New(products, orders.NewService(products, nil, jobs), slog.New(slog.NewTextHandler(io.Discard, nil)))
	return server.Handler(httpserver.NewHealth(func() error { return nil })), jobs
}

func request(t *testing.T, handler http.Handler, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest(method, path, strings.NewReader(body)))
	return response
}

func TestAFullQueueIsNotTheCustomersFault(t *testing.T) {
	handler, _ := newTestHandler(0)
	placed := request(t, handler, "POST", "/orders", `{"customer":"ada","country":"DE","lines":[{"sku":"tea-pot","quantity":1}]}`)
	if placed.Code != http.StatusCreated {
		t.Fatalf("got %d %s", placed.Code, placed.Body)
	}
	paid := request(t, handler, "POST", placed.Header().Get("Location")+"/payment", `{"number":"4242424242424242"}`)
	if paid.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d %s", paid.Code, paid.Body)
	}
}

func TestClaim(t *testing.T) {
	handler, jobs := newTestHandler(1)
	if response := request(t, handler, "POST", "/jobs/claim?wait=1ms", ""); response.Code != http.StatusNoContent {
		t.Errorf("with no work: %d", response.Code)
	}
	_ = jobs.Push("1", fulfilment.Job{OrderID: "1"})
	if response := request(t, handler, "POST", "/jobs/claim?wait=1m", ""); !strings.Contains(response.Body.String(), `"attempt":1`) {
		t.Errorf("with work: %d %s", response.Code, response.Body)
	}
	jobs.Close()
	if response := request(t, handler, "POST", "/jobs/claim?wait=1m", ""); response.Code != http.StatusServiceUnavailable {
		t.Errorf("while stopping: %d", response.Code)
	}
}

package httpserver

import (
	"errors"
	"net/http"
	"sync/atomic"
)

var errStopping = errors.New("stopping")

type Health struct {
	stopping atomic.Bool
	ready    func() error
}

func NewHealth(ready func() error) *Health {
	return &Health{ready: ready}
}

// Stop makes the service unready, so that no new connection comes while the open ones end.
func (h *Health) Stop() {
	h.stopping.Store(true)
}

func (h *Health) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(writer http.ResponseWriter, _ *http.Request) {
		_ = WriteJSON(writer, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(writer http.ResponseWriter, _ *http.Request) {
		if err := h.check(); err != nil {
			_ = WriteJSON(writer, http.StatusServiceUnavailable, problem{err.Error()})
			return
		}
		_ = WriteJSON(writer, http.StatusOK, map[string]string{"status": "ready"})
	})
}

func (h *Health) check() error {
	if h.stopping.Load() {
		return errStopping
	}
	return h.ready()
}

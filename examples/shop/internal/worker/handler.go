package worker

import (
	"net/http"

	"example.com/shop/internal/httpserver"
)

func (w *Worker) Handler(health *httpserver.Health) http.Handler {
	mux := http.NewServeMux()
	health.Register(mux)
	mux.HandleFunc("GET /stats", func(writer http.ResponseWriter, _ *http.Request) {
		if err := httpserver.WriteJSON(writer, http.StatusOK, w.Statistics()); err != nil {
			w.logger.Warn("answer was lost", "error", err)
		}
	})
	return httpserver.Chain(mux, httpserver.Log(w.logger), httpserver.Recover(w.logger))
}

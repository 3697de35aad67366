package httpserver

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

type Middleware func(http.Handler) http.Handler

// Chain puts the first middleware outermost.
func Chain(handler http.Handler, middlewares ...Middleware) http.Handler {
	for index := len(middlewares) - 1; index >= 0; index-- {
		handler = middlewares[index](handler)
	}
	return handler
}

type recorder struct {
	http.ResponseWriter
	code  int
	bytes int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(data []byte) (int, error) {
	written, err := r.ResponseWriter.Write(data)
	r.bytes += written
	return written, err
}

func (r *recorder) Unwrap() http.ResponseWriter {
	return r.ResponseWriter
}

func Log(logger *slog.Logger) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
			recorder := &recorder{ResponseWriter: writer, code: http.StatusOK}
			started := time.Now()
			next.ServeHTTP(recorder, request)
			level := slog.LevelInfo
			switch {
			case recorder.code >= http.StatusInternalServerError:
				level = slog.LevelError
			case request.URL.Path == "/healthz" || request.URL.Path == "/readyz":
				level = slog.LevelDebug
			}
			logger.Log(request.Context(), level, "request",
				"method", request.Method,
				"path", request.URL.Path,
				"code", recorder.code,
				"bytes", recorder.bytes,
				"duration", time.Since(started),
			)
		})
	}
}

// Recover answers where net/http would only cut the connection.
func Recover(logger *slog.Logger) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
			defer func() {
				if cause := recover(); cause != nil {
					logger.ErrorContext(request.Context(), "panic", "cause", cause, "stack", string(debug.Stack()))
					_ = WriteJSON(writer, http.StatusInternalServerError, problem{"internal error"})
				}
			}()
			next.ServeHTTP(writer, request)
		})
	}
}

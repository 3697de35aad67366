package httpserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

const largestBody = 1 << 20

var ErrBadRequest = errors.New("bad request")

// A Handler returns its error instead of writing it, so that one place decides how errors look.
type Handler func(http.ResponseWriter, *http.Request) error

type problem struct {
	Error string `json:"error"`
}

// Handle asks status for the code of an error; what status does not know is the server's own fault and stays in its log.
func Handle(logger *slog.Logger, status func(error) int, handler Handler) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		err := handler(writer, request)
		if err == nil {
			return
		}
		code, message := status(err), err.Error()
		if errors.Is(err, ErrBadRequest) {
			code = http.StatusBadRequest
		}
		if code == 0 {
			logger.ErrorContext(request.Context(), "request failed", "path", request.URL.Path, "error", err)
			code, message = http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError)
		}
		if err := WriteJSON(writer, code, problem{message}); err != nil {
			logger.WarnContext(request.Context(), "answer was lost", "path", request.URL.Path, "error", err)
		}
	})
}

func WriteJSON(writer http.ResponseWriter, code int, value any) error {
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(code)
	return json.NewEncoder(writer).Encode(value)
}

func ReadJSON[T any](writer http.ResponseWriter, request *http.Request) (T, error) {
	var value T
	decoder := json.NewDecoder(http.MaxBytesReader(writer, request.Body, largestBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		return value, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	return value, nil
}

// Query reads an optional parameter.
func Query[T any](request *http.Request, name string, fallback T, parse func(string) (T, error)) (T, error) {
	text := request.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	value, err := parse(text)
	if err != nil {
		return fallback, fmt.Errorf("%w: %s: %w", ErrBadRequest, name, err)
	}
	return value, nil
}

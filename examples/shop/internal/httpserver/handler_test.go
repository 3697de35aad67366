package httpserver

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

var errTeapot = errors.New("short and stout")

func status(err error) int {
	if errors.Is(err, errTeapot) {
		return http.StatusTeapot
	}
	return 0
}

func TestHandleKeepsUnknownErrorsInTheLog(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		code int
		body string
		log  string
	}{
		"known":   {errTeapot, 418, "short and stout", ""},
		"unknown": {errors.New("secret"), 500, "Internal Server Error", "secret"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			handler := Handle(slog.New(slog.NewTextHandler(&log, nil)), status,
				func(http.ResponseWriter, *http.Request) error { return test.err })
			response := httptest.NewRecorder()
			handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/", nil))
			if response.Code != test.code || !strings.Contains(response.Body.String(), test.body) {
				t.Errorf("got %d %s", response.Code, response.Body)
			}
			if !strings.Contains(log.String(), test.log) {
				t.Errorf("the log lacks %q: %s", test.log, log.String())
			}
		})
	}
}

func TestRecoverAnswers(t *testing.T) {
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	handler := Chain(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") }),
		Log(logger), Recover(logger),
	)
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/", nil))
	if response.Code != http.StatusInternalServerError {
		t.Errorf("got %d", response.Code)
	}
}

func TestQuery(t *testing.T) {
	request := httptest.NewRequest(http.MethodGet, "/?many=7&few=x", nil)
	if got, err := Query(request, "many", 1, strconv.Atoi); got != 7 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	if _, err := Query(request, "few", 1, strconv.Atoi); !errors.Is(err, ErrBadRequest) {
		t.Errorf("got %v, want %v", err, ErrBadRequest)
	}
}

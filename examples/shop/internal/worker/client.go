package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"example.com/shop/internal/fulfilment"
	"example.com/shop/internal/retry"
)

// ErrTakenOver means that the lease has ended and another worker has the job.
var ErrTakenOver = errors.New("job was taken over")

const (
	longPoll     = 5 * time.Second
	answerWithin = 10 * time.Second
)

type Client struct {
	base *url.URL
	http *http.Client
}

func NewClient(api string) (*Client, error) {
	base, err := url.Parse(api)
	if err != nil {
		return nil, fmt.Errorf("address of the API: %w", err)
	}
	if base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("address of the API must begin with http:// or https://, not %q", api)
	}
	return &Client{base: base, http: &http.Client{Timeout: longPoll + answerWithin}}, nil
}

// Claim answers with false when there is no work.
func (c *Client) Claim(ctx context.Context, wait time.Duration) (delivery fulfilment.Delivery, found bool, err error) {
	response, err := c.post(ctx, c.base.JoinPath("jobs", "claim").String()+"?wait="+wait.String(), nil)
	if err != nil {
		return delivery, false, err
	}
	defer discard(response)
	switch response.StatusCode {
	case http.StatusNoContent:
		return delivery, false, nil
	case http.StatusOK:
		err := json.NewDecoder(response.Body).Decode(&delivery)
		return delivery, err == nil, err
	default:
		return delivery, false, unexpected(response)
	}
}

func (c *Client) Report(ctx context.Context, job string, result fulfilment.Result) error {
	body, err := json.Marshal(result)
	if err != nil {
		return retry.Permanent(err)
	}
	response, err := c.post(ctx, c.base.JoinPath("jobs", job, "result").String(), body)
	if err != nil {
		return err
	}
	defer discard(response)
	switch {
	case response.StatusCode == http.StatusOK:
		return nil
	case response.StatusCode == http.StatusConflict:
		return retry.Permanent(ErrTakenOver)
	case response.StatusCode < http.StatusInternalServerError:
		return retry.Permanent(unexpected(response))
	default:
		return unexpected(response)
	}
}

func (c *Client) post(ctx context.Context, address string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	return c.http.Do(request)
}

func unexpected(response *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(response.Body, 256))
	return fmt.Errorf("API answered %s: %s", response.Status, bytes.TrimSpace(text))
}

// discard reads to the end, because only then is the connection used again.
func discard(response *http.Response) {
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

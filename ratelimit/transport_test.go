package ratelimit

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// body tells whether it was closed.
type body struct {
	io.Reader
	closed bool
}

func (b *body) Close() error {
	b.closed = true
	return nil
}

func TestTransport(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration // of the second try; 0: none
		cancel  time.Duration // of the second try; 0: never
		body    bool
		busy    time.Duration
		err     error
		sent    int
		took    time.Duration
	}{
		{name: "waits its turn", body: true, sent: 2, took: time.Second},
		{name: "too late", timeout: 500 * time.Millisecond, body: true, busy: time.Second, sent: 1},
		{name: "too late, no body", timeout: 500 * time.Millisecond, busy: time.Second, sent: 1},
		{name: "cancelled", cancel: 300 * time.Millisecond, body: true, err: context.Canceled, sent: 1, took: 300 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				client := &http.Client{Transport: &Transport{[]*Limiter{New(must(t, "1/s"), nil)}, roundTripper(func(req *http.Request) (*http.Response, error) {
					sent++
					if req.Body != nil {
						req.Body.Close()
					}
					return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req}, nil
				})}}
				if _, err := client.Get("http://platform.test/"); err != nil {
					t.Fatal(err)
				}

				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.timeout > 0 {
					ctx, cancel = context.WithTimeout(ctx, tt.timeout)
					defer cancel()
				}
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, cancel)
				}
				req, err := http.NewRequestWithContext(ctx, "POST", "http://platform.test/", nil)
				if err != nil {
					t.Fatal(err)
				}
				payload := &body{Reader: strings.NewReader("{}")}
				if tt.body {
					req.Body = payload
				}
				start := time.Now()
				_, err = client.Do(req)

				var busy *BusyError
				switch {
				case tt.busy > 0 && (!errors.As(err, &busy) || busy.After != tt.busy):
					t.Errorf("Do = %v, want busy for %v", err, tt.busy)
				case tt.busy == 0 && !errors.Is(err, tt.err):
					t.Errorf("Do = %v, want %v", err, tt.err)
				}
				if took := time.Since(start); sent != tt.sent || took != tt.took {
					t.Errorf("%d sent after %v, want %d after %v", sent, took, tt.sent, tt.took)
				}
				if payload.closed != tt.body {
					t.Errorf("body closed: %v", payload.closed)
				}
			})
		})
	}
}

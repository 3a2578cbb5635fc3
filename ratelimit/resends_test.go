package ratelimit

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// What net/http sends again by itself, after a kept connection broke, pays as
// every other request does.
func TestResent(t *testing.T) {
	for _, tt := range []struct {
		name string
		rate string
		busy bool // there is no turn for the second sending
		want int32
	}{
		{"a turn is free", "3/h", false, 3},
		{"no turn is free", "2/h", true, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) == 2 { // a kept connection breaks
					conn, _, err := http.NewResponseController(w).Hijack()
					if err != nil {
						t.Error(err)
						return
					}
					conn.(*net.TCPConn).SetLinger(0)
					conn.Close()
				}
			}))
			defer srv.Close()
			limiter := New(must(t, tt.rate), nil)
			pool := &http.Transport{}
			defer pool.CloseIdleConnections()
			get := func() error {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := (&Transport{[]*Limiter{limiter}, pool}).RoundTrip(req)
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, resp.Body)
				return errors.Join(err, resp.Body.Close())
			}
			if err := get(); err != nil {
				t.Fatal(err)
			}
			err := get()
			var busy *BusyError
			if errors.As(err, &busy) != tt.busy || (err != nil) != tt.busy {
				t.Errorf("the second: %v", err)
			}
			if n := asked.Load(); n != tt.want {
				t.Errorf("the platform was asked %d times, want %d", n, tt.want)
			}
			if err := get(); !errors.As(err, &busy) {
				t.Errorf("the quota is not used up: %v", err)
			}
		})
	}
}

// A request counts from when it has gone to the kernel: a busy machine may keep
// it long before, and say so only after the answer.
func TestCountsFromTheKernel(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name                string
		kept, answer, heard time.Duration // after the one before
		want                time.Duration // until the next request may go
	}{
		{"kept long", 1500 * ms, 100 * ms, 0, 2600 * ms},
		{"heard of after the answer", 0, 100 * ms, 500 * ms, 1100 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, began := New(must(t, "1/s"), nil), time.Now()
				base := roundTripper(func(req *http.Request) (*http.Response, error) {
					trace := httptrace.ContextClientTrace(req.Context())
					trace.GotConn(httptrace.GotConnInfo{})
					time.Sleep(tt.kept)
					trace.WroteHeaders()
					if tt.heard == 0 {
						trace.WroteRequest(httptrace.WroteRequestInfo{})
					} else {
						time.AfterFunc(tt.answer+tt.heard, func() { trace.WroteRequest(httptrace.WroteRequestInfo{}) })
					}
					time.Sleep(tt.answer)
					return &http.Response{Body: http.NoBody, Request: req}, nil
				})
				var next time.Duration
				for range 2 {
					req, err := http.NewRequestWithContext(t.Context(), "GET", "http://platform.test/", nil)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := (&Transport{[]*Limiter{l}, base}).RoundTrip(req); err != nil {
						t.Fatal(err)
					}
					next = time.Since(began) - tt.kept - tt.answer
				}
				if next != tt.want {
					t.Errorf("the next left after %v, want %v", next, tt.want)
				}
			})
		})
	}
}

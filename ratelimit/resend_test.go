package ratelimit

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
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

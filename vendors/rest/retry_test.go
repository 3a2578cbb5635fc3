package rest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

var (
	dialFailure = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	reset       = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
)

// The bounds of the first wait of the default backoff: 500 ms, a quarter more or less.
const shortest, longest = 375 * time.Millisecond, 625 * time.Millisecond

// TestRetry plays a script of answers and asks how many requests were made, in
// which time, and what came of it.
func TestRetry(t *testing.T) {
	ok := reply(200, `{"value":"yes"}`)
	busy := func(headers ...string) answer { return reply(429, `{"message":"slow down"}`, headers...) }
	date := func(d time.Duration) string {
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).Format(http.TimeFormat) // a bubble's first moment
	}
	for _, tt := range []struct {
		name     string
		write    Write
		effect   vendors.Effect
		deadline time.Duration // 0: none
		script   []answer
		calls    int
		min, max time.Duration // max 0: min exactly
		kind     vendors.Kind  // "" for success
		after    time.Duration
		gone     bool // the error says that asking again will not help
	}{
		{name: "success at once", script: []answer{ok}, calls: 1},
		{name: "429", script: []answer{busy(), ok}, calls: 2, min: refusalPause},
		{name: "429, Retry-After in seconds", script: []answer{busy("Retry-After: 3"), ok}, calls: 2, min: 3 * time.Second},
		{name: "429, Retry-After shorter than the backoff", script: []answer{busy("Retry-After: 0.1"), ok}, calls: 2, min: shortest, max: longest},
		{name: "429, Retry-After as a date", script: []answer{busy("Retry-After: " + date(5*time.Second)), ok}, calls: 2, min: 5 * time.Second},
		{name: "429, Retry-After in the past", script: []answer{busy("Retry-After: " + date(-time.Hour)), ok}, calls: 2, min: refusalPause},
		{name: "429, Retry-After a word", script: []answer{busy("Retry-After: soon"), ok}, calls: 2, min: refusalPause},
		{name: "429, Retry-After negative", script: []answer{busy("Retry-After: -5"), ok}, calls: 2, min: refusalPause},
		{name: "429, Retry-After no number", script: []answer{busy("Retry-After: NaN"), ok}, calls: 2, min: refusalPause},
		{name: "429, Retry-After beyond all numbers", script: []answer{busy("Retry-After: 1e300"), ok}, calls: 2, min: refusalPause},
		{name: "429, Retry-After longer than worth waiting", script: []answer{busy("Retry-After: 9"), ok}, calls: 1, kind: vendors.RateLimited, after: 9 * time.Second},
		{name: "429, Retry-After of a day", script: []answer{busy("Retry-After: 86400"), ok}, calls: 1, kind: vendors.RateLimited, after: time.Hour},
		{name: "a rate limit with HTTP 200", script: []answer{reply(200, `{"code":4009}`), ok}, calls: 2, min: refusalPause},
		{name: "429 for ever", script: []answer{busy(), busy(), busy()}, calls: 3, min: 2 * refusalPause, max: 2*refusalPause + longest, kind: vendors.RateLimited},
		{name: "500, 503, then success", script: []answer{reply(500, ""), reply(503, "<html>"), ok}, calls: 3, min: 1125 * time.Millisecond, max: 1875 * time.Millisecond},
		{name: "502 for ever", script: []answer{reply(502, ""), reply(502, ""), reply(502, "")}, calls: 3, min: 1125 * time.Millisecond, max: 1875 * time.Millisecond, kind: vendors.Unavailable},
		{name: "408", script: []answer{reply(408, ""), ok}, calls: 2, min: shortest, max: longest},
		{name: "503 with Retry-After", script: []answer{reply(503, "", "Retry-After: 4"), ok}, calls: 2, min: 4 * time.Second},
		{name: "503 in maintenance", script: []answer{reply(503, "", "Retry-After: 600"), ok}, calls: 1, kind: vendors.Unavailable, after: 10 * time.Minute},
		{name: "no connection", script: []answer{fails(dialFailure), ok}, calls: 2, min: shortest, max: longest},
		{name: "a reset", script: []answer{fails(reset), ok}, calls: 2, min: shortest, max: longest},
		{name: "closed before the answer", script: []answer{fails(io.EOF), ok}, calls: 2, min: shortest, max: longest},
		{name: "no answer in time", script: []answer{silent, ok}, calls: 1, min: 15 * time.Second, kind: vendors.Timeout},
		{name: "a wrong credential", script: []answer{reply(401, ""), ok}, calls: 1, kind: vendors.Unauthenticated, gone: true},
		{name: "no permission", script: []answer{reply(403, ""), ok}, calls: 1, kind: vendors.PermissionDenied, gone: true},
		{name: "a path that is not there", script: []answer{reply(404, ""), ok}, calls: 1, kind: vendors.BadResponse, gone: true},
		{name: "a conflict", script: []answer{reply(409, ""), ok}, calls: 1, kind: vendors.Conflict, gone: true},
		{name: "a wrong argument", script: []answer{reply(422, ""), ok}, calls: 1, kind: vendors.InvalidArgument, gone: true},
		{name: "an unknown code", script: []answer{reply(200, `{"code":7}`), ok}, calls: 1, kind: vendors.VendorError, gone: true},
		{name: "a web page", script: []answer{reply(200, "<html>"), ok}, calls: 1, kind: vendors.BadResponse, gone: true},
		{name: "a redirect", script: []answer{reply(302, "", "Location: http://elsewhere.test/"), ok}, calls: 1, kind: vendors.BadResponse, gone: true},

		{name: "write: no connection", write: Once, script: []answer{fails(dialFailure), ok}, calls: 2, min: shortest, max: longest},
		{name: "write: refused for the rate", write: Once, script: []answer{busy(), ok}, calls: 2, min: refusalPause},
		{name: "write: a reset", write: Once, script: []answer{fails(reset), ok}, calls: 1, kind: vendors.Unavailable, effect: vendors.UnknownEffect},
		{name: "write: 500", write: Once, script: []answer{reply(500, ""), ok}, calls: 1, kind: vendors.Unavailable, effect: vendors.UnknownEffect},
		{name: "write: no answer in time", write: Once, script: []answer{silent, ok}, calls: 1, min: 15 * time.Second, kind: vendors.Timeout, effect: vendors.UnknownEffect},
		{name: "write: no connection, then a reset", write: Once, script: []answer{fails(dialFailure), fails(reset), ok}, calls: 2, min: shortest, max: longest, kind: vendors.Unavailable, effect: vendors.UnknownEffect},

		{name: "repeatable: a reset", write: Repeatable, script: []answer{fails(reset), ok}, calls: 2, min: shortest, max: longest},
		{name: "repeatable: a reset, then a refusal", write: Repeatable, script: []answer{fails(reset), reply(409, ""), ok}, calls: 2, min: shortest, max: longest, kind: vendors.Conflict, gone: true, effect: vendors.UnknownEffect},

		{name: "a wait beyond the deadline", deadline: 2 * time.Second, script: []answer{busy("Retry-After: 3"), ok}, calls: 1, kind: vendors.RateLimited, after: 3 * time.Second},
		{name: "a backoff beyond the deadline", deadline: 300 * time.Millisecond, script: []answer{reply(500, ""), ok}, calls: 1, kind: vendors.Unavailable},
		{name: "the deadline during a try", deadline: 5 * time.Second, script: []answer{silent, ok}, calls: 1, min: 5 * time.Second, kind: vendors.Timeout},
		{name: "the deadline during the second try", deadline: 5 * time.Second, script: []answer{reply(500, ""), silent, ok}, calls: 2, min: 5 * time.Second, kind: vendors.Timeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				c := client(t, "http://platform.test", Conn{Transport: function(func(r *http.Request) (*http.Response, error) {
					calls++
					return tt.script[min(calls, len(tt.script))-1](r)
				})}, nil)
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if tt.deadline > 0 {
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
				}
				defer cancel()
				began := time.Now()
				var out payload
				err := c.Do(ctx, Call{Method: "POST", Body: struct{}{}, Write: tt.write}, &out)
				took := time.Since(began)
				if calls != tt.calls {
					t.Errorf("%d requests, want %d", calls, tt.calls)
				}
				if took < tt.min || took > max(tt.min, tt.max) {
					t.Errorf("took %v, want %v to %v", took, tt.min, tt.max)
				}
				if tt.kind == "" {
					if err != nil || out.Value != "yes" {
						t.Errorf("Do = %v, %v", out, err)
					}
					return
				}
				e := asError(t, err)
				if e.Kind != tt.kind || tt.after != 0 && e.After != tt.after {
					t.Errorf("Do = %v after %v, want %s after %v", e, e.After, tt.kind, tt.after)
				}
				if e.Effect != tt.effect {
					t.Errorf("effect %v, want %v", e.Effect, tt.effect)
				}
				if r := vendors.ReportOf(err); r.Retryable == tt.gone || r.Hint == "" {
					t.Errorf("the agent reads %+v", r)
				}
			})
		})
	}
}

// TestRetryNeverPassesTheDeadline: whatever the platform does, a call is over
// when its time is.
func TestRetryNeverPassesTheDeadline(t *testing.T) {
	for _, script := range []answer{
		reply(500, ""), reply(429, ""), reply(429, "", "Retry-After: 1"), fails(reset), silent,
		after(700*time.Millisecond, reply(500, "")),
	} {
		for deadline := 100 * time.Millisecond; deadline < 4*time.Second; deadline += 300 * time.Millisecond {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, "http://platform.test", Conn{Transport: function(script)}, nil)
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				began := time.Now()
				err := c.Do(ctx, Call{Method: "GET"}, &payload{})
				if took := time.Since(began); err == nil || took > deadline {
					t.Errorf("Do = %v after %v, the deadline was %v", err, took, deadline)
				}
			})
		}
	}
}

// TestRetryStopsWithItsCaller: a cancelled call makes no further request.
func TestRetryStopsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := client(t, "http://platform.test", Conn{Transport: function(func(r *http.Request) (*http.Response, error) {
			calls++
			return reply(503, "")(r)
		})}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel) // during the first wait
		began := time.Now()
		err := c.Do(ctx, Call{Method: "GET"}, &payload{})
		if took := time.Since(began); took != 100*time.Millisecond || calls != 1 || err == nil {
			t.Errorf("Do = %v after %v and %d requests", err, took, calls)
		}
	})
}

// TestTriesDoNotMix: what a failed try decoded does not show in the answer of
// the next, and each try has its own time.
func TestTriesDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := client(t, "http://platform.test", Conn{Transport: function(func(r *http.Request) (*http.Response, error) {
			calls++
			if calls < 3 {
				return after(10*time.Second, reply(503, `{"value":"stale"}`))(r)
			}
			return after(10*time.Second, reply(200, `{}`))(r)
		})}, nil)
		var out payload
		if err := c.Do(t.Context(), Call{Method: "GET"}, &out); err != nil || out.Value != "" || calls != 3 {
			t.Errorf("Do = %v, %v after %d requests", out, err, calls)
		}
	})
}

func TestBackoffIsTheConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		conn := Conn{Backoff: ratelimit.Backoff{Tries: 5, Base: time.Second, Max: time.Second}, Transport: function(func(*http.Request) (*http.Response, error) {
			calls++
			return nil, errors.New("broken")
		})}
		began := time.Now()
		err := client(t, "http://platform.test", conn, nil).Do(t.Context(), Call{Method: "GET"}, &payload{})
		if took := time.Since(began); vendors.KindOf(err) != vendors.Unavailable || calls != 5 || took > 4*time.Second {
			t.Errorf("Do = %v after %d requests in %v", err, calls, took)
		}
	})
}

package rest

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

// limiter makes one of a rate that a test wrote.
func limiter(t testing.TB, rate string) *ratelimit.Limiter {
	t.Helper()
	r, err := ratelimit.Parse(rate)
	if err != nil {
		t.Fatal(err)
	}
	return ratelimit.New(r, nil)
}

// TestPacing: each try takes a turn, and waiting for it is not the platform's
// slowness.
func TestPacing(t *testing.T) {
	ok := reply(200, `{}`)
	for _, tt := range []struct {
		name     string
		rate     string
		pause    time.Duration
		deadline time.Duration // 0: none
		before   int           // requests made before
		script   []answer
		sent     int
		min, max time.Duration // max 0: min exactly
		kind     vendors.Kind
		after    time.Duration
	}{
		{name: "a turn is free", rate: "2/min", before: 1, script: []answer{ok}, sent: 1},
		{name: "a wait longer than the try's time", rate: "off", pause: 30 * time.Second, script: []answer{after(10*time.Second, ok)}, sent: 1, min: 40 * time.Second},
		{name: "a full window longer than the try's time", rate: "2/min", before: 2, script: []answer{after(14*time.Second, ok)}, sent: 1, min: 74 * time.Second},
		{name: "a platform that is slow after the wait", rate: "off", pause: 30 * time.Second, script: []answer{silent}, sent: 1, min: 45 * time.Second, kind: vendors.Timeout},
		{name: "no turn before the deadline", rate: "2/min", before: 2, deadline: 50 * time.Second, script: []answer{ok}, kind: vendors.RateLimited, after: time.Minute},
		{name: "a pause beyond the deadline", rate: "off", pause: 30 * time.Second, deadline: 20 * time.Second, script: []answer{ok}, kind: vendors.RateLimited, after: 30 * time.Second},
		{name: "a second try takes a turn, too", rate: "1/min", script: []answer{reply(500, ""), ok}, sent: 2, min: time.Minute},
		{name: "no turn for a second try", rate: "1/min", deadline: 30 * time.Second, script: []answer{reply(500, ""), ok}, sent: 1, min: shortest, max: longest, kind: vendors.RateLimited},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := limiter(t, tt.rate)
				for range tt.before {
					if err := pass(t.Context(), l); err != nil {
						t.Fatal(err)
					}
				}
				l.Pause(tt.pause)
				sent := 0
				c := client(t, "http://platform.test", Conn{Limiter: l, Transport: function(func(r *http.Request) (*http.Response, error) {
					sent++
					return tt.script[sent-1](r)
				})}, nil)
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				began := time.Now()
				err := c.Do(ctx, Call{Method: "GET"}, &payload{})
				if took := time.Since(began); took < tt.min || took > max(tt.min, tt.max) || sent != tt.sent {
					t.Errorf("%d requests in %v, want %d in %v to %v", sent, took, tt.sent, tt.min, tt.max)
				}
				if tt.kind == "" {
					if err != nil {
						t.Errorf("Do = %v", err)
					}
					return
				}
				e := asError(t, err)
				if e.Kind != tt.kind || tt.after != 0 && e.After != tt.after || e.Effect != vendors.NoEffect {
					t.Errorf("Do = %v (after %v, effect %v), want %s", e, e.After, e.Effect, tt.kind)
				}
				r := vendors.ReportOf(err)
				if tt.kind == vendors.RateLimited && (r.RetryAfterSeconds < 1 || !r.Retryable || r.HTTPStatus != 0) {
					t.Errorf("the agent reads %+v", r)
				}
			})
		})
	}
}

// TestRefusalHoldsForEverybody: when the platform names a wait, the other
// users of the credential wait too, instead of being refused one by one.
func TestRefusalHoldsForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, sent := limiter(t, "100/s"), 0
		conn := Conn{Limiter: l, Transport: function(func(r *http.Request) (*http.Response, error) {
			if sent++; sent == 1 {
				return reply(429, "", "Retry-After: 20")(r)
			}
			return reply(200, `{}`)(r)
		})}
		one, other := client(t, "http://platform.test", conn, nil), client(t, "http://platform.test", conn, nil)
		if err := one.Do(t.Context(), Call{Method: "GET"}, &payload{}); asError(t, err).After != 20*time.Second {
			t.Fatalf("Do = %v", err)
		}

		hurried, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		err := other.Do(hurried, Call{Method: "GET"}, &payload{})
		if e := asError(t, err); e.Kind != vendors.RateLimited || e.After != 20*time.Second || time.Since(began) != 0 {
			t.Errorf("with a deadline in between: Do = %v after %v", e, time.Since(began))
		}
		if err := other.Do(t.Context(), Call{Method: "GET"}, &payload{}); err != nil || time.Since(began) != 20*time.Second {
			t.Errorf("without: Do = %v after %v", err, time.Since(began))
		}
		if sent != 2 {
			t.Errorf("%d requests, want 2", sent)
		}
	})
}

// TestRefusalWithoutATime holds for a second.
func TestRefusalWithoutATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter(t, "off")
		c := client(t, "http://platform.test", Conn{Limiter: l, Transport: function(reply(429, ""))}, nil)
		c.Do(t.Context(), Call{Method: "GET"}, &payload{})
		began := time.Now()
		if pass(t.Context(), l); time.Since(began) != refusalPause {
			t.Errorf("the limiter was paused for %v", time.Since(began))
		}
	})
}

// TestOnlyARateRefusalPauses: maintenance or our own limiter must not put
// everybody off.
func TestOnlyARateRefusalPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, script := range []answer{reply(503, "", "Retry-After: 60"), reply(401, "", "Retry-After: 60"), reply(404, "")} {
			l := limiter(t, "off")
			c := client(t, "http://platform.test", Conn{Limiter: l, Transport: function(script)}, nil)
			c.Do(t.Context(), Call{Method: "GET"}, &payload{})
			began := time.Now()
			if pass(t.Context(), l); time.Since(began) != 0 {
				t.Errorf("the limiter was paused for %v", time.Since(began))
			}
		}
	})
}

// TestSlowBody: the try's time includes reading the answer.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ctx context.Context
		c := client(t, "http://platform.test", Conn{Timeout: 7 * time.Second, Transport: function(func(r *http.Request) (*http.Response, error) {
			ctx = r.Context()
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: slow{ctx}, Request: r}, nil
		})}, nil)
		began := time.Now()
		err := c.Do(t.Context(), Call{Method: "GET"}, &payload{})
		if took := time.Since(began); vendors.KindOf(err) != vendors.Timeout || took != 7*time.Second {
			t.Errorf("Do = %v after %v", err, took)
		}
		if e := asError(t, err); e.Message != "The platform did not answer within 7s." || e.HTTPStatus != 200 {
			t.Errorf("Do = %v, status %d", e, e.HTTPStatus)
		}
	})
}

// slow is a body that does not arrive.
type slow struct{ ctx context.Context }

func (s slow) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func (s slow) Close() error { return nil }

// TestTryIsReleased: nothing of a try runs on after Do.
func TestTryIsReleased(t *testing.T) {
	for name, script := range map[string]answer{"success": reply(200, `{}`), "refusal": reply(404, ""), "failure": fails(dialFailure)} {
		synctest.Test(t, func(t *testing.T) {
			var ctx context.Context
			c := client(t, "http://platform.test", Conn{Transport: function(func(r *http.Request) (*http.Response, error) {
				ctx = r.Context()
				return script(r)
			})}, nil)
			c.Do(t.Context(), Call{Method: "GET"}, &payload{})
			if ctx.Err() == nil {
				t.Errorf("%s: the try's context is still open", name)
			}
		})
	}
}

// pass takes a turn for a request that is over at once.
func pass(ctx context.Context, l *ratelimit.Limiter) error {
	turn, err := l.Take(ctx)
	if err == nil {
		turn.Done(true)
	}
	return err
}

package vendortest

import (
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/rest"
)

// Fuzz plays a case with one body, status and Retry-After in the place of one
// of its answers, so that every decoder of every call gets them. In any case
// the answer is well-formed or a classified error.
func Fuzz(f *testing.F, dir string, open Open) {
	byName := map[string]Case{}
	share, seeds := rand.IntN(parts), 0
	for name, path := range cases(f, dir) {
		c, _ := load(f, path)
		byName[name] = c
		for at, x := range c.HTTP {
			body := []byte(x.Response.Text)
			if len(x.Response.Body) > 0 {
				body = x.Response.Body
			}
			if seeds++; fuzzing() && seeds%parts != share {
				continue
			}
			f.Add(name, byte(at), x.Response.Status, x.Response.Headers["Retry-After"], body)
		}
	}
	f.Fuzz(func(t *testing.T, name string, at byte, status int, retryAfter string, body []byte) {
		c, ok := byName[name]
		if !ok || int(at) >= len(c.HTTP) || status < 200 || status > 599 {
			return
		}
		x := c.HTTP[at].Response
		x.Status, x.Body, x.Text, x.Fault = status, nil, string(body), ""
		x.Headers = map[string]string{"Retry-After": retryAfter}
		for name, value := range c.HTTP[at].Response.Headers {
			if name != "Retry-After" {
				x.Headers[name] = value
			}
		}
		synctest.Test(t, func(t *testing.T) { spoiled(t, c, int(at), x, open) })
	})
}

// spoiled makes a case's call with another answer to request at. Where the call
// goes on after the case has ended, the last answer comes again.
func spoiled(t *testing.T, c Case, at int, x Response, open Open) {
	ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
	defer cancel()
	served := 0
	conn := rest.Conn{
		Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{}, MaxBody: maxBody,
		Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
			n := min(served, len(c.HTTP)-1)
			if served++; served > 300 { // walks are bounded; more would be a loop
				t.Fatalf("%s made %d requests", c.Call.Op, served)
			}
			if n == at {
				return x.play(r)
			}
			return c.HTTP[n].Response.play(r)
		}),
	}
	v := connection.New("conn", "the platform", open(t, c.Config, conn))
	result, err := Do(ctx, v, c.Call)
	switch {
	case err == nil:
	case secretShapes.MatchString(x.Text): // what is spoiled enough cannot be recognized
		classified(t, c.Call.Op, err)
		return
	default:
		failed(t, c.Call.Op, err)
		return
	}
	walk(t, "", decode(t, encode(t, result)))
}

// parts divides the seeds while fuzzing, which runs each once before it makes up
// anything: that took 3 to 6 s of the 6 s that CI gives a driver. Without -fuzz
// all are run.
const parts = 4

func fuzzing() bool {
	f := flag.Lookup("test.fuzz") // testing does not say
	return f != nil && f.Value.String() != ""
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

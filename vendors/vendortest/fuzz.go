package vendortest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Fuzz plays one body as the answer to every request of a case's call. Whatever
// the body, the answer is right in form or a classified error.
func Fuzz(f *testing.F, dir string, open Open) {
	byName := map[string]Case{}
	for name, path := range cases(f, dir) {
		c, _ := load(f, path)
		if len(c.HTTP) == 0 {
			continue
		}
		byName[c.Call.Op] = c
		last := c.HTTP[len(c.HTTP)-1].Response
		body := []byte(last.Text)
		if len(last.Body) > 0 {
			body = last.Body
		}
		f.Add(c.Call.Op, last.Status, body)
		_ = name
	}
	f.Fuzz(func(t *testing.T, op string, status int, body []byte) {
		c, ok := byName[op]
		if !ok || status < 200 || status > 599 {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		served := 0
		conn := rest.Conn{
			Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{}, MaxBody: maxBody,
			Backoff: ratelimit.Backoff{Tries: 1},
			Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if served++; served > 300 { // walks are bounded; more would be a loop
					t.Fatalf("%s made %d requests", op, served)
				}
				return &http.Response{StatusCode: status, Header: http.Header{}, Request: r,
					Body: io.NopCloser(bytes.NewReader(body))}, nil
			}),
		}
		v := vendors.New("conn", "the platform", open(t, c.Config, conn))
		result, err := Do(ctx, v, c.Call)
		if err != nil {
			_ = failed(t, err)
			return
		}
		walk(t, "", decode(t, encode(t, result)))
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

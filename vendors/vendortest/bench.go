package vendortest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors/rest"
)

// benchRows is how many rows a benchmark's page has.
const benchRows = 20

// Page is the last answer of a case as a driver's Decode gets it, for
// benchmarks: its list is repeated until it has twenty rows.
func Page(t testing.TB, path string) rest.Answer {
	t.Helper()
	c, _ := load(t, path)
	last := c.HTTP[len(c.HTTP)-1].Response
	body := []byte(last.Text)
	if len(last.Body) > 0 {
		body = last.Body
	}
	whole, found := lengthened(decode(t, body))
	if !found {
		t.Fatalf("%s has no rows", path)
	}
	body, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return answered(t, body)
}

// lengthened repeats the rows of the first list of objects in v.
func lengthened(v any) (longer any, found bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if longer, found := lengthened(member); found {
				v[key] = longer
				return v, true
			}
		}
	case []any:
		if _, rows := first(v).(map[string]any); !rows {
			return v, false
		}
		for i := 0; len(v) < benchRows; i++ {
			v = append(v, v[i])
		}
		return v, true
	}
	return v, false
}

func first(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// answered returns a body as a client passes it to Decode.
func answered(t testing.TB, body []byte) (a rest.Answer) {
	client := rest.New(rest.Conn{
		Limiter: ratelimit.New(ratelimit.Rate{}, nil),
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(bytes.NewReader(body))}, nil
		}),
	}, rest.Dialect{
		Base:   &url.URL{Scheme: "http", Host: "vendor.test"},
		Decode: func(got rest.Answer, _ any) error { a = got; return nil },
	})
	if err := client.Do(t.Context(), rest.Call{Method: http.MethodGet}, nil); err != nil {
		t.Fatal(err)
	}
	return a
}

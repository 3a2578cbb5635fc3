package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// function is a transport without sockets, for tests inside a synctest bubble.
type function func(*http.Request) (*http.Response, error)

func (f function) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer is one scripted answer of a function transport.
type answer func(*http.Request) (*http.Response, error)

// reply answers at once. Headers are "Name: value".
func reply(status int, body string, headers ...string) answer {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			h.Set(name, value)
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

// fails breaks the connection in some way.
func fails(err error) answer {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// silent never answers.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// after answers as the next, but later.
func after(d time.Duration, next answer) answer {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return next(r)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// payload is the platform's answer in these tests.
type payload struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Value   string `json:"value"`
}

// decode judges as a driver does: the status, then the code in the body.
func decode(a Answer, out any) error {
	p, ok := out.(*payload)
	if !ok { // of a stream
		p = &payload{}
	}
	*p = payload{}
	malformed, mistyped := Unmarshal(a, p)
	var e *vendors.Error
	switch {
	case a.Status >= 400:
		e = ByStatus(a)
	case malformed != nil:
		return malformed
	case p.Code == 4009:
		e = vendors.Errorf(vendors.RateLimited, "The platform limits the rate.")
	case p.Code != 0:
		e = vendors.Errorf(vendors.VendorError, "The platform refused.")
	case mistyped != nil:
		return mistyped
	default:
		return nil
	}
	e.VendorMessage, e.RequestID = p.Message, a.Header.Get("X-Request-Id")
	return e
}

// base parses a URL that a test wrote.
func base(t testing.TB, s string) *url.URL {
	t.Helper()
	u, text := BaseURL(s)
	if text != "" {
		t.Fatalf("BaseURL(%q) %s", s, text)
	}
	return u
}

// client makes a client of a platform at address; conn need hold only what the
// test is about.
func client(t testing.TB, address string, conn Conn, sign func(*http.Request, []byte) error) *Client {
	t.Helper()
	if conn.Limiter == nil {
		conn.Limiter = ratelimit.New(ratelimit.Rate{}, nil)
	}
	return New(conn, Dialect{Base: base(t, address), Sign: sign, Decode: decode})
}

// socket serves handler on loopback and makes a client of it with a pool of
// its own, which tries twice, quickly.
func socket(t testing.TB, handler http.HandlerFunc, conn Conn) *Client {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return dialing(t, srv.URL, conn)
}

// dialing is a client with real sockets.
func dialing(t testing.TB, address string, conn Conn) *Client {
	t.Helper()
	pool := &http.Transport{}
	t.Cleanup(pool.CloseIdleConnections)
	conn.Transport = pool
	if conn.Backoff.Tries == 0 {
		conn.Backoff = ratelimit.Backoff{Tries: 2, Base: time.Millisecond, Max: time.Second}
	}
	return client(t, address, conn, nil)
}

// asError is err as what Do promises to return.
func asError(t testing.TB, err error) *vendors.Error {
	t.Helper()
	var e *vendors.Error
	if !errors.As(err, &e) {
		t.Fatalf("Do = %v, not a *vendors.Error", err)
	}
	return e
}

// report is the error as an agent reads it.
func report(t testing.TB, err error) string {
	t.Helper()
	b, jerr := json.Marshal(vendors.ReportOf(err))
	if jerr != nil {
		t.Fatal(jerr)
	}
	return string(b)
}

func TestDoSendsAndDecodes(t *testing.T) {
	var got *http.Request
	var sent []byte
	c := socket(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		sent, _ = io.ReadAll(r.Body)
		io.WriteString(w, `{"value":"yes"}`)
	}, Conn{})
	for _, tt := range []struct {
		name, method, contentType string
		body                      any
		want                      string
	}{
		{name: "without a body", method: "GET"},
		{name: "with a body", method: "POST", contentType: "application/json", body: map[string]string{"a": "<中>"}, want: `{"a":"\u003c中\u003e"}`},
		{name: "an empty object is a body", method: "POST", contentType: "application/json", body: struct{}{}, want: `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out payload
			err := c.Do(t.Context(), Call{Method: tt.method, Path: []string{"p"}, Query: url.Values{"q": {"a b"}},
				Body: tt.body, Header: http.Header{"X-Extra": {"1"}}}, &out)
			if err != nil || out.Value != "yes" {
				t.Fatalf("Do = %v, %v", out, err)
			}
			if got.Method != tt.method || got.RequestURI != "/p?q=a+b" || got.Header.Get("X-Extra") != "1" ||
				got.Header.Get("Accept") != "application/json" || got.Header.Get("Content-Type") != tt.contentType {
				t.Errorf("sent %s %s %v", got.Method, got.RequestURI, got.Header)
			}
			if string(sent) != tt.want {
				t.Errorf("sent body %s, want %s", sent, tt.want)
			}
		})
	}
}

func TestDoOurOwnFaults(t *testing.T) {
	calls := 0
	c := client(t, "http://platform.test", Conn{Transport: function(func(r *http.Request) (*http.Response, error) {
		calls++
		return reply(200, `{}`)(r)
	})}, nil)
	for name, call := range map[string]Call{
		"a body that JSON cannot hold": {Method: "POST", Body: make(chan int)},
		"a method that HTTP has not":   {Method: "BAD METHOD"},
	} {
		if err := c.Do(t.Context(), call, &payload{}); vendors.KindOf(err) != vendors.Internal {
			t.Errorf("%s: Do = %v", name, err)
		}
	}
	if calls != 0 {
		t.Errorf("%d requests were sent", calls)
	}

	c.dialect.Decode = func(Answer, any) error { return errors.New("plain") }
	if err := c.Do(t.Context(), Call{Method: "GET"}, &payload{}); vendors.KindOf(err) != vendors.Internal || calls != 1 {
		t.Errorf("a plain error of Decode: Do = %v after %d requests", err, calls)
	}
}

// BenchmarkDo is one list of 20 documents, 18 kB, without a network.
func BenchmarkDo(b *testing.B) {
	row := `{"id":"0123456789abcdef","name":"report 报告.pdf","status":1,"size":123456,"created_at":1700000000,"enabled":true,"extra":"` +
		strings.Repeat("x", 760) + `"}`
	body := []byte(`{"code":0,"data":[` + strings.Repeat(row+",", 19) + row + `]}`)
	type document struct {
		ID      ID   `json:"id"`
		Name    Str  `json:"name"`
		Status  Num  `json:"status"`
		Size    Num  `json:"size"`
		Created Num  `json:"created_at"`
		Enabled Flag `json:"enabled"`
	}
	type list struct {
		Code Num        `json:"code"`
		Data []document `json:"data"`
	}
	secrets := &Secrets{}
	secrets.Add("dataset-0123456789")
	conn := Conn{Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: secrets, Transport: function(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
	})}
	c := New(conn, Dialect{
		Base: base(b, "http://platform.test/v1"),
		Sign: func(r *http.Request, _ []byte) error {
			r.Header.Set("Authorization", "Bearer dataset-0123456789")
			return nil
		},
		Decode: func(a Answer, out any) error {
			malformed, _ := Unmarshal(a, out)
			if malformed != nil {
				return malformed
			}
			return nil
		},
	})
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var out list
		err := c.Do(b.Context(), Call{Method: "GET", Path: []string{"datasets", "kb-1", "documents"}, Query: url.Values{"page": {"1"}}}, &out)
		if err != nil || len(out.Data) != 20 {
			b.Fatal(err, len(out.Data))
		}
	}
}

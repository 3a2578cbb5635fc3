package rest

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

// TestRedirects: none is followed, wherever it leads, and the credential goes
// only to the platform.
func TestRedirects(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 304, 307, 308} {
		for name, location := range map[string]string{
			"same host": "/v2/list", "other host": other.URL + "/list", "no location": "", "no URL": "://",
		} {
			t.Run(fmt.Sprint(status, " ", name), func(t *testing.T) {
				var asked atomic.Int32
				c := socket(t, func(w http.ResponseWriter, r *http.Request) {
					asked.Add(1)
					if location != "" {
						w.Header().Set("Location", location)
					}
					w.WriteHeader(status)
				}, Conn{})
				for _, call := range []Call{{Method: "GET"}, {Method: "POST", Body: 1}} {
					asked.Store(0)
					e := asError(t, c.Do(t.Context(), call, &payload{}))
					if e.Kind != vendors.BadResponse || e.HTTPStatus != status || e.Hint == "" || asked.Load() != 1 {
						t.Errorf("%s: Do = %v, HTTP %d, after %d requests", call.Method, e, e.HTTPStatus, asked.Load())
					}
				}
			})
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("the other host got %d requests", n)
	}
}

// raw answers with bytes and then ends the connection, with a reset or not.
func raw(w http.ResponseWriter, bytes string, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	io.WriteString(conn, bytes)
	if reset {
		conn.(*net.TCPConn).SetLinger(0)
	}
	conn.Close()
}

// gzipped packs n zeros (a thousandth of them on the wire) after a prefix.
func gzipped(prefix string, n int) string {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	io.WriteString(z, prefix)
	z.Write(make([]byte, n))
	z.Close()
	return b.String()
}

// TestBodies: an answer is read to its bound and believed only when whole.
func TestBodies(t *testing.T) {
	const bound = 1 << 16
	fill := func(n int) string { return `{"value":"` + strings.Repeat("a", n-12) + `"}` }
	send := func(body string, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for _, h := range headers {
				name, value, _ := strings.Cut(h, ": ")
				w.Header().Set(name, value)
			}
			io.WriteString(w, body)
		}
	}
	cut := func(text string, reset bool) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { raw(w, text, reset) }
	}
	half := gzipped(`{"value":"yes"}`, 0)[:20]
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		kind    vendors.Kind // "" for success
		words   string
		tries   int32
	}{
		{name: "as large as the bound", handler: send(fill(bound)), tries: 1},
		{name: "a byte larger", handler: send(fill(bound + 1)), kind: vendors.BadResponse, words: "larger", tries: 1},
		{name: "chunked and larger", handler: send(fill(bound+1), "Transfer-Encoding: chunked"), kind: vendors.BadResponse, words: "larger", tries: 1},
		{name: "gzip", handler: send(gzipped(`{"value":"yes"}`, 0), "Content-Encoding: gzip"), tries: 1},
		{name: "a gzip bomb", handler: send(gzipped("", 4<<20), "Content-Encoding: gzip"), kind: vendors.BadResponse, words: "larger", tries: 1},
		{name: "gzip cut short", handler: send(half, "Content-Encoding: gzip"), kind: vendors.BadResponse, words: "cut short", tries: 1},
		{name: "gzip that is none", handler: send(`{"value":"yes"}`, "Content-Encoding: gzip"), kind: vendors.BadResponse, tries: 1},
		{name: "gzip that is broken", handler: send(gzipped("", 5000)[:14]+strings.Repeat("\xff", 40), "Content-Encoding: gzip"), kind: vendors.BadResponse, tries: 1},
		{name: "shorter than announced", handler: cut("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"value\":", false), kind: vendors.BadResponse, words: "cut short", tries: 1},
		{name: "chunks without an end", handler: cut("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"val\r\n", false), kind: vendors.BadResponse, words: "cut short", tries: 1},
		{name: "a chunk cut short", handler: cut("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{\"val", false), kind: vendors.BadResponse, words: "cut short", tries: 1},
		{name: "a chunk of no size", handler: cut("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}", false), kind: vendors.Unavailable, tries: 2},
		{name: "a header that is none", handler: cut("HTTP/1.1 200 OK\r\nno header\r\n\r\n{}", false), kind: vendors.Unavailable, tries: 2},
		{name: "headers cut at a line's end", handler: cut("HTTP/1.1 200 OK\r\nX-A: b\r\n", false), kind: vendors.Unavailable, words: "before the answer", tries: 2},
		{name: "no HTTP", handler: cut("SSH-2.0-OpenSSH_9.6\r\n", false), kind: vendors.Unavailable, tries: 2},
		{name: "closed before the answer", handler: cut("", false), kind: vendors.Unavailable, words: "before the answer", tries: 2},
		{name: "reset before the answer", handler: cut("", true), kind: vendors.Unavailable, tries: 2},
		{name: "empty", handler: send(""), kind: vendors.BadResponse, words: "empty", tries: 1},
		{name: "a web page", handler: send("<!doctype html>"), kind: vendors.BadResponse, words: "web page", tries: 1},
		{name: "words", handler: send("OK"), kind: vendors.BadResponse, words: "not JSON", tries: 1},
		{name: "half of the JSON", handler: send(`{"value":"y`), kind: vendors.BadResponse, words: "malformed JSON", tries: 1},
		{name: "JSON of another form", handler: send(`{"value":[]}`), kind: vendors.BadResponse, words: "documented form", tries: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tries atomic.Int32
			c := socket(t, func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				tt.handler(w, r)
			}, Conn{MaxBody: bound})
			var out payload
			err := c.Do(t.Context(), Call{Method: "POST", Body: 1}, &out)
			if tries.Load() != tt.tries {
				t.Errorf("%d requests, want %d", tries.Load(), tt.tries)
			}
			if tt.kind == "" {
				if err != nil || out.Value == "" {
					t.Errorf("Do = %v", err)
				}
				return
			}
			e := asError(t, err)
			if e.Kind != tt.kind || !strings.Contains(e.Message, tt.words) || vendors.ReportOf(e).Hint == "" {
				t.Errorf("Do = %v, want %s with %q", e, tt.kind, tt.words)
			}
			if strings.Contains(e.Message, "127.0.0.1") {
				t.Errorf("the message names this machine's addresses: %s", e.Message)
			}
		})
	}
}

// TestResetInTheMiddle: the peer dies while it answers; the next try succeeds.
func TestResetInTheMiddle(t *testing.T) {
	for name, head := range map[string]string{
		"before the answer": "", "in the header": "HTTP/1.1 200 OK\r\nContent-Le", "in the body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			c := socket(t, func(w http.ResponseWriter, _ *http.Request) {
				if tries.Add(1) == 1 {
					raw(w, head, true)
					return
				}
				io.WriteString(w, `{"value":"yes"}`)
			}, Conn{})
			var out payload
			err := c.Do(t.Context(), Call{Method: "POST", Body: 1}, &out)
			// A reset may arrive before the bytes sent ahead of it or after: in
			// the body that is a broken connection or an answer cut short.
			if k := vendors.KindOf(err); err != nil && (name != "in the body" || k != vendors.BadResponse) {
				t.Errorf("Do = %v, %v after %d requests", out, err, tries.Load())
			}
			tries.Store(0)
			err = c.Do(t.Context(), Call{Method: "POST", Body: 1, Write: Once}, &out)
			if err == nil || tries.Load() != 1 {
				t.Errorf("a write: Do = %v after %d requests", err, tries.Load())
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	srv := httptest.NewServer(nil)
	address := srv.URL
	srv.Close()
	c := dialing(t, address, Conn{})
	e := asError(t, c.Do(t.Context(), Call{Method: "POST", Write: Once}, &payload{}))
	if e.Kind != vendors.Unavailable || e.Effect != vendors.NoEffect || e.Retry != vendors.ByKind || e.Hint == "" || strings.Contains(e.Message, "127.0.0.1") {
		t.Errorf("Do = %v, %+v", e, e)
	}
}

// TestUnknownCertificate: a private certificate is told apart from a dead
// server, and not tried again.
func TestUnknownCertificate(t *testing.T) {
	var accepted atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{}`) }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			accepted.Add(1)
		}
	}
	srv.StartTLS()
	defer srv.Close()
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	for name, tt := range map[string]struct {
		config *tls.Config
		url    string
	}{
		"unknown authority": {nil, srv.URL},
		"another host":      {&tls.Config{RootCAs: pool, ServerName: "elsewhere.test"}, srv.URL},
		"expired":           {&tls.Config{RootCAs: pool, Time: func() time.Time { return time.Unix(1<<33, 0) }}, srv.URL},
	} {
		t.Run(name, func(t *testing.T) {
			accepted.Store(0)
			transport := &http.Transport{TLSClientConfig: tt.config}
			defer transport.CloseIdleConnections()
			c := client(t, tt.url, Conn{Transport: transport, Backoff: ratelimit.Backoff{Tries: 3, Max: time.Second}}, nil)
			e := asError(t, c.Do(t.Context(), Call{Method: "GET"}, &payload{}))
			if e.Kind != vendors.Unavailable || !strings.Contains(e.Hint, "KB_MCP_CA_FILE") || e.Retry != vendors.Never || e.Effect != vendors.NoEffect || accepted.Load() != 1 {
				t.Errorf("Do = %v (%s) after %d connections", e, e.Hint, accepted.Load())
			}
		})
	}
	for name, change := range map[string]func(*tls.Config){
		"a certificate of ours wanted": func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert },
		"an old TLS":                   func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 },
	} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			strict := httptest.NewUnstartedServer(nil)
			strict.Config.ErrorLog = srv.Config.ErrorLog
			strict.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					tries.Add(1)
				}
			}
			strict.TLS = &tls.Config{MinVersion: tls.VersionTLS10}
			change(strict.TLS)
			strict.StartTLS()
			defer strict.Close()
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
			defer transport.CloseIdleConnections()
			c := client(t, strict.URL, Conn{Transport: transport}, nil)
			e := asError(t, c.Do(t.Context(), Call{Method: "GET"}, &payload{}))
			if e.Kind != vendors.Unavailable || !strings.Contains(e.Message, "secure connection") || e.Retry != vendors.Never || tries.Load() != 1 {
				t.Errorf("Do = %v after %d connections", e, tries.Load())
			}
		})
	}
	e := asError(t, dialing(t, strings.Replace(srv.URL, "https:", "http:", 1), Conn{}).Do(t.Context(), Call{Method: "GET"}, &payload{}))
	if e.Kind == vendors.Internal || vendors.ReportOf(e).Hint == "" {
		t.Errorf("http to a TLS port: Do = %v", e)
	}
}

func TestHTTPSToAnHTTPPort(t *testing.T) {
	srv := httptest.NewServer(nil)
	defer srv.Close()
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	e := asError(t, dialing(t, strings.Replace(srv.URL, "http:", "https:", 1), Conn{}).Do(t.Context(), Call{Method: "GET"}, &payload{}))
	if e.Kind != vendors.Unavailable || !strings.Contains(e.Hint, "base URL") {
		t.Errorf("Do = %v (%s)", e, e.Hint)
	}
}

// TestCancel: a call whose caller has left ends at the platform, too.
func TestCancel(t *testing.T) {
	for _, headers := range []bool{false, true} {
		arrived, gone := make(chan struct{}), make(chan struct{})
		c := socket(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // only then does the server watch the connection
			if headers {
				w.WriteHeader(200)
				http.NewResponseController(w).Flush()
			}
			close(arrived)
			<-r.Context().Done()
			close(gone)
		}, Conn{})
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- c.Do(ctx, Call{Method: "POST", Body: 1}, &payload{}) }() // waited for below
		<-arrived
		cancel()
		if e := asError(t, <-result); e.Kind != vendors.Timeout || !strings.Contains(e.Message, "cancelled") {
			t.Errorf("Do = %v", e)
		}
		<-gone
	}
}

// TestTimeout: the try's time bounds the wait for the header and for the body,
// with real sockets.
func TestTimeout(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"no header": func(http.ResponseWriter) {},
		"no body":   func(w http.ResponseWriter) { w.WriteHeader(200); http.NewResponseController(w).Flush() },
		"half of the body": func(w http.ResponseWriter) {
			io.WriteString(w, `{"value":`)
			http.NewResponseController(w).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			c := socket(t, func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				begin(w)
				<-r.Context().Done()
			}, Conn{Timeout: 50 * time.Millisecond})
			e := asError(t, c.Do(t.Context(), Call{Method: "GET"}, &payload{}))
			if e.Kind != vendors.Timeout || e.Message != "The platform did not answer within 50ms." || tries.Load() != 1 || !strings.Contains(e.Hint, "_TIMEOUT") {
				t.Errorf("Do = %v (%s) after %d requests", e, e.Hint, tries.Load())
			}
		})
	}
}

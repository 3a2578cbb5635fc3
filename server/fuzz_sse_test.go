package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"kb-mcp/server/internal/jsonrpc"
)

// piped is the answer to a GET of a stream, read while it is written.
type piped struct {
	header http.Header
	w      *io.PipeWriter
}

func (p *piped) Header() http.Header         { return p.header }
func (p *piped) WriteHeader(int)             {}
func (p *piped) Write(b []byte) (int, error) { return p.w.Write(b) }
func (p *piped) Flush()                      {}

// Whatever is posted for a stream, it goes on, and its events are JSON.
func FuzzSSEMessage(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	ctx, hangUp := context.WithCancel(f.Context())
	h := briefToys(toyServer(&toys{})).Handler(ctx, HTTPOptions{Addr: "127.0.0.1:8080"})
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(&piped{http.Header{}, w}, httptest.NewRequestWithContext(ctx, "GET", "http://localhost/sse", nil))
	}()
	f.Cleanup(func() {
		hangUp()
		r.Close()
		<-done
	})
	events := bufio.NewScanner(r)
	events.Buffer(nil, 2*jsonrpc.MaxMessage)
	next := func(t testing.TB) string {
		for events.Scan() {
			if data, ok := strings.CutPrefix(events.Text(), "data: "); ok {
				return data
			}
		}
		t.Fatalf("the stream has ended: %v", events.Err())
		return ""
	}
	path := next(f)
	post := func(body []byte) int {
		r := httptest.NewRequestWithContext(ctx, "POST", "http://localhost"+path, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	asked := 0
	f.Fuzz(func(t *testing.T, body []byte) {
		if status := post(body); status != http.StatusAccepted && status != http.StatusBadRequest {
			t.Errorf("status %d", status)
		}
		asked++
		own := fmt.Sprintf("own-%d", asked)
		post(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%q,"method":"ping"}`, own))
		for {
			data := next(t)
			var a struct{ ID json.RawMessage }
			if err := json.Unmarshal([]byte(data), &a); err != nil {
				t.Fatalf("an event is %q: %v", data, err)
			}
			if string(a.ID) == strconv.Quote(own) {
				return
			}
		}
	})
}

func letIn(g *guard, authorization string) bool {
	_, ok := g.party(authorization)
	return ok
}

// Whatever stands in the headers that name the caller, a stranger is refused.
func FuzzGuard(f *testing.F) {
	for _, s := range []string{"localhost", "127.0.0.1:1", "[::1]:80", "[::ffff:127.0.0.1]", "kb.example.com.", "KB.example.com:443", "http://localhost:3000", "null", "https://page.example.com:443", "http://127.0.0.1@evil.example.com", ""} {
		f.Add(s, s, "Bearer token-0123456789")
	}
	g := newGuard(HTTPOptions{
		Tokens: []string{"token-0123456789"}, AllowedHosts: []string{"kb.example.com"}, AllowedOrigins: []string{"https://page.example.com"},
	}, []string{"127.0.0.1:8080"}, slog.New(slog.DiscardHandler), http.NotFoundHandler())
	f.Fuzz(func(t *testing.T, host, origin, authorization string) {
		ours := func(name string) bool {
			ip, err := netip.ParseAddr(name)
			return err == nil && ip.Unmap().IsLoopback() || name == "localhost" || name == "kb.example.com"
		}
		if g.hostOK(host) && !ours(hostname(host)) {
			t.Errorf("host %q is let in", host)
		}
		if origin != "" && g.originOK([]string{origin}) {
			u, err := url.Parse(strings.ToLower(origin))
			if err != nil || u.User != nil || u.Host != "page.example.com" && u.Host != "page.example.com:443" && !ours(hostname(u.Host)) {
				t.Errorf("origin %q is let in", origin)
			}
		}
		if scheme, token, _ := strings.Cut(authorization, " "); letIn(g, authorization) && (!strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) != "token-0123456789") {
			t.Errorf("%q is let in", authorization)
		}
	})
}

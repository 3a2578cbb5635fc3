package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The ways in which clients and proxies write where to go.
func TestPaths(t *testing.T) {
	for _, base := range []string{"", "/kb", "/a/b/"} {
		w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{BasePath: base})
		prefix := strings.TrimSuffix(base, "/")
		for _, path := range []string{"/mcp", "/mcp/", prefix + "/mcp", prefix + "/mcp/"} {
			if res, text := w.do("POST", path, ping); res.StatusCode != 200 || res.Request.URL.Path != path {
				t.Errorf("%q: %s: %d %s", base, path, res.StatusCode, text)
			}
		}
		res, text := w.do("GET", prefix+"/", "")
		if res.StatusCode != 200 || !strings.Contains(text, prefix+"/mcp") {
			t.Errorf("%q: the root: %d %s", base, res.StatusCode, text)
		}
		if res, text := w.post(ping); res.StatusCode != 200 {
			t.Errorf("%q: %d %s", base, res.StatusCode, text)
		}
		for _, path := range []string{"/nothing", "/mcp/x", "/mcpx", "/kbx/mcp"} {
			if res, text := w.do("POST", path, ping); res.StatusCode != 404 || !strings.Contains(text, "/mcp") {
				t.Errorf("%q: %s: %d %s", base, path, res.StatusCode, text)
			}
		}
		if c := w.sse(); !strings.HasPrefix(c.post, prefix+"/message?sessionId=") {
			t.Errorf("%q: endpoint %s", base, c.post)
		} else if res, _ := w.do("POST", c.post, ping); res.StatusCode != 202 {
			t.Errorf("%q: %s: %d", base, c.post, res.StatusCode)
		}
	}
}

// Without a setting, the proxy may name the prefix; nothing but a path is taken.
func TestForwardedPrefix(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	for given, want := range map[string]string{
		"/kb": "/kb/message?", "/a/b/": "/a/b/message?", "": "/message?", "/": "/message?",
		"//evil.example": "/message?", "http://evil.example": "/message?", "/a\"b": "/message?", "kb": "/message?", "/" + strings.Repeat("x", 300): "/message?",
	} {
		if c := w.sse("X-Forwarded-Prefix", given); !strings.HasPrefix(c.post, want) {
			t.Errorf("%q: %s", given, c.post)
		}
	}
	set := startHTTP(t, toyServer(newToys(t)), HTTPOptions{BasePath: "/set"})
	if c := set.sse("X-Forwarded-Prefix", "/kb"); !strings.HasPrefix(c.post, "/set/message?") {
		t.Errorf("the setting: %s", c.post)
	}
}

// Whatever a client says that it takes, it is answered in a form that it takes.
func TestAccept(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	id := w.session()
	for _, tt := range []struct {
		accept []string
		events bool
	}{
		{nil, false}, {[]string{""}, false}, {[]string{"*/*"}, false}, {[]string{"application/json"}, false}, {[]string{"application/*"}, false},
		{[]string{"application/json;q=0.9, text/event-stream;q=0.1"}, false}, {[]string{"text/event-stream, application/json"}, false},
		{[]string{"text/event-stream", "application/json"}, false}, {[]string{"text/html"}, false}, {[]string{";;"}, false},
		{[]string{"APPLICATION/JSON, Text/Event-Stream"}, false},
		{[]string{"text/event-stream"}, true}, {[]string{"text/*"}, true}, {[]string{"application/json;q=0, text/event-stream"}, true},
		{[]string{"*/*;q=0.1, application/json;q=0"}, true},
	} {
		r := w.request(t.Context(), "POST", "/mcp", call(1, "echo", "x"), "Mcp-Session-Id", id)
		r.Header["Accept"] = tt.accept
		res, err := w.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		b.ReadFrom(res.Body)
		res.Body.Close()
		text, media := b.String(), "application/json"
		if tt.events {
			media = "text/event-stream"
			if !strings.HasPrefix(text, "event: message\ndata: {") || !strings.HasSuffix(text, "}\n\n") {
				t.Errorf("%q: %q", tt.accept, text)
			}
			text = strings.TrimPrefix(text, "event: message\ndata: ")
		}
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != media || parse(t, text).text() != "echo x" {
			t.Errorf("%q: %d %s %q", tt.accept, res.StatusCode, res.Header.Get("Content-Type"), text)
		}
	}
}

// A client that takes JSON only gets JSON, although its call tells progress.
func TestAcceptWithProgress(t *testing.T) {
	w := startHTTP(t, tellServer(t), HTTPOptions{})
	id := w.session()
	m := withID("1", "tools/call", `{"name":"tell","arguments":{},"_meta":{"progressToken":1}}`)
	for range 20 {
		res, text := w.post(m, "Mcp-Session-Id", id, "Accept", "application/json")
		if res.Header.Get("Content-Type") != "application/json" || parse(t, text).text() != "told" {
			t.Fatalf("%v: %s", res.Header, text)
		}
	}
}

func TestEncodedBodiesAreRefused(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	for encoding, want := range map[string]int{"gzip": 415, "br": 415, "identity": 200} {
		if res, _ := w.post(ping, "Content-Encoding", encoding); res.StatusCode != want {
			t.Errorf("%s: %d", encoding, res.StatusCode)
		}
	}
}

// A refusal by Host or Origin is logged with the value and the variable that
// allows it, once a minute, and strangers cannot fill the log.
func TestRefusalsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		g := newGuard(HTTPOptions{}, nil, slog.New(slog.NewTextHandler(&log, nil)), http.NotFoundHandler())
		ask := func(host, origin string) int {
			log.Reset()
			w := httptest.NewRecorder()
			r, err := http.NewRequestWithContext(t.Context(), "GET", "http://x/mcp", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			r.Header.Set("Origin", origin)
			g.ServeHTTP(w, r)
			return strings.Count(log.String(), "\n")
		}
		for range 3 {
			if n := ask("kb.example.com", ""); n != 1 || !strings.Contains(log.String(), "kb.example.com") || !strings.Contains(log.String(), "KB_MCP_ALLOWED_HOSTS") {
				t.Errorf("%d lines: %s", n, &log)
			}
			if n := ask("localhost", "https://page.example.com"); n != 1 || !strings.Contains(log.String(), "https://page.example.com") || !strings.Contains(log.String(), "KB_MCP_ALLOWED_ORIGINS") {
				t.Errorf("%d lines: %s", n, &log)
			}
			if n := ask("kb.example.com", "") + ask("localhost", "https://page.example.com"); n != 0 {
				t.Errorf("told again at once: %s", &log)
			}
			time.Sleep(refusalEvery)
		}
		lines := 0
		for i := range 1000 {
			lines += ask(fmt.Sprint("host", i, strings.Repeat("x", 10_000)), "")
			if log.Len() > 1000 {
				t.Fatalf("a line of %d bytes", log.Len())
			}
		}
		if lines > refusalValues {
			t.Errorf("%d lines in a minute", lines)
		}
		time.Sleep(refusalEvery)
		if n := ask("kb.example.com", ""); n != 1 || !strings.Contains(log.String(), "unlogged=9") {
			t.Errorf("%d lines: %s", n, &log)
		}
		if ask("evil\u202e.example", ""); strings.Contains(log.String(), "\u202e") {
			t.Errorf("%q", log.String())
		}
	})
}

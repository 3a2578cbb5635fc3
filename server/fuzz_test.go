package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// seeds are messages of every kind, and what is nearly one.
var seeds = []string{
	initialize("2025-11-25"),
	`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
	`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"x"}}`,
	call(3, "echo", "x"),
	call(4, "panic", "x"),
	call(5, "nosuch", "x"),
	modern(6, "server/discover", ""),
	modern(7, "subscriptions/listen", `,"notifications":{"toolsListChanged":true}`),
	`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[1]}}`,
	`{"jsonrpc":"2.0","id":8,"result":{}}`,
	`{"jsonrpc":"2.0","id":null,"method":"ping"}`,
	`{"jsonrpc":"2.0","id":{},"method":"tools/call","params":[]}`,
	`[]`, `null`, `"`, "", "\x00\xff", `{"jsonrpc":"2.0","id":1e400,"method":"ping"}`,
}

// briefToys are the toys whose calls end by themselves.
func briefToys(s *Server) *Server {
	s.peers.MCP.DeleteTools("slow", "held", "deaf")
	return s
}

// Whatever comes in, the server lives, and what goes out are JSON lines.
func FuzzStdioLine(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	s := briefToys(toyServer(&toys{}))
	f.Fuzz(func(t *testing.T, line []byte) {
		var out bytes.Buffer
		begin := time.Now()
		if err := s.Stdio(t.Context(), bytes.NewReader(append(line, '\n')), &out); err != nil {
			t.Fatal(err)
		}
		if time.Since(begin) > bound {
			t.Fatal("something hangs") // and out may still be written to
		}
		for l := range strings.Lines(out.String()) {
			if !strings.HasSuffix(l, "\n") || !json.Valid([]byte(l)) {
				t.Errorf("on stdout: %q", l)
			}
		}
	})
}

// Whatever is posted is answered, with a status that clients know and with JSON
// where it says so.
func FuzzHTTPBody(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	h := briefToys(toyServer(&toys{})).Handler(f.Context(), HTTPOptions{Addr: "127.0.0.1:8080"})
	f.Fuzz(func(t *testing.T, body []byte, modern bool) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost/mcp", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if modern {
			r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
			r.Header.Set("Mcp-Method", "tools/call")
			r.Header.Set("Mcp-Name", "echo")
		} else {
			r.Header.Set("Mcp-Session-Id", "mcp-session-0c4f6a52-4f3a-4c58-9c0e-6f2b5d0a1b11")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusAccepted, http.StatusBadRequest, http.StatusNotFound:
		default:
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if w.Header().Get("Content-Type") == "application/json" && !json.Valid(w.Body.Bytes()) {
			t.Errorf("not JSON: %q", w.Body)
		}
	})
}

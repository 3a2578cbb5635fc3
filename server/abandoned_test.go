package server

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

var abandoned = flag.Int("abandoned", 2_000, "how many sessions TestAbandonedSessions leaves open")

// heap is what is in use once the garbage is gone.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC() // the first only empties the pools into their victims
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// abandon opens n sessions, uses each once and leaves without DELETE.
func abandon(t *testing.T, h http.Handler, n int) {
	post := func(session, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost/mcp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Mcp-Session-Id", session)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for range n {
		id := post("", initialize("2025-11-25")).Header().Get("Mcp-Session-Id")
		if w := post(id, call(1, "echo", "x")); id == "" || w.Code != http.StatusOK {
			t.Fatalf("session %q: %d %s", id, w.Code, w.Body)
		}
	}
}

// Clients that leave without DELETE leave nothing behind: no idle limit has to
// pass first.
func TestAbandonedSessions(t *testing.T) {
	h := toyServer(&toys{}).Handler(t.Context(), HTTPOptions{Addr: "127.0.0.1:8080"})
	abandon(t, h, 100) // what is made once
	before := heap()
	abandon(t, h, *abandoned)
	each := float64(heap()-before) / float64(*abandoned)
	t.Logf("%d sessions, %d bytes of heap before them, %.1f bytes left by each", *abandoned, before, each)
	if each > 200 { // what the runtime itself makes in the meantime is less
		t.Errorf("each abandoned session holds %.1f bytes", each)
	}
	runtime.KeepAlive(h)
}

package server

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What a call costs in this package and mcp-go: a tool that answers at once
// with 5 kB of JSON.
func BenchmarkStdioCall(b *testing.B) {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- jsonServer().Stdio(context.Background(), inR, outW) }()
	lines := bufio.NewReaderSize(outR, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(inW, call(7, "json", "name")+"\n"); err != nil {
			b.Fatal(err)
		}
		if _, err := lines.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
	}
	inW.Close()
	<-done
}

func BenchmarkHTTPCall(b *testing.B) {
	h := jsonServer().Handler(b.Context(), HTTPOptions{Addr: "127.0.0.1:8080"})
	post := func(session, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(b.Context(), "POST", "http://localhost/mcp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		r.Header.Set("Mcp-Session-Id", session)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	id := post("", initialize("2025-11-25")).Header().Get("Mcp-Session-Id")
	b.ReportAllocs()
	for b.Loop() {
		if w := post(id, call(7, "json", "name")); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

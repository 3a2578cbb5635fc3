package server

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// A session belongs to who made it: another caller that knows its id cannot
// cancel its calls, end it, ask in it or post into its stream.
func TestSessionsBelongToTheirCaller(t *testing.T) {
	y := newToys(t)
	w := startHTTP(t, toyServer(y), HTTPOptions{Tokens: []string{"token-a", "token-b"}})
	a, b := []string{"Authorization", "Bearer token-a"}, []string{"Authorization", "Bearer token-b"}
	res, _ := w.post(initialize("2025-11-25"), a...)
	id := res.Header.Get("Mcp-Session-Id")
	inA := append([]string{"Mcp-Session-Id", id}, a...)
	asB := append([]string{"Mcp-Session-Id", id}, b...)
	stream := w.sse(a...)

	held := w.background(t.Context(), call(1, "held", ""), inA...)
	get(t, y.started, "the call to start")
	if res, text := w.do("POST", stream.post, call(1, "held", ""), a...); res.StatusCode != 202 {
		t.Fatalf("A's own stream: %d %s", res.StatusCode, text)
	}
	get(t, y.started, "the stream's call to start")
	for _, tt := range []struct{ method, path, body string }{
		{"POST", "/mcp", cancellation("1")},
		{"POST", "/mcp", listTools},
		{"DELETE", "/mcp", ""},
		{"POST", stream.post, cancellation("1")},
		{"POST", stream.post, call(2, "echo", "from B")},
	} {
		if res, text := w.do(tt.method, tt.path, tt.body, asB...); res.StatusCode != 404 {
			t.Errorf("B: %s %s %s: %d %s", tt.method, tt.path, tt.body, res.StatusCode, text)
		}
	}
	if res, text := w.post(listTools, inA...); res.StatusCode != 200 {
		t.Errorf("A's session is gone: %d %s", res.StatusCode, text)
	}
	y.free()
	for _, text := range []string{get(t, held, "A's answer"), get(t, stream.events, "A's answer on the stream")} {
		if parse(t, text).text() != "released" {
			t.Errorf("A's call: %s", text)
		}
	}
	if res, _ := w.do("DELETE", "/mcp", "", inA...); res.StatusCode != 200 {
		t.Errorf("A's own DELETE: %d", res.StatusCode)
	}
}

// Nobody makes up a session, with or without tokens.
func TestMadeUpSessions(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	for _, id := range []string{
		"mcp-session-0c4f6a52-4f3a-4c58-9c0e-6f2b5d0a1b11", "x", "x-", "-", new(sessions).name("somebody", false), w.session() + "0",
	} {
		for _, m := range []string{listTools, cancellation("1")} {
			if res, _ := w.post(m, "Mcp-Session-Id", id); res.StatusCode != 404 {
				t.Errorf("%q, %s: %d", id, m, res.StatusCode)
			}
		}
		if res, _ := w.do("DELETE", "/mcp", "", "Mcp-Session-Id", id); res.StatusCode != 404 {
			t.Errorf("DELETE of %q: %d", id, res.StatusCode)
		}
	}
}

type whoKey struct{}

// whoServer has one tool, which names its caller.
func whoServer() *Server {
	tool := mcpserver.ServerTool{Tool: mcp.NewTool("who"), Handler: func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		who, _ := ctx.Value(whoKey{}).(string)
		return mcp.NewToolResultText(who), nil
	}}
	return New(Options{Name: "who", Tools: []mcpserver.ServerTool{tool}, Identify: func(ctx context.Context, party, session string) context.Context {
		return context.WithValue(ctx, whoKey{}, fmt.Sprintf("%s|%s", party, session))
	}})
}

// The tools learn their caller on every transport: a party is a token, of either era;
// its sessions are told apart; no token is seen.
func TestToolsHearWhoCalls(t *testing.T) {
	s := whoServer()
	w := startHTTP(t, s, HTTPOptions{Tokens: []string{"token-a", "token-b"}})
	who := func(text string) string { return parse(t, text).text() }
	seen := map[string]string{}
	note := func(name, got string) {
		if earlier, ok := seen[got]; ok {
			t.Errorf("%s and %s are both %q", name, earlier, got)
		}
		seen[got] = name
	}
	for _, token := range []string{"token-a", "token-b"} {
		h := []string{"Authorization", "Bearer " + token}
		for range 2 {
			res, _ := w.post(initialize("2025-11-25"), h...)
			_, text := w.post(call(1, "who", ""), append(h, "Mcp-Session-Id", res.Header.Get("Mcp-Session-Id"))...)
			note("legacy "+token, who(text))
		}
		body, headers := modernCall(1, "who")
		_, text := w.post(body, append(headers, h...)...)
		_, again := w.post(body, append(append(headers, h...), "Mcp-Session-Id", "made-up")...)
		note("modern "+token, who(text))
		if who(again) != who(text) {
			t.Errorf("a made-up session makes %q of %q", who(again), who(text))
		}
		c := w.sse(h...)
		w.do("POST", c.post, call(1, "who", ""), h...)
		note("sse "+token, who(get(t, c.events, "an answer")))
	}
	for got := range seen {
		if got[:6] == "token-" || len(got) < 10 {
			t.Errorf("who: %q", got)
		}
	}
	c := startStdio(t, s)
	c.send(call(1, "who", ""))
	if got := c.receive().text(); got != "|stdio" {
		t.Errorf("stdio: %q", got)
	}
}

// A panic outside a tool's own net costs its call.
func TestPanics(t *testing.T) {
	s := toyServer(newToys(t))
	s.peers.Identify = func(ctx context.Context, _, _ string) context.Context { return ctx }
	mcpserver.WithToolHandlerMiddleware(func(mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
		return func(_ context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			panic("on purpose, outside " + req.Params.Name)
		}
	})(s.peers.MCP)
	w, c := startHTTP(t, s, HTTPOptions{}), startStdio(t, s)
	session, sse := w.session(), w.sse()
	failed := func(road, text string) {
		t.Helper()
		if a := parse(t, text); a.Error == nil || a.Error.Code != mcp.INTERNAL_ERROR || idOf(t, text) != "9007199254740993" {
			t.Errorf("%s: %s", road, text)
		}
	}
	m := withID("9007199254740993", "tools/call", `{"name":"echo","arguments":{}}`)
	for range 3 {
		c.send(m)
		failed("stdio", get(t, c.lines, "an answer"))
		res, text := w.post(m, "Mcp-Session-Id", session)
		failed("http", text)
		if res.Close {
			t.Error("the connection is closed")
		}
		w.do("POST", sse.post, m)
		failed("sse", get(t, sse.events, "an answer"))
	}
	s.peers.Identify = func(context.Context, string, string) context.Context { panic("on purpose") }
	if res, _ := w.do("GET", "/sse", ""); res.StatusCode != 500 {
		t.Errorf("outside any call: %d", res.StatusCode)
	}
	if _, text := w.post(m, "Mcp-Session-Id", session); parse(t, text).Error == nil {
		t.Errorf("before any call: %s", text)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		_, running := s.Open() // an answer is read before its call has ended
		if running == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d calls are left open", running)
		}
	}
}

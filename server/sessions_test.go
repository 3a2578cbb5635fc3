package server

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

const listTools = `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`

func TestSessionEnds(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	ended, other := w.session(), w.session()
	if res, text := w.do("DELETE", "/mcp", "", "Mcp-Session-Id", ended); res.StatusCode != 200 {
		t.Fatalf("DELETE: %d %s", res.StatusCode, text)
	}
	for id, want := range map[string]int{ended: 404, other: 200, "": 404, "nonsense": 404} {
		if res, text := w.post(listTools, "Mcp-Session-Id", id); res.StatusCode != want {
			t.Errorf("session %q: %d %s, want %d", id, res.StatusCode, text, want)
		}
	}
	// A DELETE of a revision without sessions, or of none, ends nothing.
	for _, version := range []string{"2026-07-28", "1999-01-01"} {
		if res, _ := w.do("DELETE", "/mcp", "", "Mcp-Session-Id", other, "Mcp-Protocol-Version", version); res.StatusCode < 400 {
			t.Errorf("DELETE in %s: %d", version, res.StatusCode)
		}
	}
	if res, _ := w.post(listTools, "Mcp-Session-Id", other); res.StatusCode != 200 {
		t.Errorf("the session is gone: %d", res.StatusCode)
	}
}

// A client goes on with its session when the process restarts.
func TestSessionSurvivesRestart(t *testing.T) {
	first := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	id := first.session()
	first.stop()
	second := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	if _, text := second.post(call(1, "echo", "again"), "Mcp-Session-Id", id); parse(t, text).text() != "echo again" {
		t.Errorf("after a restart: %s", text)
	}
	if res, _ := second.do("DELETE", "/mcp", "", "Mcp-Session-Id", id); res.StatusCode != 200 {
		t.Errorf("DELETE: %d", res.StatusCode)
	}
	if res, _ := second.post(listTools, "Mcp-Session-Id", id); res.StatusCode != 404 {
		t.Errorf("after DELETE: %d", res.StatusCode)
	}
}

// DELETE ends the session's calls, whether this process has made the session
// or an earlier one did.
func TestSessionEndEndsItsCalls(t *testing.T) {
	y := newToys(t)
	w := startHTTP(t, toyServer(y), HTTPOptions{})
	const foreign = "mcp-session-0c4f6a52-4f3a-4c58-9c0e-6f2b5d0a1b11"
	for _, id := range []string{w.session(), foreign} {
		got := w.background(t.Context(), call(1, "slow", ""), "Mcp-Session-Id", id)
		get(t, y.started, "the call to start")
		w.do("DELETE", "/mcp", "", "Mcp-Session-Id", id)
		if err := get(t, y.ended, "the call to end"); !errors.Is(err, errSessionEnded) {
			t.Errorf("the call ended with %v", err)
		}
		get(t, got, "the client's answer")
	}
}

func TestBounded(t *testing.T) {
	b := bounded{max: 3}
	for i := range 5 {
		b.add(fmt.Sprint(i))
		b.add(fmt.Sprint(i)) // takes no second place
	}
	for i := range 5 {
		if got, want := b.has(fmt.Sprint(i)), i >= 2; got != want {
			t.Errorf("has(%d) = %v", i, got)
		}
	}
	if len(b.in) != 3 || len(b.ring) != 3 {
		t.Errorf("it holds %d and %d", len(b.in), len(b.ring))
	}
}

func TestCalls(t *testing.T) {
	c := newCalls()
	begin := func(session string, detached bool) (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(t.Context())
		return ctx, c.add(session, detached, cancel)
	}
	if !c.wait(t.Context(), 0) && !c.wait(t.Context(), time.Second) {
		t.Error("not idle at the beginning")
	}
	c.open("a")
	a, undoA := begin("a", true)
	nameless, undoN := begin("", false)
	if c.running() != 2 || c.wait(t.Context(), time.Millisecond) {
		t.Errorf("%d running", c.running())
	}
	c.close("")
	c.close("a")
	if !errors.Is(context.Cause(a), errSessionEnded) || nameless.Err() != nil {
		t.Errorf("after the end of a: %v, %v", context.Cause(a), nameless.Err())
	}
	// Its message was accepted before the stream closed, its call begins after.
	late, undoL := begin("a", true)
	if !errors.Is(context.Cause(late), errSessionEnded) {
		t.Errorf("a call of a closed stream: %v", context.Cause(late))
	}
	c.stop()
	if !errors.Is(context.Cause(nameless), errStopping) {
		t.Errorf("after the stop: %v", context.Cause(nameless))
	}
	undoA()
	undoN()
	undoL()
	if !c.wait(t.Context(), patience) || c.running() != 0 || len(c.calls) != 0 || len(c.live) != 0 {
		t.Errorf("left: %d running, %v, %v", c.running(), c.calls, c.live)
	}
}

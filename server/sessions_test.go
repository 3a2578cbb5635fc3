package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
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
	earlier := new(sessions).name("") // by another process
	for _, id := range []string{w.session(), earlier} {
		got := w.background(t.Context(), call(1, "slow", ""), "Mcp-Session-Id", id)
		get(t, y.started, "the call to start")
		w.do("DELETE", "/mcp", "", "Mcp-Session-Id", id)
		if err := get(t, y.ended, "the call to end"); !errors.Is(err, errSessionEnded) {
			t.Errorf("the call ended with %v", err)
		}
		get(t, got, "the client's answer")
	}
}

// The calls of one session each tell their progress on their own stream. (The
// last notification of each may be lost, as these calls do not pause after it.)
func TestProgressStaysWithItsCall(t *testing.T) {
	y := newToys(t)
	s := toyServer(y)
	s.mcp.AddTool(mcp.NewTool("tell"), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		name := req.GetString("name", "")
		y.started <- name
		<-y.release
		for range 20 {
			params := map[string]any{"progressToken": name, "progress": 1}
			if err := s.mcp.SendNotificationToClient(ctx, "notifications/progress", params); err != nil {
				return nil, err
			}
		}
		return mcp.NewToolResultText("told"), nil
	})
	w := startHTTP(t, s, HTTPOptions{})
	id := w.session()
	var answers []<-chan string
	for i := range 4 {
		answers = append(answers, w.background(t.Context(), call(i, "tell", fmt.Sprint("call-", i)), "Mcp-Session-Id", id))
		get(t, y.started, "a call to start")
	}
	y.free()
	for i, a := range answers {
		text := get(t, a, "an answer")
		if own, all := strings.Count(text, fmt.Sprintf(`"progressToken":"call-%d"`, i)), strings.Count(text, "progressToken"); own == 0 || own != all {
			t.Errorf("call %d hears %d of its 20 and %d of others", i, own, all-own)
		}
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
	begin := func(session, id string) (context.Context, func()) {
		ctx, one := c.begin(t.Context(), session, id)
		begun, over := make(chan context.Context), make(chan bool)
		go c.middleware(func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			begun <- ctx
			<-over
			return nil, nil
		})(ctx, mcp.CallToolRequest{})
		return <-begun, func() { c.end(one); close(over) }
	}
	if !c.wait(t.Context(), 0) && !c.wait(t.Context(), time.Second) {
		t.Error("not idle at the beginning")
	}
	c.open("a")
	a, undoA := begin("a", "1")
	nameless, undoN := begin("", "1")
	if c.running() != 2 || c.wait(t.Context(), time.Millisecond) {
		t.Errorf("%d running", c.running())
	}
	c.close("")
	c.close("a")
	if !errors.Is(context.Cause(a), errSessionEnded) || nameless.Err() != nil {
		t.Errorf("after the end of a: %v, %v", context.Cause(a), nameless.Err())
	}
	c.cancel("", "1")
	if nameless.Err() != nil {
		t.Errorf("a call without a session is cancelled: %v", context.Cause(nameless))
	}
	c.stop()
	if !errors.Is(context.Cause(nameless), errStopping) {
		t.Errorf("after the stop: %v", context.Cause(nameless))
	}
	undoA()
	undoN()
	if !c.wait(t.Context(), patience) || c.running() != 0 || len(c.calls) != 0 || len(c.live) != 0 {
		t.Errorf("left: %d running, %v, %v", c.running(), c.calls, c.live)
	}
}

package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/server/internal/calls"
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
	earlier := new(sessions).name("", false) // by another process
	for _, id := range []string{w.session(), earlier} {
		got := w.background(t.Context(), call(1, "slow", ""), "Mcp-Session-Id", id)
		get(t, y.started, "the call to start")
		w.do("DELETE", "/mcp", "", "Mcp-Session-Id", id)
		if err := get(t, y.ended, "the call to end"); !errors.Is(err, calls.ErrSessionEnded) {
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
	s.peers.MCP.AddTool(mcp.NewTool("tell"), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		name := req.GetString("name", "")
		y.started <- name
		<-y.release
		for range 20 {
			params := map[string]any{"progressToken": name, "progress": 1}
			if err := s.peers.MCP.SendNotificationToClient(ctx, "notifications/progress", params); err != nil {
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

package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// ids that a float64 does not hold, or that an encoder writes otherwise. They
// come back as they came.
var rawIDs = []string{
	`7`, `0`, `-3`, `"a-1"`, `""`,
	`9007199254740993`, `1764418399306123457`, `1764418399306123459`, `1000000000000000000000`, `-9223372036854775808`,
	`1.50`, `1e3`, `1E400`, `-0`, `0.1e-7`,
	`"<a&b>"`, `"\u00e9\ud83d\ude00"`, `"é"`, `"\ud800"`, `"a\/b"`, `"` + strings.Repeat("x", 1000) + `"`,
}

// idOf is an answer's id as it stands there.
func idOf(t *testing.T, text string) string {
	t.Helper()
	var a struct{ ID json.RawMessage }
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	return string(a.ID)
}

func withID(id, method, params string) string {
	return fmt.Sprintf(`{"params":%s,"method":%q,"id":%s,"jsonrpc":"2.0"}`, params, method, id)
}

func TestIdsComeBackAsTheyCame(t *testing.T) {
	s := toyServer(newToys(t))
	w, c := startHTTP(t, s, HTTPOptions{}), startStdio(t, s)
	session, sse := w.session(), w.sse()
	echo := `{"name":"echo","arguments":{"name":"x"}}`
	for _, id := range rawIDs {
		for _, m := range []string{withID(id, "ping", `{}`), withID(id, "tools/call", echo), withID(id, "nosuch", `{}`)} {
			c.send(m)
			if got := idOf(t, get(t, c.lines, "an answer over stdio")); got != id {
				t.Errorf("stdio: %s comes back as %s", id, got)
			}
			_, text := w.post(m, "Mcp-Session-Id", session)
			if got := idOf(t, text); got != id {
				t.Errorf("http: %s comes back as %s", id, got)
			}
			w.do("POST", sse.post, m)
			if got := idOf(t, get(t, sse.events, "an answer over SSE")); got != id {
				t.Errorf("sse: %s comes back as %s", id, got)
			}
		}
		params := `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}},"name":"echo","arguments":{}}`
		_, text := w.post(withID(id, "tools/call", params), modernHeaders("tools/call", "echo")...)
		if got := idOf(t, text); got != id {
			t.Errorf("http modern: %s comes back as %s", id, got)
		}
		c.send(withID(id, "tools/call", params))
		if got := idOf(t, get(t, c.lines, "a modern answer over stdio")); got != id {
			t.Errorf("stdio modern: %s comes back as %s", id, got)
		}
	}
}

// tellServer has one tool, which notifies its caller three times.
func tellServer(t *testing.T) *Server {
	s := toyServer(newToys(t))
	s.peers.MCP.AddTool(mcp.NewTool("tell"), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for i := range 3 {
			note := map[string]any{"progressToken": req.Params.Meta.ProgressToken, "progress": i}
			if err := mcpserver.ServerFromContext(ctx).SendNotificationToClient(ctx, "notifications/progress", note); err != nil {
				return nil, err
			}
		}
		return mcp.NewToolResultText("told"), nil
	})
	return s
}

// Progress tokens, too; and over one stream, progress never comes after the
// answer.
func TestProgressTokensComeBackAsTheyCame(t *testing.T) {
	s := tellServer(t)
	w, c := startHTTP(t, s, HTTPOptions{}), startStdio(t, s)
	sse := w.sse()
	c.send(initialize("2025-11-25"))
	c.receive()
	w.do("POST", sse.post, initialize("2025-11-25"))
	get(t, sse.events, "the answer to initialize")
	for _, token := range rawIDs {
		m := withID("1", "tools/call", `{"name":"tell","arguments":{},"_meta":{"progressToken":`+token+`,"other":1}}`)
		c.send(m)
		w.do("POST", sse.post, m)
		for name, lines := range map[string]<-chan string{"stdio": c.lines, "sse": sse.events} {
			for i := range 3 {
				var n struct {
					Params struct{ ProgressToken, Progress json.RawMessage }
				}
				text := get(t, lines, "progress")
				if err := json.Unmarshal([]byte(text), &n); err != nil || string(n.Params.ProgressToken) != token || string(n.Params.Progress) != fmt.Sprint(i) {
					t.Fatalf("%s: progress %d for %s: %s, %v", name, i, token, text, err)
				}
			}
			if text := get(t, lines, "the answer"); idOf(t, text) != "1" {
				t.Fatalf("%s: %s", name, text)
			}
		}
	}
	_, text := w.post(withID("1", "tools/call", `{"name":"tell","arguments":{},"_meta":{"progressToken":9007199254740993}}`), "Mcp-Session-Id", w.session())
	if !strings.Contains(text, `"progressToken":9007199254740993`) && strings.Contains(text, "progressToken") {
		t.Errorf("http: %s", text)
	}
}

// What is wrong with a message is said with its id, where that can be told, the
// same on every transport; and the server goes on.
func TestMalformedMessages(t *testing.T) {
	s := toyServer(newToys(t))
	w, c := startHTTP(t, s, HTTPOptions{}), startStdio(t, s)
	session, sse := w.session(), w.sse()
	many := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"k":1,`, n), ",") }
	for _, tt := range []struct {
		why, text string
		code      int
		id        string
	}{
		{"not JSON", `{"jsonrpc":"2.0","id":7,`, -32700, "null"},
		{"not JSON at all", `hello`, -32700, "null"},
		{"a batch", `[{"jsonrpc":"2.0","id":7,"method":"ping"}]`, -32600, "null"},
		{"null", `null`, -32600, "null"},
		{"a string", `"ping"`, -32600, "null"},
		{"an empty object", `{}`, -32600, "null"},
		{"the id is null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, -32600, "null"},
		{"the id is null in a call", withID("null", "tools/call", `{"name":"echo","arguments":{}}`), -32600, "null"},
		{"the id is an object", withID(`{"a":1}`, "ping", `{}`), -32600, "null"},
		{"the id is a list", withID(`[1]`, "ping", `{}`), -32600, "null"},
		{"the id is a boolean", withID(`true`, "ping", `{}`), -32600, "null"},
		{"the id is very long", withID(`"`+strings.Repeat("x", 4<<10)+`"`, "ping", `{}`), -32600, "null"},
		{"the id is not UTF-8", withID("\"\xff\"", "ping", `{}`), -32600, "null"},
		{"no method", `{"jsonrpc":"2.0","id":7}`, -32600, "7"},
		{"the method is a number", `{"jsonrpc":"2.0","id":7,"method":1}`, -32600, "7"},
		{"the method is empty", `{"jsonrpc":"2.0","id":7,"method":""}`, -32600, "7"},
		{"the params are a list", withID("7", "tools/call", `["echo"]`), -32602, "7"},
		{"the params are a text", withID("7", "tools/call", `"echo"`), -32602, "7"},
		{"300,000 members of _meta", withID("7", "ping", `{"_meta":{`+many(300_000)+`}}`), -32600, "7"},
		{"300 members of _meta", withID("7", "ping", `{"_meta":{`+many(300)+`}}`), -32602, "7"},
		{"a large _meta", withID("7", "ping", `{"_meta":{"k":"`+strings.Repeat("x", 64<<10)+`"}}`), -32602, "7"},
		{"300,000 elements", withID("7", "tools/call", `{"name":"echo","arguments":{"name":[`+strings.Repeat("1,", 300_000)+`1]}}`), -32600, "7"},
		{"very deep", withID("7", "tools/call", `{"name":"echo","arguments":{"name":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`}}`), -32600, "7"},
	} {
		check := func(road, text string) {
			t.Helper()
			if a := parse(t, text); a.Error == nil || a.Error.Code != tt.code || idOf(t, text) != tt.id {
				t.Errorf("%s, %s: %.200s, want code %d and id %s", tt.why, road, text, tt.code, tt.id)
			}
		}
		c.send(tt.text)
		check("stdio", get(t, c.lines, "the answer to "+tt.why))
		for road, path := range map[string]string{"http": "/mcp", "sse": sse.post} {
			res, text := w.do("POST", path, tt.text, "Mcp-Session-Id", session)
			if res.StatusCode != 400 || res.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s, %s: %d %v", tt.why, road, res.StatusCode, res.Header)
			}
			check(road, text)
		}
	}
	c.send(call(8, "echo", "still here"))
	if got := c.receive().text(); got != "echo still here" {
		t.Errorf("after all that: %q", got)
	}
}

// Leniency: what asks nobody is not answered, a byte order mark and
// an empty line are passed over, and null where some clients write it.
func TestToleratedMessages(t *testing.T) {
	s := toyServer(newToys(t))
	w, c := startHTTP(t, s, HTTPOptions{}), startStdio(t, s)
	session, sse := w.session(), w.sse()
	for _, text := range []string{
		`{"jsonrpc":"2.0","id":null,"method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized","params":null}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled"}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}`,
		`{"jsonrpc":"2.0","id":1,"result":null}`,
	} {
		c.send(text)
		for _, path := range []string{"/mcp", sse.post} {
			if res, body := w.do("POST", path, text, "Mcp-Session-Id", session); res.StatusCode != 202 || body != "" {
				t.Errorf("%s %s: %d %s", path, text, res.StatusCode, body)
			}
		}
	}
	marked := "\ufeff" + withID("5", "ping", "null")
	c.send("", "  \r", marked)
	if text := get(t, c.lines, "an answer"); idOf(t, text) != "5" || parse(t, text).Error != nil {
		t.Errorf("stdio: %s", text)
	}
	if _, text := w.post(marked, "Mcp-Session-Id", session); idOf(t, text) != "5" || parse(t, text).Error != nil {
		t.Errorf("http: %s", text)
	}
	w.do("POST", sse.post, marked)
	if text := get(t, sse.events, "an answer"); idOf(t, text) != "5" {
		t.Errorf("sse: %s", text)
	}
}

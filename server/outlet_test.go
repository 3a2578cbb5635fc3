package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// jsonServer has one tool, "json", whose result is the argument and odd
// characters, as structured content and as text.
func jsonServer() *Server {
	tool := mcp.NewToolWithRawSchema("json", "Gives JSON.", json.RawMessage(`{"type":"object"}`))
	return New(Options{Name: "json", Tools: []mcpserver.ServerTool{{
		Tool: tool, Handler: func(_ context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			raw, err := wantedJSON(req.GetString("name", ""))
			return mcp.NewToolResultStructured(json.RawMessage(raw), string(raw)), err
		},
	}}})
}

// wantedJSON is not HTML-escaped, as the results of the tools are not.
func wantedJSON(name string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(map[string]any{"name": name, "odd": "<b>&\"\\\u2028\x00é", "long": strings.Repeat("0123456789", 500)})
	return bytes.TrimSpace(b.Bytes()), err
}

// holdsJSON checks an answer to a call with that name.
func holdsJSON(t *testing.T, message, name string) {
	t.Helper()
	want, err := wantedJSON(name)
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		Result struct {
			Content           []struct{ Type, Text string }
			StructuredContent json.RawMessage
			IsError           bool
		}
	}
	if err := json.Unmarshal([]byte(message), &a); err != nil {
		t.Fatalf("%v: %.300s", err, message)
	}
	if len(a.Result.Content) != 1 || a.Result.Content[0].Text != string(want) || a.Result.IsError {
		t.Errorf("text of %s: %.300s", name, message)
	}
	var got, wanted any
	if json.Unmarshal(a.Result.StructuredContent, &got) != nil || json.Unmarshal(want, &wanted) != nil {
		t.Fatalf("structured content of %s: %.300s", name, message)
	}
	if d := cmp.Diff(wanted, got); d != "" {
		t.Errorf("structured content of %s (-want +got):\n%s", name, d)
	}
}

func TestResultsOverStdio(t *testing.T) {
	c := startStdio(t, jsonServer())
	c.send(initialize("2025-11-25"))
	c.receive()
	const n = 200
	for i := range n {
		c.send(call(i, "json", fmt.Sprint("caller ", i)))
	}
	for range n {
		line := get(t, c.lines, "an answer")
		holdsJSON(t, line, fmt.Sprint("caller ", parse(t, line).ID))
	}
}

func TestResultsOverHTTP(t *testing.T) {
	w := startHTTP(t, jsonServer(), HTTPOptions{})
	id := w.session()
	var answers []<-chan string
	for i := range 50 {
		answers = append(answers, w.background(t.Context(), call(1, "json", fmt.Sprint("caller ", i)), "Mcp-Session-Id", id))
	}
	for i, a := range answers {
		holdsJSON(t, get(t, a, "an answer"), fmt.Sprint("caller ", i))
	}
	body, headers := modernCall(1, "json")
	if _, text := w.post(body, headers...); !strings.Contains(text, `"resultType"`) {
		t.Errorf("%.300s", text)
	}
	c := w.sse()
	w.do("POST", c.post, initialize("2025-11-25"))
	get(t, c.events, "the answer to initialize")
	w.do("POST", c.post, call(2, "json", "over SSE"))
	holdsJSON(t, get(t, c.events, "an answer"), "over SSE")
}

package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
	"go.uber.org/goleak"

	"kb-mcp/server/internal/calls"
)

func TestMain(m *testing.M) {
	// Parallel tests wait for sockets and deadlines. The command line, which is
	// parsed later, may say otherwise.
	if err := flag.Set("test.parallel", "12"); err != nil {
		log.Fatal(err)
	}
	goleak.VerifyTestMain(m)
}

// patience bounds every wait in these tests; none of them is meant to reach it.
const patience = 10 * time.Second

// bound is what a stop may take on a machine that does other things too. That
// it takes under two seconds when left alone is checked on the real process.
const bound = 8 * time.Second

// toys are the tools the tests call.
type toys struct {
	started chan string // the name given to a slow, held or deaf call, as it begins
	ended   chan error  // why a slow call's context ended
	release chan struct{}
	once    sync.Once
}

func newToys(t *testing.T) *toys {
	y := &toys{started: make(chan string, 1024), ended: make(chan error, 1024), release: make(chan struct{})}
	t.Cleanup(y.free)
	return y
}

// free lets every held and deaf call return.
func (y *toys) free() { y.once.Do(func() { close(y.release) }) }

func (y *toys) tools() []mcpserver.ServerTool {
	in := json.RawMessage(`{"type":"object","properties":{"name":{"type":"string"}}}`)
	tool := func(name string, h func(ctx context.Context, arg string) string) mcpserver.ServerTool {
		return mcpserver.ServerTool{
			Tool: mcp.NewToolWithRawSchema(name, "A toy.", in),
			Handler: func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				return mcp.NewToolResultText(h(ctx, req.GetString("name", ""))), nil
			},
		}
	}
	return []mcpserver.ServerTool{
		tool("echo", func(_ context.Context, arg string) string { return "echo " + arg }),
		tool("slow", func(ctx context.Context, arg string) string { // ends with its context only
			y.started <- arg
			<-ctx.Done()
			y.ended <- context.Cause(ctx)
			return "cut: " + context.Cause(ctx).Error()
		}),
		tool("held", func(ctx context.Context, arg string) string { // ends when released
			y.started <- arg
			select {
			case <-y.release:
				return "released"
			case <-ctx.Done():
				return "cut"
			}
		}),
		tool("deaf", func(_ context.Context, arg string) string { // ignores its context
			y.started <- arg
			<-y.release
			return "deaf"
		}),
		tool("panic", func(context.Context, string) string { panic("on purpose") }),
	}
}

func toyServer(y *toys) *Server { return New(Options{Name: "toys", Version: "v0", Tools: y.tools()}) }

// get receives from c, or fails the test.
func get[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v, ok := <-c:
		if !ok {
			t.Fatalf("waiting for %s: closed", what)
		}
		return v
	case <-time.After(patience):
		t.Fatalf("waiting for %s: nothing", what)
		panic("unreachable")
	}
}

// answer is what the tests look at in a JSON-RPC message.
type answer struct {
	ID     any    `json:"id"`
	Method string `json:"method"`
	Result struct {
		ProtocolVersion   string
		Instructions      string
		SupportedVersions []string
		Capabilities      map[string]any
		Tools             []struct{ Name string }
		Content           []struct{ Text string }
		TTLMs             int
		CacheScope        string
	} `json:"result"`
	Error *struct {
		Code    int
		Message string
	} `json:"error"`
}

func (a answer) text() string {
	if len(a.Result.Content) == 0 {
		return ""
	}
	return a.Result.Content[0].Text
}

func parse(t *testing.T, text string) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatalf("not a JSON-RPC message: %v: %q", err, text)
	}
	return a
}

// call is the message that calls a toy.
func call(id int, tool, arg string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":{"name":%q}}}`, id, tool, arg)
}

func initialize(version string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":%q,"capabilities":{},"clientInfo":{"name":"t","version":"0"}}}`, version)
}

// modern is a request of 2026-07-28; rest is the params after _meta.
func modern(id int, method, rest string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":{"_meta":{`+
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}%s}}`, id, method, rest)
}

// stdio is a client's end of a running Stdio.
type stdio struct {
	t     *testing.T
	in    *io.PipeWriter
	lines chan string
	done  chan error
	stop  context.CancelFunc
}

func startStdio(t *testing.T, s *Server) *stdio {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	c := &stdio{t: t, in: inW, lines: make(chan string, 4096), done: make(chan error, 1), stop: stop}
	go func() {
		defer outW.Close()
		c.done <- s.Stdio(ctx, inR, outW)
	}()
	go func() {
		defer close(c.lines)
		sc := bufio.NewScanner(outR)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			c.lines <- sc.Text()
		}
	}()
	t.Cleanup(func() {
		stop()
		inW.Close()
		for range c.lines {
		}
	})
	return c
}

func (c *stdio) send(lines ...string) {
	c.t.Helper()
	for _, l := range lines {
		if _, err := io.WriteString(c.in, l+"\n"); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *stdio) receive() answer {
	c.t.Helper()
	return parse(c.t, get(c.t, c.lines, "a line on stdout"))
}

func (c *stdio) end() error {
	c.t.Helper()
	return get(c.t, c.done, "Stdio to return")
}

func toolNames(a answer) []string {
	var names []string
	for _, t := range a.Result.Tools {
		names = append(names, t.Name)
	}
	return names
}

// allToys are in the order in which they are given, which is not that of their names.
var allToys = []string{"echo", "slow", "held", "deaf", "panic"}

// TestInstructions: they name the connections, and stay short whatever there is.
func TestInstructions(t *testing.T) {
	few := instructions([]string{"dify", "staging (dify)"})
	if !strings.Contains(few, "Connections: dify, staging (dify).") {
		t.Errorf("%s", few)
	}
	many := instructions(slices.Repeat([]string{"connection (volcengine)"}, 1000))
	if !strings.Contains(many, "There are 1000 connections") {
		t.Errorf("%s", many)
	}
	long := instructions([]string{strings.Repeat("x", maxConnections-len("Connections: ."))})
	for _, text := range []string{instructions(nil), few, many, long} {
		if n := len(text); n > maxInstructions || strings.Contains(text, "{") {
			t.Errorf("%d characters, at most %d are promised: %s", n, maxInstructions, text)
		}
	}
}

func TestStdioRevisions(t *testing.T) {
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			c := startStdio(t, toyServer(newToys(t)))
			c.send(initialize(version))
			a := c.receive()
			if a.Result.ProtocolVersion != version || a.Result.Instructions != instructions(nil) {
				t.Errorf("initialize: %+v", a)
			}
			if d := cmp.Diff(map[string]any{"tools": map[string]any{}}, a.Result.Capabilities); d != "" {
				t.Errorf("capabilities (-want +got):\n%s", d)
			}
			c.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`, `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`)
			if d := cmp.Diff(allToys, toolNames(c.receive())); d != "" {
				t.Errorf("tools/list (-want +got):\n%s", d)
			}
			c.send(call(3, "echo", "x"))
			if got := c.receive().text(); got != "echo x" {
				t.Errorf("tools/call: %q", got)
			}
			c.in.Close()
			if err := c.end(); err != nil {
				t.Errorf("Stdio = %v", err)
			}
		})
	}
}

func TestStdioModern(t *testing.T) {
	c := startStdio(t, toyServer(newToys(t)))
	c.send(modern(1, "server/discover", ""))
	if a := c.receive(); !strings.Contains(fmt.Sprint(a.Result.SupportedVersions), "2026-07-28") || a.Result.Instructions != instructions(nil) {
		t.Errorf("server/discover: %+v", a)
	}
	c.send(modern(2, "tools/list", ""))
	if a := c.receive(); len(a.Result.Tools) != len(allToys) || a.Result.TTLMs != cacheTTL || a.Result.CacheScope != "public" {
		t.Errorf("tools/list: %+v", a)
	}
	c.send(modern(3, "tools/call", `,"name":"echo","arguments":{"name":"y"}`))
	if got := c.receive().text(); got != "echo y" {
		t.Errorf("tools/call: %q", got)
	}
}

func TestStdioOddInput(t *testing.T) {
	c := startStdio(t, toyServer(newToys(t)))
	for _, tt := range []struct {
		why, line string
		code      int
	}{
		{"a panic is an answer, and the server goes on", call(1, "panic", ""), -32603},
		{"an unknown tool", call(2, "nosuch", ""), -32602},
		{"not JSON", `{"jsonrpc":`, -32700},
		{"batches left the protocol", `[` + call(3, "echo", "") + `]`, -32600},
		{"an unknown method", `{"jsonrpc":"2.0","id":4,"method":"nosuch"}`, -32601},
	} {
		c.send(tt.line)
		if a := c.receive(); a.Error == nil || a.Error.Code != tt.code {
			t.Errorf("%s: %+v, want code %d", tt.why, a, tt.code)
		}
	}
	c.send(call(5, "echo", "still here"))
	if got := c.receive().text(); got != "echo still here" {
		t.Errorf("after all that: %q", got)
	}
}

// Calls that wait for one platform must leave room for another's.
func TestStdioSlowCallsLeaveRoom(t *testing.T) {
	y := newToys(t)
	c := startStdio(t, toyServer(y))
	const slow = 64
	for i := range slow {
		c.send(call(i+1, "slow", ""))
	}
	for range slow {
		get(t, y.started, "a slow call to start")
	}
	c.send(call(1000, "echo", "fast"))
	if a := c.receive(); a.ID != 1000.0 {
		t.Errorf("first answer is for %v", a.ID)
	}
}

func TestStdioCancellation(t *testing.T) {
	y := newToys(t)
	c := startStdio(t, toyServer(y))
	c.send(call(7, "slow", ""))
	get(t, y.started, "the call to start")
	c.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`)
	if err := get(t, y.ended, "the call to end"); !errors.Is(err, calls.ErrCancelled) {
		t.Errorf("the call ended with %v", err)
	}
}

// The end, by EOF or by a signal: calls in flight are cancelled, and one that
// does not listen is not waited for.
func TestStdioEnds(t *testing.T) {
	for _, tt := range []struct {
		name, tool string
		end        func(*stdio)
	}{
		{"EOF cancels", "slow", func(c *stdio) { c.in.Close() }},
		{"ctx cancels", "slow", func(c *stdio) { c.stop() }},
		{"EOF does not wait for the deaf", "deaf", func(c *stdio) { c.in.Close() }},
		{"ctx does not wait for the deaf", "deaf", func(c *stdio) { c.stop() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			y := newToys(t)
			c := startStdio(t, toyServer(y))
			c.send(call(1, tt.tool, ""))
			get(t, y.started, "the call to start")
			begin := time.Now()
			tt.end(c)
			if err := c.end(); err != nil {
				t.Errorf("Stdio = %v", err)
			}
			if d := time.Since(begin); d > bound {
				t.Errorf("Stdio took %v to end", d)
			}
			if tt.tool == "slow" {
				get(t, y.ended, "the call's context to end")
			}
		})
	}
}

// A client that stops reading must not keep the process alive.
func TestStdioEndsWithStuckOutput(t *testing.T) {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	defer outR.Close()
	done := make(chan error, 1)
	go func() { done <- toyServer(newToys(t)).Stdio(t.Context(), inR, outW) }()
	if _, err := io.WriteString(inW, call(1, "echo", "")+"\n"); err != nil {
		t.Fatal(err)
	}
	inW.Close()
	if err := get(t, done, "Stdio to return"); err != nil {
		t.Errorf("Stdio = %v", err)
	}
}

func TestStdioReadError(t *testing.T) {
	broken := errors.New("broken")
	r, w := io.Pipe()
	w.CloseWithError(broken)
	if err := toyServer(newToys(t)).Stdio(t.Context(), r, io.Discard); !errors.Is(err, broken) {
		t.Errorf("Stdio = %v, want %v", err, broken)
	}
}

package server

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"kb-mcp/server/internal/calls"
	"kb-mcp/server/internal/jsonrpc"
)

// The bounds of internal/stream.
const (
	peerCalls   = 100
	peerWaiting = 10_000
	peerBytes   = 64 << 20
)

func cancellation(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s,"reason":"user"}}`, id)
}

// A cancelled call ends and is not answered: not on a stream, not on its POST,
// in no era. The next message is the answer to what was asked next.
func TestCancelledCallsAreNotAnswered(t *testing.T) {
	y := newToys(t)
	s := toyServer(y)
	w, c := startHTTP(t, s, HTTPOptions{}), startStdio(t, s)
	sse := w.sse()
	modernSlow := func(id string) string {
		return withID(id, "tools/call", `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}},"name":"slow","arguments":{}}`)
	}
	for _, tt := range []struct {
		name  string
		send  func(string)
		lines <-chan string
	}{
		{"stdio", func(m string) { c.send(m) }, c.lines},
		{"sse", func(m string) { w.do("POST", sse.post, m) }, sse.events},
	} {
		for _, m := range []string{withID("9007199254740993", "tools/call", `{"name":"slow","arguments":{}}`), modernSlow("9007199254740993")} {
			tt.send(m)
			get(t, y.started, "the call to start")
			tt.send(cancellation("9007199254740993"))
			if err := get(t, y.ended, "the call to end"); !errors.Is(err, calls.ErrCancelled) {
				t.Errorf("%s: it ended with %v", tt.name, err)
			}
			tt.send(`{"jsonrpc":"2.0","id":"next","method":"ping"}`)
			if text := get(t, tt.lines, "an answer"); idOf(t, text) != `"next"` {
				t.Errorf("%s: a cancelled call is answered: %s", tt.name, text)
			}
		}
	}
	id := w.session()
	res := make(chan string, 1)
	r := w.request(t.Context(), "POST", "/mcp", withID("9007199254740993", "tools/call", `{"name":"slow","arguments":{}}`), "Mcp-Session-Id", id)
	go func() {
		answer, err := w.client.Do(r)
		if err != nil {
			res <- err.Error()
			return
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		res <- fmt.Sprintf("%d %q", answer.StatusCode, text)
	}()
	get(t, y.started, "the call to start")
	w.post(cancellation("9007199254740993"), "Mcp-Session-Id", id)
	get(t, y.ended, "the call to end")
	if got := get(t, res, "the POST to end"); got != `202 ""` {
		t.Errorf("http: %s", got)
	}
}

// Calls are told apart by the bytes of their ids.
func TestCancellationByTheExactID(t *testing.T) {
	y := newToys(t)
	c := startStdio(t, toyServer(y))
	for _, id := range []string{`9007199254740992`, `9007199254740993`, `"9007199254740993"`, `9007199254740993.0`} {
		c.send(withID(id, "tools/call", `{"name":"held","arguments":{}}`))
		get(t, y.started, "a call to start")
	}
	c.send(cancellation(`9007199254740993`), `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	c.receive()
	y.free()
	var got []string
	for range 3 {
		got = append(got, idOf(t, get(t, c.lines, "an answer")))
	}
	if all := strings.Join(got, " "); strings.Contains(all, " 9007199254740993 ") || !strings.Contains(all, `"9007199254740993"`) || !strings.Contains(all, `9007199254740993.0`) {
		t.Errorf("answered: %v", got)
	}
}

// While many calls wait, a ping is answered and a cancellation heard; what is
// cancelled while it waits never begins.
func TestQueuedCallsOverStdio(t *testing.T) {
	y := newToys(t)
	c := startStdio(t, toyServer(y))
	const queued = 1500
	for i := range peerCalls {
		c.send(call(i, "held", "running"))
	}
	for range peerCalls {
		get(t, y.started, "the workers to be busy")
	}
	for i := range queued {
		c.send(call(1000+i, "held", "queued"))
	}
	c.send(`{"jsonrpc":"2.0","id":"ping","method":"ping"}`)
	if text := get(t, c.lines, "the answer to the ping"); idOf(t, text) != `"ping"` {
		t.Errorf("the first answer is %s", text)
	}
	for i := range queued - 1 {
		c.send(cancellation(fmt.Sprint(1000 + i)))
	}
	c.send(`{"jsonrpc":"2.0","id":"again","method":"ping"}`)
	get(t, c.lines, "the second ping")
	y.free()
	answered := map[string]bool{}
	for range peerCalls + 1 {
		answered[idOf(t, get(t, c.lines, "an answer"))] = true
	}
	if last := fmt.Sprint(1000 + queued - 1); !answered[last] {
		t.Errorf("the call that was not cancelled was not answered")
	}
	get(t, y.started, "the call that was not cancelled")
	select {
	case name := <-y.started:
		t.Errorf("a cancelled call began: %s", name)
	default:
	}
}

// More calls than may wait are refused at once, in a way that says so.
func TestQueueIsBounded(t *testing.T) {
	y := newToys(t)
	s := toyServer(y)
	c := startStdio(t, s)
	for i := range peerCalls {
		c.send(call(i, "held", "running"))
		get(t, y.started, "a worker to be busy")
	}
	for i := range peerWaiting {
		c.send(call(peerCalls+i, "held", ""))
	}
	c.send(call(77_777, "held", ""))
	if a := c.receive(); a.Error == nil || a.Error.Code != jsonrpc.ServerBusy || a.ID != 77_777.0 {
		t.Errorf("one too many: %+v", a)
	}
	if n := s.peers.Calls.Running(); n != peerCalls+peerWaiting {
		t.Errorf("%d calls", n)
	}
	// Cancelled ones make room.
	c.send(cancellation(fmt.Sprint(peerCalls)), call(88_888, "echo", "in time"), `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	if a := c.receive(); a.ID != 1.0 {
		t.Errorf("after a cancellation: %+v", a)
	}
}

// So are the bytes of what waits.
func TestQueueIsBoundedInBytes(t *testing.T) {
	y := newToys(t)
	s := toyServer(y)
	w := startHTTP(t, s, HTTPOptions{})
	sse := w.sse()
	for i := range peerCalls {
		w.do("POST", sse.post, call(i, "held", "running"))
		get(t, y.started, "a worker to be busy")
	}
	large := call(1, "held", strings.Repeat("x", jsonrpc.MaxMessage-1000))
	status := 0
	for range peerBytes/jsonrpc.MaxMessage + 1 {
		res, _ := w.do("POST", sse.post, large)
		if status = res.StatusCode; status != 202 {
			if res.Header.Get("Retry-After") == "" {
				t.Errorf("headers %v", res.Header)
			}
			break
		}
	}
	if status != 503 {
		t.Errorf("the last of %d MB: %d", (peerBytes+jsonrpc.MaxMessage)>>20, status)
	}
	if res, _ := w.do("POST", sse.post, `{"jsonrpc":"2.0","id":"ping","method":"ping"}`); res.StatusCode != 202 {
		t.Errorf("a ping: %d", res.StatusCode)
	}
	if text := get(t, sse.events, "its answer"); idOf(t, text) != `"ping"` {
		t.Errorf("first answer %s", text)
	}
	// What all clients together make us hold is bounded, and given back.
	if !s.intake.Held.Take(jsonrpc.MaxHeld - s.intake.Held.Used()) {
		t.Fatal("the budget is overdrawn")
	}
	other := w.sse()
	for _, path := range []string{"/mcp", other.post} {
		if res, _ := w.do("POST", path, call(1, "echo", "")); res.StatusCode != 503 {
			t.Errorf("%s over budget: %d", path, res.StatusCode)
		}
	}
}

// Whatever becomes of a message, what was held of it is given back.
func TestHeldIsGivenBack(t *testing.T) {
	y := newToys(t)
	s := toyServer(y)
	w, c := startHTTP(t, s, HTTPOptions{}), startStdio(t, s)
	id, sse := w.session(), w.sse()
	for i := range peerCalls {
		c.send(call(i, "slow", ""))
		get(t, y.started, "a call to start")
	}
	c.send(call(1000, "echo", "waits"), call(1001, "echo", "waits and is cancelled"), cancellation("1001"), "nonsense", "[]")
	c.receive()
	c.receive()
	for _, m := range []string{call(1, "echo", "x"), "nonsense", cancellation("1"), call(2, "panic", ""), strings.Repeat("[", 1000)} {
		w.post(m, "Mcp-Session-Id", id)
		w.do("POST", sse.post, m)
		w.do("POST", "/mcp", m, "Content-Type", "text/plain")
	}
	w.do("POST", "/mcp", strings.Repeat(" ", jsonrpc.MaxMessage+1))
	get(t, sse.events, "an answer")
	c.in.Close()
	c.end()
	w.stop()
	if n := s.intake.Held.Used(); n != 0 {
		t.Errorf("%d bytes are held for ever", n)
	}
}

// An end of input leaves nothing queued.
func TestEndDropsTheQueue(t *testing.T) {
	y := newToys(t)
	s := toyServer(y)
	c := startStdio(t, s)
	for i := range 2 * peerCalls {
		c.send(call(i, "slow", ""))
	}
	for range peerCalls {
		get(t, y.started, "a call to start")
	}
	c.in.Close()
	if err := c.end(); err != nil {
		t.Error(err)
	}
	if sessions, calls := s.Open(); sessions != 0 || calls != 0 {
		t.Errorf("left open: %d sessions, %d calls", sessions, calls)
	}
}

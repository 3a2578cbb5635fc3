package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kb-mcp/cmd/kb-mcp/internal/settings"
	"kb-mcp/server"
	"kb-mcp/vendors/sandbox"
)

// confirming is a Dify of the sandbox that counts the deletes that reach it, and
// a server before it.
type confirming struct {
	*server.Server
	conf    settings.Config
	kb      string // of kb-mcp's own list
	name    string
	mu      sync.Mutex
	deletes int
}

func newConfirming(t *testing.T, environ ...string) *confirming {
	t.Helper()
	c := &confirming{}
	sb := sandbox.New(sandbox.Options{})
	platform := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			c.mu.Lock()
			c.deletes++
			c.mu.Unlock()
		}
		sb.ServeHTTP(w, r)
	}))
	t.Cleanup(platform.Close)
	environ = append(append(sandbox.Variables(platform.URL, sandbox.FaceDify), "KB_MCP_ALLOW_WRITES=true", "DIFY_RATE_LIMIT=off"), environ...)
	var err error
	if c.conf, err = settings.Open(environ, io.Discard, "0.0.0"); err != nil {
		t.Fatal(err)
	}
	c.Server = newServer(c.conf)
	a, _ := c.conf.Tools().Call(t.Context(), "list_knowledge_bases", nil)
	var list struct {
		Bases []struct {
			ID   string `json:"knowledge_base_id"`
			Name string `json:"name"`
		} `json:"knowledge_bases"`
	}
	if err := json.Unmarshal(a.Text, &list); err != nil || len(list.Bases) == 0 {
		t.Fatalf("%v: %s", err, a.Text)
	}
	c.kb, c.name = list.Bases[0].ID, list.Bases[0].Name
	return c
}

func (c *confirming) sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deletes
}

// line is a client's side of a session. Messages of the server come one by one.
type line struct {
	t    *testing.T
	send func(text string)
	got  chan map[string]any
}

// next is the next message of the server.
func (l *line) next() map[string]any {
	l.t.Helper()
	select {
	case m := <-l.got:
		return m
	case <-time.After(20 * time.Second):
		l.t.Fatal("no message")
		return nil
	}
}

func (l *line) feed(r io.Reader, prefix string) {
	for sc := bufio.NewScanner(r); sc.Scan(); {
		text, ok := strings.CutPrefix(sc.Text(), prefix)
		var m map[string]any
		if ok && json.Unmarshal([]byte(text), &m) == nil {
			l.got <- m
		}
	}
}

// open begins a session by a transport.
func (c *confirming) open(t *testing.T, transport, capabilities string) *line {
	t.Helper()
	l := &line{t: t, got: make(chan map[string]any, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	t.Cleanup(func() { cancel(); work.Wait() })
	if transport == "stdio" {
		in, stdin := io.Pipe()
		stdout, out := io.Pipe()
		work.Go(func() { _ = c.Stdio(ctx, in, out); in.Close(); out.Close() })
		work.Go(func() { l.feed(stdout, "") })
		l.send = func(text string) { fmt.Fprintln(stdin, text) }
		t.Cleanup(func() { stdin.Close() })
	} else {
		site := httptest.NewServer(c.Handler(ctx, server.HTTPOptions{}))
		t.Cleanup(func() { cancel(); site.CloseClientConnections(); site.Close() })
		if transport == "sse" {
			c.openSSE(ctx, l, &work, site.URL)
		} else {
			session := ""
			l.send = func(text string) {
				var opened sync.WaitGroup
				opened.Add(1)
				once := sync.OnceFunc(opened.Done)
				work.Go(func() {
					defer once()
					res, err := post(ctx, site.URL+"/mcp", text, session)
					if err != nil {
						return
					}
					defer res.Body.Close()
					if id := res.Header.Get("Mcp-Session-Id"); id != "" {
						session = id
					}
					if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
						once()
						l.feed(res.Body, "data: ")
						return
					}
					l.feed(res.Body, "")
				})
				if strings.Contains(text, `"initialize"`) {
					opened.Wait()
				}
			}
		}
	}
	l.send(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":` + capabilities + `,"clientInfo":{"name":"t","version":"1"}}}`)
	if l.next()["result"] == nil {
		t.Fatal("initialize failed")
	}
	return l
}

func (c *confirming) openSSE(ctx context.Context, l *line, work *sync.WaitGroup, url string) {
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/sse", nil)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	in := bufio.NewReader(res.Body)
	_, _ = in.ReadString('\n')
	path, _ := in.ReadString('\n')
	path = strings.TrimSpace(strings.TrimPrefix(path, "data: "))
	work.Go(func() { defer res.Body.Close(); l.feed(in, "data: ") })
	l.send = func(text string) {
		res, err := post(ctx, url+path, text, "")
		if err == nil {
			res.Body.Close()
		}
	}
}

func post(ctx context.Context, url, text, session string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if session != "" {
		r.Header.Set("Mcp-Session-Id", session)
	}
	return http.DefaultClient.Do(r)
}

// at is what stands at a path of members and indexes.
func at(v any, path ...string) any {
	for _, p := range path {
		switch o := v.(type) {
		case map[string]any:
			v = o[p]
		case []any:
			v = o[0]
		}
	}
	return v
}

func failure(t *testing.T, answer map[string]any) (kind, hint, outcome string) {
	t.Helper()
	var e struct {
		Error struct{ Kind, Hint, Outcome string }
	}
	text, _ := at(answer, "result", "content", "0", "text").(string)
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatalf("%v: %v", err, answer)
	}
	return e.Error.Kind, e.Error.Hint, e.Error.Outcome
}

const offers = `{"elicitation":{}}`

func deleteBase(id int, kb string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"delete_knowledge_base","arguments":{"knowledge_base_id":%q}}}`, id, kb)
}

// A delete asks, obeys, and sends nothing unless the right words came.
func TestConfirmAsks(t *testing.T) {
	for _, transport := range []string{"stdio", "sse", "http"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			c := newConfirming(t)
			l := c.open(t, transport, offers)
			answers := []string{
				`"result":{"action":"decline"}`, `"result":{"action":"cancel"}`, `"error":{"code":-1,"message":"no"}`, `"result":{"action":"accept"}`,
				`"result":{"action":"accept","content":{"confirm":"something else"}}`, `"result":null`, `"result":{"action":"accept","content":{"confirm":""}}`,
			}
			for i, answer := range answers {
				l.send(deleteBase(10+i, c.kb))
				q := l.next()
				if q["method"] != "elicitation/create" || !strings.Contains(fmt.Sprint(at(q, "params", "message")), c.name) {
					t.Fatalf("the question is %v", q)
				}
				l.send(`{"jsonrpc":"2.0","id":"AAAA","result":{"action":"accept","content":{"confirm":"` + c.name + `"}}}`) // nobody asked
				l.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,%s}`, q["id"], answer))
				a := l.next()
				if kind, hint, outcome := failure(t, a); kind != "conflict" || hint == "" || outcome != "none" || a["id"] != float64(10+i) {
					t.Errorf("after %s: %v", answer, a)
				}
				if n := c.sent(); n != 0 {
					t.Fatalf("after %s: %d deletes were sent", answer, n)
				}
			}
			l.send(deleteBase(50, c.kb))
			q := l.next()
			l.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"result":{"action":"accept","content":{"confirm":" %s "}}}`, q["id"], c.name))
			if a := l.next(); at(a, "result", "structuredContent", "deleted") != true || c.sent() != 1 {
				t.Errorf("%v, %d deletes", a, c.sent())
			}
		})
	}
}

// Questions of calls beside one another each find their answer.
func TestConfirmAsksTogether(t *testing.T) {
	for _, transport := range []string{"stdio", "sse", "http"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			c := newConfirming(t)
			l := c.open(t, transport, offers)
			const n = 17 // one more than a session may have
			for i := range n {
				l.send(deleteBase(10+i, c.kb))
			}
			var questions []any
			refused := 0
			for range n {
				if m := l.next(); m["method"] == "elicitation/create" {
					questions = append(questions, m["id"])
				} else if kind, _, _ := failure(t, m); kind == "conflict" {
					refused++
				}
			}
			if refused != 1 {
				t.Errorf("%d are refused, %d questions are open", refused, len(questions))
			}
			for _, id := range questions {
				l.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"result":{"action":"decline"}}`, id))
			}
			for range questions {
				if kind, _, _ := failure(t, l.next()); kind != "conflict" {
					t.Error(kind)
				}
			}
			if c.sent() != 0 {
				t.Errorf("%d deletes were sent", c.sent())
			}
		})
	}
}

// A client that cancels its call is not waited for, and hears that the question
// is withdrawn where it has a stream for it.
func TestConfirmCancelled(t *testing.T) {
	for _, transport := range []string{"stdio", "sse", "http"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			c := newConfirming(t)
			l := c.open(t, transport, offers)
			l.send(deleteBase(7, c.kb))
			q := l.next()
			l.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`)
			if transport != "http" {
				if m := l.next(); m["method"] != "notifications/cancelled" || at(m, "params", "requestId") != q["id"] {
					t.Errorf("after the cancellation: %v", m)
				}
			}
			running := 1
			for end := time.Now().Add(10 * time.Second); running > 0 && time.Now().Before(end); _, running = c.Open() {
				l.send(`{"jsonrpc":"2.0","id":8,"method":"ping"}`)
				if m := l.next(); m["id"] != float64(8) {
					t.Fatalf("%v", m)
				}
			}
			l.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"result":{"action":"accept","content":{"confirm":%q}}}`, q["id"], c.name))
			if c.sent() != 0 || running != 0 {
				t.Errorf("%d deletes were sent, %d calls run", c.sent(), running)
			}
		})
	}
}

// Without elicitation a delete is what it always was, or refused.
func TestConfirmModes(t *testing.T) {
	for _, tt := range []struct{ mode, capabilities, kind string }{
		{"auto", `{}`, ""}, {"auto", `{"elicitation":{"url":{}}}`, ""}, {"off", offers, ""}, {"require", `{}`, "permission_denied"},
	} {
		for _, transport := range []string{"stdio", "sse", "http"} {
			t.Run(tt.mode+tt.capabilities+transport, func(t *testing.T) {
				t.Parallel()
				c := newConfirming(t, "KB_MCP_CONFIRM="+tt.mode)
				l := c.open(t, transport, tt.capabilities)
				l.send(deleteBase(2, c.kb))
				a := l.next()
				if tt.kind == "" {
					if at(a, "result", "structuredContent", "deleted") != true {
						t.Errorf("%v", a)
					}
					return
				}
				if kind, hint, outcome := failure(t, a); kind != tt.kind || hint == "" || outcome != "none" || c.sent() != 0 {
					t.Errorf("%v, %d deletes", a, c.sent())
				}
			})
		}
	}
	c := newConfirming(t, "KB_MCP_CONFIRM=require") // the shell has no client
	a, _ := c.conf.Tools().Call(t.Context(), "delete_knowledge_base", json.RawMessage(`{"knowledge_base_id":"`+c.kb+`"}`))
	if !a.Failed || !strings.Contains(string(a.Text), "permission_denied") || c.sent() != 0 {
		t.Errorf("%s", a.Text)
	}
}

// modernDelete is a call of 2026-07-28; more are members of its params.
func modernDelete(t *testing.T, url, tool, args, more, token string) map[string]any {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + args + more +
		`,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":` + offers + `}}}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/mcp", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Authorization": "Bearer " + token,
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": tool,
	} {
		r.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var m map[string]any
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// In 2026-07-28 the call is made again with the answer and the sealed state,
// which is good once, for its caller and its call.
func TestConfirmModern(t *testing.T) {
	c := newConfirming(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tokens := []string{"first-token-0123456789", "second-token-0123456789"}
	site := httptest.NewServer(c.Handler(ctx, server.HTTPOptions{Tokens: tokens}))
	defer site.Close()
	args := fmt.Sprintf(`{"knowledge_base_id":%q}`, c.kb)
	ask := func() string {
		t.Helper()
		a := modernDelete(t, site.URL, "delete_knowledge_base", args, "", tokens[0])
		state, _ := at(a, "result", "requestState").(string)
		if at(a, "result", "resultType") != "input_required" || at(a, "result", "inputRequests", "confirm", "method") != "elicitation/create" || state == "" ||
			strings.Contains(state, c.name) {
			t.Fatalf("the first round is %v", a)
		}
		return state
	}
	yes := `{"action":"accept","content":{"confirm":"` + c.name + `"}}`
	again := func(tool, args, state, answer, token string) map[string]any {
		t.Helper()
		return modernDelete(t, site.URL, tool, args, fmt.Sprintf(`,"requestState":%q,"inputResponses":{"confirm":%s}`, state, answer), token)
	}
	refused := func(what string, a map[string]any) {
		t.Helper()
		if kind, hint, outcome := failure(t, a); kind != "conflict" || hint == "" || outcome != "none" || c.sent() != 0 {
			t.Errorf("%s: %v, %d deletes", what, a, c.sent())
		}
	}
	state := ask()
	refused("another caller", again("delete_knowledge_base", args, state, yes, tokens[1]))
	refused("another tool", again("delete_documents", fmt.Sprintf(`{"knowledge_base_id":%q,"document_ids":[%q]}`, c.kb, c.kb), state, yes, tokens[0]))
	refused("another knowledge base", again("delete_knowledge_base", `{"knowledge_base_id":"00000000-0000-4000-8000-000000000000"}`, state, yes, tokens[0]))
	refused("a changed state", again("delete_knowledge_base", args, state[:40]+"AA"+state[42:], yes, tokens[0]))
	refused("no state at all", again("delete_knowledge_base", args, "!", yes, tokens[0]))
	refused("decline", again("delete_knowledge_base", args, state, `{"action":"decline"}`, tokens[0]))
	refused("a replay", again("delete_knowledge_base", args, state, yes, tokens[0]))
	refused("other words", again("delete_knowledge_base", args, ask(), `{"action":"accept","content":{"confirm":"yes"}}`, tokens[0]))
	refused("no answer", modernDelete(t, site.URL, "delete_knowledge_base", args, fmt.Sprintf(`,"requestState":%q`, ask()), tokens[0]))
	if other := newConfirming(t); other.Server != nil { // another replica asks again
		elsewhere := httptest.NewServer(other.Handler(ctx, server.HTTPOptions{Tokens: tokens}))
		defer elsewhere.Close()
		a := modernDelete(t, elsewhere.URL, "delete_knowledge_base", args, fmt.Sprintf(`,"requestState":%q,"inputResponses":{"confirm":%s}`, ask(), yes), tokens[0])
		if at(a, "result", "resultType") != "input_required" || other.sent() != 0 {
			t.Errorf("another replica: %v", a)
		}
	}
	if a := again("delete_knowledge_base", args, ask(), yes, tokens[0]); at(a, "result", "structuredContent", "deleted") != true || c.sent() != 1 {
		t.Errorf("%v, %d deletes", a, c.sent())
	}
}

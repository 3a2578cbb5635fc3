package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/server/internal/calls"
)

// site is a running HTTP.
type site struct {
	t      *testing.T
	s      *Server
	addr   string
	client *http.Client
	cancel context.CancelFunc
	done   chan error
}

func startHTTP(t *testing.T, s *Server, o HTTPOptions) *site {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &site{t: t, s: s, cancel: cancel, done: make(chan error, 1), client: &http.Client{Transport: &http.Transport{}}}
	listening := make(chan net.Addr, 1)
	o.Listening = func(a net.Addr) { listening <- a }
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.done <- s.HTTP(ctx, o)
	}()
	w.addr = get(t, listening, "HTTP to listen").String()
	t.Cleanup(func() {
		cancel()
		w.client.CloseIdleConnections()
		<-ended
	})
	return w
}

// stop ends the server and reports how long that took.
func (w *site) stop() time.Duration {
	w.t.Helper()
	begin := time.Now()
	w.cancel()
	if err := get(w.t, w.done, "HTTP to return"); err != nil {
		w.t.Errorf("HTTP = %v", err)
	}
	return time.Since(begin)
}

// request builds a request; headers are key, value, key, value.
func (w *site) request(ctx context.Context, method, path, body string, headers ...string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+w.addr+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// do sends a request and returns the answer with its body read.
func (w *site) do(method, path, body string, headers ...string) (*http.Response, string) {
	w.t.Helper()
	res, err := w.client.Do(w.request(w.t.Context(), method, path, body, headers...))
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res, string(text)
}

func (w *site) post(body string, headers ...string) (*http.Response, string) {
	w.t.Helper()
	return w.do("POST", "/mcp", body, headers...)
}

// session makes a legacy session and returns its id.
func (w *site) session() string {
	w.t.Helper()
	res, _ := w.post(initialize("2025-11-25"))
	id := res.Header.Get("Mcp-Session-Id")
	if id == "" {
		w.t.Fatal("initialize gave no session id")
	}
	return id
}

// background sends a POST that a test does not wait for yet.
func (w *site) background(ctx context.Context, body string, headers ...string) <-chan string {
	got := make(chan string, 1)
	r := w.request(ctx, "POST", "/mcp", body, headers...)
	go func() {
		res, err := w.client.Do(r)
		if err != nil {
			got <- "error: " + err.Error()
			return
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		got <- string(text)
	}()
	return got
}

func modernHeaders(method string, name ...string) []string {
	h := []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", method}
	for _, n := range name {
		h = append(h, "Mcp-Name", n)
	}
	return h
}

func modernCall(id int, tool string) (body string, headers []string) {
	return modern(id, "tools/call", fmt.Sprintf(`,"name":%q,"arguments":{}`, tool)), modernHeaders("tools/call", tool)
}

// stream is an open SSE stream.
type sseStream struct {
	t      *testing.T
	post   string // where its messages go
	events chan string
	cancel context.CancelFunc
}

func (w *site) sse(headers ...string) *sseStream {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	res, err := w.client.Do(w.request(ctx, "GET", "/sse", "", headers...))
	if err != nil {
		w.t.Fatal(err)
	}
	c := &sseStream{t: w.t, events: make(chan string, 1024), cancel: cancel}
	go func() {
		defer close(c.events)
		defer res.Body.Close()
		sc := bufio.NewScanner(res.Body)
		for sc.Scan() {
			if data, ok := strings.CutPrefix(sc.Text(), "data: "); ok {
				c.events <- data
			}
		}
	}()
	w.t.Cleanup(func() {
		cancel()
		for range c.events {
		}
	})
	c.post = get(w.t, c.events, "the endpoint event")
	return c
}

func TestHTTPRevisions(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			res, text := w.post(initialize(version))
			if a := parse(t, text); a.Result.ProtocolVersion != version || a.Result.Instructions != instructions(nil) {
				t.Errorf("initialize: %s", text)
			}
			h := []string{"Mcp-Session-Id", res.Header.Get("Mcp-Session-Id")}
			if version >= "2025-06-18" {
				h = append(h, "Mcp-Protocol-Version", version)
			}
			if res, _ := w.post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`, h...); res.StatusCode != 202 {
				t.Errorf("initialized: %d", res.StatusCode)
			}
			_, text = w.post(`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`, h...)
			if d := cmp.Diff(allToys, toolNames(parse(t, text))); d != "" {
				t.Errorf("tools/list (-want +got):\n%s", d)
			}
			if _, text = w.post(call(3, "echo", "x"), h...); parse(t, text).text() != "echo x" {
				t.Errorf("tools/call: %s", text)
			}
			if _, text = w.post(call(4, "panic", ""), h...); parse(t, text).Error == nil {
				t.Errorf("panic: %s", text)
			}
		})
	}
}

func TestHTTPModern(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	_, text := w.post(modern(1, "server/discover", ""), modernHeaders("server/discover")...)
	if a := parse(t, text); !strings.Contains(fmt.Sprint(a.Result.SupportedVersions), "2026-07-28") {
		t.Errorf("server/discover: %s", text)
	}
	res, text := w.post(modern(2, "tools/list", ""), modernHeaders("tools/list")...)
	if a := parse(t, text); len(a.Result.Tools) != len(allToys) || a.Result.TTLMs != cacheTTL || a.Result.CacheScope != "public" {
		t.Errorf("tools/list: %s", text)
	}
	if id := res.Header.Get("Mcp-Session-Id"); id != "" {
		t.Errorf("a session %q, which 2026-07-28 has not", id)
	}
	body, headers := modernCall(3, "echo")
	if _, text := w.post(body, headers...); parse(t, text).text() != "echo " {
		t.Errorf("tools/call: %s", text)
	}
	if res, _ := w.post(modern(4, "tools/list", ""), "Mcp-Protocol-Version", "2026-07-28"); res.StatusCode != 400 {
		t.Errorf("without Mcp-Method: %d, want 400", res.StatusCode)
	}
}

// A subscription is acknowledged before anything else is said about it.
func TestSubscriptionIsAcknowledged(t *testing.T) {
	const listen, ack = "subscriptions/listen", "notifications/subscriptions/acknowledged"
	s := toyServer(newToys(t))
	w, c := startHTTP(t, s, HTTPOptions{}), startStdio(t, s)
	for i := range 50 {
		body := modern(i, listen, `,"notifications":{"toolsListChanged":true}`)
		_, text := w.post(body, modernHeaders(listen)...)
		if a, r := strings.Index(text, ack), strings.Index(text, `"result"`); a < 0 || r < a {
			t.Fatalf("over HTTP, run %d: %q", i, text)
		}
		c.send(body)
		if a := c.receive(); a.Method != ack {
			t.Fatalf("over stdio, run %d: %+v", i, a)
		}
		if a := c.receive(); a.ID != float64(i) {
			t.Fatalf("over stdio, run %d: %+v", i, a)
		}
	}
}

func TestSSE(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	c := w.sse()
	if !strings.HasPrefix(c.post, "/message?sessionId=") {
		t.Fatalf("endpoint is %q", c.post)
	}
	send := func(body string) answer {
		t.Helper()
		if res, text := w.do("POST", c.post, body); res.StatusCode != 202 {
			t.Fatalf("POST /message: %d %s", res.StatusCode, text)
		}
		return parse(t, get(t, c.events, "an answer"))
	}
	if a := send(initialize("2025-11-25")); a.Result.ProtocolVersion != "2025-11-25" {
		t.Errorf("initialize: %+v", a)
	}
	if d := cmp.Diff(allToys, toolNames(send(`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`))); d != "" {
		t.Errorf("tools/list (-want +got):\n%s", d)
	}
	if got := send(call(3, "echo", "z")).text(); got != "echo z" {
		t.Errorf("tools/call: %q", got)
	}
	// A client that asks must not be offered what this transport cannot do.
	if a := send(`{"jsonrpc":"2.0","id":4,"method":"server/discover"}`); strings.Contains(fmt.Sprint(a.Result.SupportedVersions), "2026") {
		t.Errorf("server/discover over SSE offers %v", a.Result.SupportedVersions)
	}
}

// SSE keeps the cancellation that the guard takes from session-less requests.
func TestSSECancellation(t *testing.T) {
	y := newToys(t)
	w := startHTTP(t, toyServer(y), HTTPOptions{})
	c := w.sse()
	w.do("POST", c.post, call(1, "slow", ""))
	get(t, y.started, "the call to start")
	w.do("POST", c.post, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	get(t, y.ended, "the call to end")
}

func TestSSECloseEndsItsCalls(t *testing.T) {
	y := newToys(t)
	w := startHTTP(t, toyServer(y), HTTPOptions{})
	gone, stays := w.sse(), w.sse()
	w.do("POST", gone.post, call(1, "slow", ""))
	get(t, y.started, "the first call to start")
	w.do("POST", stays.post, call(1, "held", ""))
	get(t, y.started, "the second call to start")
	gone.cancel()
	if err := get(t, y.ended, "the first call to end"); !errors.Is(err, calls.ErrSessionEnded) {
		t.Errorf("it ended with %v", err)
	}
	y.free()
	if got := parse(t, get(t, stays.events, "the second call's answer")).text(); got != "released" {
		t.Errorf("the other stream's call: %q", got)
	}
}

// A client that leaves stops its call, in both eras.
func TestHTTPDisconnectEndsTheCall(t *testing.T) {
	y := newToys(t)
	w := startHTTP(t, toyServer(y), HTTPOptions{})
	body, headers := modernCall(1, "slow")
	for name, send := range map[string]func(context.Context) <-chan string{
		"modern": func(ctx context.Context) <-chan string { return w.background(ctx, body, headers...) },
		"legacy": func(ctx context.Context) <-chan string {
			return w.background(ctx, call(1, "slow", ""), "Mcp-Session-Id", w.session())
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			got := send(ctx)
			get(t, y.started, "the call to start")
			leave()
			get(t, y.ended, "the call to end")
			get(t, got, "the client to have left")
		})
	}
}

// Every stop is under 2 s, whatever is open, and what can be answered is.
func TestStop(t *testing.T) {
	t.Run("idle, with an SSE stream open", func(t *testing.T) {
		t.Parallel()
		w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
		c := w.sse()
		if d := w.stop(); d > bound {
			t.Errorf("took %v", d)
		}
		if e, open := <-c.events; open {
			t.Errorf("the stream goes on with %q", e)
		}
	})
	t.Run("calls that end with their context say so", func(t *testing.T) {
		t.Parallel()
		y := newToys(t)
		w := startHTTP(t, toyServer(y), HTTPOptions{})
		c := w.sse()
		w.do("POST", c.post, call(1, "slow", ""))
		body, headers := modernCall(1, "slow")
		overModern := w.background(t.Context(), body, headers...)
		overLegacy := w.background(t.Context(), call(1, "slow", ""), "Mcp-Session-Id", w.session())
		for range 3 {
			get(t, y.started, "a call to start")
		}
		if d := w.stop(); d > bound {
			t.Errorf("took %v", d)
		}
		for _, got := range []string{
			get(t, overModern, "the modern answer"), get(t, overLegacy, "the legacy answer"), get(t, c.events, "SSE's answer"),
		} {
			if want := "cut: " + calls.ErrStopping.Error(); parse(t, got).text() != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
	t.Run("a call that ignores everything", func(t *testing.T) {
		t.Parallel()
		y := newToys(t)
		w := startHTTP(t, toyServer(y), HTTPOptions{})
		c := w.sse()
		w.do("POST", c.post, call(1, "deaf", ""))
		got := w.background(t.Context(), call(1, "deaf", ""), "Mcp-Session-Id", w.session())
		get(t, y.started, "a call to start")
		get(t, y.started, "a call to start")
		if d := w.stop(); d > bound {
			t.Errorf("took %v", d)
		}
		y.free()
		get(t, got, "the client to hear of it")
	})
	t.Run("a connection that never asked anything", func(t *testing.T) {
		t.Parallel()
		w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if d := w.stop(); d > bound {
			t.Errorf("took %v", d)
		}
	})
}

// While running calls get their time: readyz says 503, so does everything
// else, and calls that end are answered in full.
func TestStopping(t *testing.T) {
	y := newToys(t)
	w := startHTTP(t, toyServer(y), HTTPOptions{})
	if res, text := w.do("GET", "/readyz", ""); res.StatusCode != 200 {
		t.Errorf("readyz before: %d %q", res.StatusCode, text)
	}
	c := w.sse()
	w.do("POST", c.post, call(1, "held", ""))
	got := w.background(t.Context(), call(1, "held", ""), "Mcp-Session-Id", w.session())
	get(t, y.started, "a call to start")
	get(t, y.started, "a call to start")
	w.cancel()
	if res, text := w.do("GET", "/readyz", ""); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("readyz while stopping: %d %q", res.StatusCode, text)
	}
	if res, text := w.do("GET", "/healthz", ""); res.StatusCode != http.StatusOK {
		t.Errorf("healthz while stopping: %d %q", res.StatusCode, text)
	}
	if res, _ := w.post(initialize("2025-11-25")); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("a request while stopping: %d %v", res.StatusCode, res.Header)
	}
	y.free()
	for _, text := range []string{get(t, got, "the answer"), get(t, c.events, "SSE's answer")} {
		if parse(t, text).text() != "released" {
			t.Errorf("answer to a call that ended while stopping: %q", text)
		}
	}
}

func TestHandler(t *testing.T) {
	y := newToys(t)
	ctx, cancel := context.WithCancel(t.Context())
	h := toyServer(y).Handler(ctx, HTTPOptions{Addr: "kb.example.com:80"})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	w := &site{t: t, addr: ln.Addr().String(), client: &http.Client{Transport: &http.Transport{}}}
	if _, text := w.post(call(1, "echo", "h"), "Mcp-Session-Id", w.session(), "Host", "kb.example.com"); parse(t, text).text() != "echo h" {
		t.Errorf("got %s", text)
	}
	c := w.sse()
	cancel()
	if e, open := <-c.events; open {
		t.Errorf("the stream outlives the context: %q", e)
	}
	w.client.CloseIdleConnections()
	srv.Close()
	get(t, served, "Serve to return")
}

func TestHTTPRefusesToStart(t *testing.T) {
	s := toyServer(newToys(t))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, addr := range []string{"0.0.0.0:0", ":0", taken.Addr().String()} {
		if err := s.HTTP(t.Context(), HTTPOptions{Addr: addr}); err == nil {
			t.Errorf("HTTP(%q) has served", addr)
		}
	}
}

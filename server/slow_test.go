package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/server/internal/intake"
)

// hasty is a server whose clients have little time.
func hasty(t *testing.T) *Server {
	s := toyServer(newToys(t))
	s.intake.Times = intake.Times{Headers: 2 * time.Second, Silence: 2 * time.Second, Body: 3 * time.Second, Read: 5 * time.Second, Idle: 2 * time.Second}
	return s
}

// dial sends raw bytes and gives all that comes back until the server closes
// the connection.
func dial(t *testing.T, addr, text string) <-chan string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() { // ends with the connection
		b, _ := io.ReadAll(conn)
		got <- string(b)
	}()
	return got
}

// Nobody holds a connection by saying nothing: on every path, whoever it is, a
// request that does not arrive is answered or cut, and a refusal closes.
func TestSilentConnections(t *testing.T) {
	t.Parallel()
	w := startHTTP(t, hasty(t), HTTPOptions{Tokens: []string{"tok"}})
	const half, chunked = "Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"
	good := "Authorization: Bearer tok\r\nContent-Type: application/json\r\n"
	type silent struct{ text, want string }
	var all []silent
	for _, path := range []string{"/mcp", "/mcp/", "/sse", "/message?sessionId=x"} {
		for _, rest := range []string{half, chunked} {
			all = append(all,
				silent{"POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + rest, "401"},
				silent{"POST " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer no\r\n" + rest, "401"},
				silent{"POST " + path + " HTTP/1.1\r\nHost: evil.example\r\n" + rest, "403"},
				silent{"POST " + path + " HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n" + rest, "403"},
				silent{"PUT " + path + " HTTP/1.1\r\nHost: localhost\r\n" + rest, "401"},
				silent{"OPTIONS " + path + " HTTP/1.1\r\nHost: localhost\r\n" + rest, "204"})
		}
	}
	for _, path := range []string{"/", "/unknown", "/mcp/x", "/.well-known/oauth-protected-resource", "/metrics"} {
		for _, rest := range []string{half, chunked} {
			all = append(all, silent{"POST " + path + " HTTP/1.1\r\nHost: x\r\n" + rest, "404"})
		}
	}
	for _, rest := range []string{half, chunked} {
		all = append(all,
			silent{"POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + good + rest, "408"},
			silent{"POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + strings.Replace(good, "json", "xml", 1) + rest, "415"},
			silent{"DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n" + good + rest, "404"},
			silent{"POST /message?sessionId=x HTTP/1.1\r\nHost: localhost\r\n" + good + rest, "404"},
			silent{"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + rest, "200"},
			silent{"GET /readyz HTTP/1.1\r\nHost: localhost\r\n" + rest, "200"},
			silent{"POST /healthz HTTP/1.1\r\nHost: localhost\r\n" + rest, "404"},
			silent{"POST //mcp HTTP/1.1\r\nHost: localhost\r\n" + rest, ""},
			silent{"POST /mcp HTTP/1.0\r\nHost: localhost\r\n" + good + rest, ""})
	}
	for _, text := range []string{"", "P", "POST /mcp HTTP/1.1\r\n", "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX: y\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n"} {
		all = append(all, silent{text, ""})
	}
	var answers []<-chan string
	for _, one := range all {
		answers = append(answers, dial(t, w.addr, one.text))
	}
	for i, c := range answers {
		text := get(t, c, fmt.Sprintf("the end of %q", all[i].text))
		if want := all[i].want; want != "" && !strings.HasPrefix(text, "HTTP/1.1 "+want) {
			t.Errorf("%q: %.200q, want %s", all[i].text, text, want)
		}
	}
	if res, _ := w.do("GET", "/healthz", ""); res.StatusCode != 200 {
		t.Errorf("healthz: %d", res.StatusCode)
	}
}

// A body that trickles has an end, too.
func TestTrickledBody(t *testing.T) {
	t.Parallel()
	w := startHTTP(t, hasty(t), HTTPOptions{})
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
	answered := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(conn)
		answered <- string(b)
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); ; {
		select {
		case <-tick.C:
			_, _ = conn.Write([]byte("x")) // until it is closed
			continue
		case text := <-answered:
			if !strings.HasPrefix(text, "HTTP/1.1 408") {
				t.Errorf("%.200q", text)
			}
		case <-end:
			t.Error("it goes on for ever")
		}
		return
	}
}

// What follows a refusal on its connection is not read.
func TestRefusalsCloseTheConnection(t *testing.T) {
	w := startHTTP(t, hasty(t), HTTPOptions{Tokens: []string{"tok"}})
	next := "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer tok\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	for _, first := range []string{
		"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
		"GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}",
		"POST /unknown HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
		"GET /unknown HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		text := get(t, dial(t, w.addr, first+next+next), "the end of the connection")
		if n := strings.Count(text, "HTTP/1.1 "); n != 1 || !strings.Contains(text, "\r\nConnection: close\r\n") {
			t.Errorf("%q: %q", first, text)
		}
	}
}

// A client that asks whether it may send is not asked for a body that nobody
// wants.
func TestRefusalAsksForNoBody(t *testing.T) {
	t.Parallel()
	w := startHTTP(t, hasty(t), HTTPOptions{Tokens: []string{"tok"}})
	text := get(t, dial(t, w.addr, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n"), "the end")
	if !strings.HasPrefix(text, "HTTP/1.1 401") {
		t.Errorf("%q", text)
	}
}

// Who writes all of a large body before it reads sees why it is refused.
func TestRefusalOfALargeBodyIsSeen(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{Tokens: []string{"tok"}})
	const size = 5 << 20
	for headers, want := range map[string]string{"": "401", "Authorization: Bearer tok\r\n": "413", "Origin: http://evil.example\r\n": "403"} {
		text := fmt.Sprintf("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s", headers, size, strings.Repeat("x", size))
		if got := get(t, dial(t, w.addr, text), "the end"); !strings.HasPrefix(got, "HTTP/1.1 "+want) {
			t.Errorf("%q: %.200q", headers, got)
		}
	}
}

// Too many headers are refused as such.
func TestManyHeaders(t *testing.T) {
	t.Parallel()
	w := startHTTP(t, hasty(t), HTTPOptions{})
	text := get(t, dial(t, w.addr, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"+strings.Repeat("X-A: b\r\n", 20_000)+"\r\n"), "the end")
	if !strings.HasPrefix(text, "HTTP/1.1 431") {
		t.Errorf("%.200q", text)
	}
}

// A call outlives the times in which its request must arrive.
func TestLongCallsAreNotCut(t *testing.T) {
	t.Parallel()
	y := newToys(t)
	s := toyServer(y)
	s.intake.Times = intake.Times{Headers: patience, Silence: time.Second, Body: patience, Read: time.Second, Idle: patience}
	w := startHTTP(t, s, HTTPOptions{})
	sse := w.sse()
	overHTTP := w.background(t.Context(), call(1, "held", ""), "Mcp-Session-Id", w.session())
	w.do("POST", sse.post, call(1, "held", ""))
	get(t, y.started, "a call to start")
	get(t, y.started, "a call to start")
	time.Sleep(2 * s.intake.Silence) // what is to be outlived
	y.free()
	for name, text := range map[string]string{"http": get(t, overHTTP, "the answer"), "sse": get(t, sse.events, "the answer")} {
		if parse(t, text).text() != "released" {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// A client that does not read its stream, or its answers, is cut.
func TestUnreadAnswers(t *testing.T) {
	t.Parallel()
	s := toyServer(newToys(t))
	s.intake.Read = time.Second
	bulk := strings.Repeat("x", 4<<20)
	s.peers.MCP.AddTool(mcp.NewTool("bulk"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText(bulk), nil
	})
	w := startHTTP(t, s, HTTPOptions{})
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n")
	r := bufio.NewReader(conn)
	endpoint := ""
	for endpoint == "" {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if path, ok := strings.CutPrefix(line, "data: "); ok {
			endpoint = strings.TrimSpace(path)
		}
	}
	for range 5 { // more than the buffers of a connection hold
		w.do("POST", endpoint, call(1, "bulk", ""))
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if sessions, calls := s.Open(); sessions == 0 && calls == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the stream is kept")
		}
	}
	if res, _ := w.do("POST", endpoint, listTools); res.StatusCode != http.StatusNotFound {
		t.Errorf("after the end: %d", res.StatusCode)
	}
	// Requests without end, answers that nobody reads: health needs no token.
	pipeline, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer pipeline.Close()
	cut := make(chan error, 1)
	go func() {
		many := []byte(strings.Repeat("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 1000))
		for {
			if _, err := pipeline.Write(many); err != nil {
				cut <- err
				return
			}
		}
	}()
	get(t, cut, "the pipeline to be cut")
}

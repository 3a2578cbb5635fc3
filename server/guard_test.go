package server

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/server/internal/jsonrpc"
)

const ping = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`

func TestGuardHost(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{AllowedHosts: []string{"KB.example.com", " lan.example:9000 ", "[2001:db8::1]", ""}})
	for _, tt := range []struct {
		host string
		want int
	}{
		{"localhost", 200}, {"LocalHost:1", 200}, {"127.0.0.1", 200}, {"127.9.9.9:80", 200},
		{"[::1]", 200}, {"[::1]:8080", 200}, {"[0:0:0:0:0:0:0:1]:80", 200}, {"localhost.:80", 200},
		{"kb.example.com", 200}, {"kb.EXAMPLE.com:443", 200}, {"lan.example", 200}, {"lan.example:1", 200},
		{"[2001:db8:0::1]:80", 200},
		{"evil.example", 403}, {"localhost.evil.example", 403}, {"127.0.0.1.evil.example", 403},
		{"10.0.0.1", 403}, {"0.0.0.0", 403}, {"[::]", 403}, {"xkb.example.com", 403}, {"evil.example:localhost", 403},
	} {
		res, text := w.post(ping, "Host", tt.host)
		if res.StatusCode != tt.want {
			t.Errorf("Host %q: %d %s, want %d", tt.host, res.StatusCode, text, tt.want)
		}
		if tt.want == 403 && !strings.Contains(text, "KB_MCP_ALLOWED_HOSTS") {
			t.Errorf("Host %q: %q does not name the variable", tt.host, text)
		}
	}
}

// An unspecified address gives no name, and probes need none.
func TestGuardUnspecifiedAddress(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0"} {
		w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{Addr: addr, Tokens: []string{"token-0123456789"}})
		_, port, _ := net.SplitHostPort(w.addr)
		w.addr = "127.0.0.1:" + port
		for host, want := range map[string]int{"localhost": 200, "0.0.0.0": 403, "[::]": 403, "192.0.2.7": 403} {
			if res, _ := w.post(ping, "Host", host, "Authorization", "Bearer token-0123456789"); res.StatusCode != want {
				t.Errorf("on %s, Host %q: %d, want %d", addr, host, res.StatusCode, want)
			}
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if res, text := w.do("GET", path, "", "Host", "10.1.2.3:8080"); res.StatusCode != 200 {
				t.Errorf("%s: %d %s", path, res.StatusCode, text)
			}
		}
	}
}

func TestGuardBoundHost(t *testing.T) {
	for _, tt := range []struct {
		bound, host string
		want        bool
	}{
		{"kb.lan:8080", "KB.lan:8080", true},
		{"192.0.2.7:8080", "192.0.2.7", true},
		{"192.0.2.7:8080", "192.0.2.8", false},
		{"[::]:8080", "[::]:8080", false},
		{":8080", "", false},
	} {
		g := newGuard(HTTPOptions{}, []string{tt.bound}, slog.New(slog.DiscardHandler), nil)
		if got := g.hostOK(tt.host); got != tt.want {
			t.Errorf("bound to %s, Host %q: %v", tt.bound, tt.host, got)
		}
	}
}

func TestGuardOrigin(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{AllowedOrigins: []string{
		"https://App.Example.com", "http://lan.example:3000/", "https://x.example:443", "vscode-webview://abc", "null", "*"}})
	for _, tt := range []struct {
		origin string
		want   int
	}{
		{"", 200}, {"http://localhost:3000", 200}, {"https://127.0.0.1", 200}, {"http://[::1]:5173", 200}, {"HTTP://LOCALHOST", 200},
		{"https://app.example.com", 200}, {"https://APP.example.com:443", 200}, {"http://lan.example:3000", 200},
		{"https://x.example", 200}, {"vscode-webview://abc", 200},
		{"null", 403}, {"*", 403}, {"http://app.example.com", 403}, {"https://app.example.com:8443", 403},
		{"http://lan.example", 403}, {"http://evil.example", 403}, {"http://localhost.evil.example", 403},
		{"http://localhost@evil.example", 403}, {"http://localhost/x", 403}, {"ext://localhost", 403}, {"localhost", 403},
	} {
		for _, path := range []string{"/mcp", "/sse", "/message"} {
			want := tt.want
			if path != "/mcp" && want == 200 {
				continue // covered by /mcp; an SSE stream would stay open
			}
			res, text := w.do("POST", path, ping, "Origin", tt.origin)
			if res.StatusCode != want {
				t.Errorf("%s, Origin %q: %d %s, want %d", path, tt.origin, res.StatusCode, text, want)
			}
			cors := res.Header.Get("Access-Control-Allow-Origin")
			if want == 200 && cors != tt.origin || want == 403 && cors != "" {
				t.Errorf("%s, Origin %q: Access-Control-Allow-Origin %q", path, tt.origin, cors)
			}
		}
	}
}

// A browser asks before it sends: without a token, and it must learn of every
// header that a client of any revision sends.
func TestGuardPreflight(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{Tokens: []string{"tok"}, AllowedOrigins: []string{"https://app.example.com"}})
	for _, path := range []string{"/mcp", "/sse", "/message"} {
		res, _ := w.do("OPTIONS", path, "", "Origin", "https://app.example.com",
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,mcp-name")
		if res.StatusCode != 204 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
		got := map[string]string{}
		for _, k := range []string{"Origin", "Methods", "Headers"} {
			got[k] = res.Header.Get("Access-Control-Allow-" + k)
		}
		want := map[string]string{"Origin": "https://app.example.com", "Methods": "GET, POST, DELETE, OPTIONS", "Headers": corsHeaders}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", path, d)
		}
		if res, _ := w.do("OPTIONS", path, "", "Origin", "https://evil.example"); res.StatusCode != 403 {
			t.Errorf("%s, a foreign preflight: %d", path, res.StatusCode)
		}
	}
	// The page may read what went wrong, and its session.
	res, _ := w.post(ping, "Origin", "https://app.example.com")
	if res.StatusCode != 401 || res.Header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("without a token: %d %v", res.StatusCode, res.Header)
	}
	res, _ = w.post(ping, "Origin", "https://app.example.com", "Authorization", "Bearer tok")
	if !strings.Contains(res.Header.Get("Access-Control-Expose-Headers"), "Mcp-Session-Id") {
		t.Errorf("exposed: %v", res.Header)
	}
}

func TestGuardToken(t *testing.T) {
	var log bytes.Buffer
	y := newToys(t)
	s := New(Options{Name: "toys", Tools: y.tools(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	w := startHTTP(t, s, HTTPOptions{Tokens: []string{"tok-one", " tok-two ", ""}})
	for _, tt := range []struct {
		header string
		want   int
	}{
		{"Bearer tok-one", 200}, {"bearer tok-two", 200}, {"Bearer  tok-two", 200},
		{"", 401}, {"Bearer", 401}, {"Bearer ", 401}, {"Bearer tok", 401}, {"Bearer tok-one,tok-two", 401},
		{"Basic tok-one", 401}, {"tok-one", 401}, {"Bearer TOK-ONE", 401},
	} {
		res, text := w.post(ping, "Authorization", tt.header)
		if res.StatusCode != tt.want {
			t.Errorf("%q: %d %s, want %d", tt.header, res.StatusCode, text, tt.want)
		}
		if tt.want == 401 && res.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%q: WWW-Authenticate %q", tt.header, res.Header.Get("WWW-Authenticate"))
		}
	}
	for path, method := range map[string]string{"/sse": "GET", "/message?sessionId=x": "POST"} {
		if res, _ := w.do(method, path, ping); res.StatusCode != 401 {
			t.Errorf("%s without a token: %d", path, res.StatusCode)
		}
	}
	if res, _ := w.do("GET", "/readyz", ""); res.StatusCode != 200 {
		t.Errorf("readyz: %d", res.StatusCode)
	}
	w.stop()
	if got := log.String(); !strings.Contains(got, "addr="+w.addr) || strings.Contains(got, "tok-") {
		t.Errorf("the log must hold the address and no token:\n%s", got)
	}
}

func TestGuardBody(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	stream := w.sse()
	padded := func(n int) string { return ping + strings.Repeat(" ", n-len(ping)) }
	for _, tt := range []struct {
		why, method, path, media, body string
		want                           int
	}{
		{"as large as allowed", "POST", "/mcp", "application/json", padded(jsonrpc.MaxMessage), 200},
		{"too large", "POST", "/mcp", "application/json", padded(jsonrpc.MaxMessage + 1), 413},
		{"too large for /message", "POST", stream.post, "application/json", padded(jsonrpc.MaxMessage + 1), 413},
		{"a charset is fine", "POST", "/mcp", "application/json; charset=utf-8", ping, 200},
		{"what a page may send unasked", "POST", "/mcp", "text/plain", ping, 415},
		{"the same to /message", "POST", stream.post, "text/plain", ping, 415},
		{"no type", "POST", "/mcp", "", ping, 415},
		{"a malformed type", "POST", "/mcp", "application/json;;", ping, 415},
		{"not JSON", "POST", "/mcp", "application/json", "{", 400},
		{"an unknown SSE session", "POST", "/message?sessionId=x", "application/json", ping, 404},
		{"no GET stream", "GET", "/mcp", "", "", 405},
		{"no HEAD", "HEAD", "/mcp", "", "", 405},
		{"no PUT", "PUT", "/mcp", "application/json", ping, 405},
		{"SSE is opened by GET", "POST", "/sse", "application/json", ping, 405},
		{"messages are posted", "GET", "/message?sessionId=x", "", "", 405},
		{"the root tells where to go", "GET", "/", "", "", 200},
		{"but takes nothing", "POST", "/", "application/json", ping, 404},
		{"nor below", "POST", "/mcp/x", "application/json", ping, 404},
		{"no OAuth metadata", "GET", "/.well-known/oauth-protected-resource", "", "", 404},
	} {
		res, text := w.do(tt.method, tt.path, tt.body, "Content-Type", tt.media)
		if res.StatusCode != tt.want {
			t.Errorf("%s: %d %.100s, want %d", tt.why, res.StatusCode, text, tt.want)
		}
		if tt.want == 405 && res.Header.Get("Allow") == "" && !strings.HasPrefix(tt.path, "/sse") {
			t.Errorf("%s: no Allow", tt.why)
		}
	}
	res, _ := w.post(ping, "Accept-Encoding", "gzip")
	if res.Header.Get("Content-Encoding") != "" || res.Header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("headers %v", res.Header)
	}
}

// A body that comes in chunks has no length to judge it by.
func TestGuardChunkedBody(t *testing.T) {
	w := startHTTP(t, toyServer(newToys(t)), HTTPOptions{})
	r := w.request(t.Context(), "POST", "/mcp", "")
	r.ContentLength, r.Body = -1, io.NopCloser(io.LimitReader(zeros{}, jsonrpc.MaxMessage+1))
	res, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", res.StatusCode)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// One client's cancellation must not reach another's call with the same id.
func TestForeignCancellation(t *testing.T) {
	y := newToys(t)
	w := startHTTP(t, toyServer(y), HTTPOptions{})
	body, headers := modernCall(1, "held")
	held := w.background(t.Context(), body, headers...)
	get(t, y.started, "the call to start")
	cancel := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`
	modernCancel := strings.Replace(modern(1, "notifications/cancelled", `,"requestId":1`), `"id":1,`, "", 1)
	for _, tt := range []struct {
		why, body string
		headers   []string
	}{
		{"modern", modernCancel, modernHeaders("notifications/cancelled")},
		{"modern header only", cancel, modernHeaders("notifications/cancelled")},
		{"without a session", cancel, nil},
		{"keys in another case", strings.Replace(cancel, "method", "METHOD", 1), nil},
		{"another session", cancel, []string{"Mcp-Session-Id", w.session()}},
		{"modern, with a session", modernCancel, append(modernHeaders("notifications/cancelled"), "Mcp-Session-Id", w.session())},
	} {
		if res, text := w.post(tt.body, tt.headers...); res.StatusCode != 202 {
			t.Errorf("%s: %d %s", tt.why, res.StatusCode, text)
		}
	}
	y.free()
	if got := parse(t, get(t, held, "the answer")).text(); got != "released" {
		t.Errorf("the call was %q", got)
	}
}

// Within its session a legacy client cancels as before.
func TestOwnCancellation(t *testing.T) {
	y := newToys(t)
	w := startHTTP(t, toyServer(y), HTTPOptions{})
	id := w.session()
	got := w.background(t.Context(), call(1, "slow", ""), "Mcp-Session-Id", id)
	get(t, y.started, "the call to start")
	w.post(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, "Mcp-Session-Id", id)
	get(t, y.ended, "the call to end")
	get(t, got, "the client's answer")
}

func TestCheckAddr(t *testing.T) {
	for _, tt := range []struct {
		addr    string
		without bool // fine without tokens
		with    bool
	}{
		{"127.0.0.1:8080", true, true}, {"127.0.0.2:0", true, true}, {"localhost:8080", true, true}, {"LOCALHOST:1", true, true},
		{"[::1]:8080", true, true}, {"[::ffff:127.0.0.1]:80", true, true},
		{":8080", false, true}, {"0.0.0.0:8080", false, true}, {"[::]:8080", false, true},
		{"192.168.1.5:8080", false, true}, {"kb.example.com:8080", false, true}, {"localhost.example.com:80", false, true},
		{"127.1:80", false, true},
		{"8080", false, false}, {"", false, false}, {"::1:8080", false, false},
	} {
		t.Run(tt.addr, func(t *testing.T) {
			err := CheckAddr(tt.addr, []string{"", " "})
			if (err == nil) != tt.without {
				t.Errorf("without tokens: %v", err)
			}
			if err != nil && tt.with && !strings.Contains(err.Error(), "KB_MCP_AUTH_TOKENS") {
				t.Errorf("%v does not name the variable", err)
			}
			err = CheckAddr(tt.addr, []string{"SECRET-0123456789"})
			if (err == nil) != tt.with {
				t.Errorf("with a token: %v", err)
			}
			for _, short := range [][]string{{"SECRET-01234567"}, {"SECRET-0123456789", "SECRET"}} {
				if err = CheckAddr(tt.addr, short); (err == nil) != tt.without {
					t.Errorf("with a short token: %v", err)
				}
				if strings.Contains(fmt.Sprint(err), "SECRET") {
					t.Errorf("%v shows the token", err)
				}
			}
		})
	}
}

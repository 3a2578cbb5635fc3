package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
)

// siege opens n connections that send text and then nothing.
func siege(t *testing.T, url, text string, n int) {
	t.Helper()
	for range n {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_, _ = fmt.Fprint(conn, text) // it may be cut already
	}
}

// 300 half-sent requests, where 256 files may be open: health answers at once,
// and so do calls.
func TestSilentCrowdKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"bodies":  "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
		"headers": "POST /mcp HTTP/1.1\r\nHost: x\r\n",
		"nothing": "",
		"idle":    "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := launchLimited(t, 256, "http", "--demo", "--addr", "127.0.0.1:0")
			url := p.url()
			siege(t, url, text, 300)
			client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
			for range 5 {
				resp, err := client.Get(url + "/healthz")
				if err != nil || resp.StatusCode != 200 {
					t.Fatalf("healthz: %v, %v", resp, err)
				}
				resp.Body.Close()
				siege(t, url, text, 20)
			}
			r, err := newHTTPRoad(t.Context(), client, url, false)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := callTool(t.Context(), r, 2, "list_knowledge_bases", `{"vendor":"ragflow"}`); err != nil {
				t.Error(err)
			}
		})
	}
}

// launchLimited starts kb-mcp with a limit of open files.
func launchLimited(t *testing.T, files int, args ...string) *process {
	t.Helper()
	limit := append([]string{"-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files), os.Args[0]}, args...)
	return start(t, exec.Command("sh", limit...), nil)
}

// A party with many sessions does not keep another from its turns: the herd
// asks 30 times at once, each in a session of its own, at two requests a second.
func TestHerdOfSessionsIsOneParty(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of waiting")
	}
	t.Parallel()
	environ := append(sandbox.Variables(sandboxed(t), sandbox.FaceDify), "DIFY_RATE_LIMIT=2/s", "KB_MCP_AUTH_TOKENS=token-of-the-herd,token-of-the-victim")
	p := launch(t, environ, "http", "--addr", "127.0.0.1:0")
	url := p.url()
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	ask := func(token, session, body string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", url+"/mcp", strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		if session != "" {
			r.Header.Set("Mcp-Session-Id", session)
		}
		resp, err := client.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		return resp, err
	}
	first, _, _ := strings.Cut(hello, "\n")
	session := func(token string) string {
		resp, err := ask(token, "", first)
		if err != nil {
			t.Fatal(err)
		}
		return resp.Header.Get("Mcp-Session-Id")
	}
	list := func(n int) string {
		return callLine(1, "list_documents", fmt.Sprintf(`{"knowledge_base_id":"426b81d0-3121-45a3-aeba-%012d"}`, n))
	}
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	answered := make(chan bool, 1)
	for i := range 30 {
		id := session("token-of-the-herd")
		wg.Go(func() {
			for j := 0; t.Context().Err() == nil; j++ {
				if _, err := ask("token-of-the-herd", id, list(1000*i+j)); err != nil {
					return
				}
				select {
				case answered <- true:
				default:
				}
			}
		})
	}
	id := session("token-of-the-victim")
	for range 2 { // then the others wait
		wait(t, answered, "the herd is there")
	}
	for i := range 3 {
		began := time.Now()
		if resp, err := ask("token-of-the-victim", id, list(900_000+i)); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v, %v", resp, err)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("the victim waited %v", took)
		}
	}
}

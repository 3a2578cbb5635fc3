package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kb-mcp/tools"
)

// patience bounds every wait for a process; none is meant to reach it.
const patience = 20 * time.Second

// process is a running kb-mcp.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan string // stdout
	stderr *safeBuffer
	done   chan error
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// launch starts kb-mcp as a process of its own.
func launch(t *testing.T, environ []string, args ...string) *process {
	t.Helper()
	return start(t, exec.Command(os.Args[0], args...), environ)
}

// start starts kb-mcp by a command of the test's own.
func start(t *testing.T, cmd *exec.Cmd, environ []string) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, lines: make(chan string, 1000), stderr: &safeBuffer{}, done: make(chan error, 1)}
	p.cmd.Env = append(environ, asMain+"=1", "HOME=/nonexistent")
	if p.cmd.Stderr == nil {
		p.cmd.Stderr = p.stderr
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // Wait after stdout has ended
		sc := bufio.NewScanner(out)
		sc.Buffer(nil, 1<<24)
		for sc.Scan() {
			p.lines <- sc.Text()
		}
		close(p.lines)
		p.done <- p.cmd.Wait()
	}()
	t.Cleanup(func() { p.cmd.Process.Kill() })
	return p
}

func (p *process) send(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.stdin, format+"\n", args...); err != nil {
		p.t.Fatal(err)
	}
}

// answer waits for the answer to a request; every line before it must be
// protocol, too.
func (p *process) answer(id int) map[string]any {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			var m map[string]any
			if !ok || json.Unmarshal([]byte(line), &m) != nil || m["jsonrpc"] != "2.0" {
				p.t.Fatalf("stdout holds %q (open %v)\nstderr:\n%s", line, ok, p.stderr)
			}
			if m["id"] == float64(id) {
				return m
			}
		case <-timeout:
			p.t.Fatalf("no answer to %d\nstderr:\n%s", id, p.stderr)
		}
	}
}

// ended waits for the exit and returns how long it took.
func (p *process) ended() (time.Duration, error) {
	p.t.Helper()
	began := time.Now()
	for {
		select {
		case _, ok := <-p.lines:
			if ok {
				continue
			}
			p.lines = nil
		case err := <-p.done:
			return time.Since(began), err
		case <-time.After(patience):
			p.t.Fatal("it does not end")
		}
	}
}

const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}` +
	"\n" + `{"jsonrpc":"2.0","method":"notifications/initialized"}`

func callLine(id int, tool, args string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, args)
}

func TestStdioProcess(t *testing.T) {
	p := launch(t, nil, "--demo")
	p.send(hello)
	p.answer(1)
	p.send(`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`)
	if n := len(p.answer(2)["result"].(map[string]any)["tools"].([]any)); n != len(tools.New(nil, tools.Options{}).Names()) {
		t.Errorf("%d tools", n)
	}
	p.send("%s", callLine(3, "list_knowledge_bases", `{"vendor":"ragflow"}`))
	r := p.answer(3)["result"].(map[string]any)
	text := r["content"].([]any)[0].(map[string]any)["text"].(string)
	var twice any
	if err := json.Unmarshal([]byte(text), &twice); err != nil || fmt.Sprint(twice) != fmt.Sprint(r["structuredContent"]) {
		t.Errorf("text and structuredContent differ: %s", text)
	}
	p.send("%s", callLine(4, "delete_documents", `{}`))
	if e, ok := p.answer(4)["error"].(map[string]any); !ok || e["code"] != float64(-32602) || !strings.Contains(fmt.Sprint(e["message"]), "KB_MCP_ALLOW_WRITES") {
		t.Errorf("a tool that does not exist: %v", e)
	}
	p.send("%s", callLine(5, "list_datasets", `{}`))
	if e, ok := p.answer(5)["error"].(map[string]any); !ok || e["code"] != float64(-32602) || !strings.Contains(fmt.Sprint(e["message"]), "did you mean list_knowledge_bases?") {
		t.Errorf("a tool by another name: %v", e)
	}
	p.stdin.Close()
	if took, err := p.ended(); err != nil {
		t.Errorf("%v after %s", err, took)
	}
}

// silent is a platform that never answers, and tells when it was asked and
// when the caller left.
func silent(t *testing.T) (url string, asked, left chan bool) {
	asked, left = make(chan bool, 10), make(chan bool, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- true
		<-r.Context().Done()
		left <- true
	}))
	t.Cleanup(srv.Close)
	return srv.URL, asked, left
}

func wait(t *testing.T, c chan bool, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatal("never: " + what)
	}
}

func TestEndWithACallInFlight(t *testing.T) {
	for name, end := range map[string]func(p *process){
		"EOF":     func(p *process) { p.stdin.Close() },
		"SIGTERM": func(p *process) { p.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGINT":  func(p *process) { p.cmd.Process.Signal(syscall.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			url, asked, left := silent(t)
			p := launch(t, []string{"DIFY_API_KEY=dataset-0123456789", "DIFY_BASE_URL=" + url})
			p.send(hello)
			p.answer(1)
			p.send("%s", callLine(2, "list_knowledge_bases", `{}`))
			wait(t, asked, "the platform is asked")
			end(p)
			took, err := p.ended()
			if err != nil {
				t.Errorf("%v after %s\n%s", err, took, p.stderr)
			}
			wait(t, left, "the vendor request ends")
		})
	}
}

func TestCancelledCallStopsItsRequest(t *testing.T) {
	url, asked, left := silent(t)
	p := launch(t, []string{"DIFY_API_KEY=dataset-0123456789", "DIFY_BASE_URL=" + url})
	p.send(hello)
	p.answer(1)
	p.send("%s", callLine(2, "list_knowledge_bases", `{}`))
	wait(t, asked, "the platform is asked")
	p.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
	wait(t, left, "the vendor request ends")
}

var listening = regexp.MustCompile(`addr=(\S+)`)

// url waits for the address that an HTTP server logs.
func (p *process) url() string {
	p.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if m := listening.FindStringSubmatch(p.stderr.String()); m != nil {
			return "http://" + m[1]
		}
	}
	p.t.Fatalf("no address in\n%s", p.stderr)
	return ""
}

func TestHTTPProcess(t *testing.T) {
	p := launch(t, []string{"KB_MCP_AUTH_TOKENS=canary-bearer-token,other", "KB_MCP_LOG_LEVEL=error"}, "http", "--demo", "--addr", "127.0.0.1:0")
	url := p.url() // logged whatever the level
	session := ""
	post := func(token, body string) (int, http.Header, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/mcp", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		req.Header.Set("Authorization", "Bearer "+token)
		if session != "" {
			req.Header.Set("Mcp-Session-Id", session)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header, string(b)
	}
	if want := "url=" + url + "/mcp"; !strings.Contains(p.stderr.String(), want) {
		t.Errorf("no %s in %s", want, p.stderr)
	}
	if status, header, _ := post("wrong", "{}"); status != 401 || header.Get("WWW-Authenticate") == "" {
		t.Errorf("a wrong token: %d", status)
	}
	first, _, _ := strings.Cut(hello, "\n")
	_, header, _ := post("canary-bearer-token", first)
	session = header.Get("Mcp-Session-Id")
	if status, _, body := post("canary-bearer-token", callLine(7, "list_vendors", `{}`)); status != 200 || !strings.Contains(body, "volcengine") {
		t.Errorf("%d %s", status, body)
	}
	if status, _, body := post("other", callLine(8, "list_vendors", `{}`)); status != 404 {
		t.Errorf("with another caller's session: %d %s", status, body)
	}
	if _, _, body := post("canary-bearer-token", callLine(8, "list_document", `{}`)); !strings.Contains(body, "-32602") || !strings.Contains(body, "did you mean list_documents?") || !strings.Contains(body, `"id":8`) {
		t.Errorf("a tool by another name: %s", body)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/mcp": 401, "/nothing": 404} {
		resp, err := http.Get(url + path)
		if err != nil || resp.StatusCode != want {
			t.Errorf("GET %s: %v, %v", path, resp, err)
		}
		resp.Body.Close()
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if took, err := p.ended(); err != nil {
		t.Errorf("%v after %s\n%s", err, took, p.stderr)
	}
}

// echo is a platform that gives back everything it is sent, in errors and in
// documents.
func echo(t *testing.T, status int) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		said := fmt.Sprintf("%s %s %s", r.Header, r.URL, body)
		code := 4000
		if status == http.StatusOK {
			code = 0
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Tt-Logid", r.Header.Get("Authorization"))
		w.WriteHeader(status)
		document := map[string]any{
			"id": said, "name": said, "indexing_status": "error", "error": said, // Dify
			"document_id": said, "status": 9, "status_descript": said, // Coze
			"doc_id": said, "doc_name": said, "run": "FAIL", "progress_msg": said, "url": said,
		}
		list := []any{document}
		json.NewEncoder(w).Encode(map[string]any{
			"code": code, "msg": said, "message": said, "request_id": said, "document_infos": list, "total": 1,
			"data": list, "docs": list, "doc_list": list,
		})
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestSecretsNeverLeave looks for the credentials in every byte that comes out
// when platforms echo them.
func TestSecretsNeverLeave(t *testing.T) {
	for _, status := range []int{200, 400, 401, 403, 429, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			secretsStay(t, echo(t, status))
		})
	}
}

func secretsStay(t *testing.T, url string) {
	p := launch(t, []string{
		"COZE_API_TOKEN=canary-coze-token", "COZE_API_BASE=" + url, "COZE_SPACE_ID=7", "COZE_RATE_LIMIT=off",
		"DIFY_API_KEY=canary-dify-key", "DIFY_BASE_URL=" + url, "RAGFLOW_API_KEY=canary-ragflow-key", "RAGFLOW_BASE_URL=" + url,
		"VOLCENGINE_ACCESS_KEY=canary-access-key", "VOLCENGINE_SECRET_KEY=canary-secret-key", "VOLCENGINE_SESSION_TOKEN=canary-session",
		"VOLCENGINE_BASE_URL=" + url, "KB_MCP_LOG_LEVEL=debug",
	})
	p.send(hello)
	p.answer(1)
	id := 1
	for vendor, kb := range map[string]string{
		"coze": "7446312476208142546", "dify": "426b81d0-3121-45a3-aeba-2340453846f5", "ragflow": "kb1", "volcengine": "kb-1",
	} {
		for _, line := range []string{
			callLine(id+1, "list_knowledge_bases", fmt.Sprintf(`{"vendor":%q}`, vendor)),
			callLine(id+2, "list_documents", fmt.Sprintf(`{"vendor":%q,"knowledge_base_id":%q}`, vendor, kb)),
			callLine(id+3, "get_document_info", fmt.Sprintf(`{"vendor":%q,"knowledge_base_id":%q,"document_id":%[2]q}`, vendor, kb)),
			callLine(id+4, "get_ingestion_progress", fmt.Sprintf(`{"vendor":%q,"knowledge_base_id":%q,"document_ids":[%[2]q]}`, vendor, kb)),
		} {
			p.send("%s", line)
		}
		id += 4
	}
	var out strings.Builder
	for n := range p.answers(id - 1) {
		out.WriteString(n)
	}
	p.stdin.Close()
	if _, err := p.ended(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(p.stderr.String(), "level=DEBUG") {
		t.Error("nothing is logged at debug: this test looks at nothing")
	}
	all := out.String() + p.stderr.String()
	if i := strings.Index(all, "canary-"); i >= 0 {
		t.Errorf("a secret came out: …%s…", all[max(0, i-200):min(len(all), i+60)])
	}
}

// answers yields the next n lines of stdout.
func (p *process) answers(n int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for range n {
			select {
			case line := <-p.lines:
				if !yield(line) {
					return
				}
			case <-time.After(patience):
				p.t.Fatalf("too few answers\n%s", p.stderr)
			}
		}
	}
}

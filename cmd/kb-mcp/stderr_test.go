package main

import (
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A client that does not read stderr is served on, and the process ends.
func TestUnreadStderr(t *testing.T) {
	for name, end := range map[string]func(p *process){
		"EOF":     func(p *process) { p.stdin.Close() },
		"SIGTERM": func(p *process) { p.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(p *process) { p.cmd.Process.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "SIGHUP" && signal.Ignored(syscall.SIGHUP) {
				t.Skip("the tests run where this signal is ignored, as under nohup")
			}
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			cmd := exec.Command(os.Args[0], "--demo")
			cmd.Stderr = w
			p := start(t, cmd, nil)
			w.Close()
			p.send(hello)
			p.answer(1)
			const calls = 2000 // each logs a line
			for i := range calls {
				p.send("%s", callLine(10+i, "list_vendors", `{}`))
				p.answer(10 + i)
			}
			end(p)
			if took, err := p.ended(); err != nil || took > 5*time.Second {
				t.Errorf("%v after %s", err, took)
			}
		})
	}
}

// One that closes its end of stderr is served on, too.
func TestClosedStderr(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	cmd := exec.Command(os.Args[0], "--demo")
	cmd.Stderr = w
	p := start(t, cmd, nil)
	w.Close()
	p.send(hello)
	p.answer(1)
	for i := range 20 {
		p.send("%s", callLine(10+i, "list_vendors", `{}`))
		p.answer(10 + i)
	}
	p.stdin.Close()
	if took, err := p.ended(); err != nil {
		t.Errorf("%v after %s", err, took)
	}
}

// A host shows its user what the client hears: the list of problems.
func TestConfigurationMistakeReachesTheClient(t *testing.T) {
	t.Parallel()
	discover := `{"jsonrpc":"2.0","id":5,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	for name, environ := range map[string][]string{
		"problems": {"DIFY_API_KEY=canary-dify-key", "DIFY_BASE_URL=ftp://x", "KB_MCP_LOG_LEVEL=loud"},
		"nothing":  nil,
	} {
		p := launch(t, environ)
		p.send("%s", discover)
		p.send(hello)
		for _, id := range []int{5, 1} {
			e, ok := p.answer(id)["error"].(map[string]any)
			if !ok || e["code"] != float64(-32603) {
				t.Fatalf("%s: %v", name, e)
			}
			for _, want := range map[string][]string{"problems": {"DIFY_BASE_URL", "KB_MCP_LOG_LEVEL"}, "nothing": {"DIFY_API_KEY", "--demo"}}[name] {
				if text := e["message"].(string); !strings.Contains(text, want) || strings.Contains(text, "canary") {
					t.Errorf("%s: %s", name, text)
				}
			}
		}
		_, err := p.ended()
		if p.cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%s: %v", name, err)
		}
		if log := p.stderr.String(); strings.Count(log, "kb-mcp: ") != 1 {
			t.Errorf("%s: stderr: %s", name, log)
		}
	}
}

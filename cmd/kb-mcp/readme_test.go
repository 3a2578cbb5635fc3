package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kb-mcp/cmd/kb-mcp/internal/settings"
	"kb-mcp/tools"
	"kb-mcp/vendors/all"
)

// readme is the text, and its fenced blocks by language.
func readme(t *testing.T) (string, map[string][]string) {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	return string(b), blocks
}

// client is how a client is told to reach a server.
type client struct {
	Type    string
	URL     string
	Command string
	Args    []string
	Env     map[string]string
	Headers map[string]string
}

// TestReadmeClients connects as every configuration says, exactly as it stands
// there, and lists the tools.
func TestReadmeClients(t *testing.T) {
	_, blocks := readme(t)
	var clients []client
	for _, block := range blocks["json"] {
		var c struct{ MCPServers, Servers map[string]client }
		if err := json.Unmarshal([]byte(block), &c); err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
		for _, list := range []map[string]client{c.MCPServers, c.Servers} {
			for _, one := range list {
				clients = append(clients, one)
			}
		}
	}
	for _, block := range blocks["toml"] { // Codex
		var c client
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
			switch name {
			case "command":
				c.Command = strings.Trim(value, `"`)
			case "args":
				if err := json.Unmarshal([]byte(value), &c.Args); err != nil {
					t.Error(err)
				}
			}
		}
		clients = append(clients, c)
	}
	for _, block := range blocks["sh"] { // Claude Code's command
		if _, words, ok := strings.Cut(block, "claude mcp add kb -- "); ok {
			line := strings.Fields(words)
			clients = append(clients, client{Command: line[0], Args: line[1:]})
		}
	}
	if len(clients) != 8 {
		t.Errorf("%d client configurations", len(clients))
	}
	for _, c := range clients {
		if c.URL == "" {
			listsTools(t, c)
		} else if !strings.HasPrefix(c.URL, "http://127.0.0.1:8080/") {
			t.Errorf("no example listens at %s", c.URL)
		}
	}
}

// listsTools starts a client's process and lists its tools.
func listsTools(t *testing.T, c client) {
	t.Helper()
	if c.Command != "kb-mcp" {
		t.Errorf("command %q", c.Command)
	}
	var environ []string
	for name, value := range c.Env {
		environ = append(environ, name+"="+value)
	}
	p := launch(t, environ, c.Args...)
	p.send(hello)
	p.answer(1)
	p.send(`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`)
	if list, _ := p.answer(2)["result"].(map[string]any)["tools"].([]any); len(list) < 9 {
		t.Errorf("%+v: %d tools", c, len(list))
	}
	p.stdin.Close()
}

// TestReadmeServers runs every example that serves HTTP as it stands there, but
// for the port, and asks it as the client's example says.
func TestReadmeServers(t *testing.T) {
	_, blocks := readme(t)
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s=1 exec %q \"$@\"\n", asMain, os.Args[0])
	if err := os.WriteFile(filepath.Join(dir, "kb-mcp"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	served := 0
	for _, block := range blocks["sh"] {
		if !strings.Contains(block, "kb-mcp http") {
			continue
		}
		served++
		block = strings.ReplaceAll(block, "0.0.0.0:8080", "0.0.0.0:0")
		if !strings.Contains(block, "--addr") {
			block = strings.TrimSpace(block) + " --addr 127.0.0.1:0\n"
		}
		cmd := exec.Command("sh", "-ec", strings.Replace(block, "kb-mcp http", "exec kb-mcp http", 1))
		cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir}
		var out, log safeBuffer
		cmd.Stdout, cmd.Stderr = &out, &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		url := (&process{t: t, stderr: &log}).url()
		_, token, _ := strings.Cut(strings.TrimSpace(out.String()), ": ") // what it tells people
		status, body := greet(t, strings.Replace(url, "[::]", "127.0.0.1", 1), token)
		if status != 200 || !strings.Contains(body, "serverInfo") {
			t.Errorf("%s\nanswers %d %s", block, status, body)
		}
		if token != "" {
			if status, _ := greet(t, strings.Replace(url, "[::]", "127.0.0.1", 1), token+"x"); status != 401 {
				t.Errorf("another token: %d", status)
			}
		}
	}
	if served != 2 {
		t.Errorf("%d examples serve HTTP", served)
	}
}

// greet begins a session.
func greet(t *testing.T, url, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/mcp", strings.NewReader(strings.Split(hello, "\n")[0]))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
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
	return resp.StatusCode, string(b)
}

// TestReadmeCalls runs every call that the text shows.
func TestReadmeCalls(t *testing.T) {
	text, _ := readme(t)
	calls := regexp.MustCompile("`kb-mcp (call --demo [^`]*)`").FindAllStringSubmatch(text, -1)
	if len(calls) == 0 {
		t.Error("no calls")
	}
	for _, m := range calls {
		command, args, _ := strings.Cut(m[1], " '")
		words := strings.Fields(command)
		if args != "" {
			words = append(words, strings.TrimSuffix(args, "'"))
		}
		if out, _, err := try(t, nil, words...); err != nil || !json.Valid([]byte(out)) {
			t.Errorf("%s: %v", m[0], err)
		}
	}
}

func TestReadmeNamesEveryVariable(t *testing.T) {
	text, _ := readme(t)
	row := regexp.MustCompile("(?m)^\\| ([^|]*`[^|]*) \\|").FindAllStringSubmatch(text, -1)
	var documented []string
	for _, m := range row {
		for _, v := range regexp.MustCompile("`(<P>_[A-Z_]+|[A-Z]+_[A-Z_]+)`").FindAllStringSubmatch(m[1], -1) {
			documented = append(documented, v[1])
		}
	}
	known := []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"}
	known = append(known, all.Variables(&settings.Settings{})...)
	for _, p := range all.Platforms() {
		for _, v := range p.Variables {
			for _, shared := range []string{"_RATE_LIMIT", "_SEARCH_RATE_LIMIT", "_TIMEOUT"} {
				if v == strings.ToUpper(p.Name)+shared {
					v = "<P>" + shared
				}
			}
			known = append(known, v)
		}
	}
	for _, v := range known {
		if !slices.Contains(documented, v) && !slices.Contains(documented, strings.TrimSuffix(v, "_FILE")) {
			t.Errorf("the README does not name %s", v)
		}
		if plain, ok := strings.CutSuffix(v, "_FILE"); ok && plain != "KB_MCP_CA" && !strings.Contains(text, "`"+plain+"` 🔑") {
			t.Errorf("the README does not mark %s as a secret", plain)
		}
	}
	for _, v := range documented {
		if !slices.Contains(known, v) {
			t.Errorf("the README names %s, which nobody reads", v)
		}
	}
}

func TestReadmeNamesEveryToolAndCommand(t *testing.T) {
	text, _ := readme(t)
	for _, name := range tools.New(nil, tools.Options{AllowWrites: true}).Names() {
		if !strings.Contains(text, "| `"+name+"` |") {
			t.Errorf("no row for the tool %s", name)
		}
	}
	help, _, err := try(t, nil, "--help")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^  (\w+) +[A-Z(\[<]`).FindAllStringSubmatch(help[strings.Index(help, "Commands:"):], -1) {
		if m[1] != "help" && !strings.Contains(text, "kb-mcp "+m[1]) {
			t.Errorf("no row for the command %s", m[1])
		}
	}
}

// TestReadmeCommands holds the two commands to what CI calls.
func TestReadmeCommands(t *testing.T) {
	_, blocks := readme(t)
	if got := blocks["sh"][:2]; got[0] != "go run ./cmd/kb-mcp demo\n" || got[1] != "go test -race -shuffle=on ./...\n" {
		t.Errorf("%q", got)
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// asMain turns the test binary into kb-mcp, so that tests run real processes.
const asMain = "KB_MCP_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		os.Unsetenv(asMain)
		main()
		return
	}
	// Parallel tests wait for processes and sockets more than they compute. The
	// command line, which is parsed later, may say otherwise.
	if err := flag.Set("test.parallel", "12"); err != nil {
		log.Fatal(err)
	}
	os.Exit(m.Run())
}

// try runs a command inside the test.
func try(t *testing.T, environ []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, log bytes.Buffer
	err = run(ctx, args, environ, strings.NewReader(""), &out, &log)
	return out.String(), log.String(), err
}

func TestNothingConfigured(t *testing.T) {
	for _, args := range [][]string{{}, {"stdio"}, {"http"}, {"call", "list_vendors"}, {"watch", "--kb", "1"}} {
		_, _, err := try(t, []string{"PATH=/bin", "COZE_API_TOKEN=", "DIFY_API_KEY=${DIFY_API_KEY}"}, args...)
		if err == nil {
			t.Fatalf("%v started", args)
		}
		for _, want := range []string{"COZE_API_TOKEN", "DIFY_API_KEY", "RAGFLOW_API_KEY", "VOLCENGINE_ACCESS_KEY", "--demo", "DIFY_API_KEY was not expanded"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v: the message lacks %q:\n%v", args, want, err)
			}
		}
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	_, _, err := try(t, []string{
		"KB_MCP_VENDORS=coze,staging=dify,difi,coze", "COZE_API_BASE=ftp://canary-value", "COZE_RATE_LIMIT=canary-value",
		"STAGING_DIFY_TIMEOUT=canary-value", "KB_MCP_LOG_LEVEL=canary-value", "KB_MCP_LOG_FORMAT=canary-value",
		"KB_MCP_ALLOW_WRITES=canary-value", "KB_MCP_BASE_PATH=canary-value", "KB_MCP_REDIS_URL=canary-value", "KB_MCP_CA_FILE=/canary-value",
		"HTTPS_PROXY=http://user:canary-value@", "KB_MCP_AUTH_TOKENS_FILE=/canary-value",
	})
	if err == nil {
		t.Fatal("it started")
	}
	for _, want := range []string{"KB_MCP_VENDORS", "COZE_API_TOKEN", "COZE_API_BASE", "COZE_RATE_LIMIT", "STAGING_DIFY_API_KEY", "STAGING_DIFY_TIMEOUT",
		"KB_MCP_LOG_LEVEL", "KB_MCP_LOG_FORMAT", "KB_MCP_ALLOW_WRITES", "KB_MCP_BASE_PATH", "KB_MCP_REDIS_URL", "KB_MCP_CA_FILE", "HTTPS_PROXY", "KB_MCP_AUTH_TOKENS_FILE"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message lacks %s", want)
		}
	}
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("a value is in the message:\n%v", err)
	}
}

func TestWarnings(t *testing.T) {
	_, log, err := try(t, []string{"DIFY_API_KEY=dataset-0123456789", "COZE_API_TOKEN=${COZE_API_TOKEN}", "RAGFLOW_TIMEOUT=20s", "KB_MCP_LOG_FORMAT=json"})
	if err != nil { // stdin is at its end
		t.Fatal(err)
	}
	for _, want := range []string{`"variable":"COZE_API_TOKEN"`, `"variable":"RAGFLOW_TIMEOUT"`} {
		if !strings.Contains(log, want) {
			t.Errorf("no warning with %s in\n%s", want, log)
		}
	}
}

// TestToolsCommandPrintsTheList holds the command against the snapshot, and
// against what a client hears, byte for byte.
func TestToolsCommandPrintsTheList(t *testing.T) {
	for file, environ := range map[string][]string{"list.json": nil, "list_writes.json": {"KB_MCP_ALLOW_WRITES=true"}} {
		out, _, err := try(t, environ, "tools")
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile("../../testdata/tools/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, []byte(out), "", "  "); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), pretty.String()); d != "" {
			t.Error(d)
		}
		p := launch(t, environ, "--demo")
		p.send(hello)
		p.answer(1)
		p.send(`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`)
		for line := range p.answers(1) {
			if line != `{"jsonrpc":"2.0","id":2,"result":`+strings.TrimSpace(out)+`}` {
				t.Errorf("tools/list says\n%s\nthe command\n%s", line, out)
			}
		}
	}
}

func TestCallCommand(t *testing.T) {
	quiet := []string{}
	out, log, err := try(t, quiet, "call", "--demo", "list_vendors")
	if err != nil || log != "" || !json.Valid([]byte(out)) || !strings.Contains(out, `"vendor":"coze"`) {
		t.Errorf("%v, %q, %q", err, out, log)
	}
	out, log, err = try(t, quiet, "call", "--demo", "list_documents", `{"vendor":"coze","knowledge_base_id":"1"}`)
	var failure struct {
		Error struct{ Kind, Hint, Vendor string }
	}
	if !errors.Is(err, errReported) || out != "" || json.Unmarshal([]byte(log), &failure) != nil || failure.Error.Kind != "not_found" || failure.Error.Vendor != "coze" {
		t.Errorf("%v, %q, %q", err, out, log)
	}
	if _, _, err = try(t, quiet, "call", "--demo", "list_document"); err == nil || !strings.Contains(err.Error(), "list_documents") {
		t.Errorf("an unknown tool: %v", err)
	}
	_, log, err = try(t, quiet, "call", "--demo", "list_documents", `{vendor:"dify"}`)
	if !errors.Is(err, errReported) || !strings.Contains(log, "invalid character 'v'") {
		t.Errorf("broken JSON: %v, %s", err, log)
	}
}

// TestCallReads its arguments from standard input and from files.
func TestCallReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "args.json")
	if err := os.WriteFile(path, []byte("\ufeff{\"vendor\":\"coze\"}\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"-", "@" + path} {
		var out, log bytes.Buffer
		err := run(t.Context(), []string{"call", "--demo", "list_knowledge_bases", args}, nil, strings.NewReader(`{"vendor":"coze"}`), &out, &log)
		if err != nil || !strings.Contains(out.String(), `"vendor":"coze"`) {
			t.Errorf("%s: %v, %s", args, err, log.String())
		}
	}
	if _, _, err := try(t, nil, "call", "--demo", "list_vendors", "@/nonexistent"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a file that is not there: %v", err)
	}
	var out, log bytes.Buffer
	if err := run(t.Context(), []string{"call", "--demo", "list_vendors", "-"}, nil, strings.NewReader(strings.Repeat(" ", maxArgs+1)), &out, &log); err == nil || !strings.Contains(err.Error(), "4 MiB") {
		t.Errorf("endless input: %v", err)
	}
}

// TestDidYouMean: commands, flags and tools by other names, in one line each.
func TestDidYouMean(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"docter"}, "did you mean doctor?"},
		{[]string{"serve"}, "did you mean http?"},
		{[]string{"verion"}, "did you mean version?"},
		{[]string{"nonsense"}, "unknown command"},
		{[]string{"http", "--adr", "x"}, "did you mean --addr?"},
		{[]string{"watch", "--kb", "x", "--documents", "y"}, "did you mean --document?"},
		{[]string{"--dmeo"}, "did you mean --demo?"},
		{[]string{"call", "--demo", "list_document"}, "did you mean list_documents?"},
		{[]string{"call", "--demo", "list_dataset"}, "did you mean list_knowledge_bases?"},
		{[]string{"call", "--demo", "upload_document"}, "KB_MCP_ALLOW_WRITES"},
		{[]string{"call", "--demo", "nonsense"}, "tools are list_vendors"},
		{[]string{"completion", "ksh"}, "powershell"},
		{[]string{"completion"}, "powershell"},
	} {
		if _, _, err := try(t, nil, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: %v", tt.args, err)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out, _, err := try(t, nil, "completion", shell); err != nil || !strings.Contains(out, "kb-mcp") {
			t.Errorf("%s: %v", shell, err)
		}
	}
	if out, _, err := try(t, nil, "__complete", "call", "list_kn"); err != nil || !strings.Contains(out, "list_knowledge_bases") {
		t.Errorf("tools: %v, %s", err, out)
	}
}

func TestHelpEverywhere(t *testing.T) {
	top, _, err := try(t, nil, "--help")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"stdio", "http", "demo", "sandbox", "doctor", "watch", "tools", "call", "version", "completion"} {
		out, _, err := try(t, nil, command, "-h")
		if err != nil || !strings.Contains(out, "Usage:\n  kb-mcp "+command) || !strings.Contains(top, command) {
			t.Errorf("%s -h: %v\n%s", command, err, out)
		}
		if command != "version" && !strings.Contains(out, "Example") {
			t.Errorf("%s -h has no example:\n%s", command, out)
		}
	}
	for _, args := range [][]string{{"serve"}, {"--bogus"}, {"tools", "x"}, {"call"}, {"call", "a", "{}", "c"}, {"watch"}, {"watch", "--kb", "x", "--timeout", "0s"},
		{"watch", "--kb"}, {"sandbox", "--speed", "0"}, {"sandbox", "--documents", "-1"}, {"http", "--addr"}} {
		out, log, err := try(t, nil, args...)
		if err == nil || out+log != "" || !strings.Contains(err.Error(), "--help") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, %q, %q", args, err, out, log)
		}
	}
	if help, _, err := try(t, nil, "help"); err != nil || help != top {
		t.Errorf("help: %v\n%s", err, help)
	}
}

func TestVersion(t *testing.T) {
	out, _, err := try(t, nil, "version")
	if flag, _, err := try(t, nil, "--version"); err != nil || flag != out {
		t.Errorf("--version: %q, %v", flag, err)
	}
	if err != nil || !strings.HasPrefix(out, "kb-mcp "+version+", commit ") || !strings.Contains(out, "go1.") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestTourEndsByItself(t *testing.T) {
	if testing.Short() {
		t.Skip("the tour shows documents in their own time")
	}
	t.Parallel()
	began := time.Now()
	out, _, err := try(t, nil, "demo")
	if err != nil || time.Since(began) > 15*time.Second {
		t.Fatalf("%v after %s", err, time.Since(began))
	}
	for _, want := range []string{"产品手册", "coze", "dify", "ragflow", "volcengine", "completed, 100%", "failed: "} {
		if !strings.Contains(out, want) {
			t.Errorf("the tour lacks %q:\n%s", want, out)
		}
	}
	if strings.ContainsRune(out, '\x1b') {
		t.Error("escape sequences although stdout is no terminal")
	}
}

func TestHTTPRefusesTheWorldWithoutTokens(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "kb.example.com:80"} {
		if _, _, err := try(t, nil, "http", "--demo", "--addr", addr); err == nil || !strings.Contains(err.Error(), "KB_MCP_AUTH_TOKENS") {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestDemoNeverTouchesRealAccounts(t *testing.T) {
	environ := []string{"DIFY_API_KEY=dataset-real-account-key", "KB_MCP_VENDORS=dify", "HTTP_PROXY=http://127.0.0.1:1", "KB_MCP_LOG_LEVEL=debug"}
	own := ownVariables(environ)
	if !slices.Equal(own, []string{"KB_MCP_LOG_LEVEL=debug"}) {
		t.Errorf("a demo takes %v", own)
	}
	out, _, err := try(t, environ, "call", "--demo", "list_vendors")
	if err != nil || !strings.Contains(out, "volcengine") {
		t.Errorf("%q, %v", out, err)
	}
}

package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// face is what a face of the sandbox may import.
const face = "vendors/sandbox/world vendors/sandbox/internal/web"

// driver is what a driver may import.
const driver = "vendors vendors/rest vendors/internal/idsearch vendors/recent vendors/internal/write"

// layers is the house from the ground up: each package, and which of ours it may
// import. An import goes to a line above its own. Tests are free. A name that
// ends in a slash stands for all that begins so; "vendors/" is every driver, and
// none may import another.
var layers = []struct{ name, may string }{
	{"nearest", ""},
	{"elicit", ""},
	{"ratelimit", ""},
	{"ratelimit/shared", "ratelimit"},
	{"ratelimit/shared/redistest", ""},

	{"vendors", ""},
	{"vendors/visible", ""},
	{"vendors/tally", "vendors"},
	{"vendors/recent", ""},
	{"vendors/internal/breaker", "vendors"},
	{"vendors/internal/write", "vendors"},
	{"vendors/internal/paging", "vendors vendors/recent"},
	{"vendors/internal/merge", "vendors"},
	{"vendors/internal/existence", "vendors vendors/recent"},
	{"vendors/internal/normal", "vendors vendors/visible"},
	{"vendors/internal/stall", "vendors vendors/recent vendors/visible"},
	{"vendors/rank", "vendors vendors/internal/paging"},
	{"vendors/connection", "vendors vendors/rank vendors/recent vendors/visible vendors/tally vendors/internal/"},
	{"vendors/rest", "vendors ratelimit"},
	{"vendors/internal/idsearch", "vendors vendors/rest"},
	{"vendors/coze/oauth", "vendors vendors/rest"},
	{"vendors/ragflow/envelope", "vendors vendors/rest"},
	{"vendors/coze", driver + " vendors/coze/oauth"},
	{"vendors/ragflow", driver + " vendors/ragflow/envelope"},
	{"vendors/", driver},
	{"vendors/sandbox/world", ""},
	{"vendors/sandbox/internal/web", ""},
	{"vendors/sandbox/coze", face},
	{"vendors/sandbox/dify", face},
	{"vendors/sandbox/ragflow/tables", face},
	{"vendors/sandbox/ragflow", face + " vendors/sandbox/ragflow/tables"},
	{"vendors/sandbox/ragflow/preview", face + " vendors/sandbox/ragflow/tables"},
	{"vendors/sandbox/volcengine", face},
	{"vendors/sandbox", "vendors/sandbox/"},
	{"vendors/sandbox/sandboxtest", "vendors/sandbox"},
	{"vendors/vendortest", "vendors vendors/connection vendors/rest ratelimit"},
	{"vendors/all", "vendors vendors/ ratelimit ratelimit/shared nearest"},

	{"tools/internal/files", "vendors vendors/visible nearest"},
	{"vendors/several", "vendors vendors/connection vendors/internal/paging vendors/recent"},
	{"tools/internal/confirm", "vendors vendors/connection vendors/visible elicit"},
	{"tools", "tools/internal/ vendors vendors/rank vendors/several vendors/recent vendors/connection vendors/tally vendors/visible nearest"},
	{"tools/prompts", "vendors vendors/connection vendors/visible nearest"},
	{"server/internal/jsonrpc", ""},
	{"server/internal/calls", ""},
	{"server/internal/intake", "server/internal/jsonrpc"},
	{"server/internal/questions", "elicit server/internal/jsonrpc"},
	{"server/internal/stream", "elicit server/internal/"},
	{"server", "elicit server/internal/"},
	{"cmd/kb-mcp/internal/settings", "tools vendors/all vendors/connection vendors/rest ratelimit/shared server nearest"},
	{"cmd/kb-mcp/internal/doctor", "cmd/kb-mcp/internal/settings vendors vendors/ ratelimit/shared"},
	{"cmd/kb-mcp/internal/watch", "vendors vendors/connection vendors/tally vendors/visible"},
	{"cmd/kb-mcp/internal/faults", ""}, // tests alone
	{"cmd/kb-mcp", "cmd/kb-mcp/internal/ tools tools/prompts server vendors vendors/ nearest"},

	{".ci/bench", "vendors/sandbox"},
	{".ci/bench/reference", ""}, // what kb-mcp is measured against holds none of it
}

// theirs says where a third party's module may be imported, outside tests.
var theirs = map[string][]string{
	"github.com/mark3labs/mcp-go":        {"tools", "tools/prompts", "tools/internal/confirm", "server", "server/internal/calls", "server/internal/jsonrpc", "server/internal/questions", "server/internal/stream", "cmd/kb-mcp", ".ci/bench/reference"},
	"github.com/sethvargo/go-envconfig":  {"vendors/all"},
	"github.com/hashicorp/golang-lru/v2": {"vendors/recent", "server"},
	"github.com/redis/go-redis/v9":       {"ratelimit/shared"},
	"github.com/go-json-experiment/json": {"vendors/rest", "server/internal/jsonrpc"},
	"golang.org/x/time":                  {"ratelimit"},
	"golang.org/x/net":                   {"vendors/all"},
	"github.com/golang-jwt/jwt/v5":       {"vendors/coze/oauth"},
	"github.com/google/go-cmp":           {"vendors/vendortest"},
	"github.com/spf13/cobra":             {"cmd/kb-mcp"},
	"github.com/spf13/pflag":             {"cmd/kb-mcp"},
	"github.com/vbauerster/mpb/v8":       {"cmd/kb-mcp/internal/watch"},
	"golang.org/x/term":                  {"cmd/kb-mcp", "cmd/kb-mcp/internal/watch"},
	"golang.org/x/text":                  {"tools/internal/files"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "../../...", "../../.ci/bench/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, "kb-mcp/")
		layer := layerOf(name)
		if layer < 0 {
			t.Errorf("package %s has no line in layers", name)
			continue
		}
		for _, i := range p.Imports {
			inner, isOurs := strings.CutPrefix(i, "kb-mcp/")
			switch {
			case !isOurs:
				thirdParty(t, name, i)
			case layerOf(inner) >= layer:
				t.Errorf("%s imports %s, which is upwards", name, inner)
			case !slices.ContainsFunc(strings.Fields(layers[layer].may), func(may string) bool { return covers(may, inner) }):
				t.Errorf("%s must not import %s", name, inner)
			}
		}
	}
}

// layerOf is a package's line in layers: its own, or else that of what begins as
// it does; -1 for none.
func layerOf(name string) int {
	prefix := -1
	for i, l := range layers {
		if l.name == name {
			return i
		}
		if covers(l.name, name) {
			prefix = i
		}
	}
	return prefix
}

// covers reports whether a name of layers is, or stands for, a package.
func covers(layer, name string) bool {
	return layer == name || strings.HasSuffix(layer, "/") && strings.HasPrefix(name, layer)
}

func thirdParty(t *testing.T, name, path string) {
	t.Helper()
	if !strings.Contains(strings.Split(path, "/")[0], ".") {
		if path == "testing" && name != "vendors/vendortest" && name != "vendors/sandbox/sandboxtest" && name != "ratelimit/shared/redistest" {
			t.Errorf("%s imports testing", name)
		}
		return
	}
	for module, where := range theirs {
		if path == module || strings.HasPrefix(path, module+"/") {
			if !slices.Contains(where, name) {
				t.Errorf("%s must not import %s", name, path)
			}
			return
		}
	}
	t.Errorf("%s imports %s, which no rule allows", name, path)
}

// TestProcessIsTouchedInOnePlace keeps the process out of everything but main:
// what is not passed in cannot be tested. The benchmark is not part of the
// product.
func TestProcessIsTouchedInOnePlace(t *testing.T) {
	cmd := exec.Command("git", "grep", "-nE", `os\.(Exit|Getenv|Environ|Stdout|Stdin|Stderr|Args)\b|log\.Fatal|fmt\.Print(ln|f)?\(|func init\(\)`, "--", "../../*.go")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Skip("git is not here: ", err)
	}
	for line := range strings.Lines(string(out)) {
		file, _, _ := strings.Cut(line, ":")
		if !strings.HasSuffix(file, "_test.go") && !strings.HasSuffix(file, "cmd/kb-mcp/main.go") && file != "main.go" && !strings.HasPrefix(file, "../../.ci/") && !strings.HasPrefix(file, "../../vendors/vendortest/") {
			t.Errorf("only main.go may do this: %s", strings.TrimSpace(line))
		}
	}
}

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

// platformMay is what a driver may import: never another driver.
var platformMay = []string{"vendors", "vendors/rest", "vendors/internal/idsearch", "vendors/internal/recent", "vendors/internal/write"}

// face is what a face of the sandbox may import.
var face = []string{"vendors/sandbox/world", "vendors/sandbox/internal/web"}

// ours says which of our packages a package may import: the layers of the
// house. Tests are free. A package without a rule fails, but what else lies in
// vendors/ is a driver.
var ours = map[string][]string{
	"ratelimit":        {},
	"ratelimit/shared": {"ratelimit"},

	"ratelimit/shared/redistest": {},

	"vendors":      {},
	"vendors/rest": {"vendors", "ratelimit"},

	"vendors/visible":           {},
	"vendors/internal/recent":   {},
	"vendors/internal/write":    {"vendors"},
	"vendors/internal/idsearch": {"vendors", "vendors/rest"},
	"vendors/internal/breaker":  {"vendors"},
	"vendors/tally":             {"vendors"},
	"vendors/internal/paging":   {"vendors", "vendors/internal/recent"},
	"vendors/internal/merge":    {"vendors"},
	"vendors/connection":        {"vendors", "vendors/visible", "vendors/tally", "vendors/internal/"},

	"vendors/sandbox/world":           {},
	"vendors/sandbox/internal/web":    {},
	"vendors/sandbox/coze":            face,
	"vendors/sandbox/dify":            face,
	"vendors/sandbox/ragflow/tables":  face,
	"vendors/sandbox/ragflow":         append([]string{"vendors/sandbox/ragflow/tables"}, face...),
	"vendors/sandbox/ragflow/preview": append([]string{"vendors/sandbox/ragflow/tables"}, face...),
	"vendors/sandbox/volcengine":      face,
	"vendors/sandbox":                 {"vendors/sandbox/"},

	"vendors/vendortest":  {"vendors", "vendors/connection", "vendors/rest", "ratelimit"},
	"vendors/all":         {"vendors", "vendors/", "ratelimit", "ratelimit/shared", "nearest"},
	"nearest":             {},
	"tools":               {"vendors", "vendors/connection", "vendors/tally", "vendors/visible", "nearest"},
	"server":              {},
	"cmd/kb-mcp":          {"vendors", "vendors/", "ratelimit/shared", "tools", "server", "nearest"},
	"cmd/bench":           {"vendors/sandbox"},
	"cmd/bench/reference": {}, // what kb-mcp is measured against holds none of it
}

// theirs says where a third party's module may be imported, outside tests.
var theirs = map[string][]string{
	"github.com/mark3labs/mcp-go":        {"tools", "server", "cmd/kb-mcp", "cmd/bench/reference"},
	"github.com/sethvargo/go-envconfig":  {"vendors/all"},
	"github.com/hashicorp/golang-lru/v2": {"vendors/internal/recent"},
	"github.com/redis/go-redis/v9":       {"ratelimit/shared"},
	"github.com/go-json-experiment/json": {"vendors/rest"},
	"golang.org/x/time":                  {"ratelimit"},
	"golang.org/x/net":                   {"vendors/all"},
	"github.com/golang-jwt/jwt/v5":       {"vendors/coze", "vendors/sandbox"},
	"github.com/google/go-cmp":           {"vendors/vendortest"},
	"github.com/spf13/cobra":             {"cmd/kb-mcp"},
	"github.com/spf13/pflag":             {"cmd/kb-mcp"},
	"github.com/vbauerster/mpb/v8":       {"cmd/kb-mcp"},
	"golang.org/x/term":                  {"cmd/kb-mcp"},
	"golang.org/x/text":                  {"tools"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "kb-mcp/...").Output()
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
		allowed, known := ours[name]
		if !known && strings.HasPrefix(name, "vendors/") {
			allowed, known = platformMay, true
		}
		if !known {
			t.Errorf("package %s has no rule; see the layers in vendors/doc.go", name)
		}
		for _, i := range p.Imports {
			if inner, ok := strings.CutPrefix(i, "kb-mcp/"); ok {
				if !slices.ContainsFunc(allowed, func(a string) bool { return a == inner || strings.HasSuffix(a, "/") && strings.HasPrefix(inner, a) }) {
					t.Errorf("%s must not import %s", name, inner)
				}
				continue
			}
			thirdParty(t, name, i)
		}
	}
}

func thirdParty(t *testing.T, name, path string) {
	t.Helper()
	if !strings.Contains(strings.Split(path, "/")[0], ".") {
		if path == "testing" && name != "vendors/vendortest" && name != "ratelimit/shared/redistest" {
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
// what is not passed in cannot be tested. The benchmark is no part of the
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
		if !strings.HasSuffix(file, "_test.go") && !strings.HasSuffix(file, "cmd/kb-mcp/main.go") && file != "main.go" && !strings.HasPrefix(file, "../bench/") && !strings.HasPrefix(file, "../../.ci/") && !strings.HasPrefix(file, "../../vendors/vendortest/") {
			t.Errorf("only main.go may do this: %s", strings.TrimSpace(line))
		}
	}
}

package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

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

// TestReadmeClientConfigurations parses every configuration, and starts
// kb-mcp's configuration with the variables of each.
func TestReadmeClientConfigurations(t *testing.T) {
	_, blocks := readme(t)
	type server struct {
		Type    string
		URL     string
		Command string
		Args    []string
		Env     map[string]string
		Headers map[string]string
	}
	found := 0
	for _, block := range blocks["json"] {
		var c struct{ MCPServers, Servers map[string]server }
		if err := json.Unmarshal([]byte(block), &c); err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
		for _, s := range []map[string]server{c.MCPServers, c.Servers} {
			for _, s := range s {
				found++
				if s.URL != "" {
					if s.Type != "http" || s.Headers["Authorization"] == "" || !strings.HasSuffix(s.URL, "/mcp") {
						t.Errorf("%+v", s)
					}
					continue
				}
				starts(t, s.Command, s.Args, s.Env)
			}
		}
	}
	if found != 5 {
		t.Errorf("%d client configurations", found)
	}
	var env = map[string]string{}
	codex := blocks["toml"][0]
	for _, m := range regexp.MustCompile(`(\w+) = "([^"]*)"`).FindAllStringSubmatch(codex, -1) {
		env[m[1]] = m[2]
	}
	if env["command"] != "kb-mcp" || !strings.HasPrefix(codex, "[mcp_servers.kb]\n") {
		t.Errorf("codex: %v", env)
	}
	delete(env, "command")
	starts(t, "kb-mcp", []string{"stdio"}, env)
}

// starts checks that a configuration is one that kb-mcp starts with; "..." and
// prompts stand for a credential.
func starts(t *testing.T, command string, args []string, env map[string]string) {
	t.Helper()
	if command != "kb-mcp" {
		t.Errorf("command %q", command)
	}
	var environ []string
	for name, value := range env {
		if strings.Contains(value, "...") || strings.HasPrefix(value, "${input:") {
			value = "credential-0123456789"
		}
		environ = append(environ, name+"="+value)
	}
	if _, _, err := try(t, environ, args...); err != nil { // stdin is at its end
		t.Errorf("%v with %v: %v", args, env, err)
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
	known = append(known, all.Variables(&settings{})...)
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

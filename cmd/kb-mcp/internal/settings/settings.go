// Package settings reads the environment: the server's own variables, and
// through vendors/all those of the platforms.
package settings

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/ratelimit/shared"
	"kb-mcp/tools"
	"kb-mcp/vendors/all"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/rest"
)

// Settings are the server's own variables. Their methods assume that the values
// are valid.
type Settings struct {
	Vendors        string `env:"KB_MCP_VENDORS"`
	AllowWrites    string `env:"KB_MCP_ALLOW_WRITES, default=false"`
	Confirm        string `env:"KB_MCP_CONFIRM, default=auto"`
	OfferedTools   string `env:"KB_MCP_TOOLS" meant:"true"`
	ExcludedTools  string `env:"KB_MCP_EXCLUDE_TOOLS" meant:"true"`
	UploadRoots    string `env:"KB_MCP_UPLOAD_ROOTS" meant:"true"`
	MaxDownload    string `env:"KB_MCP_MAX_DOWNLOAD, default=256MiB"`
	LogLevel       string `env:"KB_MCP_LOG_LEVEL, default=info"`
	LogFormat      string `env:"KB_MCP_LOG_FORMAT, default=text"`
	Addr           string `env:"KB_MCP_ADDR, default=127.0.0.1:8080"`
	AuthTokens     string `env:"KB_MCP_AUTH_TOKENS" secret:"true" meant:"true"`
	AllowedOrigins string `env:"KB_MCP_ALLOWED_ORIGINS" meant:"true"`
	AllowedHosts   string `env:"KB_MCP_ALLOWED_HOSTS" meant:"true"`
	BasePath       string `env:"KB_MCP_BASE_PATH"`
	RedisURL       string `env:"KB_MCP_REDIS_URL" secret:"true"`
	CAFile         string `env:"KB_MCP_CA_FILE"`
}

// Writes reports whether the write tools exist.
func (s Settings) Writes() bool {
	yes, err := strconv.ParseBool(s.AllowWrites)
	return err == nil && yes
}

// Offers reports whether a tool is offered, if writes are allowed where it is one.
func (s Settings) Offers(tool string) bool {
	only := List(s.OfferedTools)
	return (len(only) == 0 || slices.Contains(only, tool)) && !slices.Contains(List(s.ExcludedTools), tool)
}

// Roots are the folders for uploads and downloads.
func (s Settings) Roots() (list []string) {
	for _, root := range filepath.SplitList(s.UploadRoots) {
		if root = strings.TrimSpace(root); root != "" {
			list = append(list, root)
		}
	}
	return list
}

// MaxDownloadBytes bounds what one download writes.
func (s Settings) MaxDownloadBytes() int64 {
	n, _ := bytesOf(s.MaxDownload)
	return n
}

// bytesOf reads a size: 256MiB, 1GB, 1000000.
func bytesOf(s string) (int64, error) {
	number := strings.TrimRightFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	unit, known := map[string]int64{
		"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30,
	}[strings.ToUpper(strings.TrimSpace(s[len(number):]))]
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !known || n <= 0 || n > math.MaxInt64/unit {
		return 0, errors.New("not a size")
	}
	return n * unit, nil
}

// List splits a value at commas, and at the line ends of a file.
func List(value string) (list []string) {
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// Config is everything read from the environment at the start.
type Config struct {
	Settings
	Env         *all.Environ
	Log         *slog.Logger
	Redis       *shared.Redis // nil: rate limits are not shared
	Connections []*connection.Connection
}

// Judge returns what a command finds wrong with the settings.
type Judge func(Settings) []rest.Problem

// Open reads and checks the whole environment for this version of kb-mcp: one
// error lists every problem, by variable and never by value. It logs what is
// suspicious but stops nothing.
func Open(environ []string, logs io.Writer, version string, more ...Judge) (Config, error) {
	c, problems := Read(environ, logs, version, more...)
	switch {
	case len(problems) > 0:
		return c, problemError(problems, c.Env)
	case len(c.Connections) == 0:
		return c, nothingConfigured(c.Env)
	}
	for _, w := range c.Warnings() {
		c.Log.Warn(w.Text, "variable", w.Variable)
	}
	return c, nil
}

// Read returns the configuration and its problems. With problems it has no
// connections.
func Read(environ []string, logs io.Writer, version string, more ...Judge) (Config, []rest.Problem) {
	c := Config{Env: all.NewEnviron(environ)}
	problems := c.Env.Load("", &c.Settings)
	for _, judge := range append([]Judge{Settings.problems}, more...) {
		problems = append(problems, judge(c.Settings)...)
	}
	problems = append(problems, misspelt(c.Env)...)
	c.Log = NewLogger(c.Settings, &c.Env.Secrets, logs)
	problems = append(problems, c.openRedis()...)
	open, others := all.Open(c.Env, all.Options{Log: c.Log, Redis: c.Redis, Version: version, MaxDownload: c.MaxDownloadBytes()})
	c.Connections = open
	return c, append(problems, others...)
}

// openRedis makes the client that KB_MCP_REDIS_URL asks for; it connects when it
// is first needed, and its connections end with the process.
func (c *Config) openRedis() []rest.Problem {
	if c.RedisURL == "" {
		return nil
	}
	if u, err := url.Parse(c.RedisURL); err == nil {
		if password, ok := u.User.Password(); ok {
			c.Env.Secrets.Add(password, u.User.String())
		}
	}
	roots, _ := all.Roots(c.Env) // its problems are the transport's, too
	var err error
	if c.Redis, err = shared.Open(c.RedisURL, roots, c.Log); err != nil {
		return []rest.Problem{{Variable: "KB_MCP_REDIS_URL", Text: err.Error()}}
	}
	return nil
}

// Tools makes the tools over the connections.
func (c Config) Tools() *tools.Set {
	return tools.New(c.Connections, tools.Options{
		Clean: c.Env.Secrets.Clean, Log: c.Log, AllowWrites: c.Writes(), Roots: c.Roots(), MaxDownload: c.MaxDownloadBytes(), Confirm: c.Confirm,
		Offered: c.Offers,
	})
}

// Warnings are what is suspicious about variables but stops nothing.
func (c Config) Warnings() (list []rest.Problem) {
	for _, name := range c.Env.Unexpanded {
		list = append(list, rest.Problem{Variable: name, Text: "this variable " + unexpanded})
	}
	for _, name := range c.Env.Idle {
		list = append(list, rest.Problem{Variable: name, Text: "this variable has no effect, because its platform has no credentials"})
	}
	return list
}

const unexpanded = "was not expanded by the program that started kb-mcp, and counts as unset"

// problemError is one message with all problems.
func problemError(problems []rest.Problem, env *all.Environ) error {
	var b strings.Builder
	b.WriteString("the configuration has problems:")
	for _, p := range problems {
		fmt.Fprintf(&b, "\n  - %s %s", p.Variable, p.Text)
	}
	for _, name := range env.Unexpanded {
		fmt.Fprintf(&b, "\n  - %s %s", name, unexpanded)
	}
	return errors.New(env.Secrets.Clean(b.String()))
}

// nothingConfigured says which variables to set.
func nothingConfigured(env *all.Environ) error {
	var b strings.Builder
	b.WriteString("no knowledge base platform is configured. Set the variables of at least one:")
	for _, p := range all.Platforms() {
		fmt.Fprintf(&b, "\n  %-11s %s", p.Name, p.Needs)
	}
	b.WriteString("\nWithout an account, \"kb-mcp --demo\" serves made-up documents and \"kb-mcp demo\" shows a tour.")
	for _, name := range env.Unexpanded {
		fmt.Fprintf(&b, "\n%s %s.", name, unexpanded)
	}
	return errors.New(b.String())
}

package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/ratelimit"
	"kb-mcp/server"
	"kb-mcp/vendors"
	"kb-mcp/vendors/all"
	"kb-mcp/vendors/rest"
)

// settings are the server's own variables.
type settings struct {
	Vendors        string `env:"KB_MCP_VENDORS"`
	AllowWrites    string `env:"KB_MCP_ALLOW_WRITES, default=false"`
	UploadRoots    string `env:"KB_MCP_UPLOAD_ROOTS"`
	LogLevel       string `env:"KB_MCP_LOG_LEVEL, default=info"`
	LogFormat      string `env:"KB_MCP_LOG_FORMAT, default=text"`
	Addr           string `env:"KB_MCP_ADDR, default=127.0.0.1:8080"`
	AuthTokens     string `env:"KB_MCP_AUTH_TOKENS" secret:"true"`
	AllowedOrigins string `env:"KB_MCP_ALLOWED_ORIGINS"`
	AllowedHosts   string `env:"KB_MCP_ALLOWED_HOSTS"`
	BasePath       string `env:"KB_MCP_BASE_PATH"`
	RedisURL       string `env:"KB_MCP_REDIS_URL" secret:"true"`
	CAFile         string `env:"KB_MCP_CA_FILE"`
}

// problems judges the values by variable name.
func (s settings) problems() (list []rest.Problem) {
	add := func(variable, text string) { list = append(list, rest.Problem{Variable: variable, Text: text}) }
	if _, err := strconv.ParseBool(s.AllowWrites); err != nil {
		add("KB_MCP_ALLOW_WRITES", "must be true or false")
	}
	for _, root := range filepath.SplitList(s.UploadRoots) {
		if info, err := os.Stat(root); err != nil || !info.IsDir() || !filepath.IsAbs(root) {
			add("KB_MCP_UPLOAD_ROOTS", fmt.Sprintf("names %q, which is no folder given by its absolute path", root))
		}
	}
	if new(slog.Level).UnmarshalText([]byte(s.LogLevel)) != nil {
		add("KB_MCP_LOG_LEVEL", "must be debug, info, warn or error")
	}
	if s.LogFormat != "text" && s.LogFormat != "json" {
		add("KB_MCP_LOG_FORMAT", "must be text or json")
	}
	if !server.ValidBasePath(s.BasePath) {
		add("KB_MCP_BASE_PATH", "must be a path that begins with a slash, such as /kb")
	}
	for _, origin := range commaList(s.AllowedOrigins) {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
			add("KB_MCP_ALLOWED_ORIGINS", fmt.Sprintf("holds %q; an origin is scheme://host or scheme://host:port", origin))
		}
	}
	return list
}

// commaList splits a comma-separated value.
func commaList(s string) []string {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// configuration is everything read from the environment at start.
type configuration struct {
	settings
	env     *all.Environ
	log     *slog.Logger
	redis   *ratelimit.Redis // nil: rate limits are not shared
	vendors []*vendors.Vendor
}

// configure reads and judges the whole environment: one error lists every
// problem, by variable and never by value.
func configure(environ []string, stderr io.Writer) (configuration, error) {
	c, problems := readEnviron(environ, stderr)
	if len(problems) > 0 {
		return c, problemError(problems, c.env)
	}
	if len(c.vendors) == 0 {
		return c, nothingConfigured(c.env)
	}
	c.warn()
	return c, nil
}

// readEnviron is the configuration with what is wrong with it; with problems it
// has no connections.
func readEnviron(environ []string, stderr io.Writer) (configuration, []rest.Problem) {
	c := configuration{env: all.NewEnviron(environ)}
	problems := c.env.Load("", &c.settings)
	problems = append(problems, c.settings.problems()...)
	c.log = newLogger(c.settings, &c.env.Secrets, stderr)
	problems = append(problems, c.openRedis()...)
	open, more := all.Open(c.env, all.Options{Log: c.log, Redis: c.redis})
	c.vendors = open
	return c, append(problems, more...)
}

// openRedis makes the client that KB_MCP_REDIS_URL asks for; it connects when it
// is first needed, and its connections end with the process.
func (c *configuration) openRedis() []rest.Problem {
	if c.RedisURL == "" {
		return nil
	}
	if u, err := url.Parse(c.RedisURL); err == nil {
		if password, ok := u.User.Password(); ok {
			c.env.Secrets.Add(password, u.User.String())
		}
	}
	roots, _ := all.Roots(c.env) // its problems are the transport's, too
	var err error
	if c.redis, err = ratelimit.OpenRedis(c.RedisURL, roots, c.log); err != nil {
		return []rest.Problem{{Variable: "KB_MCP_REDIS_URL", Text: err.Error()}}
	}
	return nil
}

// warn logs what is odd but stops nothing: among it, variables of our own
// prefix that nobody reads, because most are misspelt.
func (c configuration) warn() {
	for _, name := range c.env.Unexpanded {
		c.log.Warn("this variable was not expanded by the program that started kb-mcp, and counts as unset", "variable", name)
	}
	for _, name := range c.env.Idle {
		c.log.Warn("this variable has no effect, because its platform has no credentials", "variable", name)
	}
	known := all.Variables(&c.settings)
	for _, name := range c.env.Names("KB_MCP_") {
		if !slices.Contains(known, name) {
			c.log.Warn("this variable is not one that kb-mcp reads", "variable", name)
		}
	}
}

// writes reports whether the write tools exist.
func (s settings) writes() bool {
	yes, err := strconv.ParseBool(s.AllowWrites)
	return err == nil && yes // judged in problems
}

// problemError is one message with all problems.
func problemError(problems []rest.Problem, env *all.Environ) error {
	var b strings.Builder
	b.WriteString("the configuration has problems:")
	for _, p := range problems {
		fmt.Fprintf(&b, "\n  - %s %s", p.Variable, p.Text)
	}
	for _, name := range env.Unexpanded {
		fmt.Fprintf(&b, "\n  - %s was not expanded by the program that started kb-mcp, and counts as unset", name)
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
		fmt.Fprintf(&b, "\n%s was not expanded by the program that started kb-mcp, and counts as unset.", name)
	}
	return errors.New(b.String())
}

// httpOptions are the settings of the HTTP endpoint; addr overrides.
func (c configuration) httpOptions(addr string) server.HTTPOptions {
	if addr == "" {
		addr = c.Addr
	}
	return server.HTTPOptions{
		Addr: addr, Tokens: commaList(c.AuthTokens), BasePath: c.BasePath,
		AllowedOrigins: commaList(c.AllowedOrigins), AllowedHosts: commaList(c.AllowedHosts),
	}
}

package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"

	"kb-mcp/ratelimit/shared"
	"kb-mcp/server"
	"kb-mcp/vendors/all"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/rest"
)

// settings are the server's own variables.
type settings struct {
	Vendors        string `env:"KB_MCP_VENDORS"`
	AllowWrites    string `env:"KB_MCP_ALLOW_WRITES, default=false"`
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

// configuration is everything read from the environment at start.
type configuration struct {
	settings
	env     *all.Environ
	log     *slog.Logger
	redis   *shared.Redis // nil: rate limits are not shared
	vendors []*connection.Connection
}

// judge adds what a command finds wrong with the settings.
type judge func(settings) []rest.Problem

// configure reads and judges the whole environment: one error lists every
// problem, by variable and never by value.
func configure(environ []string, stderr io.Writer, more ...judge) (configuration, error) {
	c, problems := readEnviron(environ, stderr, more...)
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
func readEnviron(environ []string, stderr io.Writer, more ...judge) (configuration, []rest.Problem) {
	c := configuration{env: all.NewEnviron(environ)}
	problems := c.env.Load("", &c.settings)
	for _, judge := range append([]judge{settings.problems}, more...) {
		problems = append(problems, judge(c.settings)...)
	}
	problems = append(problems, misspelt(c.env)...)
	c.log = newLogger(c.settings, &c.env.Secrets, stderr)
	problems = append(problems, c.openRedis()...)
	most, _ := bytesOf(c.MaxDownload) // judged in problems
	open, others := all.Open(c.env, all.Options{Log: c.log, Redis: c.redis, Version: version, MaxDownload: most})
	c.vendors = open
	return c, append(problems, others...)
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
	if c.redis, err = shared.Open(c.RedisURL, roots, c.log); err != nil {
		return []rest.Problem{{Variable: "KB_MCP_REDIS_URL", Text: err.Error()}}
	}
	return nil
}

// warn logs what is odd but stops nothing.
func (c configuration) warn() {
	for _, name := range c.env.Unexpanded {
		c.log.Warn("this variable was not expanded by the program that started kb-mcp, and counts as unset", "variable", name)
	}
	for _, name := range c.env.Idle {
		c.log.Warn("this variable has no effect, because its platform has no credentials", "variable", name)
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

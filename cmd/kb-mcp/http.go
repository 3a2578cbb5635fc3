package main

import (
	"cmp"
	"context"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"kb-mcp/cmd/kb-mcp/internal/settings"
	"kb-mcp/server"
	"kb-mcp/vendors/rest"
)

// httpCmd is "kb-mcp http".
type httpCmd struct {
	*app
	Addr string
	Demo bool
}

func (c *httpCmd) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "http", Short: "Serve MCP over streamable HTTP and SSE.", Args: cobra.NoArgs,
		Long: `Serves MCP over HTTP: streamable HTTP at /mcp, SSE for older clients at /sse, health at /healthz and
/readyz. Beyond this machine it listens only with KB_MCP_AUTH_TOKENS set. Behind a load balancer, /mcp
needs no sticky sessions; /sse does.`,
		Example: `  kb-mcp http --demo
  kb-mcp http --addr 127.0.0.1:0
  KB_MCP_AUTH_TOKENS=$(openssl rand -hex 32) KB_MCP_ALLOWED_HOSTS=kb.example.com kb-mcp http --addr 0.0.0.0:8080`,
		Run: c.does(c.run),
	}
	cmd.Flags().StringVar(&c.Addr, "addr", "", "Listen at `HOST:PORT` (default: KB_MCP_ADDR, else 127.0.0.1:8080). Port 0 picks a free one.")
	cmd.Flags().BoolVar(&c.Demo, "demo", false, "Serve made-up documents of all four platforms; needs no account.")
	return cmd
}

// run serves until a signal comes.
func (c *httpCmd) run(ctx context.Context) error {
	conf, err := c.open(ctx, c.Demo, c.logs, c.problems)
	if err != nil {
		return err
	}
	o := c.options(conf.Settings)
	if !conf.Log.Enabled(ctx, slog.LevelInfo) { // scripts read the address whatever the level
		always := conf.Settings
		always.LogLevel = "info"
		o.Listening = func(addr net.Addr) {
			settings.NewLogger(always, &conf.Env.Secrets, c.logs).Info("listening", "addr", addr.String(), "url", server.EndpointURL(addr))
		}
	}
	return newServer(conf).HTTP(ctx, o)
}

// problems judges where to listen, and for whom.
func (c *httpCmd) problems(s settings.Settings) []rest.Problem {
	variable, addr := "KB_MCP_ADDR", s.Addr
	if c.Addr != "" {
		variable, addr = "--addr", c.Addr
		if text := settings.AddrProblem(addr); text != "" {
			return []rest.Problem{{Variable: variable, Text: text}}
		}
	}
	if settings.AddrProblem(addr) != "" { // among those of the settings
		return nil
	}
	if err := server.CheckAddr(addr, settings.List(s.AuthTokens)); err != nil {
		return []rest.Problem{{Variable: variable, Text: err.Error()}}
	}
	return nil
}

// options are the settings of the HTTP endpoint.
func (c *httpCmd) options(s settings.Settings) server.HTTPOptions {
	return server.HTTPOptions{
		Addr: cmp.Or(c.Addr, s.Addr), Tokens: settings.List(s.AuthTokens), BasePath: s.BasePath,
		AllowedOrigins: settings.List(s.AllowedOrigins), AllowedHosts: settings.List(s.AllowedHosts),
	}
}

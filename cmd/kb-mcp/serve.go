package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kb-mcp/server"
	"kb-mcp/tools"
	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
)

// stdioCmd is "kb-mcp stdio", and "kb-mcp" alone.
type stdioCmd struct{ Demo bool }

func (c *stdioCmd) command(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "stdio", Short: "Serve MCP on stdin and stdout (the default).", Args: cobra.NoArgs,
		Example: `  DIFY_API_KEY=dataset-YOUR-KEY kb-mcp
  kb-mcp --demo
  claude mcp add kb -- kb-mcp --demo`,
		Run: a.does(c.run),
	}
	cmd.Flags().BoolVar(&c.Demo, "demo", false, "Serve made-up documents of all four platforms; needs no account.")
	return cmd
}

// run serves until stdin ends or a signal comes.
func (c *stdioCmd) run(a *app) error {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	conf, err := a.configure(ctx, c.Demo)
	if err != nil {
		return a.refuseStdio(ctx, err)
	}
	if a.atTerminal() {
		fmt.Fprintln(a.logs, `kb-mcp: waiting for an MCP client on standard input. "kb-mcp --help" shows what else there is; Ctrl-C ends it.`)
	}
	return conf.server().Stdio(ctx, a.stdin, a.stdout)
}

// refuseStdio tells the client why nothing is served, because hosts show their
// user what the client hears and not what stderr holds.
func (a *app) refuseStdio(ctx context.Context, err error) error {
	if a.atTerminal() {
		return err
	}
	fmt.Fprintln(a.logs, "kb-mcp:", err)
	server.RefuseStdio(ctx, a.stdin, a.stdout, err.Error())
	return reported{err}
}

// atTerminal reports whether a person and no client is at standard input.
func (a *app) atTerminal() bool {
	f, ok := a.stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// httpCmd is "kb-mcp http".
type httpCmd struct {
	Addr string
	Demo bool
}

func (c *httpCmd) command(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "http", Short: "Serve MCP over streamable HTTP and SSE.", Args: cobra.NoArgs,
		Long: `Serves MCP over HTTP: streamable HTTP at /mcp, SSE for older clients at /sse, health at /healthz and
/readyz. Beyond this machine it listens only with KB_MCP_AUTH_TOKENS set. Behind a load balancer, /mcp
needs no sticky sessions; /sse does.`,
		Example: `  kb-mcp http --demo
  kb-mcp http --addr 127.0.0.1:0
  KB_MCP_AUTH_TOKENS=$(openssl rand -hex 32) KB_MCP_ALLOWED_HOSTS=kb.example.com kb-mcp http --addr 0.0.0.0:8080`,
		Run: a.does(c.run),
	}
	cmd.Flags().StringVar(&c.Addr, "addr", "", "Listen at `HOST:PORT` (default: KB_MCP_ADDR, else 127.0.0.1:8080). Port 0 picks a free one.")
	cmd.Flags().BoolVar(&c.Demo, "demo", false, "Serve made-up documents of all four platforms; needs no account.")
	return cmd
}

// run serves until a signal comes.
func (c *httpCmd) run(a *app) error {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	conf, err := a.configure(ctx, c.Demo, c.problems)
	if err != nil {
		return err
	}
	o := conf.httpOptions(c.Addr)
	if !conf.log.Enabled(ctx, slog.LevelInfo) { // scripts read the address whatever the level
		always := conf.settings
		always.LogLevel = "info"
		o.Listening = func(addr net.Addr) {
			newLogger(always, &conf.env.Secrets, a.logs).Info("listening", "addr", addr.String(), "url", server.EndpointURL(addr))
		}
	}
	return conf.server().HTTP(ctx, o)
}

// problems judges where to listen, and for whom.
func (c *httpCmd) problems(s settings) []rest.Problem {
	variable, addr := "KB_MCP_ADDR", s.Addr
	if c.Addr != "" {
		variable, addr = "--addr", c.Addr
		if text := addrProblem(addr); text != "" {
			return []rest.Problem{{Variable: variable, Text: text}}
		}
	}
	if addrProblem(addr) != "" { // among those of the settings
		return nil
	}
	if err := server.CheckAddr(addr, commaList(s.AuthTokens)); err != nil {
		return []rest.Problem{{Variable: variable, Text: err.Error()}}
	}
	return nil
}

// configure reads the environment, or starts a sandbox that ends with ctx and
// connects to it by the same road. From then on what libraries write to the
// standard log goes through ours, too: net/http writes there what a platform
// sends unasked, which may be a credential.
func (a *app) configure(ctx context.Context, demo bool, more ...judge) (configuration, error) {
	environ := a.environ
	if demo {
		sb, err := sandbox.Start(ctx, "127.0.0.1:0", sandbox.Options{})
		if err != nil {
			return configuration{}, err
		}
		environ = append(ownVariables(a.environ), sb.Environ()...)
	}
	conf, err := configure(environ, a.logs, more...)
	if err == nil {
		slog.SetDefault(conf.log)
	}
	return conf, err
}

// ownVariables keeps the server's settings and drops every platform's: a demo
// never touches a real account.
func ownVariables(environ []string) []string {
	var own []string
	for _, pair := range environ {
		if strings.HasPrefix(pair, "KB_MCP_") && !strings.HasPrefix(pair, "KB_MCP_VENDORS=") {
			own = append(own, pair)
		}
	}
	return own
}

// tools makes the tools over the connections.
func (c configuration) tools() *tools.Set {
	most, _ := bytesOf(c.MaxDownload) // judged in problems
	return tools.New(c.vendors, tools.Options{
		Clean: c.env.Secrets.Clean, Log: c.log, AllowWrites: c.writes(), Roots: c.roots(), MaxDownload: most,
	})
}

func (c configuration) server() *server.Server {
	set := c.tools()
	return server.New(server.Options{
		Name: "kb-mcp", Version: version, Tools: set.ServerTools(), Unknown: set.Unknown, Log: c.log,
		Identify: func(ctx context.Context, party, session string) context.Context {
			return vendors.WithCaller(ctx, vendors.Caller{Party: party, Session: session})
		},
	})
}

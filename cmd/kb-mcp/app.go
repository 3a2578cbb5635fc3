package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"kb-mcp/cmd/kb-mcp/internal/settings"
	"kb-mcp/server"
	"kb-mcp/tools/prompts"
	"kb-mcp/vendors"
	"kb-mcp/vendors/sandbox"
)

// app holds the inputs and outputs of a command, and its error.
type app struct {
	ctx            context.Context
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer
	logs           io.Writer // where log lines go: stderr, without waiting for it
	failed         error     // of the command that ran
}

const description = `An MCP server through which AI agents see the documents of knowledge bases on Coze, Dify, RAGFlow and Volcengine.

Settings come from environment variables: see the README.`

const examples = `  kb-mcp demo                            look at it without any account
  kb-mcp --demo                          serve the sandbox to an agent over stdio
  DIFY_API_KEY=dataset-YOUR-KEY kb-mcp   serve a Dify workspace over stdio
  kb-mcp http --demo                     serve over HTTP at 127.0.0.1:8080
  kb-mcp call --demo list_vendors        one tool call from the shell
  kb-mcp doctor                          what is wrong with the settings?`

// command returns the command line: stdio, which is the default, and all the
// other commands.
func (a *app) command() *cobra.Command {
	root := (&stdioCmd{app: a}).command()
	root.Use, root.Short, root.Long, root.Example = "kb-mcp", "", description, examples
	root.Args = nil // cobra's own check reports an unknown command
	root.AddCommand(
		(&stdioCmd{app: a}).command(), (&httpCmd{app: a}).command(), a.demoCommand(), (&sandboxCmd{app: a}).command(),
		(&doctorCmd{app: a}).command(), (&watchCmd{app: a}).command(), a.toolsCommand(), (&callCmd{app: a}).command(),
		a.versionCommand(), a.completionCommand(),
	)
	a.versionFlag(root)
	root.SilenceErrors, root.SilenceUsage, root.DisableSuggestions = true, true, true // run makes it one line
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	return root
}

// does wraps the work of a command. Its errors are kept apart from those that
// cobra reports about the command line.
func (a *app) does(work func(context.Context) error) func(*cobra.Command, []string) {
	return func(*cobra.Command, []string) {
		ctx, cancel := context.WithCancel(a.ctx)
		defer cancel()
		a.failed = work(ctx)
	}
}

// run is the program: main without the process.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	logs := settings.NewLogWriter(stderr)
	defer logs.Close()
	a := &app{ctx: ctx, environ: environ, stdin: stdin, stdout: stdout, stderr: stderr, logs: logs}
	root := a.command()
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		return fmt.Errorf("%w%s (kb-mcp --help shows how)", err, suggestion(root, args))
	}
	return a.failed
}

// open reads the environment, or starts a sandbox and connects to it. From then
// on the standard log goes through ours: net/http logs there what a platform
// sends unrequested, which may be a credential.
func (a *app) open(ctx context.Context, demo bool, logs io.Writer, more ...settings.Judge) (settings.Config, error) {
	environ, err := a.environment(ctx, demo)
	if err != nil {
		return settings.Config{}, err
	}
	conf, err := settings.Open(environ, logs, version, more...)
	if err == nil {
		slog.SetDefault(conf.Log)
	}
	return conf, err
}

// environment returns the process's environment, or for a demo that of a
// sandbox which ends with ctx: the connections are made in the same way.
func (a *app) environment(ctx context.Context, demo bool) ([]string, error) {
	if !demo {
		return a.environ, nil
	}
	sb, err := sandbox.Start(ctx, "127.0.0.1:0", sandbox.Options{})
	if err != nil {
		return nil, err
	}
	return append(ownVariables(a.environ), sb.Environ()...), nil
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

// wantedLogs returns where a command logs if a log would disturb its own
// output: nowhere, unless KB_MCP_LOG_LEVEL is set.
func (a *app) wantedLogs() io.Writer {
	for _, pair := range a.environ {
		if value, ok := strings.CutPrefix(pair, "KB_MCP_LOG_LEVEL="); ok && value != "" {
			return a.logs
		}
	}
	return io.Discard
}

// newServer serves the tools.
func newServer(c settings.Config) *server.Server {
	set := c.Tools()
	ready := prompts.New(c.Connections, set.Names())
	return server.New(server.Options{
		Name: "kb-mcp", Version: version, Connections: set.Connections(), Tools: set.ServerTools(),
		Prompts: ready.ServerPrompts(), Complete: ready, Unknown: set.Unknown, Log: c.Log,
		Identify: func(ctx context.Context, party, session string) context.Context {
			return vendors.WithCaller(ctx, vendors.Caller{Party: party, Session: session})
		},
	})
}

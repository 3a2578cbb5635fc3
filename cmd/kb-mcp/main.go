// Command kb-mcp lets AI agents see the documents of knowledge bases on Coze,
// Dify, RAGFlow and Volcengine, as an MCP server over stdio or HTTP.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/redis/go-redis/v9"
)

func main() {
	collectLess()
	redis.SetLogger(mute{})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, errReported) {
		fmt.Fprintln(os.Stderr, "kb-mcp:", err)
	}
	if err != nil {
		os.Exit(exitCode(err))
	}
}

// mute drops what the Redis client would write to stderr, in a form of its
// own: what matters of it is logged where Redis is used.
type mute struct{}

// Printf implements the client's logger.
func (mute) Printf(context.Context, string, ...any) {}

// collectLess lets the garbage collector run less often than Go's default, which
// suits programs that hold more: kb-mcp holds a few megabytes and makes 150 kB
// in a call, so that collecting was a quarter of its processor time, and 3 of
// the 18 ms from its start to its first answer. The limit is a soft one and keeps
// the process under 60 MB with 64 callers; what is really needed beyond it (64
// answers of several megabytes at once) it only makes slower. GOGC and
// GOMEMLIMIT win.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(40 << 20)
	}
}

// errReported is a failure that was already shown to the user.
var errReported = errors.New("reported")

// exitError is a reported failure with an exit code of its own.
type exitError struct{ code int }

func (e exitError) Error() string        { return fmt.Sprintf("exit code %d", e.code) }
func (e exitError) Is(target error) bool { return target == errReported }

// exitCode is what a failure ends the process with.
func exitCode(err error) int {
	var e exitError
	if errors.As(err, &e) {
		return e.code
	}
	return 1
}

// app is the world of a command: nothing else is read or written.
type app struct {
	ctx            context.Context
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// commands is the command table.
type commands struct {
	Stdio   stdioCmd   `cmd:"" default:"withargs" help:"Serve MCP on stdin and stdout (the default)."`
	HTTP    httpCmd    `cmd:"" name:"http" help:"Serve MCP over streamable HTTP and SSE."`
	Demo    demoCmd    `cmd:"" help:"A guided tour on made-up data, under 15 seconds, no account needed."`
	Sandbox sandboxCmd `cmd:"" help:"Serve the four platforms' APIs with made-up data on this machine."`
	Doctor  doctorCmd  `cmd:"" help:"Check settings, network, credentials and versions, and say what to fix."`
	Watch   watchCmd   `cmd:"" help:"Watch documents until they are ingested."`
	Tools   toolsCmd   `cmd:"" help:"Print the tool list as JSON."`
	Call    callCmd    `cmd:"" help:"Call one tool from the shell."`
	Version versionCmd `cmd:"" help:"Print version, commit and Go version."`
}

const description = `An MCP server through which AI agents see the documents of knowledge bases on Coze, Dify, RAGFlow and Volcengine.

Settings come from environment variables: see the README. Examples:

  kb-mcp demo                         look at it without any account
  kb-mcp --demo                       serve the sandbox to an agent over stdio
  DIFY_API_KEY=dataset-... kb-mcp     serve a Dify workspace over stdio
  kb-mcp http --addr 127.0.0.1:8080   serve over HTTP
  kb-mcp call list_vendors '{}'       one tool call from the shell
  kb-mcp doctor                       what is wrong with the settings?`

// run is the program: main without the process.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	left := false // --help was asked for and answered
	parser, err := kong.New(&commands{}, kong.Name("kb-mcp"), kong.Description(description),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { left = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		return err
	}
	cmd, err := parser.Parse(args)
	if left {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (kb-mcp --help shows how)", err)
	}
	return cmd.Run(&app{ctx: ctx, environ: environ, stdin: stdin, stdout: stdout, stderr: stderr})
}

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

	"github.com/spf13/cobra"
)

func main() {
	collectLess()
	signal.Ignore(syscall.SIGPIPE) // a client that closes our stderr goes on being served
	ctx, stop := signal.NotifyContext(context.Background(), endSignals()...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, errReported) {
		last := newLogWriter(os.Stderr) // which nobody may read
		fmt.Fprintln(last, "kb-mcp:", err)
		last.close()
	}
	if err != nil {
		os.Exit(exitCode(err))
	}
}

// endSignals end the process in order. The end of a terminal is one, unless
// the process was started to outlive it (nohup).
func endSignals() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

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

// reported is a failure with its text, which the user has seen.
type reported struct{ error }

func (reported) Is(target error) bool { return target == errReported }

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

// app is the world of a command, beside which nothing is read or written, and
// how it went there.
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

// command is the whole command line: stdio, which is the default, and beside it
// all the others.
func (a *app) command() *cobra.Command {
	root := new(stdioCmd).command(a)
	root.Use, root.Short, root.Long, root.Example = "kb-mcp", "", description, examples
	root.Args = nil // cobra's own check tells of an unknown command
	root.AddCommand(
		new(stdioCmd).command(a), new(httpCmd).command(a), new(demoCmd).command(a), new(sandboxCmd).command(a), new(doctorCmd).command(a),
		new(watchCmd).command(a), new(toolsCmd).command(a), new(callCmd).command(a), new(versionCmd).command(a), new(completionCmd).command(a),
	)
	new(versionCmd).flag(a, root)
	root.SilenceErrors, root.SilenceUsage, root.DisableSuggestions = true, true, true // run makes it one line
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	return root
}

// does is the work of a command. What fails in it is not what cobra says of the
// command line.
func (a *app) does(work func(*app) error) func(*cobra.Command, []string) {
	return func(*cobra.Command, []string) { a.failed = work(a) }
}

// run is the program: main without the process.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	logs := newLogWriter(stderr)
	defer logs.close()
	a := &app{ctx: ctx, environ: environ, stdin: stdin, stdout: stdout, stderr: stderr, logs: logs}
	root := a.command()
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		return fmt.Errorf("%w%s (kb-mcp --help shows how)", err, suggestion(root, args))
	}
	return a.failed
}

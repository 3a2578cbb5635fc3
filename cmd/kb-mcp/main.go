// Command kb-mcp lets AI agents see the documents of knowledge bases on Coze,
// Dify, RAGFlow and Volcengine, as an MCP server over stdio or HTTP.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"kb-mcp/cmd/kb-mcp/internal/settings"
)

func main() {
	collectLess()
	signal.Ignore(syscall.SIGPIPE) // a client that closes our stderr is still served
	ctx, stop := signal.NotifyContext(context.Background(), endSignals()...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, errReported) {
		last := settings.NewLogWriter(os.Stderr) // does not wait for a reader
		fmt.Fprintln(last, "kb-mcp:", err)
		last.Close()
	}
	if err != nil {
		os.Exit(exitCode(err))
	}
}

// endSignals are the signals that end the process gracefully. SIGHUP is one,
// unless the process was started to ignore it (nohup).
func endSignals() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

// collectLess makes the garbage collector run less often than Go's default:
// kb-mcp holds a few megabytes and allocates 150 kB in a call. That is under 60
// MB with 64 callers. The soft limit keeps the process under 160 MB; it has to be
// above what 512 callers hold, because near a limit the collector runs all the
// time. GOGC and GOMEMLIMIT win.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(112 << 20)
	}
}

// errReported is a failure that was already shown to the user.
var errReported = errors.New("reported")

// reported is a failure with its text, which the user has seen.
type reported struct{ error }

// Is implements the interface of errors.Is.
func (reported) Is(target error) bool { return target == errReported }

// exitError is a reported failure with its own exit code.
type exitError struct{ code int }

// Error implements error.
func (e exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// Is implements the interface of errors.Is.
func (e exitError) Is(target error) bool { return target == errReported }

// exitCode returns the exit code for a failure.
func exitCode(err error) int {
	var e exitError
	if errors.As(err, &e) {
		return e.code
	}
	return 1
}

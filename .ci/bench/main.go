// Command bench measures kb-mcp: calls per second, latency, CPU per call, peak
// memory and vendor requests per answer, over each transport and for several
// numbers of callers, beside two references of the same run: the direct HTTP
// request to the platform, and a small server on plain mcp-go with the same
// tool. All of them request the first twenty documents of a knowledge base from
// the same sandbox.
//
//	go run ./.ci/bench
//
// Every server under test is a separate process, and so is the sandbox; this
// one is the callers. All contestants of a group run at the same time and work
// in turn, a short while each and several times, so that a slow moment of the
// machine falls on all of them. CPU and memory are those of the server's
// process alone, as the kernel counts them.
//
// The output is Markdown; -readme puts it between the two marks in the README.
// It needs Linux: /proc is where the figures come from.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// roleVendor as the first argument makes this binary the sandbox's process.
const roleVendor = "vendor"

// run plays a role or measures.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) > 1 && args[0] == roleVendor {
		return vendorRole(ctx, args[1:], stdin, stdout)
	}
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.self, err = os.Executable(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kb-mcp-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.reference, err = build(ctx, dir, "reference", "kb-mcp/.ci/bench/reference", stderr); err != nil {
		return err
	}
	if o.binary == "" {
		if o.binary, err = build(ctx, dir, "kb-mcp", "kb-mcp/cmd/kb-mcp", stderr); err != nil {
			return err
		}
	}
	var report bytes.Buffer
	if err := measure(ctx, o, io.MultiWriter(stdout, &report)); err != nil || o.readme == "" {
		return err
	}
	return replace(o.readme, report.String())
}

// reportBegin and reportEnd are the marks around a report in the README.
const reportBegin, reportEnd = "<!-- bench -->\n", "<!-- /bench -->\n"

// replace puts a report into a file, in the place of the one before.
func replace(path, report string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(b), reportBegin)
	_, after, closed := strings.Cut(rest, reportEnd)
	if !found || !closed {
		return fmt.Errorf("%s has no %q and %q", path, reportBegin, reportEnd)
	}
	return os.WriteFile(path, []byte(before+reportBegin+report+reportEnd+after), 0o644)
}

// options are the flags, and where the two programs are.
type options struct {
	binary, reference, self string
	duration                time.Duration
	callers                 []int
	transports              []string
	only, readme            string
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.binary, "binary", "", "the kb-mcp to measure; empty builds it")
	flags.DurationVar(&o.duration, "duration", 3*time.Second, "how long each contestant works, in all")
	flags.StringVar(&o.only, "only", "", "measure one part: load, start, latency, isolation or crowd; empty is all of them")
	flags.StringVar(&o.readme, "readme", "", "a file in which the report replaces the one before")
	callers := flags.String("callers", "1,16,64", "numbers of callers at once, at most "+strconv.Itoa(knowledgeBases))
	transports := flags.String("transports", "stdio,http,sse", "transports")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for word := range strings.SplitSeq(*callers, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > knowledgeBases {
			return o, fmt.Errorf("-callers: %q is not a number from 1 to %d", word, knowledgeBases)
		}
		o.callers = append(o.callers, n)
	}
	o.transports = strings.Split(*transports, ",")
	return o, nil
}

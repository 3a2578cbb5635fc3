package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/tally"
	"kb-mcp/vendors/visible"
)

// watchCmd is "kb-mcp watch".
type watchCmd struct {
	Vendor, KB string
	Document   []string
	Timeout    time.Duration
	JSON, Demo bool
}

// Exit codes beside 0 (everything completed) and 1 (something did not).
const (
	exitTimedOut    = 124 // as timeout(1)
	exitInterrupted = 130 // as a shell
)

func (c *watchCmd) command(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "watch --kb ID", Short: "Watch documents until they are ingested.", Args: cobra.NoArgs,
		Long: `Shows live bars in a terminal and a line per change elsewhere, until every document has settled.
A document that waits for a person (not_started, paused) has settled, but is not completed.

Exits with 0 when everything is completed, 1 when something is not or could not be read, 124 when
the time ran out, 130 when it was interrupted.`,
		Example: `  kb-mcp watch --demo --vendor dify --kb 426b81d0-3121-45a3-aeba-2340453846f5 --timeout 30s
  kb-mcp watch --vendor coze --kb 7446312476208142546 --document 7450000000000000001
  kb-mcp watch --vendor ragflow --kb ... --json --timeout 1h | jq -c 'select(.status == "failed")'`,
		PreRunE: func(*cobra.Command, []string) error { return c.check() },
		Run:     a.does(c.run),
	}
	flags := cmd.Flags()
	flags.StringVar(&c.Vendor, "vendor", "", "`NAME` of the connection; may be left out when there is one.")
	flags.StringVar(&c.KB, "kb", "", "`ID` of the knowledge base.")
	flags.StringArrayVar(&c.Document, "document", nil, "`ID` of a document; may be repeated. Without, everything in the knowledge base that is not settled.")
	flags.DurationVar(&c.Timeout, "timeout", 10*time.Minute, "How long to watch.")
	flags.BoolVar(&c.JSON, "json", false, "Print a JSON line for every change, and one with the summary.")
	flags.BoolVar(&c.Demo, "demo", false, "Watch the sandbox with made-up documents; needs no account.")
	return cmd
}

// check judges the flags.
func (c *watchCmd) check() error {
	if c.KB == "" {
		return errors.New("--kb is required: the ID of the knowledge base")
	}
	if c.Timeout <= 0 {
		return errors.New("--timeout must be above 0, such as 90s or 10m")
	}
	return nil
}

// run watches.
func (c *watchCmd) run(a *app) error {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	quiet := *a
	if !a.sets("KB_MCP_LOG_LEVEL") { // a log would run through the bars
		quiet.logs = io.Discard
	}
	conf, err := quiet.configure(ctx, c.Demo)
	if err != nil {
		return err
	}
	v, err := conf.vendor(c.Vendor)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, c.Timeout)
	defer stop()
	w := newWatcher(v, c.KB, c.Document, c.display(a.stdout))
	err = w.watch(ctx)
	w.display.close()
	switch {
	case a.ctx.Err() != nil:
		return exitError{exitInterrupted}
	case err != nil && ctx.Err() == nil:
		return c.unread(a, err)
	}
	return c.result(a, w, err != nil)
}

// vendor finds a connection.
func (c configuration) vendor(name string) (*connection.Connection, error) {
	if name == "" && len(c.vendors) == 1 {
		return c.vendors[0], nil
	}
	var names []string
	for _, v := range c.vendors {
		if v.Name() == name {
			return v, nil
		}
		names = append(names, v.Name())
	}
	return nil, fmt.Errorf("--vendor must be one of %s", strings.Join(names, ", "))
}

func (c *watchCmd) display(w io.Writer) display {
	if c.JSON {
		return &jsonLines{w: w, last: map[string]string{}}
	}
	return newDisplay(w)
}

// unread reports a failed look.
func (c *watchCmd) unread(a *app, err error) error {
	r := vendors.ReportOf(err)
	if !c.JSON {
		return errors.New(visible.Line(r.Message + " " + r.Hint))
	}
	text, jerr := json.Marshal(map[string]vendors.ErrorReport{"error": r})
	if jerr != nil {
		return jerr
	}
	fmt.Fprintln(a.stderr, string(text))
	return errReported
}

// result prints the summary and gives the exit code.
func (c *watchCmd) result(a *app, w *watcher, timedOut bool) error {
	s := w.summary()
	advice := advise(s, timedOut)
	if c.JSON {
		last := struct {
			Summary  tally.Summary `json:"summary"`
			TimedOut bool          `json:"timed_out,omitempty"`
			Hint     string        `json:"hint,omitempty"`
		}{s, timedOut, strings.Join(advice, " ")}
		if err := json.NewEncoder(a.stdout).Encode(last); err != nil {
			return err
		}
	} else {
		if isTerminal(a.stdout) { // the bars had no room for reasons
			w.explain(a.stdout)
		}
		fmt.Fprintln(a.stdout, strings.Join(append([]string{count(s)}, advice...), "\n"))
	}
	switch {
	case timedOut:
		return exitError{exitTimedOut}
	case s.ByStatus[vendors.Completed] < s.Total:
		return errReported
	}
	return nil
}

// count tells a summary in a line.
func count(s tally.Summary) string {
	if s.Total == 0 {
		return "No documents."
	}
	var parts []string
	for _, status := range vendors.Statuses() {
		if n := s.ByStatus[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	return fmt.Sprintf("%d documents: %s.", s.Total, strings.Join(parts, ", "))
}

// advise says what to do about what is not completed.
func advise(s tally.Summary, timedOut bool) (list []string) {
	for _, a := range []struct {
		n    int
		text string
	}{
		{s.ByStatus[vendors.NotStarted], "Start the ingestion of what is not_started: in the platform's console, or with the tool start_ingestion."},
		{s.ByStatus[vendors.Paused], "Resume what is paused in the platform's console."},
		{s.ByStatus[vendors.Failed], "Look at the reasons of what failed, then start it again, or upload it again."},
		{s.ByStatus[vendors.NotFound], "Check the ids of what was not_found: kb-mcp call list_documents shows them."},
	} {
		if a.n > 0 {
			list = append(list, a.text)
		}
	}
	if timedOut {
		list = append(list, "The time ran out before everything had settled: watch again, or longer with --timeout.")
	}
	return list
}

// jsonLines writes a JSON line for every change.
type jsonLines struct {
	w    io.Writer
	last map[string]string
}

func (l *jsonLines) add(string, string) {}
func (l *jsonLines) close()             {}

func (l *jsonLines) show(p connection.Progress) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(p) == nil && b.String() != l.last[p.DocumentID] {
		l.last[p.DocumentID] = b.String()
		io.WriteString(l.w, b.String())
	}
}

// explain writes a line for each document that settled without completing.
func (w *watcher) explain(out io.Writer) {
	for _, id := range w.order {
		if p := w.known[id]; p.Status.Settled() && p.Status != vendors.Completed {
			fmt.Fprintf(out, "  %s: %s\n", label(p), words(p))
		}
	}
}

// label is how a document is named on the screen: short, and without what a
// terminal would obey.
func label(p connection.Progress) string {
	const most = 32 // characters
	name := visible.Line(cmp.Or(p.Name, p.DocumentID))
	if r := []rune(name); len(r) > most {
		name = string(slices.Concat(r[:most-1], []rune("…")))
	}
	return name
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kb-mcp/cmd/kb-mcp/internal/watch"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/visible"
)

// watchCmd is "kb-mcp watch".
type watchCmd struct {
	*app
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

func (c *watchCmd) command() *cobra.Command {
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
		Run:     c.does(c.run),
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
func (c *watchCmd) run(ctx context.Context) error {
	conf, err := c.open(ctx, c.Demo, c.wantedLogs()) // a log would run through the bars
	if err != nil {
		return err
	}
	v, err := c.connection(conf.Connections)
	if err != nil {
		return err
	}
	display := watch.NewDisplay(c.stdout)
	if c.JSON {
		display = watch.NewJSONLines(c.stdout)
	}
	ctx, stop := context.WithTimeout(ctx, c.Timeout)
	defer stop()
	w := watch.New(v, c.KB, c.Document, display)
	err = w.Watch(ctx)
	display.Close()
	switch {
	case c.ctx.Err() != nil:
		return exitError{exitInterrupted}
	case err != nil && ctx.Err() == nil:
		return c.unread(err)
	}
	return c.result(w.Result(err != nil))
}

// connection returns the connection that --vendor names.
func (c *watchCmd) connection(list []*connection.Connection) (*connection.Connection, error) {
	if c.Vendor == "" && len(list) == 1 {
		return list[0], nil
	}
	var names []string
	for _, v := range list {
		if v.Name() == c.Vendor {
			return v, nil
		}
		names = append(names, v.Name())
	}
	return nil, fmt.Errorf("--vendor must be one of %s", strings.Join(names, ", "))
}

// unread prints the error of a failed watch.
func (c *watchCmd) unread(err error) error {
	r := vendors.ReportOf(err)
	if !c.JSON {
		return errors.New(visible.Line(r.Message + " " + r.Hint))
	}
	text, jerr := json.Marshal(map[string]vendors.ErrorReport{"error": r})
	if jerr != nil {
		return jerr
	}
	fmt.Fprintln(c.stderr, string(text))
	return errReported
}

// result prints the summary and gives the exit code.
func (c *watchCmd) result(r watch.Result) error {
	if !c.JSON {
		r.WriteLines(c.stdout)
	} else if err := r.WriteJSON(c.stdout); err != nil {
		return err
	}
	switch {
	case r.TimedOut:
		return exitError{exitTimedOut}
	case !r.Completed():
		return errReported
	}
	return nil
}

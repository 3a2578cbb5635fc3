package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"kb-mcp/vendors"
	"kb-mcp/vendors/all"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/visible"
)

// doctorCmd is "kb-mcp doctor".
type doctorCmd struct{ JSON, Demo bool }

func (c *doctorCmd) command(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check settings, network, credentials and versions, and say what to fix.", Args: cobra.NoArgs,
		Long: `Checks the settings, the Redis that shares rate limits if one is set, and of each connection the
way to it (DNS, proxy, TLS), its answers, its credential, what it may read, the clock and the version:
one line per check, and what to do about each that is not ok. Takes at most 20 seconds, reads only, and
makes three or four requests per connection.
Exits with 1 when a check failed; a warning is no failure.`,
		Example: `  kb-mcp doctor --demo
  DIFY_API_KEY=dataset-YOUR-KEY kb-mcp doctor
  kb-mcp doctor --json | jq -r '.checks[] | select(.status != "ok") | .hint'`,
		Run: a.does(c.run),
	}
	cmd.Flags().BoolVar(&c.JSON, "json", false, "Print one JSON object instead of lines.")
	cmd.Flags().BoolVar(&c.Demo, "demo", false, "Check the sandbox with made-up documents; needs no account.")
	return cmd
}

// check is one line of the doctor's report; "" is the program, not a connection.
type check struct {
	Vendor string `json:"vendor,omitempty"`
	vendors.Finding
}

// run checks everything and prints the report.
func (c *doctorCmd) run(a *app) error {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	environ := a.environ
	if c.Demo {
		sb, err := sandbox.Start(ctx, "127.0.0.1:0", sandbox.Options{})
		if err != nil {
			return err
		}
		environ = append(ownVariables(a.environ), sb.Environ()...)
	}
	log := io.Discard
	if a.sets("KB_MCP_LOG_LEVEL") {
		log = a.stderr
	}
	conf, problems := readEnviron(environ, log)
	checks := conf.judged(problems)
	if len(problems) == 0 {
		checks = append(checks, examineRedis(ctx, conf.redis)...)
		checks = append(checks, examineAll(ctx, conf)...)
	}
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	ok := true
	for i := range checks {
		checks[i].Message = visible.Line(conf.env.Secrets.Clean(checks[i].Message))
		checks[i].Hint = visible.Line(conf.env.Secrets.Clean(checks[i].Hint))
		ok = ok && checks[i].Status != vendors.Broken
	}
	if err := report(a.stdout, checks, ok, c.JSON); err != nil {
		return err
	}
	if !ok {
		return errReported
	}
	return nil
}

// judged is the checks of the settings alone.
func (c configuration) judged(problems []rest.Problem) []check {
	var list []check
	add := func(status vendors.Health, message, hint string) {
		list = append(list, check{Finding: vendors.Finding{Check: "configuration", Status: status, Message: message, Hint: hint}})
	}
	for _, p := range problems {
		text := strings.TrimSpace(p.Variable + " " + p.Text)
		if !strings.HasSuffix(text, "?") {
			text += "."
		}
		add(vendors.Broken, text, "Correct it where kb-mcp gets its environment; the README lists every variable.")
	}
	if len(problems) == 0 && len(c.vendors) == 0 {
		hint := "Set the variables of at least one platform, or look at kb-mcp doctor --demo."
		for _, p := range all.Platforms() {
			hint += " " + p.Name + ": " + p.Needs + "."
		}
		add(vendors.Broken, "No knowledge base platform is configured.", hint)
	}
	if len(list) == 0 {
		names := make([]string, len(c.vendors))
		for i, v := range c.vendors {
			names[i] = v.Name()
		}
		add(vendors.Healthy, "Connections: "+strings.Join(names, ", ")+".", "")
	}
	c.log = slog.New(warnings{add})
	c.warn()
	return list
}

// warnings turns what would be logged at the start into checks.
type warnings struct {
	add func(status vendors.Health, message, hint string)
}

func (w warnings) Enabled(context.Context, slog.Level) bool { return true }
func (w warnings) WithAttrs([]slog.Attr) slog.Handler       { return w }
func (w warnings) WithGroup(string) slog.Handler            { return w }

func (w warnings) Handle(_ context.Context, r slog.Record) error {
	name := "a variable"
	r.Attrs(func(a slog.Attr) bool { name = a.Value.String(); return false })
	w.add(vendors.Doubtful, name+": "+r.Message+".", "Correct it or remove it where kb-mcp gets its environment.")
	return nil
}

// examineAll checks the connections at once, and reports them in their order.
func examineAll(ctx context.Context, conf configuration) []check {
	proxies := proxyAddresses(conf.env)
	found := make([][]vendors.Finding, len(conf.vendors))
	var wg sync.WaitGroup
	for i, v := range conf.vendors {
		wg.Go(func() { found[i] = examine(ctx, v, proxies) })
	}
	wg.Wait()
	var list []check
	for i, v := range conf.vendors {
		for _, f := range found[i] {
			list = append(list, check{v.Name(), f})
		}
	}
	return list
}

// report prints the checks.
func report(w io.Writer, checks []check, ok, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			OK     bool    `json:"ok"`
			Checks []check `json:"checks"`
		}{ok, checks})
	}
	words := map[vendors.Health]string{vendors.Healthy: "ok", vendors.Doubtful: "warning", vendors.Broken: "FAIL"}
	count := map[vendors.Health]int{}
	width := 0
	for _, c := range checks {
		count[c.Status]++
		width = max(width, len(c.Vendor))
	}
	for _, c := range checks {
		fmt.Fprintf(w, "%-7s  %-*s  %-13s  %s\n", words[c.Status], width, c.Vendor, c.Check, c.Message)
		if c.Hint != "" {
			fmt.Fprintf(w, "%*s%s\n", 9, "-> ", c.Hint)
		}
	}
	_, err := fmt.Fprintf(w, "%d ok, %d warnings, %d failed\n", count[vendors.Healthy], count[vendors.Doubtful], count[vendors.Broken])
	return err
}

package main

import (
	"context"

	"github.com/spf13/cobra"

	"kb-mcp/cmd/kb-mcp/internal/doctor"
	"kb-mcp/cmd/kb-mcp/internal/settings"
)

// doctorCmd is "kb-mcp doctor".
type doctorCmd struct {
	*app
	JSON, Demo bool
}

func (c *doctorCmd) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check settings, network, credentials and versions, and say what to fix.", Args: cobra.NoArgs,
		Long: `Checks the settings, the Redis that shares rate limits if one is set, and of each connection the
way to it (DNS, proxy, TLS), its answers, its credential, what it may read, the clock and the version:
one line per check, and what to do about each that is not ok. Takes at most 20 seconds, reads only, and
makes three or four requests per connection.
Exits with 1 when a check failed; a warning is not a failure.`,
		Example: `  kb-mcp doctor --demo
  DIFY_API_KEY=dataset-YOUR-KEY kb-mcp doctor
  kb-mcp doctor --json | jq -r '.checks[] | select(.status != "ok") | .hint'`,
		Run: c.does(c.run),
	}
	cmd.Flags().BoolVar(&c.JSON, "json", false, "Print one JSON object instead of lines.")
	cmd.Flags().BoolVar(&c.Demo, "demo", false, "Check the sandbox with made-up documents; needs no account.")
	return cmd
}

// run checks everything and prints the report.
func (c *doctorCmd) run(ctx context.Context) error {
	environ, err := c.environment(ctx, c.Demo)
	if err != nil {
		return err
	}
	conf, problems := settings.Read(environ, c.wantedLogs(), version)
	report := doctor.Examine(ctx, conf, problems)
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	write := report.WriteLines
	if c.JSON {
		write = report.WriteJSON
	}
	if err := write(c.stdout); err != nil {
		return err
	}
	if !report.OK {
		return errReported
	}
	return nil
}

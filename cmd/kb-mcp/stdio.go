package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kb-mcp/server"
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
	conf, err := a.open(ctx, c.Demo, a.logs)
	if err != nil {
		return a.refuseStdio(ctx, err)
	}
	if a.atTerminal() {
		fmt.Fprintln(a.logs, `kb-mcp: waiting for an MCP client on standard input. "kb-mcp --help" shows what else there is; Ctrl-C ends it.`)
	}
	return newServer(conf).Stdio(ctx, a.stdin, a.stdout)
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

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
type stdioCmd struct {
	*app
	Demo bool
}

func (c *stdioCmd) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "stdio", Short: "Serve MCP on stdin and stdout (the default).", Args: cobra.NoArgs,
		Example: `  DIFY_API_KEY=dataset-YOUR-KEY kb-mcp
  kb-mcp --demo
  claude mcp add kb -- kb-mcp --demo`,
		Run: c.does(c.run),
	}
	cmd.Flags().BoolVar(&c.Demo, "demo", false, "Serve made-up documents of all four platforms; needs no account.")
	return cmd
}

// run serves until stdin ends or a signal comes.
func (c *stdioCmd) run(ctx context.Context) error {
	conf, err := c.open(ctx, c.Demo, c.logs)
	if err != nil {
		return c.refuse(ctx, err)
	}
	if c.atTerminal() {
		fmt.Fprintln(c.logs, `kb-mcp: waiting for an MCP client on standard input. "kb-mcp --help" shows what else there is; Ctrl-C ends it.`)
	}
	return newServer(conf).Stdio(ctx, c.stdin, c.stdout)
}

// refuse tells the client why nothing is served, because hosts show their user
// the client's errors and not what stderr holds.
func (c *stdioCmd) refuse(ctx context.Context, err error) error {
	if c.atTerminal() {
		return err
	}
	fmt.Fprintln(c.logs, "kb-mcp:", err)
	server.RefuseStdio(ctx, c.stdin, c.stdout, err.Error())
	return reported{err}
}

// atTerminal reports whether standard input is a terminal.
func (c *stdioCmd) atTerminal() bool {
	f, ok := c.stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

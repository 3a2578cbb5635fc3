package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kb-mcp/tools"
)

// callCmd is "kb-mcp call".
type callCmd struct {
	*app
	Tool, Args string
	Demo       bool
}

func (c *callCmd) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "call TOOL [JSON | - | @FILE]", Short: "Call one tool from the shell.",
		Long: `Calls one tool from the shell: TOOL is a name that kb-mcp tools lists, JSON an object of its arguments;
- reads it from standard input, @FILE from a file.

Prints the result's JSON on stdout. When the call failed, prints the error's JSON on stderr and
exits with 1. There is no log unless KB_MCP_LOG_LEVEL is set.`,
		Example: `  kb-mcp call --demo list_knowledge_bases '{"vendor":"coze"}'
  kb-mcp call get_ingestion_progress '{"vendor":"dify","knowledge_base_id":"..."}'
  echo '{"vendor":"dify"}' | kb-mcp call --demo list_knowledge_bases -`,
		ValidArgsFunction: completeTools,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return errors.New("call takes the name of a tool and, in quotes, the JSON of its arguments")
			}
			if c.Tool, c.Args = args[0], "{}"; len(args) == 2 {
				c.Args = args[1]
			}
			return nil
		},
		Run: c.does(c.run),
	}
	cmd.Flags().BoolVar(&c.Demo, "demo", false, "Call the sandbox with made-up documents; needs no account.")
	return cmd
}

// run makes the call.
func (c *callCmd) run(ctx context.Context) error {
	conf, err := c.open(ctx, c.Demo, c.wantedLogs()) // stderr is for the error's JSON
	if err != nil {
		return err
	}
	args, err := c.arguments()
	if err != nil {
		return err
	}
	set := conf.Tools()
	answer, known := set.Call(ctx, c.Tool, args)
	switch {
	case !known:
		return errors.New(set.Unknown(c.Tool))
	case answer.Failed:
		fmt.Fprintln(c.stderr, string(answer.Text))
		return errReported
	}
	_, err = fmt.Fprintln(c.stdout, string(answer.Text))
	return err
}

// maxArgs bounds the arguments that are read, as the server bounds a message.
const maxArgs = 4 << 20

// arguments returns the given arguments, or reads them from stdin or a file.
func (c *callCmd) arguments() (json.RawMessage, error) {
	from := c.stdin
	path, file := strings.CutPrefix(c.Args, "@")
	switch {
	case file:
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	case c.Args != "-":
		return json.RawMessage(c.Args), nil
	}
	b, err := io.ReadAll(io.LimitReader(from, maxArgs+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxArgs:
		return nil, errors.New("the arguments are larger than 4 MiB")
	}
	return bytes.TrimPrefix(b, []byte("\uFEFF")), nil
}

// completeTools completes the name of a tool.
func completeTools(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return tools.New(nil, tools.Options{AllowWrites: true}).Names(), cobra.ShellCompDirectiveNoFileComp
}

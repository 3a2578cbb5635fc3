package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// callCmd is "kb-mcp call".
type callCmd struct {
	Tool, Args string
	Demo       bool
}

func (c *callCmd) command(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "call TOOL [JSON]", Short: "Call one tool from the shell.",
		Long: `Calls one tool from the shell: TOOL is a name that kb-mcp tools lists, JSON an object of its arguments.

Prints the result's JSON on stdout. When the call failed, prints the error's JSON on stderr and
exits with 1. There is no log unless KB_MCP_LOG_LEVEL is set.`,
		Example: `  kb-mcp call --demo list_knowledge_bases '{"vendor":"coze"}'
  kb-mcp call get_ingestion_progress '{"vendor":"dify","knowledge_base_id":"..."}'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return errors.New("call takes the name of a tool and, in quotes, the JSON of its arguments")
			}
			if c.Tool, c.Args = args[0], "{}"; len(args) == 2 {
				c.Args = args[1]
			}
			return nil
		},
		Run: a.does(c.run),
	}
	cmd.Flags().BoolVar(&c.Demo, "demo", false, "Call the sandbox with made-up documents; needs no account.")
	return cmd
}

// run makes the call.
func (c *callCmd) run(a *app) error {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	quiet := *a
	if !a.sets("KB_MCP_LOG_LEVEL") { // stderr is for the error's JSON
		quiet.logs = io.Discard
	}
	conf, err := quiet.configure(ctx, c.Demo)
	if err != nil {
		return err
	}
	set := conf.tools()
	answer, known := set.Call(ctx, c.Tool, json.RawMessage(c.Args))
	switch {
	case !known:
		return fmt.Errorf("there is no tool %q; tools are %s", c.Tool, strings.Join(set.Names(), ", "))
	case answer.Failed:
		fmt.Fprintln(a.stderr, string(answer.Text))
		return errReported
	}
	_, err = fmt.Fprintln(a.stdout, string(answer.Text))
	return err
}

// sets reports whether a variable is set to something.
func (a *app) sets(name string) bool {
	for _, pair := range a.environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok && value != "" {
			return true
		}
	}
	return false
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// callCmd is "kb-mcp call".
type callCmd struct {
	Tool string `arg:"" help:"The tool's name; kb-mcp tools lists them."`
	Args string `arg:"" optional:"" default:"{}" name:"json" help:"Its arguments, a JSON object."`
	Demo bool   `help:"Call the sandbox with made-up documents; needs no account."`
}

// Help is the long help of the command.
func (callCmd) Help() string {
	return `Prints the result's JSON on stdout. When the call failed, prints the error's JSON on stderr and
exits with 1. There is no log unless KB_MCP_LOG_LEVEL is set.

Examples:

  kb-mcp call --demo list_knowledge_bases '{"vendor":"coze"}'
  kb-mcp call get_ingestion_progress '{"vendor":"dify","knowledge_base_id":"..."}'`
}

// Run makes the call.
func (c callCmd) Run(a *app) error {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	quiet := *a
	if !a.sets("KB_MCP_LOG_LEVEL") { // stderr is for the error's JSON
		quiet.stderr = io.Discard
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

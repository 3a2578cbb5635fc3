package main

import (
	"encoding/json"
	"log/slog"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/tools"
)

// toolsCmd is "kb-mcp tools".
type toolsCmd struct{}

// Help is the long help of the command.
func (toolsCmd) Help() string {
	return `The list is what a client gets from tools/list: names, descriptions, schemas, annotations. It needs
no configuration and no network.

Example:

  kb-mcp tools | jq -r '.tools[].name'`
}

// Run prints the list.
func (toolsCmd) Run(a *app) error {
	set := tools.New(nil, func(s string) string { return s }, slog.New(slog.DiscardHandler))
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string][]mcp.Tool{"tools": set.Definitions()})
}

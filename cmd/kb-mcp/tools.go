package main

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/spf13/cobra"

	"kb-mcp/cmd/kb-mcp/internal/settings"
	"kb-mcp/tools"
	"kb-mcp/vendors/all"
)

// toolsCommand is "kb-mcp tools".
func (a *app) toolsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "tools", Short: "Print the tool list as JSON.", Args: cobra.NoArgs,
		Long: `Prints the list that a client gets from tools/list: names, descriptions, schemas, annotations. It needs
no configuration and no network. With KB_MCP_ALLOW_WRITES=true it has the write tools, too; KB_MCP_TOOLS and
KB_MCP_EXCLUDE_TOOLS narrow it.`,
		Example: "  kb-mcp tools | jq -r '.tools[].name'",
		Run:     a.does(a.listTools),
	}
}

// listTools prints the list as tools/list gives it, byte for byte.
func (a *app) listTools(context.Context) error {
	var s settings.Settings
	all.NewEnviron(a.environ).Load("", &s) // what is wrong with it matters when serving
	set := tools.New(nil, tools.Options{Log: slog.New(slog.DiscardHandler), AllowWrites: s.Writes(), Offered: s.Offers})
	return json.NewEncoder(a.stdout).Encode(mcp.ListToolsResult{Tools: set.Definitions()})
}

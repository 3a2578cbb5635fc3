package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kb-mcp/vendors/sandbox"
)

// sandboxCmd is "kb-mcp sandbox".
type sandboxCmd struct {
	*app
	Addr      string
	Documents int
	Speed     float64
	AllStates bool
}

func (c *sandboxCmd) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sandbox", Short: "Serve the four platforms' APIs with made-up data on this machine.", Args: cobra.NoArgs,
		Long: `Serves the four platforms' APIs with made-up data on this machine.

Prints the variables that point kb-mcp at it, then serves until interrupted. Lines that begin with
# are for other flavours: coze-studio, RAGFlow's Go server, its v0.24.0 and its first generation, and
Volcengine at the root of the host, for its own client libraries, which take no path.`,
		Example: `  kb-mcp sandbox > sandbox.env &
  (set -a; . ./sandbox.env; kb-mcp call list_documents '{"vendor":"dify","knowledge_base_id":"..."}')
  kb-mcp sandbox --documents 10000 --addr 127.0.0.1:9000`,
		PreRunE: func(*cobra.Command, []string) error { return c.check() },
		Run:     c.does(c.run),
	}
	cmd.Flags().StringVar(&c.Addr, "addr", "127.0.0.1:0", "Listen at `HOST:PORT`, on this machine only; port 0 picks a free one.")
	cmd.Flags().IntVar(&c.Documents, "documents", 0, "Size of an extra large knowledge base on every platform.")
	cmd.Flags().Float64Var(&c.Speed, "speed", 1, "How many times as fast documents are ingested.")
	cmd.Flags().BoolVar(&c.AllStates, "all-states", false, "Documents of hosted Coze in states that Coze's own libraries do not know, too.")
	return cmd
}

// check judges the flags.
func (c *sandboxCmd) check() error {
	if c.Documents < 0 || c.Documents > 1_000_000 {
		return fmt.Errorf("--documents must be from 0 to 1000000")
	}
	if c.Speed <= 0 {
		return fmt.Errorf("--speed must be above 0")
	}
	return nil
}

// run serves until a signal comes.
func (c *sandboxCmd) run(ctx context.Context) error {
	sb, err := sandbox.Start(ctx, c.Addr, sandbox.Options{Documents: c.Documents, Speed: c.Speed, PlainStates: !c.AllStates})
	if err != nil {
		return err
	}
	for _, pair := range sb.Environ() {
		fmt.Fprintln(c.stdout, pair)
	}
	for _, pair := range sandbox.Variables("http://"+sb.Addr(), sandbox.FaceCozeStudio,
		sandbox.FaceRAGFlowGo, sandbox.FaceRAGFlowOld, sandbox.FaceRAGFlowPreview) {
		fmt.Fprintln(c.stdout, "#", pair)
	}
	fmt.Fprintf(c.stdout, "# VOLCENGINE_BASE_URL=http://%s\n", sb.Addr())
	<-sb.Done()
	return nil
}

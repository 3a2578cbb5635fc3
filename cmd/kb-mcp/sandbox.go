package main

import (
	"fmt"

	"kb-mcp/vendors/sandbox"
)

// sandboxCmd is "kb-mcp sandbox".
type sandboxCmd struct {
	Addr      string  `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Where to listen, on this machine only; port 0 picks a free one."`
	Documents int     `default:"0" help:"Size of an extra large knowledge base on every platform."`
	Speed     float64 `default:"1" help:"How many times as fast documents are ingested."`
}

// Help is the long help of the command.
func (sandboxCmd) Help() string {
	return `Prints the variables that point kb-mcp at it, then serves until interrupted. Lines that begin with
# are for other flavours: coze-studio, and RAGFlow's first generation.

Examples:

  kb-mcp sandbox > sandbox.env &
  (set -a; . ./sandbox.env; kb-mcp call list_documents '{"vendor":"dify","knowledge_base_id":"..."}')
  kb-mcp sandbox --documents 10000 --addr 127.0.0.1:9000`
}

// Validate checks the flags.
func (c sandboxCmd) Validate() error {
	if c.Documents < 0 || c.Documents > 1_000_000 {
		return fmt.Errorf("--documents must be from 0 to 1000000")
	}
	if c.Speed <= 0 {
		return fmt.Errorf("--speed must be above 0")
	}
	return nil
}

// Run serves until a signal comes.
func (c sandboxCmd) Run(a *app) error {
	sb, err := sandbox.Start(a.ctx, c.Addr, sandbox.Options{Documents: c.Documents, Speed: c.Speed})
	if err != nil {
		return err
	}
	for _, pair := range sb.Environ() {
		fmt.Fprintln(a.stdout, pair)
	}
	for _, pair := range sandbox.Variables("http://"+sb.Addr(), sandbox.FaceCozeStudio, sandbox.FaceRAGFlowPreview) {
		fmt.Fprintln(a.stdout, "#", pair)
	}
	<-sb.Done()
	return nil
}

package confirm

import (
	"context"
	"crypto/sha256"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"kb-mcp/vendors"
)

// round is what a request says about questions. In 2026-07-28 a client does not
// get questions: it makes a call again with the answers to those in its result.
type round struct {
	modern  bool
	offers  bool // in this request
	answers mcp.InputResponses
	state   string
}

type roundKey struct{}

// WithRequest gives a call what its request says about questions.
func WithRequest(ctx context.Context, req mcp.CallToolRequest) context.Context {
	info := server.RequestProtocolInfoFromContext(ctx)
	if info == nil || !info.Modern {
		return ctx
	}
	r := round{modern: true, answers: req.Params.InputResponses, state: req.Params.RequestState}
	if c := info.ClientCapabilities; c != nil && c.Elicitation != nil {
		r.offers = c.Elicitation.Form != nil || c.Elicitation.URL == nil // without a mode, it is forms
	}
	return context.WithValue(ctx, roundKey{}, r)
}

func roundOf(ctx context.Context) round {
	r, _ := ctx.Value(roundKey{}).(round)
	return r
}

// boundTo is what a confirmation is good for: one caller's call.
func boundTo(ctx context.Context, args any) ([]byte, error) {
	c := vendors.CallerOf(ctx)
	text, err := json.Marshal([]any{c.Party, c.Session, c.Tool, args})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}

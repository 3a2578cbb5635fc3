package jsonrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// Outlet lets the results of tool calls go past mcp-go's encoder. A result is
// JSON already when mcp-go gets it, as structured content and as the same text;
// to send it, encoding/json checks and copies it three times over, and 40 of
// 100 parts of the processor time of a call that lists 20 documents went there.
//
// So mcp-go encodes a mark in the result's place, and what it has encoded goes
// through Fill, which puts the result where its mark is, and ids and progress
// tokens where their masks are (see [Masks]). Each message is filled at once.
type Outlet struct {
	Masks
	unknown func(name string) string

	mu   sync.Mutex
	held map[string][]byte // by what follows begin in its mark
	last int
}

// NewOutlet makes an outlet. unknown, which may be nil, says of a name that is no
// tool's what was meant.
func NewOutlet(k Masks, unknown func(name string) string) *Outlet {
	return &Outlet{Masks: k, unknown: unknown}
}

type outletKey struct{}

// Through lets what is answered under a context go through the outlet.
func (o *Outlet) Through(ctx context.Context) context.Context {
	return context.WithValue(ctx, outletKey{}, o)
}

// HoldResults holds results for the outlet of their call, if it has one.
func HoldResults(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		result, err := next(ctx, req)
		if o, ok := ctx.Value(outletKey{}).(*Outlet); ok && err == nil {
			o.hold(result)
		}
		return result, err
	}
}

// hold takes the JSON out of a result that has the same twice, and leaves a
// mark: begin and a number. It must be one line, because a line of stdio and of
// a stream is one message.
func (o *Outlet) hold(r *mcp.CallToolResult) {
	if r == nil || len(r.Content) != 1 {
		return
	}
	raw, structured := r.StructuredContent.(json.RawMessage)
	text, ok := r.Content[0].(mcp.TextContent)
	if !structured || !ok || text.Text != string(raw) || strings.Contains(text.Text, "\n") {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	mark := strconv.Itoa(o.last)
	if o.held == nil {
		o.held = map[string][]byte{}
	}
	o.held[mark] = raw
	text.Text = o.begin + mark
	r.Content[0], r.StructuredContent = text, text.Text
}

// Fill makes of a message what leaves: it puts back what stands behind marks and
// masks, and says of a tool that is not there which was meant. A held result is
// good for one message.
func (o *Outlet) Fill(p []byte) []byte {
	p = helpful(p, o.unknown)
	open := []byte(`"` + o.begin)
	before, rest, found := bytes.Cut(p, open)
	if !found {
		return p
	}
	var full []byte
	used := ""
	for found {
		full = append(full, before...)
		mark, after, closed := bytes.Cut(rest, []byte(`"`))
		if token, ok := unmask(mark); ok && closed {
			full = append(full, token...)
		} else if raw, ok := o.result(string(mark)); ok && closed {
			if used == "" {
				full = slices.Grow(full, len(p)+len(raw)*5/2) // a sixth of it is quotes, which the text escapes
			}
			used = string(mark)
			full = appendResult(full, raw)
		} else { // nobody else knows how a mark begins
			full = append(append(full, open...), mark...)
			if closed {
				full = append(full, '"')
			}
		}
		before, rest, found = bytes.Cut(after, open)
	}
	o.forget(used)
	return append(full, before...)
}

// appendResult writes a result where its mark is: as structured content it is
// the JSON itself, as text a string of it.
func appendResult(full, raw []byte) []byte {
	if bytes.HasSuffix(full, []byte(`"structuredContent":`)) {
		return append(full, raw...)
	}
	full, _ = jsontext.AppendQuote(full, raw) // a result is UTF-8
	return full
}

// result is a held result.
func (o *Outlet) result(mark string) ([]byte, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	raw, held := o.held[mark]
	return raw, held
}

// forget drops a result that was sent.
func (o *Outlet) forget(mark string) {
	if mark == "" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.held, mark)
}

// Package tools is what an agent can call: one file per tool, each a
// description, an argument struct and a method of [Set]. The package turns
// arguments into calls of a connection and answers into JSON;
// it knows no platform.
package tools

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"kb-mcp/nearest"
	"kb-mcp/tools/internal/confirm"
	"kb-mcp/tools/internal/files"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/recent"
	"kb-mcp/vendors/several"
	"kb-mcp/vendors/visible"
)

// callTime bounds a call: clients are promised an answer within 55 s, and
// writing it takes time too.
const callTime = 54 * time.Second

// Set is the tools over a list of connections. It is safe for concurrent use.
type Set struct {
	vendors []*connection.Connection
	clean   func(string) string
	log     *slog.Logger
	tools   []tool
	finds   *recent.Map[connection.Unfinished]
	found   *several.Lists[vendors.Document]
	bases   *several.Lists[vendors.KnowledgeBase]
	roots   files.Roots
	desk    *confirm.Desk

	maxDownload int64
}

// Options are what tools need besides connections.
type Options struct {
	Clean       func(string) string // takes credentials out of every text that leaves
	Log         *slog.Logger
	AllowWrites bool     // without it there are no write tools
	Roots       []string // folders for files to upload and download
	MaxDownload int64    // bytes of a file that is downloaded; 0 is [DefaultMaxDownload]
	Confirm     string   // when a person is asked before a delete: one of [ConfirmModes], "" for the first
	// Offered reports whether a tool is offered at all; nil offers every tool.
	Offered func(name string) bool
}

// ConfirmModes are the values of [Options.Confirm]; the first is the usual one.
func ConfirmModes() []string { return confirm.Modes() }

// DefaultMaxDownload bounds a downloaded file.
const DefaultMaxDownload = 256 << 20

// New makes the tools.
func New(connections []*connection.Connection, o Options) *Set {
	s := &Set{
		vendors: connections, clean: o.Clean, log: o.Log, roots: o.Roots,
		desk:        confirm.New(confirm.Mode(cmp.Or(o.Confirm, ConfirmModes()[0])), o.Clean),
		maxDownload: cmp.Or(o.MaxDownload, DefaultMaxDownload),
		finds:       recent.New[connection.Unfinished](foundKept, foundTime),
		found:       several.New[vendors.Document](),
		bases:       several.New[vendors.KnowledgeBase](),
	}
	s.tools = slices.DeleteFunc(s.all(), func(t tool) bool {
		return t.effect != reads && !o.AllowWrites || o.Offered != nil && !o.Offered(t.name)
	})
	return s
}

// all are the tools of this program, in the order in which clients see them. A
// new one is one more line.
func (s *Set) all() []tool {
	return []tool{
		s.listVendorsTool(),
		s.listKnowledgeBasesTool(),
		s.listDocumentsTool(),
		s.findDocumentsTool(),
		s.getDocumentInfoTool(),
		s.getIngestionProgressTool(),
		s.waitForIngestionTool(),
		s.searchKnowledgeBaseTool(),
		s.findUnfinishedDocumentsTool(),
		s.listChunksTool(),
		s.createKnowledgeBaseTool(),
		s.updateKnowledgeBaseTool(),
		s.deleteKnowledgeBaseTool(),
		s.uploadDocumentTool(),
		s.updateDocumentTool(),
		s.deleteDocumentsTool(),
		s.startIngestionTool(),
		s.stopIngestionTool(),
		s.downloadDocumentTool(),
	}
}

// effect is what a tool does to the platform, for its hints.
type effect int

const (
	reads    effect = iota
	adds            // once more adds once more
	changes         // once more changes nothing
	destroys        // cannot be undone; once more changes nothing
)

// face is a tool as clients see it, and what it needs.
type face struct {
	name, title, doc string
	brief            string   // what it answers or does, for people: a row of the README's table
	also             []string // what other servers and platforms call it
	effect           effect
	// needs reports whether a connection has what the tool asks of it; nil for a
	// tool that asks no connection.
	needs func(*connection.Connection) bool
}

// tool is one tool: its face and its work.
type tool struct {
	face
	params []param
	result reflect.Type
	call   func(ctx context.Context, args map[string]json.RawMessage) (any, error)
}

// define makes a tool of a function; A is its argument struct, R its result.
func define[A, R any](s *Set, f face, call func(context.Context, A) (R, error)) tool {
	params := paramsOf[A]()
	return tool{
		face: f, params: params, result: reflect.TypeFor[R](),
		call: func(ctx context.Context, args map[string]json.RawMessage) (any, error) {
			var a A
			wrong := decodeArgs(params, args, &a)
			if err := mistakes(params, append(wrong, s.judge(&a, params, wrong)...)); err != nil {
				return nil, err
			}
			return call(ctx, a)
		},
	}
}

// on is define for a tool that works on the connection that its argument Vendor
// names.
func on[A, R any](s *Set, f face, call func(context.Context, *connection.Connection, A) (R, error)) tool {
	return define(s, f, func(ctx context.Context, in A) (R, error) {
		c, err := s.vendor(reflect.ValueOf(in).FieldByName("Vendor").String())
		if err != nil {
			var none R
			return none, err
		}
		return call(ctx, c, in)
	})
}

// Capabilities gives the names of the tools that work on a connection, in their
// order. Having a method is having its tool, unless the driver advises against
// it.
func Capabilities(c *connection.Connection) []string { return capabilities((&Set{}).all(), c) }

func capabilities(tools []tool, c *connection.Connection) []string {
	names := []string{}
	for _, t := range tools {
		if t.needs == nil || !t.needs(c) {
			continue
		}
		if _, instead := c.Instead(t.name); !instead {
			names = append(names, t.name)
		}
	}
	return names
}

// Definitions are the tools as clients see them, in their order.
// They are the same at every call and need no network.
func (s *Set) Definitions() []mcp.Tool {
	list, offered := make([]mcp.Tool, len(s.tools)), s.Names()
	for i, t := range s.tools {
		read, destroy, again, open := t.effect == reads, t.effect == destroys, t.effect != adds, true
		d := mcp.NewToolWithRawSchema(t.name, t.doc, inputSchema(t.params))
		d.RawOutputSchema = outputSchema(t, offered)
		d.Annotations = mcp.ToolAnnotation{
			Title: t.title, ReadOnlyHint: &read, DestructiveHint: &destroy, IdempotentHint: &again, OpenWorldHint: &open,
		}
		list[i] = d
	}
	return list
}

// ServerTools are the tools with their handlers, for an MCP server. A handler
// never returns a Go error: every failure is a result an agent can read.
func (s *Set) ServerTools() []server.ServerTool {
	list := make([]server.ServerTool, len(s.tools))
	for i, d := range s.Definitions() {
		t := s.tools[i]
		list[i] = server.ServerTool{Tool: d, Handler: func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			var args map[string]json.RawMessage
			if err := req.BindArguments(&args); err != nil {
				return toResult(s.failure(ctx, t, notAnObject(), 0)), nil
			}
			ctx, n := withNotifier(confirm.WithRequest(ctx, req), req)
			defer n.settle()
			return toResult(s.run(ctx, t, args)), nil
		}}
	}
	return list
}

// Answer is a tool's result: its JSON, and whether the call failed.
type Answer struct {
	Text   []byte
	Failed bool
	asks   *mcp.CallToolResult // instead: a question to a person
}

// Call runs a tool by name, for the command line. known is false for a name
// that is no tool's.
func (s *Set) Call(ctx context.Context, name string, args json.RawMessage) (a Answer, known bool) {
	for _, t := range s.tools {
		if t.name != name {
			continue
		}
		var m map[string]json.RawMessage
		if len(bytes.TrimSpace(args)) > 0 {
			if err := json.Unmarshal(args, &m); err != nil {
				return s.failure(ctx, t, notJSON(err), 0), true
			}
		}
		return s.run(ctx, t, m), true
	}
	return Answer{}, false
}

// Unknown says of a name that is no tool's what was meant, or which tools there
// are.
func (s *Set) Unknown(name string) string {
	names := s.Names()
	for _, t := range s.all() {
		if t.name == name && t.effect == reads { // it is not among s.tools
			return fmt.Sprintf("%s is not offered here: KB_MCP_TOOLS or KB_MCP_EXCLUDE_TOOLS leaves it out", name)
		} else if t.name == name {
			return fmt.Sprintf("%s changes something, and exists only where KB_MCP_ALLOW_WRITES is true and KB_MCP_TOOLS does not leave it out", name)
		}
	}
	text := fmt.Sprintf("there is no tool %q", visible.Short(name))
	meant := nearest.Of(name, names)
	for _, t := range s.tools {
		if meant == "" && nearest.Of(name, t.also) != "" {
			meant = t.name
		}
	}
	if meant != "" {
		return text + "; did you mean " + meant + "?"
	}
	return text + "; tools are " + strings.Join(names, ", ")
}

// Names lists the tools.
func (s *Set) Names() []string {
	names := make([]string, len(s.tools))
	for i, t := range s.tools {
		names[i] = t.name
	}
	return names
}

// run makes one call: its own deadline, its panics caught, its answer encoded
// once and cut to size.
func (s *Set) run(ctx context.Context, t tool, args map[string]json.RawMessage) (a Answer) {
	began := time.Now()
	defer func() {
		if r := recover(); r != nil {
			a = s.failure(ctx, t, panicked(r), time.Since(began))
		}
	}()
	caller := vendors.CallerOf(ctx) // the server says which party and session
	caller.Tool = t.name
	ctx = vendors.WithCaller(ctx, caller)
	callCtx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	v, err := t.call(callCtx, args)
	if p := (*confirm.Pending)(nil); errors.As(err, &p) {
		s.log.InfoContext(ctx, "tool call asks a person", "tool", t.name)
		return Answer{asks: p.Result}
	}
	if err != nil {
		return s.failure(ctx, t, err, time.Since(began))
	}
	text, err := encode(v)
	if err != nil {
		return s.failure(ctx, t, err, time.Since(began))
	}
	if !s.wasCancelled(ctx, t.name, time.Since(began)) {
		s.log.InfoContext(ctx, "tool call", "tool", t.name, "ms", time.Since(began).Milliseconds(), "bytes", len(text))
	}
	return Answer{Text: s.cleaned(text)}
}

// panicked is a recovered panic as the failure of one call.
func panicked(r any) error {
	return &vendors.Error{Kind: vendors.Internal, Effect: vendors.UnknownEffect, Message: "kb-mcp failed while it worked on this call.",
		Err: fmt.Errorf("panic: %v\n%s", r, debug.Stack())}
}

// cleaned is text without credentials. There hardly ever are any, and then it
// is not copied once more.
func (s *Set) cleaned(text []byte) []byte {
	before := string(text)
	if after := s.clean(before); after != before {
		return []byte(after)
	}
	return text
}

// Package tools is what an agent can call: one file per tool, each a
// description, an argument struct and a method of [Set]. The package turns
// arguments into calls of *vendors.Vendor and answers into the contract's JSON;
// it knows no platform.
package tools

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"kb-mcp/nearest"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// callTime bounds a call: the contract promises an answer within 55 s, and
// writing it takes time too.
const callTime = 54 * time.Second

// Set is the tools over a list of connections. It is safe for concurrent use.
type Set struct {
	vendors []*connection.Connection
	clean   func(string) string
	log     *slog.Logger
	tools   []tool
	finds   finds
	roots   roots

	maxDownload int64
}

// Options are what tools need besides connections.
type Options struct {
	Clean       func(string) string // takes credentials out of every text that leaves
	Log         *slog.Logger
	AllowWrites bool     // without it there are no write tools
	Roots       []string // folders for files to upload and download
	MaxDownload int64    // bytes of a file that is downloaded; 0 is [DefaultMaxDownload]
}

// DefaultMaxDownload bounds a downloaded file.
const DefaultMaxDownload = 256 << 20

// New makes the tools.
func New(connections []*connection.Connection, o Options) *Set {
	s := &Set{vendors: connections, clean: o.Clean, log: o.Log, roots: o.Roots, maxDownload: cmp.Or(o.MaxDownload, DefaultMaxDownload)}
	s.tools = s.readTools()
	if o.AllowWrites {
		s.tools = append(s.tools, s.writeTools()...)
	}
	return s
}

// readTools change nothing.
func (s *Set) readTools() []tool {
	return []tool{
		define(s, "list_vendors", "List connections", listVendorsDoc, s.listVendors),
		define(s, "list_knowledge_bases", "List knowledge bases", listKnowledgeBasesDoc, s.listKnowledgeBases),
		define(s, "list_documents", "List documents", listDocumentsDoc, s.listDocuments),
		define(s, "get_document_info", "Get one document", getDocumentInfoDoc, s.getDocumentInfo),
		define(s, "get_ingestion_progress", "Get ingestion progress", getIngestionProgressDoc, s.getIngestionProgress),
		define(s, "wait_for_ingestion", "Wait for ingestion", waitForIngestionDoc, s.waitForIngestion),
		define(s, "search_knowledge_base", "Search a knowledge base", searchKnowledgeBaseDoc, s.searchKnowledgeBase),
		define(s, "find_unfinished_documents", "Find unfinished documents", findUnfinishedDocumentsDoc, s.findUnfinishedDocuments),
		define(s, "list_chunks", "List chunks", listChunksDoc, s.listChunks),
	}
}

// writeTools change something; deletes cannot be undone.
func (s *Set) writeTools() []tool {
	return []tool{
		define(s, "create_knowledge_base", "Create a knowledge base", createKnowledgeBaseDoc, s.createKnowledgeBase).writes(adds),
		define(s, "update_knowledge_base", "Update a knowledge base", updateKnowledgeBaseDoc, s.updateKnowledgeBase).writes(changes),
		define(s, "delete_knowledge_base", "Delete a knowledge base", deleteKnowledgeBaseDoc, s.deleteKnowledgeBase).writes(destroys),
		define(s, "upload_document", "Upload a document", uploadDocumentDoc, s.uploadDocument).writes(adds),
		define(s, "update_document", "Update a document", updateDocumentDoc, s.updateDocument).writes(changes),
		define(s, "delete_documents", "Delete documents", deleteDocumentsDoc, s.deleteDocuments).writes(destroys),
		define(s, "start_ingestion", "Start ingestion", startIngestionDoc, s.startIngestion).writes(adds),
		define(s, "stop_ingestion", "Stop ingestion", stopIngestionDoc, s.stopIngestion).writes(changes),
		define(s, "download_document", "Download a document", downloadDocumentDoc, s.downloadDocument).writes(adds),
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

// writes is the tool with another effect than reading.
func (t tool) writes(e effect) tool {
	t.effect = e
	return t
}

// tool is one tool: its face and its work.
type tool struct {
	name, title, doc string
	params           []param
	result           reflect.Type
	effect           effect
	call             func(ctx context.Context, args map[string]json.RawMessage) (any, error)
}

// define makes a tool of a method; A is its argument struct, R its result.
func define[A, R any](s *Set, name, title, doc string, call func(context.Context, A) (R, error)) tool {
	params := paramsOf[A]()
	return tool{
		name: name, title: title, doc: doc, params: params, result: reflect.TypeFor[R](),
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

// Definitions are the tools as clients see them, in the order of the contract.
// They are the same at every call and need no network.
func (s *Set) Definitions() []mcp.Tool {
	list := make([]mcp.Tool, len(s.tools))
	for i, t := range s.tools {
		read, destroy, again, open := t.effect == reads, t.effect == destroys, t.effect != adds, true
		d := mcp.NewToolWithRawSchema(t.name, t.doc, inputSchema(t.params))
		d.RawOutputSchema = outputSchema(t.name)
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
			caller := vendors.CallerOf(ctx) // the server says which party and session
			caller.Tool = t.name
			ctx = vendors.WithCaller(ctx, caller)
			ctx, n := withNotifier(ctx, req)
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
	for _, t := range s.writeTools() {
		if t.name == name { // it would be among names otherwise
			return fmt.Sprintf("%s changes something, and exists only where KB_MCP_ALLOW_WRITES is true", name)
		}
	}
	text := fmt.Sprintf("there is no tool %q", cut(name))
	meant := nearest.Of(name, names)
	for _, tool := range names {
		if meant == "" && nearest.Of(name, otherTools[tool]) != "" {
			meant = tool
		}
	}
	if meant != "" {
		return text + "; did you mean " + meant + "?"
	}
	return text + "; tools are " + strings.Join(names, ", ")
}

// otherTools are the names that other servers and platforms have for ours.
var otherTools = map[string][]string{
	"list_vendors":              {"list_connections", "list_platforms", "vendors", "list_providers"},
	"list_knowledge_bases":      {"list_datasets", "list_collections", "list_kbs", "knowledge_bases", "datasets", "get_knowledge_bases"},
	"list_documents":            {"list_docs", "list_files", "documents", "get_documents"},
	"get_document_info":         {"get_document", "document_info", "get_doc", "document", "get_document_status"},
	"get_ingestion_progress":    {"get_progress", "ingestion_progress", "progress", "get_status", "indexing_status", "get_ingestion_status"},
	"wait_for_ingestion":        {"wait", "wait_for_document", "wait_for_upload", "watch"},
	"search_knowledge_base":     {"search", "query", "retrieve", "retrieval", "search_documents", "search_knowledge", "ask"},
	"find_unfinished_documents": {"find_failed_documents", "unfinished", "list_failed", "find_failed", "find_stuck_documents"},
	"list_chunks":               {"list_segments", "chunks", "segments", "get_chunks", "list_points"},
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
	callCtx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	v, err := t.call(callCtx, args)
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

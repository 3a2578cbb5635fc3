// Command reference is what kb-mcp is measured against: a small MCP server in
// the style of mcp-go's examples. It has one tool, which lists a Dify knowledge
// base's documents in about the same shape as kb-mcp's list_documents: a typed
// handler, schemas made from structs, net/http's own client, the platform's
// whole answer decoded into structs.
//
// It checks nothing, limits nothing, retries nothing and shares nothing; that
// is the point of the comparison.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

func main() {
	s := server.NewMCPServer("reference", "1.0.0", server.WithToolCapabilities(false))
	d := dify{key: os.Getenv("DIFY_API_KEY"), base: os.Getenv("DIFY_BASE_URL")}
	tool := mcp.NewTool("list_documents",
		mcp.WithDescription("Lists the documents of a knowledge base."),
		mcp.WithInputSchema[arguments](),
		mcp.WithOutputSchema[result](),
	)
	s.AddTool(tool, mcp.NewStructuredToolHandler(d.listDocuments))
	serve := server.ServeStdio
	if len(os.Args) > 1 && os.Args[1] == "http" {
		serve = serveHTTP
	}
	if err := serve(s); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// serveHTTP serves streamable HTTP and SSE on one free port, and says which.
func serveHTTP(s *server.MCPServer, _ ...server.StdioOption) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "listening addr="+ln.Addr().String())
	sse := server.NewSSEServer(s)
	mux := http.NewServeMux()
	mux.Handle("/mcp", server.NewStreamableHTTPServer(s))
	mux.Handle("/sse", sse.SSEHandler())
	mux.Handle("/message", sse.MessageHandler())
	return http.Serve(ln, mux)
}

// arguments of the tool.
type arguments struct {
	Vendor          string `json:"vendor,omitempty" jsonschema:"Connection name"`
	KnowledgeBaseID string `json:"knowledge_base_id" jsonschema:"Knowledge base id"`
	Detail          string `json:"detail,omitempty" jsonschema:"brief or full; always full"`
	Limit           int    `json:"limit,omitempty" jsonschema:"Rows wanted"`
}

// result of the tool.
type result struct {
	Vendor          string     `json:"vendor"`
	KnowledgeBaseID string     `json:"knowledge_base_id"`
	Documents       []document `json:"documents"`
	Total           int        `json:"total"`
}

type document struct {
	DocumentID      string    `json:"document_id"`
	Name            string    `json:"name"`
	Status          string    `json:"status"`
	VendorStatus    string    `json:"vendor_status"`
	ProgressPercent int       `json:"progress_percent"`
	Error           string    `json:"error,omitempty"`
	Format          string    `json:"format"`
	Source          string    `json:"source"`
	SizeBytes       int64     `json:"size_bytes"`
	CharCount       int64     `json:"char_count"`
	TokenCount      int64     `json:"token_count"`
	HitCount        int64     `json:"hit_count"`
	Enabled         bool      `json:"enabled"`
	Archived        bool      `json:"archived"`
	CreatedAt       time.Time `json:"created_at"`
}

// dify is a workspace.
type dify struct{ key, base string }

func (d dify) listDocuments(ctx context.Context, _ mcp.CallToolRequest, in arguments) (result, error) {
	if in.Limit == 0 {
		in.Limit = 20
	}
	var list difyList
	err := d.get(ctx, fmt.Sprintf("%s/datasets/%s/documents?page=1&limit=%d", d.base, in.KnowledgeBaseID, in.Limit), &list)
	if err != nil {
		return result{}, err
	}
	out := result{Vendor: in.Vendor, KnowledgeBaseID: in.KnowledgeBaseID, Total: list.Total}
	for _, row := range list.Data {
		doc := row.document()
		out.Documents = append(out.Documents, doc)
	}
	return out, nil
}

func (d dify) get(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("dify answered %s", resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// document is the row in the result's shape.
func (r difyDocument) document() document {
	doc := document{
		DocumentID: r.ID, Name: r.Name, Status: "processing", VendorStatus: r.IndexingStatus, Error: r.Error,
		Format: strings.ToLower(strings.TrimPrefix(path.Ext(r.Name), ".")), Source: "file",
		SizeBytes: r.DataSourceDetailDict.UploadFile.Size, CharCount: r.WordCount, TokenCount: r.Tokens, HitCount: r.HitCount,
		Enabled: r.Enabled, Archived: r.Archived, CreatedAt: time.Unix(r.CreatedAt, 0).UTC(),
	}
	switch r.IndexingStatus {
	case "completed":
		doc.Status, doc.ProgressPercent = "completed", 100
	case "error":
		doc.Status = "failed"
	case "waiting":
		doc.Status = "queued"
	}
	return doc
}

// Package connection is a driver with everything that all platforms share:
// checks, paging, progress, waiting, searching for unfinished documents, writes,
// stalls, and one form of errors.
package connection

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/breaker"
	"kb-mcp/vendors/internal/merge"
	"kb-mcp/vendors/internal/paging"
	"kb-mcp/vendors/internal/recent"
	"kb-mcp/vendors/visible"
)

// Connection is one account on one platform, as tools see it. It is safe for concurrent use.
type Connection struct {
	name     string
	platform string
	driver   vendors.Driver
	reads    vendors.Driver // the driver, or what proves that documents are where they are asked for
	watched  *watched
	gather   *merge.Gatherer
	breaker  breaker.Breaker
	sizes    *recent.Map[int]           // rows that fit an answer, by listing
	trails   *recent.Map[*paging.Trail] // of listings whose order moves, by cursor
	refused  *recent.Map[struct{}]      // filters that the platform does not take
	ids      vendors.IDForm
	forms    []vendors.IDForm // of all platforms
}

// toolOrder is the order of the tools that need a connection.
var toolOrder = []string{
	"list_knowledge_bases", "list_documents", "get_document_info", "get_ingestion_progress", "wait_for_ingestion",
	"search_knowledge_base", "find_unfinished_documents", "list_chunks",
	"create_knowledge_base", "update_knowledge_base", "delete_knowledge_base", "upload_document", "update_document",
	"delete_documents", "start_ingestion", "stop_ingestion", "download_document",
}

// New makes the connection name on platform.
func New(name, platform string, d vendors.Driver) *Connection {
	reads := proved(d)
	return &Connection{
		name: name, platform: platform, driver: d, reads: reads, gather: merge.New(reads),
		watched: newWatched(),
		sizes:   recent.New[int](recent.Size, recent.Age),
		trails:  recent.New[*paging.Trail](paging.MaxTrails, recent.Age),
		refused: recent.New[struct{}](recent.Size, recent.Age),
	}
}

// Gather lets callers share requests for the progress of documents, as
// [merge.Gatherer.Share] says. It must come before the connection is used.
func (c *Connection) Gather(hold merge.Hold, changes func() uint64) *Connection {
	c.gather.Share(hold, changes)
	return c
}

// Name is the connection's name, the `vendor` argument of every tool.
func (c *Connection) Name() string { return c.name }

// Platform is the kind of service.
func (c *Connection) Platform() string { return c.platform }

// Capabilities gives the names of the tools that work on this connection, in
// the order of all tools. Having a method is having its tool.
func (c *Connection) Capabilities() []string {
	can := map[string]bool{"list_documents": true, "get_document_info": true, "get_ingestion_progress": true,
		"wait_for_ingestion": true, "find_unfinished_documents": true}
	_, can["list_knowledge_bases"] = c.driver.(vendors.KnowledgeBaseLister)
	_, can["search_knowledge_base"] = c.driver.(vendors.Searcher)
	_, can["list_chunks"] = c.driver.(vendors.ChunkLister)
	_, can["create_knowledge_base"] = c.driver.(vendors.KnowledgeBaseCreator)
	_, can["update_knowledge_base"] = c.driver.(vendors.KnowledgeBaseUpdater)
	_, can["delete_knowledge_base"] = c.driver.(vendors.KnowledgeBaseDeleter)
	_, can["upload_document"] = c.driver.(vendors.Uploader)
	_, can["update_document"] = c.driver.(vendors.DocumentUpdater)
	_, can["delete_documents"] = c.driver.(vendors.DocumentDeleter)
	_, can["start_ingestion"] = c.driver.(vendors.IngestionStarter)
	_, can["stop_ingestion"] = c.driver.(vendors.IngestionStopper)
	_, can["download_document"] = c.driver.(vendors.Downloader)
	if a, ok := c.driver.(vendors.Adviser); ok {
		for tool := range a.Instead() {
			can[tool] = false
		}
	}
	tools := []string{}
	for _, name := range toolOrder {
		if can[name] {
			tools = append(tools, name)
		}
	}
	return tools
}

// Diagnose gives what the platform's driver finds; nothing from one that is no
// [Doctor].
func (c *Connection) Diagnose(ctx context.Context) []vendors.Finding {
	if d, ok := c.driver.(vendors.Doctor); ok {
		return d.Diagnose(ctx)
	}
	return nil
}

// GetDocument gives one document.
func (c *Connection) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	err := c.breaker.Check("get_document_info")
	if err == nil {
		err = c.resolveRef(ctx, &ref)
	}
	if err != nil {
		return vendors.Document{}, c.wrap("get_document_info", err)
	}
	d, err := c.reads.GetDocument(ctx, ref)
	if err != nil {
		return vendors.Document{}, c.wrap("get_document_info", err)
	}
	settleDocument(&d, c.name, ref.KnowledgeBaseID)
	return d, nil
}

// wrap is failure as an error.
func (c *Connection) wrap(op string, err error) error { return c.failure(op, err) }

// failure is the error of an operation as a caller gets it. The breaker hears of
// it first.
func (c *Connection) failure(op string, err error) *vendors.Error {
	c.breaker.Note(op, err)
	return c.stamp(op, err)
}

// stamp says once of an error which connection it is of and what was being done.
func (c *Connection) stamp(op string, err error) *vendors.Error {
	e := *vendors.Classify(err)
	e.Vendor, e.Op = c.name, op
	e.Message, e.Hint = visible.Line(e.Message), visible.Line(e.Hint) // both may quote the platform
	e.VendorCode, e.VendorMessage, e.RequestID = visible.Line(e.VendorCode), visible.Line(e.VendorMessage), visible.Line(e.RequestID)
	return &e
}

// hash identifies a listing, so that a cursor serves only the query it is for.
func (c *Connection) hash(op string, q ListQuery) uint32 {
	return paging.Hash(op, c.name, q.KnowledgeBaseID, string(q.Status), strings.ToLower(q.NameContains))
}

// resolve checks what a caller calls a knowledge base and makes it the id that
// answers carry.
func (c *Connection) resolve(ctx context.Context, id *string) error {
	err := c.checkID("knowledge_base_id", *id)
	if r, ok := c.driver.(vendors.KnowledgeBaseResolver); ok && err == nil {
		*id, err = r.ResolveKnowledgeBase(ctx, *id)
	}
	return err
}

// resolveRef is resolve for the name of a document.
func (c *Connection) resolveRef(ctx context.Context, ref *vendors.Ref) error {
	if err := c.checkRef(*ref); err != nil {
		return err
	}
	return c.resolve(ctx, &ref.KnowledgeBaseID)
}

// maxID is longer than any platform's ids or names.
const maxID = 256

// checkID refuses what can be no platform's id and could change a URL, and what
// the platform itself says is not one of its ids.
func (c *Connection) checkID(arg, id string) error {
	bad := ""
	switch {
	case strings.TrimSpace(id) == "":
		bad = "is empty"
	case id == "." || id == "..":
		bad = "is " + id
	case len(id) > maxID:
		bad = fmt.Sprintf("is longer than %d bytes", maxID)
	case strings.ContainsFunc(id, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar }):
		bad = "holds spaces or control characters"
	}
	if bad == "" {
		if checker, ok := c.driver.(vendors.IDChecker); ok {
			return checker.CheckID(arg, id)
		}
		return nil
	}
	return vendors.Errorf(vendors.InvalidArgument, "`%s` %s.", arg, bad).
		WithHint("Pass the id exactly as a list answer gave it, as a string.")
}

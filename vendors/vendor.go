package vendors

import (
	"context"
	"fmt"
	"strings"
	"unicode"
)

// Vendor is one connection: a driver with everything that all platforms share.
// Tools hold a *Vendor. It is safe for concurrent use.
type Vendor struct {
	name     string
	platform string
	driver   Driver
	reads    Driver // the driver, or what proves that documents are where they are asked for
	watched  watched
	gather   *gatherer
	breaker  breaker
	sizes    recent[int]      // rows that fit an answer, by listing
	trails   recent[*trail]   // of listings whose order moves, by cursor
	refused  recent[struct{}] // filters that the platform does not take
}

// toolOrder is the contract's order of the tools that need a connection.
var toolOrder = []string{
	"list_knowledge_bases", "list_documents", "get_document_info", "get_ingestion_progress", "wait_for_ingestion",
	"search_knowledge_base", "find_unfinished_documents", "list_chunks",
	"create_knowledge_base", "update_knowledge_base", "delete_knowledge_base", "upload_document", "update_document",
	"delete_documents", "start_ingestion", "stop_ingestion", "download_document",
}

// New makes the connection name on platform.
func New(name, platform string, d Driver) *Vendor {
	reads := proved(d)
	return &Vendor{name: name, platform: platform, driver: d, reads: reads, gather: &gatherer{driver: reads, pools: map[string]*pool{}}, trails: recent[*trail]{size: maxTrails}}
}

// Gather lets those who ask for the progress of different documents, while a
// request waits for its turn in hold, share that request. changes counts how often
// a change of the account's data began or ended: nobody shares a request that left
// before the last. Gather must come before the connection is used.
func (v *Vendor) Gather(hold Hold, changes func() uint64) *Vendor {
	v.gather.hold, v.gather.changes = hold, changes
	return v
}

// Name is the connection's name, the `vendor` argument of every tool.
func (v *Vendor) Name() string { return v.name }

// Platform is the kind of service.
func (v *Vendor) Platform() string { return v.platform }

// Capabilities gives the names of the tools that work on this connection, in
// the order of the contract. Having a method is having its tool.
func (v *Vendor) Capabilities() []string {
	can := map[string]bool{"list_documents": true, "get_document_info": true, "get_ingestion_progress": true,
		"wait_for_ingestion": true, "find_unfinished_documents": true}
	_, can["list_knowledge_bases"] = v.driver.(KnowledgeBaseLister)
	_, can["search_knowledge_base"] = v.driver.(Searcher)
	_, can["list_chunks"] = v.driver.(ChunkLister)
	_, can["create_knowledge_base"] = v.driver.(KnowledgeBaseCreator)
	_, can["update_knowledge_base"] = v.driver.(KnowledgeBaseUpdater)
	_, can["delete_knowledge_base"] = v.driver.(KnowledgeBaseDeleter)
	_, can["upload_document"] = v.driver.(Uploader)
	_, can["update_document"] = v.driver.(DocumentUpdater)
	_, can["delete_documents"] = v.driver.(DocumentDeleter)
	_, can["start_ingestion"] = v.driver.(IngestionStarter)
	_, can["stop_ingestion"] = v.driver.(IngestionStopper)
	_, can["download_document"] = v.driver.(Downloader)
	if a, ok := v.driver.(Adviser); ok {
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
func (v *Vendor) Diagnose(ctx context.Context) []Finding {
	if d, ok := v.driver.(Doctor); ok {
		return d.Diagnose(ctx)
	}
	return nil
}

// GetDocument gives one document.
func (v *Vendor) GetDocument(ctx context.Context, ref Ref) (Document, error) {
	err := v.breaker.check("get_document_info")
	if err == nil {
		err = v.resolveRef(ctx, &ref)
	}
	if err != nil {
		return Document{}, v.wrap("get_document_info", err)
	}
	d, err := v.reads.GetDocument(ctx, ref)
	if err != nil {
		return Document{}, v.wrap("get_document_info", err)
	}
	settleDocument(&d, v.name, ref.KnowledgeBaseID)
	return d, nil
}

// wrap is failure as an error.
func (v *Vendor) wrap(op string, err error) error { return v.failure(op, err) }

// failure is the error of an operation as a caller gets it. The breaker hears of
// it first.
func (v *Vendor) failure(op string, err error) *Error {
	v.breaker.note(op, err)
	return v.stamp(op, err)
}

// stamp says once of an error which connection it is of and what was being done.
func (v *Vendor) stamp(op string, err error) *Error {
	c := *Classify(err)
	c.Vendor, c.Op = v.name, op
	c.Message, c.Hint = VisibleLine(c.Message), VisibleLine(c.Hint) // both may quote the platform
	c.VendorCode, c.VendorMessage, c.RequestID = VisibleLine(c.VendorCode), VisibleLine(c.VendorMessage), VisibleLine(c.RequestID)
	return &c
}

// hash identifies a listing, so that a cursor serves only the query it is for.
func (v *Vendor) hash(op string, q ListQuery) uint32 {
	return queryHash(op, v.name, q.KnowledgeBaseID, string(q.Status), strings.ToLower(q.NameContains))
}

// resolve checks what a caller calls a knowledge base and makes it the id that
// answers carry.
func (v *Vendor) resolve(ctx context.Context, id *string) error {
	err := checkID("knowledge_base_id", *id)
	if r, ok := v.driver.(KnowledgeBaseResolver); ok && err == nil {
		*id, err = r.ResolveKnowledgeBase(ctx, *id)
	}
	return err
}

// resolveRef is resolve for the name of a document.
func (v *Vendor) resolveRef(ctx context.Context, ref *Ref) error {
	if err := checkRef(*ref); err != nil {
		return err
	}
	return v.resolve(ctx, &ref.KnowledgeBaseID)
}

// maxID is longer than any platform's ids or names.
const maxID = 256

// checkID refuses what can be no platform's id and could change a URL.
func checkID(arg, id string) error {
	bad := ""
	switch {
	case strings.TrimSpace(id) == "":
		bad = "is empty"
	case id == "." || id == "..":
		bad = "is " + id
	case len(id) > maxID:
		bad = fmt.Sprintf("is longer than %d bytes", maxID)
	case strings.ContainsFunc(id, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar }):
		bad = "holds blanks or control characters"
	}
	if bad == "" {
		return nil
	}
	return Errorf(InvalidArgument, "`%s` %s.", arg, bad).
		WithHint("Pass the id exactly as a list answer gave it, as a string.")
}

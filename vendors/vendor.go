package vendors

import (
	"context"
	"errors"
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
}

// New makes the connection name on platform.
func New(name, platform string, d Driver) *Vendor {
	return &Vendor{name: name, platform: platform, driver: d}
}

// Name is the connection's name, the `vendor` argument of every tool.
func (v *Vendor) Name() string { return v.name }

// Platform is the kind of service.
func (v *Vendor) Platform() string { return v.platform }

// Capabilities gives the names of the tools that work on this connection.
func (v *Vendor) Capabilities() []string {
	tools := []string{}
	if _, ok := v.driver.(KnowledgeBaseLister); ok {
		tools = append(tools, "list_knowledge_bases")
	}
	return append(tools, "list_documents", "get_document_info", "get_ingestion_progress")
}

// GetDocument gives one document.
func (v *Vendor) GetDocument(ctx context.Context, ref Ref) (Document, error) {
	err := checkID("knowledge_base_id", ref.KnowledgeBaseID)
	if err == nil {
		err = checkID("document_id", ref.DocumentID)
	}
	if err != nil {
		return Document{}, v.wrap("get_document_info", err)
	}
	d, err := v.driver.GetDocument(ctx, ref)
	if err != nil {
		return Document{}, v.wrap("get_document_info", err)
	}
	d.settle(v.name, ref.KnowledgeBaseID)
	return d, nil
}

// wrap stamps an error once with the connection and what was being done.
func (v *Vendor) wrap(op string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Kind: Internal, Message: "kb-mcp could not do this because of a fault of its own.", Err: err}
	}
	c := *e
	c.Vendor, c.Op = v.name, op
	return &c
}

// hash identifies a listing, so that a cursor serves only the query it is for.
func (v *Vendor) hash(op string, q ListQuery) uint32 {
	return queryHash(op, v.name, q.KnowledgeBaseID, string(q.Status), strings.ToLower(q.NameContains))
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

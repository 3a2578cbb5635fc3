package ragflow

import (
	"context"
	"slices"
	"strings"

	"kb-mcp/vendors"
)

// pageSize is the largest page that every version takes, also for `ids`.
const pageSize = 100

// ListKnowledgeBases implements [vendors.KnowledgeBaseLister].
func (d *Driver) ListKnowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	return request(ctx, d, func(a api) (vendors.Page[vendors.KnowledgeBase], error) { return a.knowledgeBases(ctx, q) })
}

// ListDocuments implements [vendors.Driver]. A status that RAGFlow never has
// needs no request.
func (d *Driver) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	switch q.Status {
	case vendors.Paused, vendors.Deleting, vendors.NotFound:
		return vendors.Page[vendors.Document]{Items: []vendors.Document{}, Total: new(int), Filtered: true}, nil
	}
	if err := checkPath(q.KnowledgeBaseID); err != nil {
		return vendors.Page[vendors.Document]{}, err
	}
	p, err := request(ctx, d, func(a api) (vendors.Page[vendors.Document], error) { return a.documents(ctx, q) })
	d.asked.correct(p.Items)
	return p, err
}

// GetDocument implements [vendors.Driver]. Neither generation has a call for
// it: GET .../documents/{doc} is the download.
func (d *Driver) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	if err := checkPath(ref.KnowledgeBaseID); err != nil {
		return vendors.Document{}, err
	}
	doc, err := request(ctx, d, func(a api) (vendors.Document, error) { return a.document(ctx, ref) })
	return d.corrected(doc), err
}

// corrected is a document that counts as queued when this process has just
// started it.
func (d *Driver) corrected(doc vendors.Document) vendors.Document {
	docs := []vendors.Document{doc}
	d.asked.correct(docs)
	return docs[0]
}

// checkPath refuses knowledge base ids that RAGFlow's router would take for
// another path, escaped or not; the answer would look like an old server's.
func checkPath(id string) error {
	if !strings.ContainsAny(id, "/?#") {
		return nil
	}
	return vendors.Errorf(vendors.InvalidArgument, "`knowledge_base_id` holds one of / ? #, and no RAGFlow id does.").
		WithHint("Pass the id exactly as list_knowledge_bases gave it.")
}

// sweep reads page after page from number on, until visit has enough or the
// listing ends. before is the page read before, if any: RAGFlow 0.13 ignores
// page numbers, so a page that repeats the one before it ends the listing.
func sweep(number int, before []vendors.Document, fetch func(page int) (vendors.Page[vendors.Document], error), visit func(vendors.Page[vendors.Document]) (enough bool)) error {
	for ; ; number++ {
		p, err := fetch(number)
		if err != nil {
			return err
		}
		again := slices.EqualFunc(p.Items, before, func(a, b vendors.Document) bool { return a.DocumentID == b.DocumentID })
		if visit(p) || again || !p.More {
			return nil
		}
		before = p.Items
	}
}

// find gives the row of an id.
func find(rows []vendors.Document, id string) (vendors.Document, bool) {
	i := slices.IndexFunc(rows, func(d vendors.Document) bool { return d.DocumentID == id })
	if i < 0 {
		return vendors.Document{}, false
	}
	return rows[i], true
}

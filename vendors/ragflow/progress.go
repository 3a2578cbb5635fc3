package ragflow

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Batch implements [vendors.Batcher]. Servers that do not know the parameter
// `ids`, and before it is known those that may, are asked for all documents at
// once: their listing is read only once then.
func (d *Driver) Batch() int {
	if d.now.ids.Load() {
		return pageSize
	}
	return 0
}

// Progress implements [vendors.Driver]. Rows of the listing carry all there is
// to know; RAGFlow has no batches of uploads.
func (d *Driver) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	if q.BatchID != "" {
		return vendors.Report{}, vendors.Errorf(vendors.Unsupported, "RAGFlow has no upload batches.").
			WithHint("Pass `document_ids`, or neither for the whole knowledge base.")
	}
	if err := checkPath(q.KnowledgeBaseID); err != nil {
		return vendors.Report{}, err
	}
	rep, err := request(ctx, d, func(a api) (vendors.Report, error) { return a.progress(ctx, q.KnowledgeBaseID, q.DocumentIDs) })
	d.asked.correct(rep.Documents)
	return rep, err
}

// hunt collects the documents of given ids as pages come in.
type hunt struct {
	ids     []string
	pending map[string]bool
	found   []vendors.Document
	blind   bool // a row had no id
}

func newHunt(ids []string) *hunt {
	h := &hunt{ids: ids, pending: make(map[string]bool, len(ids)), found: make([]vendors.Document, 0, len(ids))}
	for _, id := range ids {
		h.pending[id] = true
	}
	return h
}

// take keeps what is wanted of rows and reports whether nothing is left to find.
func (h *hunt) take(rows []vendors.Document) (enough bool) {
	for _, d := range rows {
		if h.pending[d.DocumentID] {
			delete(h.pending, d.DocumentID)
			h.found = append(h.found, d)
		}
	}
	return len(h.pending) == 0
}

// visit takes a page.
func (h *hunt) visit(p vendors.Page[vendors.Document]) (enough bool) {
	h.blind = h.blind || p.Blind
	return h.take(p.Items)
}

// left gives the ids not found so far, in the caller's order.
func (h *hunt) left() []string {
	out := make([]string, 0, len(h.pending))
	for _, id := range h.ids {
		if h.pending[id] {
			out = append(out, id)
		}
	}
	return out
}

// report ends a hunt: without an error, what was not found does not exist.
func (h *hunt) report(err error) (vendors.Report, error) {
	r := vendors.Report{Documents: h.found}
	if err == nil && h.blind && len(h.pending) > 0 {
		err = rest.NoID()
	}
	if err == nil {
		r.Missing = h.left()
	}
	return r, err
}

package coze

import (
	"context"
	"errors"
	"iter"
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Bounds of a search for documents if the server ignores the filter by id.
const (
	getSize  = 100
	getPages = 10
)

// errMorePages ends a listing that is longer than it may be.
var errMorePages = errors.New("more pages than are read")

// pages reads the pages of a listing up to the last. If more than most pages
// follow, it ends with errMorePages.
func pages[P listing](most, size int, read func(page int) (P, error)) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		for page := 1; page <= most; page++ {
			p, err := read(page)
			if !yield(p, err) || err != nil || !more(p, page, size) {
				return
			}
		}
		yield(*new(P), errMorePages)
	}
}

// more reports whether a page follows; without a count, whether this one is full.
func more(p listing, page, size int) bool {
	switch rows, total := p.counted(); {
	case rows == 0:
		return false
	case !total.Valid:
		return rows >= size
	default:
		return int64(page)*int64(size) < total.Int
	}
}

// ListDocuments implements [vendors.Driver]. Filters are not passed on: there
// is none for the status, and studio ignores keyword.
func (d *Driver) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	// Studio sorts by the last change; hosted Coze documents no order.
	p := vendors.Page[vendors.Document]{Items: []vendors.Document{}, Thin: true, Moves: true}
	r, err := d.list(ctx, q.KnowledgeBaseID, q.Page, q.Size, nil)
	if err != nil {
		return p, err
	}
	known := slices.DeleteFunc(slices.Clone(r.List), func(w document) bool { return !isID(string(w.ID)) })
	p.Blind, p.Total = len(known) < len(r.List), r.Total.Rows()
	p.More = len(known) > 0 && more(r, q.Page, q.Size)
	p.Items, err = d.withProgress(ctx, q.KnowledgeBaseID, known, true)
	if err != nil {
		d.log.WarnContext(ctx, "progress could not be read; documents are shown as listed", "error", err)
	}
	return p, nil
}

// list reads our page (from 1) of a knowledge base. The answer may show that
// the page's number was meant for the other dialect: then it is read again.
func (d *Driver) list(ctx context.Context, kb string, page, size int, ids []string) (documents, error) {
	read := func(number int) (documents, error) {
		return do[documents](ctx, d, listDocuments, rest.Call{Body: listRequest{kb, number, size, ids}, Rows: size})
	}
	number := d.dialect.page(page)
	r, err := read(number)
	if err != nil {
		return r, err
	}
	if page > 1 {
		if right := d.dialect.pageAfter(page); right != number {
			return read(right)
		}
		return r, nil
	}
	if len(r.List) > 0 || r.Total.Int <= 0 {
		return r, nil
	}
	// Documents, but none on the first page: the server counts pages from the
	// other base.
	other := 1 - number
	again, err := read(other)
	if err == nil && len(again.List) > 0 {
		d.dialect.firstIs(other)
	}
	return again, err
}

// listRequest is the body of POST /open_api/knowledge/document/list. Without
// size studio gives everything. document_ids is honoured by studio; hosted Coze
// has it in its interface definitions only.
type listRequest struct {
	DatasetID   string   `json:"dataset_id"`
	Page        int      `json:"page"`
	Size        int      `json:"size"`
	DocumentIDs []string `json:"document_ids,omitempty"`
}

// GetDocument implements [vendors.Driver]. There is no such call: it is a list
// with a filter, and for what a row lacks one process call.
func (d *Driver) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	row, err := d.row(ctx, ref)
	if err != nil {
		return vendors.Document{}, err
	}
	docs, err := d.withProgress(ctx, ref.KnowledgeBaseID, []document{row}, false)
	if err != nil {
		d.log.WarnContext(ctx, "progress could not be read; the document is shown as listed", "document_id", ref.DocumentID, "error", err)
	}
	return d.withCaption(ctx, ref, docs[0]), nil
}

// row finds one document. Where the list's filter is ignored and the list too
// long, it is what a process call says.
func (d *Driver) row(ctx context.Context, ref vendors.Ref) (document, error) {
	ids := []string{ref.DocumentID}
	rows, complete, err := d.rowsOf(ctx, ref.KnowledgeBaseID, ids)
	if err == nil && len(rows) == 0 && !complete {
		rows, err = d.process(ctx, ref.KnowledgeBaseID, ids)
	}
	switch {
	case err != nil:
		return document{}, err
	case len(rows) == 0:
		return document{}, noDocument()
	}
	return rows[0], nil
}

// rowsOf finds the rows of at most [getSize] documents; complete says whether
// those that were not found are surely not there.
func (d *Driver) rowsOf(ctx context.Context, kb string, ids []string) (found []document, complete bool, err error) {
	blind := false
	for r, err := range pages(getPages, getSize, func(page int) (documents, error) { return d.list(ctx, kb, page, getSize, ids) }) {
		if err != nil {
			return found, false, unless(err, errMorePages)
		}
		for _, w := range r.List {
			blind = blind || !isID(string(w.ID))
			if slices.Contains(ids, string(w.ID)) && !slices.ContainsFunc(found, w.same) {
				found = append(found, w)
			}
		}
		if len(found) == len(ids) { // else rows of others mean that the filter was ignored
			return found, true, nil
		}
	}
	if blind {
		return nil, false, rest.NoID()
	}
	return found, true, nil
}

func (w document) same(other document) bool { return w.ID == other.ID }

// unless returns err, or nil if it is target.
func unless(err, target error) error {
	if errors.Is(err, target) {
		return nil
	}
	return err
}

// withProgress converts rows, with one process call for those that are open.
// Without its answer they are as the rows say.
func (d *Driver) withProgress(ctx context.Context, kb string, rows []document, listed bool) (docs []vendors.Document, err error) {
	var ids []string
	for _, w := range rows {
		if !w.processed && w.open(d.studio(), listed) {
			ids = append(ids, string(w.ID))
		}
	}
	states := make(map[rest.ID]document, len(ids))
	if len(ids) > 0 {
		var list []document
		list, err = d.process(ctx, kb, ids)
		for _, p := range list {
			states[p.ID] = p
		}
	}
	docs = make([]vendors.Document, len(rows))
	for i, w := range rows {
		if p, ok := states[w.ID]; ok {
			w = w.with(p, d.studio())
		}
		docs[i] = w.normal(d.studio())
	}
	return docs, err
}

// open reports whether a process call tells more of a document than its row. Of
// hosted Coze it tells the percentage while a document is at work, which listings
// do without, and why it failed. On studio a row may also mean something else than
// it says.
func (w document) open(onStudio, listed bool) bool {
	status, raw, _ := statusOf(w.Status)
	switch {
	case !onStudio && status == vendors.Failed:
		_, reason := reasonOf(w.Descript)
		return !listed && raw != rejected && reason == ""
	case !listed && !status.Settled():
		return true
	case !onStudio:
		return false
	case status == vendors.Failed: // or it is tried again
		return true
	case status == vendors.Completed: // or a table that has not begun
		return w.SliceCount.Int == 0
	}
	return w.SliceCount.Int > 0 // or it is disabled
}

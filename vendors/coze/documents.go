package coze

import (
	"context"
	"net/http"
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// ListDocuments implements [vendors.Driver]. Filters are not passed on: there
// is none for the status, and studio ignores keyword.
func (d *Driver) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	p := vendors.Page[vendors.Document]{Items: []vendors.Document{}, Thin: true}
	if err := checkIDs("knowledge_base_id", q.KnowledgeBaseID); err != nil {
		return p, err
	}
	r, err := d.list(ctx, q.KnowledgeBaseID, q.Page, q.Size, nil)
	if err != nil {
		return p, err
	}
	for _, w := range r.Documents {
		if isID(string(w.ID)) {
			p.Items = append(p.Items, w.normal(d.speech.isStudio()))
		}
	}
	p.Total = total(r.Total)
	p.More = len(p.Items) > 0 && more(q.Page, q.Size, len(r.Documents), r.Total)
	if q.Page == 1 && len(r.Documents) == 0 && d.speech.isStudio() {
		return p, d.suspect(ctx, q.KnowledgeBaseID)
	}
	return p, nil
}

// total is a platform's count of rows, nil when it gave none.
func total(n rest.Num) *int {
	if c := n.Count(); c != nil {
		t := int(*c)
		return &t
	}
	return nil
}

// more reports whether a page follows; without a count, whether this one is full.
func more(page, size, rows int, count rest.Num) bool {
	if !count.Valid {
		return rows >= size
	}
	return int64(page)*int64(size) < count.Int
}

// list reads our page (from 1) of a knowledge base. The answer may show that
// the page's number was meant for the other dialect: then it is read again.
func (d *Driver) list(ctx context.Context, kb string, page, size int, ids []string) (rows, error) {
	asked := d.speech.page(page)
	r, err := d.listPage(ctx, listRequest{DatasetID: kb, Page: asked, Size: size, DocumentIDs: ids})
	if err != nil {
		return r, err
	}
	if page > 1 {
		if right := d.rightPage(page); right != asked {
			return d.listPage(ctx, listRequest{DatasetID: kb, Page: right, Size: size, DocumentIDs: ids})
		}
		return r, nil
	}
	if len(r.Documents) > 0 || r.Total.Int <= 0 {
		return r, nil
	}
	// Documents, but none on the first page: the server counts pages otherwise.
	other := 1 - asked
	again, err := d.listPage(ctx, listRequest{DatasetID: kb, Page: other, Size: size, DocumentIDs: ids})
	if err == nil && len(again.Documents) > 0 {
		d.speech.firstIs(other)
	}
	return again, err
}

// rightPage is the server's number of a page after an answer was heard. One
// without any mark is not studio's, whose answers always have one.
func (d *Driver) rightPage(page int) int {
	if d.speech.is() == undecided && d.speech.base.Load() == 0 {
		return page
	}
	return d.speech.page(page)
}

func (d *Driver) listPage(ctx context.Context, body listRequest) (rows, error) {
	var out listAnswer
	err := d.call(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"open_api", "knowledge", "document", "list"}, Body: body, Rows: body.Size,
	}, &out)
	return out.payload(), err
}

// suspect tells an unknown knowledge base from an empty one on studio, which
// answers both alike: where the space is known, it lists its knowledge bases.
func (d *Driver) suspect(ctx context.Context, kb string) error {
	if d.space == "" {
		return nil
	}
	for page := 1; page <= 5; page++ {
		r, err := d.datasets(ctx, d.space, page, mostDatasets, "")
		if err != nil {
			return nil // the list itself was answered
		}
		for _, w := range r.List {
			if string(w.ID) == kb {
				return nil
			}
		}
		if !more(page, mostDatasets, len(r.List), r.Total) {
			return vendors.Errorf(vendors.ErrNotFound, "The knowledge base has no documents and is not in the space of COZE_SPACE_ID: it does not exist or is not accessible with this credential.").
				WithHint("Take the id from list_knowledge_bases; for one of another space set COZE_SPACE_ID to that space.")
		}
	}
	return nil
}

// Where the server ignores the filter of [Driver.rowsOf], so many
// documents are looked through.
const (
	getSize  = 100
	getPages = 10
)

// GetDocument implements [vendors.Driver]. There is no such call: it is a list
// with a filter, and for what a row lacks one process call.
func (d *Driver) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	err := checkIDs("knowledge_base_id", ref.KnowledgeBaseID)
	if err == nil {
		err = checkIDs("document_id", ref.DocumentID)
	}
	if err != nil {
		return vendors.Document{}, err
	}
	doc, complete, err := d.find(ctx, ref)
	switch {
	case err != nil:
		return vendors.Document{}, err
	case doc != nil && !d.lacks(doc):
		return *doc, nil
	case doc == nil && complete:
		return vendors.Document{}, noDocument()
	}
	return d.withProgress(ctx, ref, doc)
}

// find looks for a document's row; nil when it is not there, and complete says
// whether that is sure.
func (d *Driver) find(ctx context.Context, ref vendors.Ref) (doc *vendors.Document, complete bool, err error) {
	rows, complete, err := d.rowsOf(ctx, ref.KnowledgeBaseID, []string{ref.DocumentID})
	if w, ok := rows[ref.DocumentID]; ok && err == nil {
		doc := w.normal(d.speech.isStudio())
		return &doc, true, nil
	}
	return nil, complete, err
}

// rowsOf finds the rows of at most [getSize] documents; complete says whether
// those that were not found are surely not there.
func (d *Driver) rowsOf(ctx context.Context, kb string, ids []string) (found map[string]document, complete bool, err error) {
	found = make(map[string]document, len(ids))
	blind := false
	for page := 1; page <= getPages; page++ {
		r, err := d.list(ctx, kb, page, getSize, ids)
		if err != nil {
			return nil, false, err
		}
		for _, w := range r.Documents {
			if slices.Contains(ids, string(w.ID)) {
				found[string(w.ID)] = w
			}
			blind = blind || !isID(string(w.ID))
		}
		// Rows of others mean that the filter was ignored: search on.
		switch {
		case len(found) == len(ids):
			return found, true, nil
		case len(r.Documents) > 0 && more(page, getSize, len(r.Documents), r.Total):
			continue
		case blind:
			return nil, false, rest.NoID()
		}
		return found, true, nil
	}
	return found, false, nil
}

// lacks reports whether only a process call shows the rest: the percentage
// while a document is at work, on hosted also why it failed.
func (d *Driver) lacks(doc *vendors.Document) bool {
	if doc.Status == vendors.Failed {
		return !d.speech.isStudio() && doc.VendorStatus != rejected && doc.Error.Message == noReason
	}
	return !doc.Status.Settled()
}

// withProgress adds what a process call says to a row, or takes it for the
// document when the row was not found. A failure leaves the row as it is.
func (d *Driver) withProgress(ctx context.Context, ref vendors.Ref, row *vendors.Document) (vendors.Document, error) {
	found, err := d.process(ctx, ref.KnowledgeBaseID, []string{ref.DocumentID})
	if err != nil && row == nil {
		return vendors.Document{}, err
	}
	if err != nil {
		d.log.WarnContext(ctx, "no progress for a document", "document_id", ref.DocumentID, "error", err)
	}
	for _, doc := range found {
		if row == nil {
			return doc, nil
		}
		row.Status, row.VendorStatus, row.Enabled = doc.Status, doc.VendorStatus, doc.Enabled
		row.ProgressPercent, row.Error = doc.ProgressPercent, doc.Error
	}
	if row == nil {
		return vendors.Document{}, noDocument()
	}
	return *row, nil
}

func noDocument() error {
	return vendors.Errorf(vendors.ErrNotFound, "The document does not exist in this knowledge base or is not accessible with this credential.").
		WithHint("List the documents again: a web page that refreshes itself may get a new id with each refresh.")
}

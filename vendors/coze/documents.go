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
	// Studio sorts by the last change; hosted Coze documents no order.
	p := vendors.Page[vendors.Document]{Items: []vendors.Document{}, Thin: true, Moves: true}
	if err := checkIDs("knowledge_base_id", q.KnowledgeBaseID); err != nil {
		return p, err
	}
	r, err := d.list(ctx, q.KnowledgeBaseID, q.Page, q.Size, nil)
	if err != nil {
		return p, err
	}
	known := slices.DeleteFunc(slices.Clone(r.Documents), func(w document) bool { return !isID(string(w.ID)) })
	p.Items, p.Blind = d.pageOf(ctx, q.KnowledgeBaseID, known), len(known) < len(r.Documents)
	p.Total = total(r.Total)
	p.More = len(p.Items) > 0 && more(q.Page, q.Size, len(r.Documents), r.Total)
	return p, nil
}

// pageOf gives the rows of a page in our words.
func (d *Driver) pageOf(ctx context.Context, kb string, rows []document) []vendors.Document {
	if d.speech.isStudio() {
		docs, err := d.judged(ctx, kb, rows, unsure)
		if err != nil {
			d.log.WarnContext(ctx, "documents stand as their rows say", "error", err)
		}
		return docs
	}
	docs := make([]vendors.Document, len(rows))
	for i, w := range rows {
		docs[i] = w.normal(false)
	}
	return docs
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

// CheckKnowledgeBase implements [vendors.KnowledgeBaseChecker]. Studio answers
// for an unknown knowledge base as for an empty one: where the space is known, it
// lists its knowledge bases. Those of its low-code apps are missing there.
func (d *Driver) CheckKnowledgeBase(ctx context.Context, id string) error {
	if !d.speech.isStudio() {
		return nil
	}
	if d.space != "" {
		if row, err := d.lookup(ctx, id); row != nil || err != nil {
			return nil // the question itself was answered
		}
	}
	r, err := d.list(ctx, id, 1, 1, nil)
	if err != nil || len(r.Documents) > 0 {
		return err
	}
	return d.unlisted()
}

// unlisted is the error for an empty knowledge base that no list shows.
func (d *Driver) unlisted() error {
	if d.space == "" {
		return vendors.Errorf(vendors.ErrNotFound, "The knowledge base has no documents, or does not exist: without COZE_SPACE_ID a coze-studio server does not let one tell.").
			WithHint("Check the id; whoever runs kb-mcp should set COZE_SPACE_ID to the number after /space/ in the address of the space's page.")
	}
	return vendors.Errorf(vendors.ErrNotFound, "The knowledge base has no documents and is not listed in the space of COZE_SPACE_ID: it does not exist, is not accessible with this credential, or is an empty one of a low-code app.").
		WithHint("Take the id from list_knowledge_bases; for one of another space set COZE_SPACE_ID to that space. An empty knowledge base of an app takes uploads.")
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
	rows, complete, err := d.rowsOf(ctx, ref.KnowledgeBaseID, []string{ref.DocumentID})
	if err != nil {
		return vendors.Document{}, err
	}
	row, found := rows[ref.DocumentID]
	switch {
	case d.speech.isStudio() && found:
		docs, err := d.judged(ctx, ref.KnowledgeBaseID, []document{row}, unsettled)
		if err != nil {
			d.log.WarnContext(ctx, "a document stands as its row says", "document_id", ref.DocumentID, "error", err)
		}
		return d.withCaption(ctx, ref, docs[0]), nil
	case found:
		doc := d.withCaption(ctx, ref, row.normal(false))
		if !lacks(&doc) {
			return doc, nil
		}
		return d.withProgress(ctx, ref, &doc)
	case complete:
		return vendors.Document{}, noDocument()
	}
	return d.withProgress(ctx, ref, nil)
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

// lacks reports whether only a process call of hosted Coze shows the rest: the
// percentage while a document is at work, and why it failed.
func lacks(doc *vendors.Document) bool {
	if doc.Status == vendors.Failed {
		return doc.VendorStatus != rejected && doc.Error.Message == noReason
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
	for _, p := range found {
		doc := p.normal()
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

package connection

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/normal"
	"kb-mcp/vendors/internal/paging"
)

// ListQuery selects the rows of a listing.
type ListQuery struct {
	KnowledgeBaseID string         // documents only
	Status          vendors.Status // "" for all; documents only
	NameContains    string         // any case; "" for all
	Enabled         *bool          // nil for all; documents only. One of which the platform does not say is enabled
	Limit           int            // rows wanted, 1-100
	Cursor          string
}

// DocumentList is one page of documents as an agent gets it.
type DocumentList struct {
	Vendor          string             `json:"vendor"`
	KnowledgeBaseID string             `json:"knowledge_base_id"`
	Documents       []vendors.Document `json:"documents"`
	Total           *int               `json:"total,omitempty"`
	NextCursor      string             `json:"next_cursor,omitempty"`
	Truncated       bool               `json:"truncated,omitempty"`
	Hint            string             `json:"hint,omitempty"`

	behind paging.Cursors
}

// KnowledgeBaseList is one page of knowledge bases as an agent gets it.
type KnowledgeBaseList struct {
	Vendor         string                  `json:"vendor"`
	KnowledgeBases []vendors.KnowledgeBase `json:"knowledge_bases"`
	Total          *int                    `json:"total,omitempty"`
	NextCursor     string                  `json:"next_cursor,omitempty"`

	behind paging.Cursors
}

// ListDocuments returns up to q.Limit documents that match, from q.Cursor on.
// Rows may be fewer; NextCursor alone says whether there is more.
func (c *Connection) ListDocuments(ctx context.Context, q ListQuery) (DocumentList, error) {
	err := c.breaker.Check(tool(ctx))
	if err == nil {
		err = c.resolve(ctx, &q.KnowledgeBaseID)
	}
	out := DocumentList{Vendor: c.name, KnowledgeBaseID: q.KnowledgeBaseID, Documents: []vendors.Document{}}
	if err != nil {
		return out, c.wrap(ctx, err)
	}
	w := c.documents(vendors.PageQuery{KnowledgeBaseID: q.KnowledgeBaseID, Status: q.Status, NameContains: q.NameContains})
	found, err := paging.Collect(ctx, w, c.memory, c.query("documents", q), q.matches)
	if err != nil {
		return out, c.wrap(ctx, err)
	}
	out.Documents = make([]vendors.Document, len(found.Rows))
	for i, r := range found.Rows {
		out.Documents[i] = c.row(r.Item, q.KnowledgeBaseID)
	}
	out.Total, out.NextCursor, out.behind = found.Total, found.Cursor, found.Behind
	out.Hint = lostHint(found.Why, found.Lost)
	out.Truncated = out.Hint != ""
	return out, nil
}

// matches reports whether a row is one of those asked for.
func (q ListQuery) matches(d *vendors.Document) bool {
	enabled := d.Enabled == nil || *d.Enabled
	return (q.Status == "" || d.Status == q.Status) && (q.Enabled == nil || *q.Enabled == enabled) && nameContains(d.Name, q.NameContains)
}

// row is a document as lists show it.
func (c *Connection) row(d *vendors.Document, kb string) vendors.Document {
	row := *d
	normal.Document(&row, c.name, kb)
	row.Stalled = c.stalls.Suspect(&row, kb, c.rule)
	return row
}

// query is a caller's query as the pages of op know it.
func (c *Connection) query(op string, q ListQuery) paging.Query {
	filtered := q.Status != "" || q.NameContains != "" || q.Enabled != nil
	return paging.Query{Hash: c.hash(op, q), Cursor: q.Cursor, Limit: q.Limit, Filtered: filtered, Uncounted: q.Enabled != nil}
}

// lostHint says which rows of a listing are missing; "" for none.
func lostHint(why paging.Bound, lost int) string {
	switch {
	case lost == 0:
		return ""
	case why == paging.MovementBound:
		return fmt.Sprintf("The platform's order moved while this list was read: %d of its rows did not come. List again from the start when fewer documents are being ingested, or ask for single ones by name_contains.", lost)
	case why == paging.WindowBound:
		return fmt.Sprintf("The platform gives no more than the first %d rows of a list; narrow it with `status` or `name_contains`.", paging.Window)
	}
	return fmt.Sprintf("The platform gives the same rows for every page: %d of its rows did not come. Look for a newer version of its server, or for a proxy that drops the query.", lost)
}

// documents walks over the documents of a query.
func (c *Connection) documents(q vendors.PageQuery) paging.Walker[vendors.Document] {
	return paging.Walker[vendors.Document]{
		Key: documentKey, Trail: &paging.Trail{}, Sizes: c.sizes, What: "documents of " + q.KnowledgeBaseID, Weigh: weighDocument,
		Fetch: func(ctx context.Context, page int, token string, size int) (vendors.Page[vendors.Document], error) {
			q.Page, q.Token, q.Size = page, token, size
			return c.page(ctx, q)
		},
	}
}

// knowledgeBases walks over the knowledge bases of the connection.
func (c *Connection) knowledgeBases(lister vendors.KnowledgeBaseLister, name string) paging.Walker[vendors.KnowledgeBase] {
	return paging.Walker[vendors.KnowledgeBase]{
		Key:   func(k vendors.KnowledgeBase) (string, time.Time) { return k.KnowledgeBaseID, k.CreatedAt },
		Trail: &paging.Trail{}, Sizes: c.sizes, What: "knowledge bases",
		Weigh: func(k vendors.KnowledgeBase) int { return rowBytes + len(k.Name) + len(k.Description) },
		Fetch: func(ctx context.Context, page int, token string, size int) (vendors.Page[vendors.KnowledgeBase], error) {
			return c.basesPage(ctx, lister, vendors.PageQuery{NameContains: name, Page: page, Token: token, Size: size})
		},
	}
}

// page reads one page of documents. If the platform refuses a filter (a word
// that a newer release no longer knows), the page is read without it: every row
// is checked here anyway.
func (c *Connection) page(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	all := q
	all.Status, all.NameContains = "", ""
	if q.Status == "" && q.NameContains == "" {
		return c.reads.ListDocuments(ctx, q)
	}
	filter := "status " + string(q.Status)
	if q.Status == "" {
		filter = "name"
	}
	if c.refused.Has(filter) {
		page, err := c.reads.ListDocuments(ctx, all)
		page.Filtered = false
		return page, err
	}
	page, err := c.reads.ListDocuments(ctx, q)
	if kind := vendors.KindOf(err); err == nil || kind != vendors.InvalidArgument && kind != vendors.VendorError && kind != vendors.Unsupported {
		return page, err
	}
	if !firstPage(q) { // a later page may be refused for its number
		first := q
		first.Page, first.Token = 1, ""
		if _, refusal := c.reads.ListDocuments(ctx, first); refusal == nil {
			return page, err
		}
	}
	whole, failure := c.reads.ListDocuments(ctx, all)
	if failure != nil {
		return page, err // it was not the filter
	}
	c.refused.Put(filter, struct{}{})
	whole.Filtered = false
	return whole, nil
}

// firstPage reports whether a page is the first one.
func firstPage(q vendors.PageQuery) bool { return q.Page <= 1 && q.Token == "" }

// ListKnowledgeBases returns up to q.Limit knowledge bases whose name matches.
func (c *Connection) ListKnowledgeBases(ctx context.Context, q ListQuery) (KnowledgeBaseList, error) {
	out := KnowledgeBaseList{Vendor: c.name, KnowledgeBases: []vendors.KnowledgeBase{}}
	lister, err := capability[vendors.KnowledgeBaseLister](ctx, c)
	if err != nil {
		return out, c.wrap(ctx, err)
	}
	match := func(k *vendors.KnowledgeBase) bool { return nameContains(k.Name, q.NameContains) }
	found, err := paging.Collect(ctx, c.knowledgeBases(lister, q.NameContains), c.memory, c.query("knowledge bases", q), match)
	if err != nil {
		return out, c.wrap(ctx, err)
	}
	for _, r := range found.Rows {
		out.KnowledgeBases = append(out.KnowledgeBases, *r.Item)
	}
	out.Total, out.NextCursor, out.behind = found.Total, found.Cursor, found.Behind
	return out, nil
}

// rowBytes is about what a row takes beside its long texts.
const rowBytes = 800

func weighDocument(d vendors.Document) int {
	n := rowBytes + len(d.Name) + len(d.SourceURL) + weigh(d.Metadata)
	if d.Error != nil {
		n += len(d.Error.Message)
	}
	return n
}

// weigh is about how many bytes a value of a JSON object takes.
func weigh(v any) int {
	n := 64
	switch v := v.(type) {
	case string:
		n += len(v)
	case []any:
		for _, e := range v {
			n += weigh(e)
		}
	case map[string]any:
		for k, e := range v {
			n += len(k) + weigh(e)
		}
	}
	return n
}

func documentKey(d vendors.Document) (string, time.Time) { return d.DocumentID, d.CreatedAt }

// nameContains ignores case as Unicode folds it.
func nameContains(name, part string) bool {
	return part == "" || strings.Contains(strings.ToLower(name), strings.ToLower(part))
}

// Len is the number of documents.
func (l DocumentList) Len() int { return len(l.Documents) }

// Fit leaves all but the first n documents to NextCursor. A first document that
// is too large by itself loses its metadata, which get_document_info shows.
func (l DocumentList) Fit(n int) any {
	if keep := max(n, 1); keep < len(l.Documents) {
		l.NextCursor = l.behind.At(keep - 1)
		l.Documents = l.Documents[:keep]
	}
	if n < 1 {
		l.Documents = slices.Clone(l.Documents)
		l.Documents[0].Metadata = nil
		l.Truncated, l.Hint = true, "The metadata of this document is too large for a list; call get_document_info."
	}
	return l
}

// KnowledgeBases is ListKnowledgeBases as a part of a longer list.
func (c *Connection) KnowledgeBases(ctx context.Context, q ListQuery) (part Part[vendors.KnowledgeBase], err error) {
	list, err := c.ListKnowledgeBases(ctx, q)
	for i, k := range list.KnowledgeBases {
		part.Rows = append(part.Rows, PartRow[vendors.KnowledgeBase]{k, list.behind.At(i)})
	}
	part.End, part.Done = list.NextCursor, list.NextCursor == ""
	return part, err
}

// Fit leaves all but the first n knowledge bases to NextCursor.
func (l KnowledgeBaseList) Fit(n int) KnowledgeBaseList {
	if n = max(n, 1); n < len(l.KnowledgeBases) {
		l.NextCursor = l.behind.At(n - 1)
		l.KnowledgeBases = l.KnowledgeBases[:n]
	}
	return l
}

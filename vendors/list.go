package vendors

import (
	"context"
	"slices"
	"strings"
	"time"
)

// ListQuery is what an agent asks of a listing.
type ListQuery struct {
	KnowledgeBaseID string // documents only
	Status          Status // "" for all; documents only
	NameContains    string // any case; "" for all
	Limit           int    // rows wanted, 1-100
	Cursor          string
}

// scanSize is the page size of a filtered listing: most filters are applied
// here, so that few rows of a page match, and every platform gives 100.
const scanSize = 100

// DocumentList is one page of documents as an agent gets it.
type DocumentList struct {
	Vendor          string     `json:"vendor"`
	KnowledgeBaseID string     `json:"knowledge_base_id"`
	Documents       []Document `json:"documents"`
	Total           *int       `json:"total,omitempty"`
	NextCursor      string     `json:"next_cursor,omitempty"`
	Truncated       bool       `json:"truncated,omitempty"`
	Hint            string     `json:"hint,omitempty"`

	after []position // behind each document, for Fit
}

// KnowledgeBaseList is one page of knowledge bases as an agent gets it.
type KnowledgeBaseList struct {
	Vendor         string          `json:"vendor"`
	KnowledgeBases []KnowledgeBase `json:"knowledge_bases"`
	Total          *int            `json:"total,omitempty"`
	NextCursor     string          `json:"next_cursor,omitempty"`

	after []position
}

// ListDocuments gives up to q.Limit documents that match, from q.Cursor on.
// Rows may be fewer; NextCursor alone says whether there is more.
func (v *Vendor) ListDocuments(ctx context.Context, q ListQuery) (DocumentList, error) {
	err := v.breaker.check("list_documents")
	if err == nil {
		err = v.resolve(ctx, &q.KnowledgeBaseID)
	}
	out := DocumentList{Vendor: v.name, KnowledgeBaseID: q.KnowledgeBaseID, Documents: []Document{}}
	if err != nil {
		return out, v.wrap("list_documents", err)
	}
	w := walker[Document]{
		fetch: func(ctx context.Context, page int, token string, size int) (Page[Document], error) {
			return v.reads.ListDocuments(ctx, PageQuery{
				KnowledgeBaseID: q.KnowledgeBaseID, Status: q.Status, NameContains: q.NameContains,
				Page: page, Token: token, Size: size,
			})
		},
		key: documentKey,
	}
	match := func(d *Document) bool {
		return (q.Status == "" || d.Status == q.Status) && nameContains(d.Name, q.NameContains)
	}
	rows, next, total, err := collect(ctx, w, q, v.hash("list_documents", q), match)
	if err != nil {
		return out, v.wrap("list_documents", err)
	}
	out.Documents, out.after = make([]Document, len(rows)), make([]position, len(rows))
	for i := range rows {
		out.Documents[i], out.after[i] = *rows[i].item, rows[i].after
		out.Documents[i].settle(v.name, q.KnowledgeBaseID)
		v.suspect(&out.Documents[i], q.KnowledgeBaseID) // remembers how it looks now
	}
	out.Total, out.NextCursor = total, next
	return out, nil
}

// ListKnowledgeBases gives up to q.Limit knowledge bases whose name matches.
func (v *Vendor) ListKnowledgeBases(ctx context.Context, q ListQuery) (KnowledgeBaseList, error) {
	out := KnowledgeBaseList{Vendor: v.name, KnowledgeBases: []KnowledgeBase{}}
	lister, err := capability[KnowledgeBaseLister](v, "list_knowledge_bases")
	if err != nil {
		return out, v.wrap("list_knowledge_bases", err)
	}
	w := walker[KnowledgeBase]{
		fetch: func(ctx context.Context, page int, token string, size int) (Page[KnowledgeBase], error) {
			return lister.ListKnowledgeBases(ctx, PageQuery{NameContains: q.NameContains, Page: page, Token: token, Size: size})
		},
		key: func(k KnowledgeBase) (string, time.Time) { return k.KnowledgeBaseID, k.CreatedAt },
	}
	match := func(k *KnowledgeBase) bool { return nameContains(k.Name, q.NameContains) }
	rows, next, total, err := collect(ctx, w, q, v.hash("list_knowledge_bases", q), match)
	if err != nil {
		return out, v.wrap("list_knowledge_bases", err)
	}
	for _, r := range rows {
		r.item.settle(v.name)
		out.KnowledgeBases = append(out.KnowledgeBases, *r.item)
		out.after = append(out.after, r.after)
	}
	out.Total, out.NextCursor = total, next
	return out, nil
}

// collect walks until q.Limit rows match. The total is given only when it
// counts just the matching rows.
func collect[T any](ctx context.Context, w walker[T], q ListQuery, hash uint32, match func(*T) bool) (rows []row[T], cursor string, total *int, err error) {
	filtered := q.Status != "" || q.NameContains != ""
	p := start(hash, q.Limit)
	if filtered {
		p.Size = scanSize
	}
	if q.Cursor != "" {
		if p, err = parseCursor(q.Cursor, hash); err != nil {
			return nil, "", nil, err
		}
	}
	rows = make([]row[T], 0, q.Limit)
	clean := true // no row came that the platform's filter should have kept back
	visit := func(r row[T]) bool {
		if !match(r.item) {
			clean = false
			return false
		}
		rows = append(rows, r)
		return len(rows) == q.Limit
	}
	// Without a filter one request is one answer: a shorter page is no reason
	// to spend another request.
	pageDone := func(visited int) bool { return !filtered && visited > 0 }
	next, page, err := w.walk(ctx, p, listTime, visit, pageDone)
	if err != nil {
		return nil, "", nil, err
	}
	if next != nil {
		cursor = next.cursor()
	}
	if !filtered || page.Filtered && clean {
		total = page.Total
	}
	return rows, cursor, total, nil
}

func documentKey(d Document) (string, time.Time) { return d.DocumentID, d.CreatedAt }

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
		l.NextCursor = l.after[keep-1].cursor()
		l.Documents, l.after = l.Documents[:keep], l.after[:keep]
	}
	if n < 1 {
		l.Documents = slices.Clone(l.Documents)
		l.Documents[0].Metadata = nil
		l.Truncated, l.Hint = true, "The metadata of this document is too large for a list; ask get_document_info."
	}
	return l
}

// Len is the number of knowledge bases.
func (l KnowledgeBaseList) Len() int { return len(l.KnowledgeBases) }

// Fit leaves all but the first n knowledge bases to NextCursor.
func (l KnowledgeBaseList) Fit(n int) any {
	if n = max(n, 1); n < len(l.KnowledgeBases) {
		l.NextCursor = l.after[n-1].cursor()
		l.KnowledgeBases, l.after = l.KnowledgeBases[:n], l.after[:n]
	}
	return l
}

package ragflow

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// currentAPI speaks to v0.14 and newer (http_api_reference.md, "Dataset
// management" and "File management within dataset").
type currentAPI struct {
	rc *rest.Client
	*memory
}

// knowledgeBases sends only what every version knows: since v0.19 any other
// parameter is refused. The total stands beside the rows, since v0.21.
func (c currentAPI) knowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	var out answer[[]dataset]
	err := c.rc.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"api", "v1", "datasets"}, Query: newestFirst(q.Page, q.Size), Rows: q.Size,
	}, &out)
	if err != nil {
		return vendors.Page[vendors.KnowledgeBase]{}, err
	}
	rows := out.payload()
	p := datasetPage(rows)
	p.Total, p.More = turn(out.Total, q.Page, q.Size, len(rows), false)
	return p, nil
}

// newestFirst is the page in an order that every version has. "true" is what
// old servers read as descending too.
func newestFirst(page, size int) url.Values {
	return url.Values{
		"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(size)},
		"orderby": {"create_time"}, "desc": {"true"},
	}
}

// turn says how many rows there are and whether another page follows. A total
// that is smaller than what was seen is no total: v0.14 - v0.15.1 put the number
// of rows on the page there, as a full first page of theirs (perPage: the
// server may be so old) cannot deny. Then only a short page is the last one.
//
// A page larger than asked for is everything: the server ignores page_size.
func turn(total rest.Num, page, size, rows int, perPage bool) (*int, bool) {
	if rows > size {
		n := rows
		return &n, false
	}
	n, seen := int(total.Int), (page-1)*size+rows
	if rows == 0 {
		seen = 0 // a page beyond the end has seen nothing
	}
	if !total.Valid || n < seen || perPage && n == rows && rows == size {
		return nil, rows == size
	}
	return &n, rows > 0 && page*size < n
}

// documents passes on what the server's own filters can do.
func (c currentAPI) documents(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	query := newestFirst(q.Page, q.Size)
	if q.NameContains != "" {
		query.Set("keywords", q.NameContains)
	}
	rows, total, exact, err := c.filtered(ctx, q, query)
	if err != nil {
		return vendors.Page[vendors.Document]{}, err
	}
	// Rows with dates that claim GMT come from a server before v0.24. It may
	// not know `run` (v0.21.1), and its total may be the page's.
	old := slices.ContainsFunc(rows, document.beforeISO)
	p := vendors.Page[vendors.Document]{
		Items: normal(rows, current), NewestFirst: true, Filtered: q.Status == "" || exact && !old,
		Blind: blind(rows),
	}
	p.Total, p.More = turn(total, q.Page, q.Size, len(rows), old)
	return p, nil
}

// rows is one page of the document list. An empty knowledge base of v0.14 -
// v0.16 complains of a document ("None") that nobody asked for.
func (c currentAPI) rows(ctx context.Context, kb string, query url.Values) ([]document, rest.Num, error) {
	var out answer[documentList]
	size, _ := strconv.Atoi(query.Get("page_size"))
	err := c.rc.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"api", "v1", "datasets", kb, "documents"}, Query: query, Rows: size,
	}, &out)
	if errors.Is(err, errEmptyKB) {
		return nil, rest.Num{Valid: true}, nil
	}
	if err != nil {
		return nil, rest.Num{}, err
	}
	return out.payload().rows()
}

// document asks the list for one id, and checks that it is the one that came:
// a server that did not know the parameter would give the newest document.
func (c currentAPI) document(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	row, err := c.row(ctx, ref)
	if err != nil {
		return vendors.Document{}, err
	}
	return row.normal(current), nil
}

// row finds the row of one document.
func (c currentAPI) row(ctx context.Context, ref vendors.Ref) (document, error) {
	rows, _, err := c.rows(ctx, ref.KnowledgeBaseID, url.Values{"id": {ref.DocumentID}, "page_size": {"1"}})
	if err != nil {
		return document{}, err
	}
	for _, row := range rows {
		if string(row.ID) == ref.DocumentID {
			return row, nil
		}
	}
	if blind(rows) {
		return document{}, rest.NoID()
	}
	return document{}, noDocument()
}

// progress asks for one or two ids one by one, and for more by the parameter
// `ids` (v0.25.1, 100 a request). A row that nobody asked for shows a server
// that ignores it; then this page is the first of everything.
func (c currentAPI) progress(ctx context.Context, kb string, ids []string) (vendors.Report, error) {
	h := newHunt(ids)
	if len(ids) <= 2 {
		return h.report(c.each(ctx, kb, h))
	}
	for batch := range slices.Chunk(ids, pageSize) {
		query := newestFirst(1, pageSize)
		query["ids"] = batch
		rows, total, err := c.rows(ctx, kb, query)
		if errors.Is(err, errNoDocument) { // one unknown id must not hide the others
			return h.report(c.sweepOn(ctx, kb, h, 1, nil, nil))
		}
		if err != nil {
			return h.report(err)
		}
		docs := normal(rows, current)
		h.blind = h.blind || blind(rows)
		enough := h.take(docs)
		if !slices.ContainsFunc(docs, func(d vendors.Document) bool { return !slices.Contains(batch, d.DocumentID) }) {
			c.ids.Store(true) // or the page was everything: the next one tells
			continue
		}
		c.ids.Store(false)
		n, more := turn(total, 1, pageSize, len(rows), slices.ContainsFunc(rows, document.beforeISO))
		if more && !enough {
			return h.report(c.sweepOn(ctx, kb, h, 2, docs, n))
		}
		break // the page was everything, or enough
	}
	return h.report(nil)
}

// each asks for every id still missing in a request of its own.
func (c currentAPI) each(ctx context.Context, kb string, h *hunt) error {
	for _, id := range h.left() {
		d, err := c.document(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: id})
		switch {
		case err == nil:
			h.take([]vendors.Document{d})
		case !errors.Is(err, errNoDocument):
			return err
		}
	}
	return nil
}

// sweepOn reads the whole listing from a page on, or asks for what is missing
// one by one when that takes fewer requests.
func (c currentAPI) sweepOn(ctx context.Context, kb string, h *hunt, page int, before []vendors.Document, total *int) error {
	if total != nil && len(h.pending) < (*total-1)/pageSize {
		return c.each(ctx, kb, h)
	}
	fetch := func(page int) (vendors.Page[vendors.Document], error) {
		return c.documents(ctx, vendors.PageQuery{KnowledgeBaseID: kb, Page: page, Size: pageSize})
	}
	return sweep(page, before, fetch, h.visit)
}

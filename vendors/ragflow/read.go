package ragflow

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"kb-mcp/vendors"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// pageSize is the largest page that every version accepts, also for `ids`.
const pageSize = 100

// ListKnowledgeBases implements [vendors.KnowledgeBaseLister].
func (d *Driver) ListKnowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	return request(ctx, d, func(a api) (vendors.Page[vendors.KnowledgeBase], error) { return a.knowledgeBases(ctx, q) })
}

// ListDocuments implements [vendors.Driver]. A status that RAGFlow never has
// needs no request.
func (d *Driver) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	if !possible(q.Status) {
		return vendors.Page[vendors.Document]{Items: []vendors.Document{}, Total: new(int), Filtered: true}, nil
	}
	p, err := request(ctx, d, func(a api) (vendors.Page[vendors.Document], error) { return a.documents(ctx, q) })
	d.started.correct(p.Items)
	return p, err
}

// GetDocument implements [vendors.Driver]. Neither generation has a call for
// it: GET .../documents/{doc} is the download.
func (d *Driver) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	doc, err := request(ctx, d, func(a api) (vendors.Document, error) { return a.document(ctx, ref) })
	return d.corrected(doc), err
}

// corrected returns a document, as queued if this process has just started it.
func (d *Driver) corrected(doc vendors.Document) vendors.Document {
	docs := []vendors.Document{doc}
	d.started.correct(docs)
	return docs[0]
}

// knowledgeBases is one page of them. It sends only what every version knows:
// since v0.19 any other parameter is refused. The total stands beside the rows,
// since v0.21. A page behind the last row is an exception in the preview.
func (s server) knowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	query := newestFirst(q.Page, q.Size)
	if s.generation == preview {
		query = window(q, "orderby", "desc")
	}
	var out envelope.Answer[[]dataset]
	err := s.rc.Do(ctx, rest.Call{Method: http.MethodGet, Path: s.path(), Query: query, Rows: q.Size}, &out)
	if err != nil && !errors.Is(err, envelope.ErrBeyondEnd) {
		return vendors.Page[vendors.KnowledgeBase]{}, err
	}
	rows := out.Payload()
	p := datasetPage(rows)
	p.Total, p.More = turn(out.Total, q.Page, q.Size, len(rows), false)
	return p, nil
}

// knowledgeBase finds one id in the list: there is a separate call only since
// v0.25.1.
func (c currentAPI) knowledgeBase(ctx context.Context, id string) (vendors.KnowledgeBase, error) {
	var out envelope.Answer[[]dataset]
	query := url.Values{"id": {id}, "page_size": {"1"}}
	if err := c.rc.Do(ctx, rest.Call{Method: http.MethodGet, Path: c.path(), Query: query}, &out); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	for _, w := range out.Payload() {
		if string(w.ID) == id {
			return w.normal(), nil
		}
	}
	e := envelope.Marked(envelope.ErrNoDataset)
	e.Err = nil // it is not the server that says so
	return vendors.KnowledgeBase{}, e
}

// newestFirst is the query of a page in an order that every version has. Old
// servers also read "true" as descending.
func newestFirst(page, size int) url.Values {
	return url.Values{
		"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(size)},
		"orderby": {"create_time"}, "desc": {"true"},
	}
}

// turn says how many rows there are and whether another page follows. A total
// that is smaller than what was seen is wrong: v0.14 - v0.15.1 put the number
// of rows on the page there, as a full first page of theirs (perPage: the
// server may be so old) cannot deny. Then only a short page is the last one.
//
// A page larger than asked for is everything: the server ignores page_size.
func turn(total rest.Num, page, size, rows int, perPage bool) (*int, bool) {
	if rows > size {
		return &rows, false
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
	return c.page(q, rows, total, exact), nil
}

// page is a page of documents; exact says that the server gave only those of the
// status. Rows with dates that claim GMT come from a server before v0.24. It may
// not know `run` (v0.21.1), and its total may be the page's.
func (s server) page(q vendors.PageQuery, rows []document, total rest.Num, exact bool) vendors.Page[vendors.Document] {
	old := s.generation == current && slices.ContainsFunc(rows, document.beforeISO)
	p := vendors.Page[vendors.Document]{
		Items: normal(rows, s.generation), NewestFirst: true, Filtered: q.Status == "" || exact && !old, Blind: blind(rows),
	}
	p.Total, p.More = turn(total, q.Page, q.Size, len(rows), old)
	return p
}

// rows is one page of the document list. An empty knowledge base of v0.14 -
// v0.16 complains of a document ("None") that was not requested.
func (c currentAPI) rows(ctx context.Context, kb string, query url.Values) ([]document, rest.Num, error) {
	size, _ := strconv.Atoi(query.Get("page_size"))
	rows, total, err := c.listed(ctx, kb, query, size)
	if errors.Is(err, envelope.ErrEmptyKB) {
		return nil, rest.Num{Valid: true}, nil
	}
	return rows, total, err
}

// listed is the document list with a query for a number of rows.
func (s server) listed(ctx context.Context, kb string, query url.Values, size int) ([]document, rest.Num, error) {
	var out envelope.Answer[documentList]
	err := s.rc.Do(ctx, rest.Call{Method: http.MethodGet, Path: s.path(kb, "documents"), Query: query, Rows: size}, &out)
	if err != nil {
		return nil, rest.Num{}, err
	}
	return out.Payload().rows()
}

func (c currentAPI) document(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	row, err := c.row(ctx, ref)
	if err != nil {
		return vendors.Document{}, err
	}
	return row.normal(current), nil
}

// row filters the list by one id, and checks the answer: a server that does not
// know the parameter returns the newest document.
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
	return document{}, envelope.Marked(envelope.ErrNoDocument)
}

// knowledgeBase reads one knowledge base, without its times.
func (p previewAPI) knowledgeBase(ctx context.Context, id string) (vendors.KnowledgeBase, error) {
	var out envelope.Answer[dataset]
	err := p.rc.Do(ctx, rest.Call{Method: http.MethodGet, Path: p.path(id)}, &out)
	return out.Payload().normal(), err
}

// window is a page as rows from an offset, newest first. Only the literal True
// sorts documents; for datasets any text does.
func window(q vendors.PageQuery, orderby, descend string) url.Values {
	return url.Values{
		"offset": {strconv.Itoa((q.Page - 1) * q.Size)}, "count": {strconv.Itoa(q.Size)},
		orderby: {"create_time"}, descend: {"True"},
	}
}

// documents returns one page. An unknown knowledge base looks like an empty one
// there, so that an empty first page needs a second look.
func (p previewAPI) documents(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	query := window(q, "order_by", "descend")
	if q.NameContains != "" {
		query.Set("keywords", q.NameContains)
	}
	rows, total, err := p.listed(ctx, q.KnowledgeBaseID, query, q.Size)
	switch {
	case errors.Is(err, envelope.ErrBeyondEnd):
		err = nil
	case err == nil && len(rows) == 0 && q.Page == 1:
		_, err = p.knowledgeBase(ctx, q.KnowledgeBaseID)
	}
	return p.page(q, rows, total, false), err
}

// document walks the list: there is no route for one document, and the status
// route says RUNNING of every enabled one.
func (p previewAPI) document(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	rep, err := p.progress(ctx, ref.KnowledgeBaseID, []string{ref.DocumentID})
	if err != nil {
		return vendors.Document{}, err
	}
	if len(rep.Documents) == 0 {
		return vendors.Document{}, envelope.Marked(envelope.ErrNoDocument)
	}
	return rep.Documents[0], nil
}

package ragflow

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// previewAPI speaks to v0.8 - v0.10 (ragflow_api.md@v0.10.0, and
// api/apps/dataset_api.py where that document is wrong).
type previewAPI struct {
	rc     *rest.Client
	broken *atomic.Bool // the server cannot start parsing
}

// knowledgeBases pages by row offset; no total is given.
func (p previewAPI) knowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	var out answer[[]dataset]
	err := p.rc.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"api", "v1", "dataset"},
		Query: window(q, "orderby", "desc"), Rows: q.Size,
	}, &out)
	if err != nil && !errors.Is(err, errBeyondEnd) {
		return vendors.Page[vendors.KnowledgeBase]{}, err
	}
	rows := out.payload()
	page := datasetPage(rows)
	page.More = len(rows) == q.Size
	return page, nil
}

// window is a page as rows from an offset, newest first. Only the literal True
// sorts documents; for datasets any text does.
func window(q vendors.PageQuery, orderby, descend string) url.Values {
	return url.Values{
		"offset": {strconv.Itoa((q.Page - 1) * q.Size)}, "count": {strconv.Itoa(q.Size)},
		orderby: {"create_time"}, descend: {"True"},
	}
}

// documents gives one page. An unknown knowledge base looks like an empty one
// there, so that an empty first page needs a second look.
func (p previewAPI) documents(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	query := window(q, "order_by", "descend")
	if q.NameContains != "" {
		query.Set("keywords", q.NameContains)
	}
	var out answer[documentList]
	err := p.rc.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"api", "v1", "dataset", q.KnowledgeBaseID, "documents"}, Query: query, Rows: q.Size,
	}, &out)
	page := vendors.Page[vendors.Document]{Items: []vendors.Document{}, NewestFirst: true, Filtered: q.Status == ""}
	if errors.Is(err, errBeyondEnd) {
		return page, nil
	}
	if err != nil {
		return page, err
	}
	rows, total, err := out.payload().rows()
	if err != nil {
		return page, err
	}
	if len(rows) == 0 && q.Page == 1 {
		if _, err := p.knowledgeBase(ctx, q.KnowledgeBaseID); err != nil {
			return page, err
		}
	}
	page.Items, page.Blind = normal(rows, preview), blind(rows)
	page.Total, page.More = turn(total, q.Page, q.Size, len(rows), false)
	return page, nil
}

// document walks the list: there is no route for one document, and the status
// route says RUNNING of every enabled one.
func (p previewAPI) document(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	h := newHunt([]string{ref.DocumentID})
	if _, err := h.report(p.sweep(ctx, ref.KnowledgeBaseID, h)); err != nil {
		return vendors.Document{}, err
	}
	if len(h.found) == 0 {
		return vendors.Document{}, noDocument()
	}
	return h.found[0], nil
}

// progress finds all ids in one pass over the list.
func (p previewAPI) progress(ctx context.Context, kb string, ids []string) (vendors.Report, error) {
	h := newHunt(ids)
	return h.report(p.sweep(ctx, kb, h))
}

func (p previewAPI) sweep(ctx context.Context, kb string, h *hunt) error {
	fetch := func(page int) (vendors.Page[vendors.Document], error) {
		return p.documents(ctx, vendors.PageQuery{KnowledgeBaseID: kb, Page: page, Size: pageSize})
	}
	return sweep(1, nil, fetch, h.visit)
}

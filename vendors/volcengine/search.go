package volcengine

import (
	"context"
	"errors"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/rest"
)

const searchPath = "collection/search_knowledge"

// queryText is what search_knowledge accepts.
var queryText = write.Text{Platform: "Volcengine", Most: 8000, Blank: true}

// Search implements [vendors.Searcher] with search_knowledge as it is, without
// rerank: a rerank_score is on another scale than the score.
func (d *Driver) Search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	if err := queryText.Check("query", q.Query); err != nil {
		return nil, err
	}
	data, err := d.ask(ctx, q, "doc_id")
	if q.DocumentIDs != nil && vendors.KindOf(err) == vendors.InvalidArgument { // not a field of this index
		if data, err = d.ask(ctx, q, "_sys_auto_doc_id"); vendors.KindOf(err) == vendors.InvalidArgument {
			q.DocumentIDs = nil
			data, err = d.ask(ctx, q, "")
		}
	}
	switch {
	case errors.Is(err, errNotReady):
		return nil, d.explained(ctx, q.KnowledgeBaseID, err)
	case vendors.Answered(err): // a day's quota presumably has the same code as a second's
		return nil, vendors.HintFor(err, vendors.RateLimited, "A Standard knowledge base (version 2) takes one search a second and 300 a day: wait and call again, and set VOLCENGINE_SEARCH_RATE_LIMIT=1/s.")
	case err != nil:
		return nil, err
	}
	hits := make([]vendors.Hit, 0, len(data.Hits))
	for _, w := range data.Hits {
		if h := w.hit(); h.ChunkID != "" || h.Content != "" {
			hits = append(hits, h)
		}
	}
	if len(hits) == 0 { // an index that is not there finds nothing, too
		err = d.explained(ctx, q.KnowledgeBaseID, nil)
	}
	return hits, err
}

// condition is a filter over one field of an index.
type condition struct {
	Op    string   `json:"op"`
	Field string   `json:"field"`
	Conds []string `json:"conds"`
}

// ask makes a search, in documents that the index knows by a field.
func (d *Driver) ask(ctx context.Context, q vendors.SearchQuery, field string) (*hitList, error) {
	type param struct {
		Filter condition `json:"doc_filter"`
	}
	body := struct {
		target
		Query string `json:"query"`
		Limit int    `json:"limit"`
		Param *param `json:"query_param,omitempty"`
	}{d.base(q.KnowledgeBaseID), q.Query, q.Limit, nil}
	if q.DocumentIDs != nil {
		body.Param = &param{condition{"must", field, q.DocumentIDs}}
	}
	return read[hitList](ctx, d, searchPath, body)
}

// indexRules are the states of an index in which searches find less than there
// is, as the platform numbers them.
var indexRules = map[string]rest.Rule{
	"-1": notReady,
	"0":  notReady,
	"2": {Kind: vendors.Conflict, Message: "Volcengine failed to build the index of the knowledge base, so that no search finds anything.",
		Hint: "Its owner must look at the index in Volcengine's console; the documents are there, and list_chunks shows their text."},
	"3": {Kind: vendors.Conflict, Message: "The index of the knowledge base is being changed, so that searches may miss what is there.", Retry: vendors.Later,
		Hint: "Try again in a few minutes; until then list_chunks shows the text of a document."},
}

// explained returns why a search failed or found nothing, if the state of the
// index shows it. err is what is known so far, nil if there were no hits.
func (d *Driver) explained(ctx context.Context, kb string, err error) error {
	c, failed := d.collection(ctx, kb)
	if failed != nil {
		return err // the search's own error stands
	}
	rule, known := indexRules[c.index()]
	if !known {
		return err
	}
	if err == nil {
		return rule.Error()
	}
	return vendors.Amended(err, func(e *vendors.Error) { e.Message, e.Hint, e.Retry = rule.Message, rule.Hint, rule.Retry })
}

// ListChunks implements [vendors.ChunkLister] with point/list, whose key for
// documents is the list doc_ids: a doc_id would be ignored and every chunk of
// the knowledge base come. The order is that of the chunk ids as text.
func (d *Driver) ListChunks(ctx context.Context, ref vendors.Ref, q vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	body := struct {
		target
		DocIDs []string `json:"doc_ids"`
		Offset int      `json:"offset"`
		Limit  int      `json:"limit"`
	}{d.baseOf(ref.KnowledgeBaseID), []string{ref.DocumentID}, (q.Page - 1) * q.Size, q.Size}
	data, err := read[pointList](ctx, d, "point/list", body)
	if err == nil && len(data.Points) == 0 && q.Page <= 1 {
		_, err = d.document(ctx, ref) // an unknown document has no chunks either
	}
	if err != nil {
		return vendors.Page[vendors.Chunk]{}, err
	}
	page := data.page(ref.DocumentID)
	page.More = more(q, len(data.Points), page.Total)
	return page, nil
}

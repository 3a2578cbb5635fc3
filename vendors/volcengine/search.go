package volcengine

import (
	"context"
	"errors"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// maxQuery is how many characters search_knowledge takes.
const maxQuery = 8000

// Search implements [vendors.Searcher] with search_knowledge as it is, without
// rerank: a rerank_score is on another scale than the score.
func (d *Driver) Search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	if n := utf8.RuneCountInString(q.Query); n > maxQuery {
		return nil, vendors.Errorf(vendors.InvalidArgument, "`query` has %d characters; Volcengine takes at most %d.", n, maxQuery).
			WithHint("Ask a shorter question.")
	}
	body := struct {
		target
		Query string `json:"query"`
		Limit int    `json:"limit"`
	}{d.ofCollection(q.KnowledgeBaseID), q.Query, q.Limit}
	data, err := call[hitList](ctx, d, body, "collection", "search_knowledge")
	switch code := vendors.CodeOf(err); {
	case code == "1000008", code == "1000023":
		return nil, d.explained(ctx, q.KnowledgeBaseID, err)
	case err != nil:
		return nil, slower(err)
	}
	hits := make([]vendors.Hit, 0, len(data.Hits))
	for _, w := range data.Hits {
		if h := w.hit(); h.ChunkID != "" || h.Content != "" {
			hits = append(hits, h)
		}
	}
	if len(hits) == 0 { // an index that is not there finds nothing, too
		return hits, d.explained(ctx, q.KnowledgeBaseID, nil)
	}
	return hits, nil
}

// slower says what a search's rate limit may mean. A day's quota presumably has
// the same code as a second's.
func slower(err error) error {
	var e *vendors.Error
	if errors.As(err, &e) && e.Kind == vendors.RateLimited && e.VendorCode != "" {
		e.Hint = "A Standard knowledge base (version 2) takes one search a second and 300 a day: wait and ask again, and set VOLCENGINE_SEARCH_RATE_LIMIT=1/s."
	}
	return err
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
	}{d.ofDoc(ref.KnowledgeBaseID), []string{ref.DocumentID}, (q.Page - 1) * q.Size, q.Size}
	data, err := call[pointList](ctx, d, body, "point", "list")
	if err == nil && len(data.Points) == 0 && q.Page <= 1 {
		_, err = d.document(ctx, ref) // an unknown document has no chunks either
	}
	if err != nil {
		return vendors.Page[vendors.Chunk]{}, err
	}
	page := data.page(ref.DocumentID)
	page.More = len(data.Points) >= q.Size && (page.Total == nil || body.Offset+len(data.Points) < *page.Total)
	return page, nil
}

// hitList is the data of search_knowledge.
type hitList struct {
	Hits []point `json:"result_list"` // absent when nothing was found
}

// pointList is the data of point/list.
type pointList struct {
	Points   []point  `json:"point_list"`
	TotalNum rest.Num `json:"total_num"`
}

// point is a chunk, or a hit, whose chunk_id is its number in the document.
type point struct {
	ID        rest.ID  `json:"id"` // hits only, if there is no point_id
	PointID   rest.ID  `json:"point_id"`
	Number    rest.Num `json:"chunk_id"`
	Content   rest.Str `json:"content"`
	MDContent rest.Str `json:"md_content"`
	Updated   rest.Num `json:"update_time"`
	Score     rest.Num `json:"score"`
	Doc       struct {
		ID   rest.ID  `json:"doc_id"`
		Name rest.Str `json:"doc_name"`
	} `json:"doc_info"`
}

func (w point) id() string {
	if w.PointID != "" {
		return string(w.PointID)
	}
	return string(w.ID)
}

func (w point) text() string {
	if w.Content != "" {
		return string(w.Content)
	}
	return string(w.MDContent)
}

func (w point) hit() vendors.Hit {
	h := vendors.Hit{DocumentID: string(w.Doc.ID), DocumentName: string(w.Doc.Name), ChunkID: w.id(), Content: w.text()}
	if w.Score.Valid {
		h.Score = &w.Score.Float
	}
	return h
}

// page gives the chunks of document. Those of another one mean that the server
// does not know the filter; then its total is that of the knowledge base.
func (l *pointList) page(document string) vendors.Page[vendors.Chunk] {
	page := vendors.Page[vendors.Chunk]{Items: make([]vendors.Chunk, 0, len(l.Points)), Filtered: true}
	if n := l.TotalNum.Count(); n != nil {
		total := int(*n)
		page.Total = &total
	}
	for _, w := range l.Points {
		if w.Doc.ID != "" && string(w.Doc.ID) != document {
			page.Total, page.Filtered = nil, false
			continue
		}
		if id := w.id(); id != "" {
			page.Items = append(page.Items, vendors.Chunk{ChunkID: id, Position: w.Number.Count(), Content: w.text(), UpdatedAt: moment(w.Updated)})
		}
	}
	return page
}

package ragflow

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"kb-mcp/vendors"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// needsNewer is what to do instead of what the preview generation lacks.
const needsNewer = "This needs RAGFlow 0.14 or newer: upgrade the server, or use its web app."

// Instead implements [vendors.Adviser].
func (d *Driver) Instead() map[string]string {
	instead := map[string]string{}
	if d.generation() == preview {
		instead["search_knowledge_base"], instead["list_chunks"] = needsNewer, needsNewer
	}
	if d.before.cannotStart.Load() {
		instead["start_ingestion"] = envelope.Marked(envelope.ErrNameError).Hint
	}
	return instead
}

// Search implements [vendors.Searcher].
func (d *Driver) Search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	return onCurrent(ctx, d, "searching", func(c currentAPI) ([]vendors.Hit, error) { return c.search(ctx, q) })
}

// ListChunks implements [vendors.ChunkLister].
func (d *Driver) ListChunks(ctx context.Context, ref vendors.Ref, q vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	return onCurrent(ctx, d, "listing chunks", func(c currentAPI) (vendors.Page[vendors.Chunk], error) { return c.chunks(ctx, ref, q) })
}

// onCurrent makes a call that the preview generation does not have.
func onCurrent[T any](ctx context.Context, d *Driver, what string, call func(currentAPI) (T, error)) (T, error) {
	return request(ctx, d, func(a api) (out T, err error) {
		if c, ok := a.(currentAPI); ok {
			return call(c)
		}
		return out, vendors.Errorf(vendors.Unsupported, "This server is RAGFlow 0.8 - 0.10, whose API does not support %s.", what).
			WithHint(needsNewer)
	})
}

// question is the body of a search; the Go back end's own path names the
// knowledge base itself and calls the page size size.
type question struct {
	Question    string   `json:"question"`
	DatasetIDs  []string `json:"dataset_ids,omitempty"`
	DocumentIDs []string `json:"document_ids,omitempty"`
	DocIDs      []string `json:"doc_ids,omitempty"` // the Go back end's word
	Page        int      `json:"page"`
	PageSize    int      `json:"page_size,omitempty"`
	Size        int      `json:"size,omitempty"`
}

// SearchBroadly implements [vendors.BroadSearcher].
func (d *Driver) SearchBroadly(ctx context.Context, knowledgeBaseIDs []string, q vendors.SearchQuery) ([]vendors.Hit, error) {
	return onCurrent(ctx, d, "searching", func(c currentAPI) ([]vendors.Hit, error) {
		if c.ownSearch.Load() {
			return nil, vendors.Errorf(vendors.Unsupported, "This server searches one knowledge base at a time.")
		}
		return c.found(ctx, commonSearch(q, knowledgeBaseIDs), q.Limit)
	})
}

// found makes a search.
func (c currentAPI) found(ctx context.Context, call rest.Call, limit int) ([]vendors.Hit, error) {
	var out envelope.Answer[chunkList]
	err := c.rc.Do(ctx, call, &out)
	if errors.Is(err, envelope.ErrNoChunk) {
		return []vendors.Hit{}, nil
	}
	if err != nil {
		return nil, err
	}
	hits := out.Payload().hits()
	return hits[:min(len(hits), limit)], nil
}

// search uses /api/v1/retrieval or, on the Go back end, which does not have it,
// the knowledge base's own path. Which of the two is remembered. A document of
// another knowledge base makes the server refuse the search; then it is made
// without the documents.
func (c currentAPI) search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	own := c.ownSearch.Load()
	hits, err := c.found(ctx, searchCall(q, own), q.Limit)
	if errors.Is(err, envelope.ErrRouteAbsent) {
		own = !own
		if hits, err = c.found(ctx, searchCall(q, own), q.Limit); err == nil {
			c.ownSearch.Store(own)
		}
	}
	if q.DocumentIDs != nil && errors.Is(err, envelope.ErrNoDocument) {
		q.DocumentIDs = nil
		return c.found(ctx, searchCall(q, own), q.Limit)
	}
	return hits, err
}

// minHits is the least number of hits to request: servers of late 2025 find
// nothing when asked for one hit, because they take one candidate before they
// judge it.
const minHits = 2

// searchCall is a search at the knowledge base's own path, or at the common one.
func searchCall(q vendors.SearchQuery, own bool) rest.Call {
	if !own {
		return commonSearch(q, []string{q.KnowledgeBaseID})
	}
	return rest.Call{
		Method: http.MethodPost, Path: []string{"api", "v1", "datasets", q.KnowledgeBaseID, "search"}, Search: true, Rows: q.Limit,
		Body: question{Question: q.Query, DocIDs: q.DocumentIDs, Page: 1, Size: max(q.Limit, minHits)},
	}
}

// commonSearch is a search in several knowledge bases.
func commonSearch(q vendors.SearchQuery, ids []string) rest.Call {
	return rest.Call{
		Method: http.MethodPost, Path: []string{"api", "v1", "retrieval"}, Search: true, Rows: q.Limit,
		Body: question{Question: q.Query, DatasetIDs: ids, DocumentIDs: q.DocumentIDs, Page: 1, PageSize: max(q.Limit, minHits)},
	}
}

// chunks is one page of a document's chunks.
func (c currentAPI) chunks(ctx context.Context, ref vendors.Ref, q vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	var out envelope.Answer[chunkList]
	err := c.rc.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: c.path(ref.KnowledgeBaseID, "documents", ref.DocumentID, "chunks"),
		Query: url.Values{"page": {strconv.Itoa(q.Page)}, "page_size": {strconv.Itoa(q.Size)}}, Rows: q.Size,
	}, &out)
	if err != nil {
		return vendors.Page[vendors.Chunk]{}, err
	}
	list := out.Payload()
	p := vendors.Page[vendors.Chunk]{Items: list.chunks(), Filtered: true}
	p.Total, p.More = turn(list.Total, q.Page, q.Size, len(list.Chunks), false)
	return p, nil
}

// chunk is a chunk, of a search or a listing. The Python back end writes the
// first of each pair of names, the Go back end the second.
type chunk struct {
	ID           rest.ID   `json:"id"`
	ChunkID      rest.ID   `json:"chunk_id"`
	Content      rest.Str  `json:"content"`
	Weighted     rest.Str  `json:"content_with_weight"`
	DocumentID   rest.ID   `json:"document_id"`
	DocID        rest.ID   `json:"doc_id"`
	DatasetID    rest.ID   `json:"dataset_id"`
	KBID         rest.ID   `json:"kb_id"`
	Name         rest.Str  `json:"document_keyword"`
	Keyword      rest.Str  `json:"docnm_kwd"`
	Similarity   rest.Num  `json:"similarity"`
	Available    rest.Flag `json:"available"`
	AvailableInt rest.Flag `json:"available_int"`
}

// chunkList is the payload of a search or a listing. The total of a search counts
// hits before the threshold, so it is not read.
type chunkList struct {
	Chunks []chunk  `json:"chunks"`
	Total  rest.Num `json:"total"`
}

// hits converts hits; it drops those without a document.
func (l chunkList) hits() []vendors.Hit {
	hits := make([]vendors.Hit, 0, len(l.Chunks))
	for _, w := range l.Chunks {
		h := vendors.Hit{
			DocumentID: string(cmp.Or(w.DocumentID, w.DocID)), DocumentName: string(cmp.Or(w.Name, w.Keyword)),
			ChunkID: string(cmp.Or(w.ID, w.ChunkID)), Content: string(cmp.Or(w.Content, w.Weighted)),
			KnowledgeBaseID: string(cmp.Or(w.DatasetID, w.KBID)),
		}
		if w.Similarity.Valid {
			h.Score = &w.Similarity.Float
		}
		if h.DocumentID != "" {
			hits = append(hits, h)
		}
	}
	return hits
}

// chunks converts a listing. RAGFlow numbers none: their positions are boxes on a
// page.
func (l chunkList) chunks() []vendors.Chunk {
	chunks := make([]vendors.Chunk, 0, len(l.Chunks))
	for _, w := range l.Chunks {
		c := vendors.Chunk{ChunkID: string(cmp.Or(w.ID, w.ChunkID)), Content: string(cmp.Or(w.Content, w.Weighted)), Enabled: w.Available.Ptr()}
		if c.Enabled == nil {
			c.Enabled = w.AvailableInt.Ptr()
		}
		if c.ChunkID != "" {
			chunks = append(chunks, c)
		}
	}
	return chunks
}

package ragflow

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// needsNewer is what to do instead of what the preview generation lacks.
const needsNewer = "This needs RAGFlow 0.14 or newer: upgrade the server, or ask in its web app."

// Instead implements [vendors.Adviser].
func (d *Driver) Instead() map[string]string {
	instead := map[string]string{}
	if d.configured == preview || d.configured == auto && generation(d.found.Load()) == preview {
		instead["search_knowledge_base"], instead["list_chunks"] = needsNewer, needsNewer
	}
	if d.before.broken.Load() {
		instead["start_ingestion"] = brokenStartHint
	}
	return instead
}

// Search implements [vendors.Searcher].
func (d *Driver) Search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	if err := checkPath(q.KnowledgeBaseID); err != nil {
		return nil, err
	}
	return request(ctx, d, func(a api) ([]vendors.Hit, error) { return a.search(ctx, q) })
}

// ListChunks implements [vendors.ChunkLister].
func (d *Driver) ListChunks(ctx context.Context, ref vendors.Ref, q vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	if err := checkRef(ref); err != nil {
		return vendors.Page[vendors.Chunk]{}, err
	}
	return request(ctx, d, func(a api) (vendors.Page[vendors.Chunk], error) { return a.chunks(ctx, ref, q) })
}

// question is the body of a search; the Go back end's own path names the
// knowledge base itself and calls the page size size.
type question struct {
	Question   string   `json:"question"`
	DatasetIDs []string `json:"dataset_ids,omitempty"`
	Page       int      `json:"page"`
	PageSize   int      `json:"page_size,omitempty"`
	Size       int      `json:"size,omitempty"`
}

// search asks /api/v1/retrieval or, on the Go back end, which does not have it,
// the knowledge base's own path. Which of the two is remembered.
func (c currentAPI) search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	own := c.ownSearch.Load()
	var out answer[hitList]
	err := c.rc.Do(ctx, searchCall(q, own), &out)
	if errors.Is(err, errRouteAbsent) {
		own = !own
		if err = c.rc.Do(ctx, searchCall(q, own), &out); err == nil {
			c.ownSearch.Store(own)
		}
	}
	if errors.Is(err, errNoChunk) {
		return []vendors.Hit{}, nil
	}
	if err != nil {
		return nil, err
	}
	hits := out.payload().normal()
	return hits[:min(len(hits), q.Limit)], nil
}

// minHits is asked for at least: servers of late 2025 find nothing when asked
// for one hit, because they take one candidate before they judge it.
const minHits = 2

// searchCall is a search at the knowledge base's own path, or at the common one.
func searchCall(q vendors.SearchQuery, own bool) rest.Call {
	if own {
		return rest.Call{
			Method: http.MethodPost, Path: []string{"api", "v1", "datasets", q.KnowledgeBaseID, "search"},
			Body: question{Question: q.Query, Page: 1, Size: max(q.Limit, minHits)}, Search: true, Rows: q.Limit,
		}
	}
	return rest.Call{
		Method: http.MethodPost, Path: []string{"api", "v1", "retrieval"},
		Body: question{Question: q.Query, DatasetIDs: []string{q.KnowledgeBaseID}, Page: 1, PageSize: max(q.Limit, minHits)}, Search: true, Rows: q.Limit,
	}
}

// chunks is one page of a document's chunks.
func (c currentAPI) chunks(ctx context.Context, ref vendors.Ref, q vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	var out answer[chunkList]
	err := c.rc.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"api", "v1", "datasets", ref.KnowledgeBaseID, "documents", ref.DocumentID, "chunks"},
		Query: url.Values{"page": {strconv.Itoa(q.Page)}, "page_size": {strconv.Itoa(q.Size)}}, Rows: q.Size,
	}, &out)
	if err != nil {
		return vendors.Page[vendors.Chunk]{}, err
	}
	list := out.payload()
	p := vendors.Page[vendors.Chunk]{Items: list.normal(), Filtered: true}
	p.Total, p.More = turn(list.Total, q.Page, q.Size, len(list.Chunks), false)
	return p, nil
}

func (p previewAPI) search(context.Context, vendors.SearchQuery) ([]vendors.Hit, error) {
	return nil, tooNew("searching")
}

func (p previewAPI) chunks(context.Context, vendors.Ref, vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	return vendors.Page[vendors.Chunk]{}, tooNew("listing chunks")
}

// tooNew is the error for what the preview generation does not have.
func tooNew(what string) error {
	return vendors.Errorf(vendors.Unsupported, "This server is RAGFlow 0.8 - 0.10, whose API has no way of %s.", what).
		WithHint(needsNewer)
}

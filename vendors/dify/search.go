package dify

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// maxQuery is the longest query in characters.
const maxQuery = 250

// Search implements [vendors.Searcher]. How a knowledge base can be searched
// depends on its technique, so that is read first; where that read fails
// (Dify's plugin daemon is down), its own settings are left to the server.
func (d *Driver) Search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	if err := checkID("knowledge_base_id", q.KnowledgeBaseID); err != nil {
		return nil, err
	}
	if n := utf8.RuneCountInString(q.Query); n > maxQuery {
		return nil, vendors.Errorf(vendors.InvalidArgument, "`query` has %d characters; Dify takes %d at most.", n, maxQuery).
			WithHint("Ask a shorter question.")
	}
	kb, remembered := d.memory.recall(q.KnowledgeBaseID)
	if !remembered {
		var err error
		kb, err = d.readKnowledgeBase(ctx, q.KnowledgeBaseID)
		switch {
		case err != nil && !readAlone(err):
			return nil, err
		case err != nil:
			return d.searchUnseen(ctx, q)
		}
	}
	hits, err := d.searchBy(ctx, q, kb)
	if remembered && (badCall(err) || err == nil && len(hits) == 0) {
		return d.searchAgain(ctx, q, kb, hits, err)
	}
	return hits, err
}

// searchBy searches by the settings of a knowledge base.
func (d *Driver) searchBy(ctx context.Context, q vendors.SearchQuery, kb facts) ([]vendors.Hit, error) {
	if kb.external {
		return nil, externalRefused()
	}
	how := kb.retrieval
	how.TopK = q.Limit
	return d.retrieve(ctx, q, &how)
}

// searchAgain repeats a search by remembered settings that found nothing or was
// refused, if the knowledge base has others by now: one whose technique was
// changed finds nothing by the old one.
func (d *Driver) searchAgain(ctx context.Context, q vendors.SearchQuery, old facts, hits []vendors.Hit, err error) ([]vendors.Hit, error) {
	d.memory.forget(q.KnowledgeBaseID)
	now, failed := d.readKnowledgeBase(ctx, q.KnowledgeBaseID)
	switch {
	case failed != nil && err != nil:
		return nil, err
	case failed != nil: // it cannot be said that nothing is there
		return nil, failed
	case now.external == old.external && now.retrieval.same(old.retrieval):
		return hits, err
	}
	return d.searchBy(ctx, q, now)
}

// searchUnseen searches a knowledge base of unknown settings: by its own, then by
// keywords, which needs no model. An economy knowledge base finds nothing in the
// first way where its own settings name another method, and a high_quality one
// nothing in the second, whatever they hold: only both together say that nothing
// is there.
func (d *Driver) searchUnseen(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	hits, err := d.retrieve(ctx, q, nil)
	if len(hits) > 0 || err != nil && !badCall(err) {
		return hits, err
	}
	byWords, failed := d.retrieve(ctx, q, &retrieval{SearchMethod: keywordSearch, TopK: q.Limit})
	switch {
	case len(byWords) > 0:
		return byWords, nil
	case err != nil:
		return nil, err
	case failed != nil:
		return nil, failed
	}
	return hits, nil
}

// readAlone reports whether a failure to read a knowledge base says nothing
// about a search of it.
func readAlone(err error) bool {
	switch vendors.KindOf(err) {
	case vendors.Unavailable, vendors.BadResponse, vendors.Unsupported, vendors.InvalidArgument, vendors.Conflict, vendors.VendorError:
		return true
	}
	return false
}

// badCall reports whether Dify answered 400 about the call itself.
func badCall(err error) bool {
	var e *vendors.Error
	return errors.As(err, &e) && e.HTTPStatus == http.StatusBadRequest && e.Kind != vendors.ErrNotFound
}

// retrieve makes the search. Without settings the knowledge base's own count.
func (d *Driver) retrieve(ctx context.Context, q vendors.SearchQuery, how *retrieval) ([]vendors.Hit, error) {
	var out records
	err := d.client.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"datasets", q.KnowledgeBaseID, "retrieve"},
		Body: question{Query: q.Query, Retrieval: how}, Search: true,
	}, &out)
	if err != nil {
		return nil, err
	}
	hits := []vendors.Hit{}
	for i := range out.Records {
		if r := &out.Records[i]; r.Segment.ID != "" {
			hits = append(hits, r.normal(how))
		}
	}
	// Dify does not promise an order.
	slices.SortStableFunc(hits, func(a, b vendors.Hit) int { return cmp.Compare(score(b), score(a)) })
	return hits, nil
}

func score(h vendors.Hit) float64 {
	if h.Score == nil {
		return 0
	}
	return *h.Score
}

// ListChunks implements [vendors.ChunkLister].
func (d *Driver) ListChunks(ctx context.Context, ref vendors.Ref, q vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	p := vendors.Page[vendors.Chunk]{Items: []vendors.Chunk{}}
	if err := checkRef(ref); err != nil {
		return p, err
	}
	var out page[segment]
	err := d.client.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"datasets", ref.KnowledgeBaseID, "documents", ref.DocumentID, "segments"},
		Query: paging(q.Page, q.Size),
	}, &out)
	if err != nil {
		return p, err
	}
	for i := range out.Data {
		if s := &out.Data[i]; s.ID != "" {
			p.Items = append(p.Items, vendors.Chunk{
				ChunkID: string(s.ID), Position: s.Position.Count(), Content: s.text(), Enabled: s.Enabled.Ptr(),
			})
		}
	}
	turn(&p, &out, q)
	p.NewestFirst = false // by position
	return p, nil
}

// question is a search. Both members of an unknown name would be ignored
// without a word.
type question struct {
	Query     string     `json:"query"`
	Retrieval *retrieval `json:"retrieval_model,omitempty"`
}

// records is the answer to a search.
type records struct {
	Records []record `json:"records"`
	Query   struct {
		Content rest.Str `json:"content"`
	} `json:"query"`
}

// accept implements payload. An answer without hits still repeats the query.
func (r *records) accept(http.Header) bool { return r.Records != nil || r.Query.Content != "" }

// record is one hit.
type record struct {
	Segment segment  `json:"segment"`
	Score   rest.Num `json:"score"`
}

// segment is one chunk of a document.
type segment struct {
	ID         rest.ID   `json:"id"`
	Position   rest.Num  `json:"position"`
	DocumentID rest.ID   `json:"document_id"`
	Content    rest.Str  `json:"content"`
	Answer     rest.Str  `json:"answer"` // of question and answer documents
	Enabled    rest.Flag `json:"enabled"`
	Document   struct {
		ID   rest.ID  `json:"id"`
		Name rest.Str `json:"name"`
	} `json:"document"`
}

// text is the content, for a question with its answer.
func (s *segment) text() string {
	if s.Answer == "" {
		return string(s.Content)
	}
	return string(s.Content + "\n" + s.Answer)
}

// normal is the hit of a search by the given settings, nil for unknown ones. A
// search by keywords gives no score, or 0.
func (r *record) normal(how *retrieval) vendors.Hit {
	h := vendors.Hit{
		DocumentID: string(cmp.Or(r.Segment.DocumentID, r.Segment.Document.ID)), DocumentName: string(r.Segment.Document.Name),
		ChunkID: string(r.Segment.ID), Content: r.Segment.text(),
	}
	scores := how == nil && r.Score.Float > 0 || how != nil && how.SearchMethod != keywordSearch
	if r.Score.Valid && scores {
		h.Score = &r.Score.Float
	}
	return h
}

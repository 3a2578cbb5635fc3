package dify

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/rest"
)

// Search implements [vendors.Searcher]. How a knowledge base can be searched
// depends on its technique, so that is read first; where that read fails
// (Dify's plugin daemon is down), the server uses its own settings.
func (d *Driver) Search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	if err := (write.Text{Platform: "Dify", Most: 250, Blank: true}).Check("query", q.Query); err != nil {
		return nil, err
	}
	kb, remembered, err := d.knowledgeBase(ctx, q.KnowledgeBaseID)
	switch {
	case err != nil && readAlone(err):
		return d.searchUnseen(ctx, q)
	case err != nil:
		return nil, err
	}
	hits, err := d.searchBy(ctx, q, kb)
	if remembered && (badCall(err) || err == nil && len(hits) == 0) {
		return d.searchAgain(ctx, q, kb, hits, err)
	}
	return hits, err
}

// searchBy searches by the settings of a knowledge base.
func (d *Driver) searchBy(ctx context.Context, q vendors.SearchQuery, kb dataset) ([]vendors.Hit, error) {
	if kb.external() {
		return nil, externalRefused()
	}
	return d.retrieve(ctx, q, kb.retrieval(q.Limit))
}

// CheckSearchable implements [vendors.SearchChecker].
func (d *Driver) CheckSearchable(kb vendors.KnowledgeBase) error {
	if kb.Kind == "external" {
		return externalRefused()
	}
	return nil
}

// searchAgain repeats a search by remembered settings that found nothing or was
// refused, if the knowledge base has others by now: one whose technique was
// changed finds nothing by the old one.
func (d *Driver) searchAgain(ctx context.Context, q vendors.SearchQuery, old dataset, hits []vendors.Hit, err error) ([]vendors.Hit, error) {
	d.forget(q.KnowledgeBaseID)
	now, _, failed := d.knowledgeBase(ctx, q.KnowledgeBaseID)
	switch {
	case failed != nil: // it is not certain that nothing is there
		return nil, cmp.Or(err, failed)
	case now.external() == old.external() && reflect.DeepEqual(now.retrieval(0), old.retrieval(0)):
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
	byWords, failed := d.retrieve(ctx, q, keywords(q.Limit))
	if len(byWords) > 0 {
		return byWords, nil
	}
	return hits, cmp.Or(err, failed)
}

// badCall reports whether Dify answered 400 about the call itself.
func badCall(err error) bool {
	return err != nil && vendors.Classify(err).HTTPStatus == http.StatusBadRequest && vendors.KindOf(err) != vendors.ErrNotFound
}

// retrieve makes the search. Without settings it is by those of the knowledge
// base, and for as many hits as they say.
func (d *Driver) retrieve(ctx context.Context, q vendors.SearchQuery, how retrieval) ([]vendors.Hit, error) {
	body := map[string]any{"query": q.Query}
	if how != nil {
		body["retrieval_model"] = how
	}
	var out records
	err := d.client.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"datasets", q.KnowledgeBaseID, "retrieve"}, Body: body, Search: true,
	}, &out)
	if err != nil {
		return nil, err
	}
	if how.scores() { // Dify does not promise an order
		slices.SortStableFunc(out.Records, func(a, b record) int { return cmp.Compare(b.Score.Float, a.Score.Float) })
	}
	hits := []vendors.Hit{}
	for i := range out.Records {
		if r := &out.Records[i]; r.Segment.ID != "" {
			hits = append(hits, r.normal(how))
		}
	}
	return hits, nil
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

// normal is the hit of a search by the given settings, nil for unknown ones. A
// search by keywords gives no score, or 0.
func (r *record) normal(how retrieval) vendors.Hit {
	h := vendors.Hit{
		DocumentID: string(cmp.Or(r.Segment.DocumentID, r.Segment.Document.ID)), DocumentName: string(r.Segment.Document.Name),
		ChunkID: string(r.Segment.ID), Content: r.Segment.text(),
	}
	if r.Score.Valid && how.scores() && (how != nil || r.Score.Float > 0) {
		h.Score = &r.Score.Float
	}
	return h
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

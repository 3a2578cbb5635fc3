package connection

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/normal"
	"kb-mcp/vendors/internal/paging"
)

const (
	searchAtOnce = 4  // knowledge bases
	mostHits     = 50 // that a platform is asked for
)

// SearchResult is the answer of one knowledge base to a search.
type SearchResult struct {
	Vendor          string        `json:"vendor"`
	KnowledgeBaseID string        `json:"knowledge_base_id"`
	Hits            []vendors.Hit `json:"hits"`
	Hint            string        `json:"hint,omitempty"` // why there may be more hits
}

// Search asks a knowledge base a question.
func (c *Connection) Search(ctx context.Context, q vendors.SearchQuery) (SearchResult, error) {
	out := SearchResult{Vendor: c.name, KnowledgeBaseID: q.KnowledgeBaseID, Hits: []vendors.Hit{}}
	s, err := capability[vendors.Searcher](ctx, c)
	if err == nil {
		err = c.checkID("knowledge_base_id", q.KnowledgeBaseID)
	}
	if err == nil {
		err = checkQuestion(q.Query)
	}
	for _, id := range q.DocumentIDs {
		if err == nil {
			err = c.checkID("document_ids", id)
		}
	}
	if err == nil {
		err = c.resolve(ctx, &q.KnowledgeBaseID)
	}
	if err != nil {
		return out, c.wrap(ctx, err)
	}
	out.KnowledgeBaseID = q.KnowledgeBaseID
	hits, hint, err := ask(q, func(q vendors.SearchQuery) ([]vendors.Hit, error) { return s.Search(ctx, q) })
	if err != nil {
		return out, c.wrap(ctx, err)
	}
	out.Hits, out.Hint = append(out.Hits, hits...), hint
	for i := range out.Hits {
		normal.Hit(&out.Hits[i])
		out.Hits[i].KnowledgeBaseID = "" // it stands above
	}
	return out, nil
}

func checkQuestion(query string) error {
	if strings.TrimSpace(query) == "" {
		return vendors.Errorf(vendors.InvalidArgument, "`query` is blank.").WithHint("Ask for words that should be in the documents.")
	}
	return nil
}

// ask searches, in given documents even if the platform cannot: then its best
// hits are looked through, and hint says so if that may not be all.
func ask(q vendors.SearchQuery, search func(vendors.SearchQuery) ([]vendors.Hit, error)) (hits []vendors.Hit, hint string, err error) {
	all, err := search(q)
	hits = q.Of(all)
	if err == nil && len(hits) < len(all) && len(hits) < q.Limit && q.Limit < mostHits { // the platform looks everywhere
		more := q
		more.Limit = mostHits
		if all, err = search(more); err == nil {
			hits = q.Of(all)
		}
	}
	if len(hits) < len(all) && len(hits) < q.Limit && len(all) >= mostHits {
		hint = fmt.Sprintf("The platform cannot search single documents: only the %d best hits of the knowledge base were looked through. list_chunks shows a document whole.", len(all))
	}
	return hits[:min(len(hits), q.Limit)], hint, err
}

// SearchPart is what a connection found in several knowledge bases: lists of
// hits, each best first, and what could not be searched.
type SearchPart struct {
	Lists [][]vendors.Hit
	Gaps  []Incomplete
	Hint  string
}

// Searchable lists the knowledge bases that can be searched and are not known to
// be empty.
func (c *Connection) Searchable(ctx context.Context) (bases []vendors.KnowledgeBase, gaps []Incomplete) {
	gap := func(err error) { gaps = append(gaps, c.incomplete(ctx, "", err)) }
	_, err := capability[vendors.Searcher](ctx, c)
	var all []vendors.KnowledgeBase
	var short *vendors.Error
	if err == nil {
		all, short, err = c.everyBase(ctx, time.Now().Add(paging.ListTime))
	}
	if err != nil {
		gap(err)
		return nil, gaps
	}
	if short != nil {
		gap(short.WithHint("Pass the knowledge_base_id of the others."))
	}
	checker, _ := c.driver.(vendors.SearchChecker)
	var refused []error
	for _, k := range all {
		if checker != nil {
			if err := checker.CheckSearchable(k); err != nil {
				refused = append(refused, err)
				continue
			}
		}
		if k.DocumentCount == nil || *k.DocumentCount > 0 {
			bases = append(bases, k)
		}
	}
	if len(refused) > 0 {
		e := c.stamp(refused[0])
		e.Message = fmt.Sprintf("%d of %d knowledge bases cannot be searched: %s", len(refused), len(all), e.Message)
		gap(e)
	}
	return bases, gaps
}

// SearchIn asks several knowledge bases of the connection the same question, in
// one request where the platform can.
func (c *Connection) SearchIn(ctx context.Context, bases []vendors.KnowledgeBase, q vendors.SearchQuery) (part SearchPart) {
	if q.DocumentIDs != nil {
		q.DocumentIDs = slices.DeleteFunc(slices.Clone(q.DocumentIDs), func(id string) bool {
			_, foreign := c.ids.Foreign(c.forms, id, true)
			return foreign || c.checkID("document_ids", id) != nil
		})
		if len(q.DocumentIDs) == 0 {
			return part // they are of other platforms
		}
	}
	if part, done := c.searchBroadly(ctx, bases, q); done {
		return part
	}
	results, errs := make([]SearchResult, len(bases)), make([]error, len(bases))
	places := make(chan struct{}, searchAtOnce)
	var wg sync.WaitGroup
	for i, k := range bases {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			q := q
			q.KnowledgeBaseID = k.KnowledgeBaseID
			errs[i] = Recovered(func() (err error) { results[i], err = c.Search(ctx, q); return err })
		})
	}
	wg.Wait()
	for i, r := range results {
		if errs[i] != nil {
			part.Gaps = append(part.Gaps, c.incomplete(ctx, bases[i].KnowledgeBaseID, errs[i]))
			continue
		}
		for h := range r.Hits {
			r.Hits[h].Vendor, r.Hits[h].KnowledgeBaseID = c.name, r.KnowledgeBaseID
		}
		part.Lists = append(part.Lists, r.Hits)
		part.Hint = r.Hint
	}
	part.Gaps = c.fewGaps(part.Gaps)
	return part
}

// searchBroadly asks all knowledge bases in one request. It is not done if the
// platform cannot, or refuses these together.
func (c *Connection) searchBroadly(ctx context.Context, bases []vendors.KnowledgeBase, q vendors.SearchQuery) (part SearchPart, done bool) {
	s, ok := c.driver.(vendors.BroadSearcher)
	if !ok || len(bases) < 2 {
		return part, false
	}
	ids := make([]string, len(bases))
	for i, k := range bases {
		ids[i] = k.KnowledgeBaseID
	}
	hits, hint, err := ask(q, func(q vendors.SearchQuery) ([]vendors.Hit, error) { return s.SearchBroadly(ctx, ids, q) })
	if err == nil {
		for i := range hits {
			normal.Hit(&hits[i])
			hits[i].Vendor = c.name
		}
		return SearchPart{Lists: [][]vendors.Hit{hits}, Hint: hint}, true
	}
	switch vendors.KindOf(err) {
	case vendors.InvalidArgument, vendors.Conflict, vendors.Unsupported, vendors.VendorError, vendors.ErrNotFound, vendors.PermissionDenied:
		return part, false
	}
	return SearchPart{Gaps: []Incomplete{c.incomplete(ctx, "", err)}}, true
}

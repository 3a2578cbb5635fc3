package tools

import (
	"context"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const searchKnowledgeBaseDoc = `Searches the content of one knowledge base, or of all (at most 20) of one or all connections, and returns the best matching chunks, best first; hits of several knowledge bases are merged by reciprocal rank. document_ids: only in these. incomplete names what was not searched (Coze: only captions of images can be). For names use find_documents.`

type searchKnowledgeBaseArgs struct {
	Vendor          string   `arg:"vendor" every:"true"`
	KnowledgeBaseID string   `arg:"knowledge_base_id"`
	Query           string   `arg:"query" required:"true" max:"8000"`
	DocumentIDs     []string `arg:"document_ids" min:"1" max:"100"`
	Limit           int      `arg:"limit" min:"1" max:"50" default:"5"`
}

// mostSearched is how many knowledge bases one call searches.
const mostSearched = 20

// hitList is the answer to a search. Vendor and KnowledgeBaseID are set where
// all hits share them; KnowledgeBases are those of the hits of several.
type hitList struct {
	Vendor          string                  `json:"vendor,omitempty"`
	KnowledgeBaseID string                  `json:"knowledge_base_id,omitempty"`
	Hits            []vendors.Hit           `json:"hits"`
	KnowledgeBases  []namedBase             `json:"knowledge_bases,omitempty"`
	Incomplete      []connection.Incomplete `json:"incomplete,omitempty"`
	Truncated       bool                    `json:"truncated,omitempty"`
	Hint            string                  `json:"hint,omitempty"`
}

// Len is the number of hits.
func (l hitList) Len() int { return len(l.Hits) }

// Fit leaves the last hits out; a hit too large by itself is shortened.
func (l hitList) Fit(n int) any {
	l.Truncated = true
	l.Hint = "Not all hits fit into one answer; ask a narrower question or a smaller `limit`."
	if n < 1 && len(l.Hits) > 0 {
		l.Hits = []vendors.Hit{l.Hits[0]}
		l.Hits[0].Content = connection.Head(l.Hits[0].Content)
		return l
	}
	l.Hits = l.Hits[:min(max(n, 0), len(l.Hits))]
	return l
}

func (s *Set) searchKnowledgeBaseTool() tool {
	return define(s, face{
		name: "search_knowledge_base", title: "Search knowledge bases", doc: searchKnowledgeBaseDoc,
		brief: "the best matching chunks of a knowledge base, or of all of them",
		needs: connection.Can[vendors.Searcher],
		also:  []string{"search", "query", "retrieve", "retrieval", "search_documents", "search_knowledge", "ask"},
	}, s.searchKnowledgeBase)
}

func (s *Set) searchKnowledgeBase(ctx context.Context, in searchKnowledgeBaseArgs) (hitList, error) {
	q := vendors.SearchQuery{KnowledgeBaseID: in.KnowledgeBaseID, Query: in.Query, Limit: in.Limit, DocumentIDs: in.DocumentIDs}
	list := s.vendors
	if in.Vendor != "" || in.KnowledgeBaseID != "" {
		v, err := s.vendor(in.Vendor) // a knowledge base is one connection's
		if err != nil {
			return hitList{}, err
		}
		list = []*connection.Connection{v}
	}
	if in.KnowledgeBaseID == "" {
		return s.searchSeveral(ctx, list, q)
	}
	r, err := list[0].Search(ctx, q)
	return hitList{Vendor: r.Vendor, KnowledgeBaseID: r.KnowledgeBaseID, Hits: r.Hits, Truncated: r.Hint != "", Hint: r.Hint}, err
}

// searchSeveral searches all knowledge bases of connections, as far as they can
// be searched.
func (s *Set) searchSeveral(ctx context.Context, list []*connection.Connection, q vendors.SearchQuery) (hitList, error) {
	bases, gaps := make([][]vendors.KnowledgeBase, len(list)), make([][]connection.Incomplete, len(list))
	failed := func(errs []error) {
		for i, err := range errs {
			if err != nil {
				gaps[i] = append(gaps[i], connection.Incomplete{Vendor: list[i].Name(), Error: vendors.ReportOf(err)})
			}
		}
	}
	failed(atOnce(list, func(i int, c *connection.Connection) error {
		bases[i], gaps[i] = c.Searchable(ctx)
		return nil
	}))
	share(bases, mostSearched, func(i, left int) {
		e := vendors.Errorf(vendors.Unsupported, "%d of its %d knowledge bases were not searched: one call searches at most %d.", left, left+len(bases[i]), mostSearched).
			WithHint("Search this connection alone, or pass a knowledge_base_id from list_knowledge_bases.")
		gaps[i] = append(gaps[i], connection.Incomplete{Vendor: list[i].Name(), Error: vendors.ReportOf(e)})
	})
	parts := make([]connection.SearchPart, len(list))
	failed(atOnce(list, func(i int, c *connection.Connection) error {
		if len(bases[i]) > 0 {
			parts[i] = c.SearchIn(ctx, bases[i], q)
		}
		return nil
	}))
	l := hitList{Hits: []vendors.Hit{}}
	var lists [][]vendors.Hit
	for i, p := range parts {
		lists = append(lists, p.Lists...)
		l.Incomplete = append(append(l.Incomplete, gaps[i]...), p.Gaps...)
		if p.Hint != "" {
			l.Hint, l.Truncated = p.Hint, true
		}
	}
	if len(lists) == 0 && len(l.Incomplete) > 0 {
		return hitList{}, nothingSearched(l.Incomplete)
	}
	hits := merged(lists, q.Limit)
	l.KnowledgeBases = s.basesOf(ctx, list, placesOf(hits))
	l.Vendor, l.KnowledgeBaseID, l.Hits = hitsOf(hits)
	return l, nil
}

// share leaves at most so many knowledge bases, as many of each connection where
// there are enough; left is told of each that loses some.
func share(bases [][]vendors.KnowledgeBase, most int, left func(i, n int)) {
	keep := make([]int, len(bases))
	for given := true; most > 0 && given; {
		given = false
		for i := range bases {
			if most > 0 && keep[i] < len(bases[i]) {
				keep[i]++
				most--
				given = true
			}
		}
	}
	for i, k := range keep {
		lost := len(bases[i]) - k
		if bases[i] = bases[i][:k]; lost > 0 {
			left(i, lost)
		}
	}
}

// merged is the best hits of several lists by reciprocal rank: no hit is in two
// lists, so that these are the first of each, then the second of each.
func merged(lists [][]vendors.Hit, limit int) []vendors.Hit {
	hits := []vendors.Hit{}
	for rank := 0; len(hits) < limit; rank++ {
		more := false
		for _, l := range lists {
			if rank < len(l) {
				hits, more = append(hits, l[rank]), true
			}
		}
		if !more {
			break
		}
	}
	return hits[:min(len(hits), limit)]
}

// nothingSearched is the error of a search that no connection could make.
func nothingSearched(gaps []connection.Incomplete) error {
	first := gaps[0]
	for _, g := range gaps {
		if first.Error.Kind == vendors.Unsupported { // rather what may pass
			first = g
		}
	}
	e := vendors.Errorf(first.Error.Kind, "No knowledge base could be searched. %s: %s", first.Vendor, first.Error.Message).WithHint(first.Error.Hint)
	e.Vendor = first.Vendor
	e.After = time.Duration(first.Error.RetryAfterSeconds) * time.Second
	return e
}

// placesOf are hits as documents of their knowledge bases.
func placesOf(hits []vendors.Hit) []vendors.Document {
	docs := make([]vendors.Document, len(hits))
	for i, h := range hits {
		docs[i] = vendors.Document{Vendor: h.Vendor, KnowledgeBaseID: h.KnowledgeBaseID}
	}
	return docs
}

// hitsOf leaves out of hits what all share, and returns it.
func hitsOf(hits []vendors.Hit) (vendor, kb string, rows []vendors.Hit) {
	vendor, kb, _ = rowsOf(placesOf(hits), inFull)
	rows = slices.Clone(hits)
	for i := range rows {
		if vendor != "" {
			rows[i].Vendor = ""
		}
		if kb != "" {
			rows[i].KnowledgeBaseID = ""
		}
	}
	return vendor, kb, rows
}

package several

import (
	"context"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// mostSearched is how many knowledge bases one call searches.
const mostSearched = 20

// Found is what a search over several connections found, best first. Hits name
// their connections and knowledge bases.
type Found struct {
	Hits       []vendors.Hit
	Incomplete []connection.Incomplete
	Hint       string // why there may be more hits
}

// Search searches all knowledge bases of connections, as far as they can
// be searched. An error means that nothing could.
func Search(ctx context.Context, list []*connection.Connection, q vendors.SearchQuery) (Found, error) {
	bases, gaps := make([][]vendors.KnowledgeBase, len(list)), make([][]connection.Incomplete, len(list))
	failed := func(errs []error) {
		for i, err := range errs {
			if err != nil {
				gaps[i] = append(gaps[i], connection.Incomplete{Vendor: list[i].Name(), Error: vendors.ReportOf(err)})
			}
		}
	}
	failed(AtOnce(list, func(i int, c *connection.Connection) error {
		bases[i], gaps[i] = c.Searchable(ctx)
		return nil
	}))
	share(bases, mostSearched, func(i, left int) {
		e := vendors.Errorf(vendors.Unsupported, "%d of its %d knowledge bases were not searched: one call searches at most %d.", left, left+len(bases[i]), mostSearched).
			WithHint("Search this connection alone, or pass a knowledge_base_id from list_knowledge_bases.")
		gaps[i] = append(gaps[i], connection.Incomplete{Vendor: list[i].Name(), Error: vendors.ReportOf(e)})
	})
	parts := make([]connection.SearchPart, len(list))
	failed(AtOnce(list, func(i int, c *connection.Connection) error {
		if len(bases[i]) > 0 {
			parts[i] = c.SearchIn(ctx, bases[i], q)
		}
		return nil
	}))
	l := Found{}
	var lists [][]vendors.Hit
	for i, p := range parts {
		lists = append(lists, p.Lists...)
		l.Incomplete = append(append(l.Incomplete, gaps[i]...), p.Gaps...)
		if p.Hint != "" {
			l.Hint = p.Hint
		}
	}
	if len(lists) == 0 && len(l.Incomplete) > 0 {
		return Found{}, nothingSearched(l.Incomplete)
	}
	l.Hits = merged(lists, q.Limit)
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

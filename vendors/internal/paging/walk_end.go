package paging

import (
	"context"

	"kb-mcp/vendors"
)

// stop ends a walk that can go on.
func (s *walking[T]) stop(why Bound, err error) end[T] {
	p := s.p
	e := end[T]{Next: &p, Page: s.last, Why: why, Err: err, Met: s.order}
	if why == WindowBound {
		e.Next, e.Lost = nil, max(1, s.missing(s.last, (p.Page-1)*p.Size))
	}
	return e
}

// behind ends a walk after row i of page.
func (s *walking[T]) behind(page vendors.Page[T], i int) end[T] {
	if i+1 == len(page.Items) && !page.More {
		if s.again(page) {
			return s.stop(NoBound, nil)
		}
		return s.ended(page)
	}
	if s.p.Total = page.Total; i+1 == len(page.Items) {
		s.p = s.p.turn(page.NextToken, page.Total)
	}
	s.last = page
	return s.stop(NoBound, nil)
}

// ended ends a walk at the end of the listing.
func (s *walking[T]) ended(page vendors.Page[T]) end[T] {
	e := end[T]{Page: page, Met: s.order}
	if page.Moves && !page.Blind && s.p.Moved {
		if e.Lost = s.missing(page, s.p.Count); e.Lost > 0 {
			e.Why = MovementBound
		}
	}
	return e
}

// repeated ends a walk over a platform that ignores which page it is asked for.
func (s *walking[T]) repeated(page vendors.Page[T]) end[T] {
	e := end[T]{Page: page, Met: s.order}
	if e.Lost = s.missing(page, max(len(page.Items), (s.stale.Page-1)*s.stale.Size)); e.Lost > 0 {
		e.Why = repeatBound
	}
	return e
}

// missing is how many rows the platform counts beyond those that came.
func (s *walking[T]) missing(page vendors.Page[T], came int) int {
	if page.Total == nil {
		return 0
	}
	return max(0, *page.Total-came)
}

// again begins another pass over a listing whose order moves when rows are
// missing at its end, as long as passes deliver something.
func (s *walking[T]) again(page vendors.Page[T]) bool {
	if !page.Moves || page.Blind || !s.p.Moved || s.Trail == nil || s.missing(page, s.p.Count) == 0 ||
		s.p.Pass+1 >= maxPasses || s.p.Pass > 0 && !s.news {
		return false
	}
	s.p.Page, s.p.Token, s.p.Skip, s.p.Total = 1, "", 0, nil
	s.p.Pass++
	s.last, s.stale, s.news = vendors.Page[T]{}, nil, false
	return true
}

// repeats reports whether a page has nothing new and is the one before it once
// more, in whatever order and with whatever was added or left out: a server
// that ignores the page number (RAGFlow v0.13) or the token would repeat it
// forever. One that was read some time ago may well come again, pushed down.
func (s *walking[T]) repeats(page vendors.Page[T], fresh []int) bool {
	if len(fresh) > 0 || len(page.Items) == 0 {
		s.stale = nil
		return false
	}
	if s.stale == nil {
		p := s.p
		s.stale = &p
	}
	return !s.kept.recalledBefore() && s.sameRows(page, s.last)
}

// repeatsNext looks at the next page where the rows that were seen last do not
// stand together, as rows do that others have pushed down: then the server may
// ignore the page number and give all rows in another order.
func (s *walking[T]) repeatsNext(ctx context.Context, page vendors.Page[T], sorted bool) bool {
	if s.pages > 1 || sorted || page.Moves || s.p.Page == 1 || s.p.Skip > 0 || s.p.Token != "" {
		return false
	}
	if _, together := s.p.seenLast(rowIDs(s.Walker, page)); together {
		return false
	}
	p := s.p
	s.stale = &p
	next, err := s.Fetch(ctx, s.p.Page+1, "", s.p.Size)
	return err == nil && s.sameRows(next, page)
}

// sameRows reports whether most rows of the shorter of two pages are on the
// other, too.
func (s *walking[T]) sameRows(a, b vendors.Page[T]) bool {
	if len(a.Items) > len(b.Items) {
		a, b = b, a
	}
	on := make(map[string]bool, len(b.Items))
	for _, id := range rowIDs(s.Walker, b) {
		on[id] = true
	}
	same := 0
	for _, id := range rowIDs(s.Walker, a) {
		if on[id] {
			same++
		}
	}
	return 2*same > len(a.Items)
}

// rowIDs are the ids of a page's rows.
func rowIDs[T any](w Walker[T], page vendors.Page[T]) []string {
	list := make([]string, len(page.Items))
	for i, item := range page.Items {
		list[i], _ = w.Key(item)
	}
	return list
}

// Trail is what a walk has handed over so far, call by call.
type Trail struct {
	before *Trail
	ids    []uint64
	rows   int // of all
}

// each calls f for every row.
func (t *Trail) each(f func(uint64)) {
	for ; t != nil; t = t.before {
		for _, h := range t.ids {
			f(h)
		}
	}
}

// maxTrail bounds the rows of one trail, and maxTrails how many are kept of one
// age: some megabytes in all.
const (
	maxTrail  = 5000
	maxTrails = 256
)

// Longer is the trail after more rows; nil when it would be too long.
func (t *Trail) Longer(ids []uint64) *Trail {
	if t == nil || t.rows+len(ids) > maxTrail {
		return nil
	}
	return &Trail{before: t, ids: ids, rows: t.rows + len(ids)}
}

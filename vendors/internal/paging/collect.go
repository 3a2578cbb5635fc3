package paging

import (
	"context"

	"kb-mcp/vendors/recent"
)

// ScanSize is the page size of a filtered listing: most filters are applied
// here, so that few rows of a page match, and every platform gives 100.
const ScanSize = 100

// Collected is the result of [Collect].
type Collected[T any] struct {
	Rows   []Row[T]
	Cursor string // "" at the end
	Total  *int   // only when it counts just the matching rows
	Behind Cursors
	Why    Bound
	Err    error // of a [LimitBound]
	Lost   int
}

// Query selects the next rows of a listing.
type Query struct {
	Hash      uint32 // of everything that changes the rows
	Cursor    string // "" for the beginning
	Limit     int    // rows wanted
	Filtered  bool   // not every row matches
	Uncounted bool   // the platform's total counts rows that do not match, whatever it filters
}

// Collect walks until q.Limit rows match. memory belongs to the cursors that
// were given out. Rows may be shown to other callers, too: they are not to be
// changed.
func Collect[T any](ctx context.Context, w Walker[T], memory *Memory, q Query, match func(*T) bool) (out Collected[T], err error) {
	p, r := Start(q.Hash, q.Limit), &reader[T]{Walker: w, query: q.Hash, memory: memory}
	w.Fetch, w.kept = r.page, r
	if q.Filtered {
		p.Size = ScanSize
	}
	if q.Cursor != "" {
		if p, err = ParseCursor(q.Cursor, q.Hash); err != nil {
			return out, err
		}
		w.Trail, _ = memory.trails.Get(q.Cursor)
		r.from(p)
	}
	out.Rows = make([]Row[T], 0, q.Limit)
	clean := true // no row came that the platform's filter should have kept back
	visit := func(r Row[T]) bool {
		if !match(r.Item) {
			clean = false
			return false
		}
		out.Rows = append(out.Rows, r)
		return len(out.Rows) == q.Limit
	}
	// Without a filter one request is one answer: a shorter page is no reason
	// to spend another request. What a call before has left took none.
	pageDone := func(visited int) bool {
		return !q.Filtered && visited > 0 && !(r.recalled() && 2*visited < q.Limit)
	}
	e, err := w.Walk(ctx, p, ListTime, visit, pageDone)
	if err != nil {
		return out, err
	}
	out.Why, out.Err, out.Lost = e.Why, e.Err, e.Lost
	out.Behind = Cursors{met: e.Met, before: w.Trail, trails: memory.trails, keep: r.keep, rows: make([]reached, 0, len(out.Rows))}
	for _, r := range out.Rows {
		out.Behind.rows = append(out.Behind.rows, reached{r.After, r.met})
	}
	if e.Next != nil {
		out.Cursor = out.Behind.cursor(reached{*e.Next, len(e.Met)})
	}
	if !q.Filtered || e.Page.Filtered && clean && !q.Uncounted {
		out.Total = e.Page.Total
	}
	return out, nil
}

// Cursors makes the cursor behind each row of a list, and remembers for each
// which rows came before it, of which a cursor itself recalls but the last ones,
// and the rest of its page.
type Cursors struct {
	rows   []reached
	met    []uint64
	before *Trail
	trails *recent.Map[*Trail]
	keep   func(Position)
}

// reached is where a listing continues after a number of rows of this call.
type reached struct {
	Position
	met int
}

// At is the cursor behind row i.
func (c Cursors) At(i int) string { return c.cursor(c.rows[i]) }

func (c Cursors) cursor(p reached) string {
	text := p.Position.Cursor()
	if t := c.before.Longer(c.met[:p.met]); t != nil {
		c.trails.Put(text, t)
	}
	c.keep(p.Position)
	return text
}

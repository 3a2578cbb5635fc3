// Package paging reads listings page by page: no row twice, none lost, whatever
// is added or deleted in the meantime, within bounds, and from any cursor on.
package paging

import (
	"context"
	"errors"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/recent"
)

// Bounds of one call that reads page after page. A call that stops at one of
// them returns what it has read and a cursor.
const (
	MaxPages    = 200
	MaxRows     = 20_000
	maxPasses   = 3                // over a listing whose order moves
	ListTime    = 20 * time.Second // a filter is worth waiting for, but not a whole call's time
	SummaryTime = 40 * time.Second
	// metRows is how many rows of a listing that keeps its order are remembered:
	// more than a platform gives at once when it ignores the page number.
	metRows = 2000
	// Window is how many rows search engines give of a listing: what is beyond
	// is refused.
	Window = 10_000
)

// Bound is why a walk stopped before the end of the listing.
type Bound int

const (
	NoBound       Bound = iota // it did not, or its caller had enough
	TimeBound                  // the time for it
	LimitBound                 // a platform or rate limit that let no more through in time
	PageBound                  // maxPages or maxRows
	WindowBound                // the platform gives no rows from here on
	repeatBound                // the platform gives the same rows again and again
	MovementBound              // its order moved, so that rows did not come
)

// Walker reads a listing page by page and hands over every row that was not
// seen before, in order.
//
// Platforms with numbered pages count rows from the top, and most sort newest
// first: a document added while an agent pages shifts all rows down, a deleted
// one shifts them up. A cursor therefore remembers the created time and the ids
// of the rows it saw last. Rows that sort before that point were seen or are
// new; and when the platform counts fewer rows than before and the page shows
// nothing seen, the walk steps one page back.
//
// If the order itself moves ([vendors.Page].Moves), a row that was not seen yet
// may move onto a page that was read. Then all rows are remembered (trail),
// their number is compared with the platform's count at the end, and the
// listing is read again for what is missing.
type Walker[T any] struct {
	Fetch func(ctx context.Context, page int, token string, size int) (vendors.Page[T], error)
	Key   func(T) (id string, created time.Time)
	Trail *Trail           // what was delivered before the first position; nil when that is not known
	Sizes *recent.Map[int] // how many rows fit an answer of what; may be nil
	What  string
	Weigh func(T) int // about how many bytes a row takes; nil: rows are not kept for the next call
	kept  *reader[T]  // pages that earlier calls have left; nil for none
}

// Row is one unseen row, in its page; after is the position behind it, and met
// how many rows were handed over by then.
type Row[T any] struct {
	Item  *T
	After Position
	met   int
}

// end says how a walk ended.
type end[T any] struct {
	Next *Position       // where to go on; nil when nothing is left
	Page vendors.Page[T] // the last one read
	Why  Bound
	Err  error    // the limit's
	Lost int      // rows that the platform counts and did not give
	Met  []uint64 // the rows handed over, in order
}

// walking is the state of a walk.
type walking[T any] struct {
	Walker[T]
	p     Position
	last  vendors.Page[T]
	pages int             // read
	rows  int             // handed over in this call
	order []uint64        // the same
	met   map[uint64]bool // these, and those of the trail; of another listing the first
	stale *Position       // where pages without anything new began
	news  bool            // this pass delivered something
}

// Walk calls visit for unseen rows from position p on, until visit says stop,
// the listing ends, or a bound is met; stop is also asked after each page, with
// the number of rows visited. An error after the first page because time or
// limit ran out is not an error: the end says where to continue.
func (w Walker[T]) Walk(ctx context.Context, p Position, soft time.Duration, visit func(Row[T]) (stop bool), pageDone func(visited int) (stop bool)) (end[T], error) {
	s := &walking[T]{Walker: w, p: p}
	s.begin()
	began := time.Now()
	for n := 0; n < MaxPages && s.rows < MaxRows; n++ {
		if s.pages > 0 && time.Since(began) > soft {
			return s.stop(TimeBound, nil), nil
		}
		page, err := w.Fetch(ctx, s.p.Page, s.p.Token, s.p.Size)
		if s.resized(page, err) {
			continue
		}
		if why := s.bounded(err); why != NoBound {
			return s.stop(why, err), nil
		}
		if err != nil {
			return end[T]{Page: page}, err
		}
		sorted := page.NewestFirst && w.sorted(page)
		fresh := s.fresh(page, sorted)
		if s.pages++; s.shifted(page, fresh) {
			s.p.Page, s.p.Skip = s.p.Page-1, 0
			continue
		}
		if s.repeats(page, fresh) || s.repeatsNext(ctx, page, sorted) {
			return s.repeated(page), nil
		}
		s.last = page
		for _, i := range fresh {
			if visit(s.deliver(page, i, sorted)) {
				return s.behind(page, i), nil
			}
		}
		if !page.More {
			if s.again(page) {
				continue
			}
			return s.ended(page), nil
		}
		if s.p = s.p.turn(page.NextToken, page.Total); pageDone(s.rows) {
			return s.stop(NoBound, nil), nil
		}
	}
	return s.stop(PageBound, nil), nil
}

// begin takes over what earlier calls have learned.
func (s *walking[T]) begin() {
	if s.Sizes != nil && s.p.atStart() {
		if n, ok := s.Sizes.Get(s.What); ok {
			s.p.Size = min(s.p.Size, n)
		}
	}
	switch {
	case s.Trail == nil:
	case s.Trail.rows == 0 && !s.p.atStart():
		s.Trail = nil // it does not tell what came before
	case s.Trail.rows > 0:
		s.met = make(map[uint64]bool, s.Trail.rows)
		s.Trail.each(func(h uint64) { s.met[h] = true })
	}
}

// resized reports whether the page must be asked for again in another size: the
// answer was too large, or the driver's pages are smaller than was known.
func (s *walking[T]) resized(page vendors.Page[T], err error) bool {
	switch {
	case errors.Is(err, vendors.ErrTooLarge) && s.p.Size > 1:
		s.p = s.p.resize(s.p.Size / 2)
		if s.Sizes != nil {
			s.Sizes.Put(s.What, s.p.Size)
		}
		return true
	case err == nil && page.Size > 0 && page.Size < s.p.Size:
		before := s.p
		s.p = s.p.resize(page.Size)
		return before.Token == "" && (before.Page > 1 || s.p.Page > 1)
	}
	return false
}

// bounded returns the bound that an error stands for, NoBound for a failure.
func (s *walking[T]) bounded(err error) Bound {
	if err == nil || s.pages == 0 {
		return NoBound
	}
	switch kind := vendors.KindOf(err); {
	case vendors.OutOfTime(err):
		return LimitBound
	case (kind == vendors.InvalidArgument || kind == vendors.VendorError || kind == vendors.Unsupported) && (s.p.Page-1)*s.p.Size >= Window:
		return WindowBound
	}
	return NoBound
}

// fresh returns the indexes of the rows of page that were not seen before.
func (s *walking[T]) fresh(page vendors.Page[T], sorted bool) []int {
	from := -1
	if !page.Moves {
		from = s.p.behind(rowIDs(s.Walker, page))
	}
	skip := s.p.Skip
	if from >= 0 || s.fewer(page) {
		skip = 0 // rows before it went, or others came: it is no place any more
	}
	before := map[string]bool{} // of the page before
	for _, id := range rowIDs(s.Walker, s.last) {
		before[id] = true
	}
	trail := s.Trail != nil && s.rows < metRows // all that came is known
	fresh := make([]int, 0, len(page.Items))
	for i, item := range page.Items {
		id, created := s.Key(item)
		seen := before[id] || s.met != nil && s.met[idHash(id)]
		switch ms := created.UnixMilli(); {
		case seen, page.Moves && s.Trail != nil: // the trail tells
		case sorted && s.p.Last != 0 && ms != s.p.Last:
			seen = ms > s.p.Last
		case sorted && trail: // it tells of those of one moment
		default:
			seen = i <= from || i < skip || s.p.recalls(id)
		}
		if !seen {
			fresh = append(fresh, i)
		}
	}
	// A row that moves onto a page that was read pushes another one onto the
	// next page, where it is met again. Without that, a total that does not fit
	// is just wrong. What was read of this page before comes again, too.
	if page.Moves && len(page.Items)-len(fresh) > s.p.Skip {
		s.p.Moved = true
	}
	return fresh
}

// deliver hands over row i.
func (s *walking[T]) deliver(page vendors.Page[T], i int, sorted bool) Row[T] {
	id, created := s.Key(page.Items[i])
	s.p = s.p.See(i, id, created, sorted)
	s.news = true
	s.rows++
	h := idHash(id)
	s.order = append(s.order, h)
	if page.Moves {
		s.p.Count++
	}
	if page.Moves || s.rows <= metRows {
		if s.met == nil {
			s.met = map[uint64]bool{}
		}
		s.met[h] = true
	}
	return Row[T]{Item: &page.Items[i], After: s.p, met: len(s.order)}
}

// sorted verifies the platform's claim that rows come newest first: rows of a
// server that ignores the order must not be lost.
func (w Walker[T]) sorted(page vendors.Page[T]) bool {
	var before time.Time
	for i, item := range page.Items {
		_, created := w.Key(item)
		if created.IsZero() || i > 0 && created.After(before) {
			return false
		}
		before = created
	}
	return len(page.Items) > 0
}

// shifted reports whether rows were deleted so that unseen ones may now stand
// on the page before: the platform counts fewer, and nothing here was seen.
func (s *walking[T]) shifted(page vendors.Page[T], fresh []int) bool {
	return s.p.Page > 1 && s.p.Token == "" && !page.Moves && s.fewer(page) && len(fresh) == len(page.Items)
}

// fewer reports whether the platform counts fewer rows than before.
func (s *walking[T]) fewer(page vendors.Page[T]) bool {
	return s.p.Total != nil && page.Total != nil && *page.Total < *s.p.Total
}

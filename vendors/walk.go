package vendors

import (
	"context"
	"time"
)

// Bounds of one call that reads page after page. A call that stops at one of
// them returns what it has read and a cursor.
const (
	maxPages    = 200
	listTime    = 20 * time.Second // a filter is worth waiting for, but not a whole call's time
	summaryTime = 40 * time.Second
)

// walker reads a listing page by page and hands over every row that was not
// seen before, in order.
//
// Platforms with numbered pages count rows from the top, and most sort newest
// first: a document added while an agent pages shifts all rows down, a deleted
// one shifts them up. A cursor therefore remembers the created time and the ids
// of the rows it saw last. Rows that sort before that point were seen or are
// new; and when the platform counts fewer rows than before and the page shows
// nothing seen, the walk steps one page back.
type walker[T any] struct {
	fetch func(ctx context.Context, page int, token string, size int) (Page[T], error)
	key   func(T) (id string, created time.Time)
}

// row is one unseen row, in its page; after is the position behind it.
type row[T any] struct {
	item  *T
	after position
}

// walk calls visit for unseen rows from position p on, until visit says stop,
// the listing ends, or a bound is met; stop is also asked after each page, with
// the number of rows visited. It returns the position to go on from, or nil at
// the end of the listing, and the last page read. An error after the first page
// because time or limit ran out is no error: the position says where to go on.
func (w walker[T]) walk(ctx context.Context, p position, soft time.Duration, visit func(row[T]) (stop bool), pageDone func(visited int) (stop bool)) (*position, Page[T], error) {
	var last Page[T]
	began, visited := time.Now(), 0
	for n := 0; n < maxPages; n++ {
		if n > 0 && time.Since(began) > soft {
			return &p, last, nil
		}
		page, err := w.fetch(ctx, p.Page, p.Token, p.Size)
		if err != nil {
			if n > 0 && short(err) {
				return &p, last, nil
			}
			return nil, page, err
		}
		sorted := page.NewestFirst && w.sorted(page)
		fresh := w.fresh(p, page, sorted)
		if shifted(p, page, fresh) {
			p.Page, p.Skip = p.Page-1, 0
			continue
		}
		if n > 0 && w.same(page, last) {
			return nil, page, nil
		}
		last = page
		for _, i := range fresh {
			id, created := w.key(page.Items[i])
			p = p.see(i, id, created, sorted)
			visited++
			if visit(row[T]{item: &page.Items[i], after: p}) {
				return w.rest(p, page, i), page, nil
			}
		}
		if !page.More {
			return nil, page, nil
		}
		p = p.turn(page.NextToken, page.Total)
		if pageDone(visited) {
			return &p, page, nil
		}
	}
	return &p, last, nil
}

// rest is the position after row i of page: nil when nothing can follow.
func (w walker[T]) rest(p position, page Page[T], i int) *position {
	if i+1 < len(page.Items) {
		p.Total = page.Total
		return &p
	}
	if !page.More {
		return nil
	}
	p = p.turn(page.NextToken, page.Total)
	return &p
}

// fresh gives the indexes of the rows of page that were not seen before p.
func (w walker[T]) fresh(p position, page Page[T], sorted bool) []int {
	fresh := make([]int, 0, len(page.Items))
	for i, item := range page.Items {
		id, created := w.key(item)
		if sorted && p.Last != 0 {
			ms := created.UnixMilli()
			if ms > p.Last || ms == p.Last && (i < p.Skip || p.recalls(id)) {
				continue
			}
		} else if i < p.Skip || p.recalls(id) {
			continue
		}
		fresh = append(fresh, i)
	}
	return fresh
}

// sorted verifies the platform's word that rows come newest first: a server
// that ignores the order must not lose rows to it.
func (w walker[T]) sorted(page Page[T]) bool {
	var before time.Time
	for i, item := range page.Items {
		_, created := w.key(item)
		if created.IsZero() || i > 0 && created.After(before) {
			return false
		}
		before = created
	}
	return len(page.Items) > 0
}

// shifted reports whether rows were deleted so that unseen ones may now stand
// on the page before: the platform counts fewer, and nothing here was seen.
func shifted[T any](p position, page Page[T], fresh []int) bool {
	fewer := p.Total != nil && page.Total != nil && *page.Total < *p.Total
	return p.Page > 1 && p.Token == "" && fewer && len(fresh) == len(page.Items)
}

// same reports whether a page is the one before once more: a server that ignores
// the page number (RAGFlow v0.13) or the token would repeat it for ever.
func (w walker[T]) same(page, before Page[T]) bool {
	if len(page.Items) == 0 || len(page.Items) != len(before.Items) {
		return false
	}
	for i := range page.Items {
		a, _ := w.key(page.Items[i])
		b, _ := w.key(before.Items[i])
		if a != b {
			return false
		}
	}
	return true
}

package paging

import (
	"context"
	"slices"
	"sync"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/recent"
)

// Bounds of the pages that are kept for a next call: in bytes for a connection,
// in pages for a call.
const (
	keptTime   = time.Minute
	keptWeight = 4 << 20
	keptPages  = 8
)

// Memory is what the calls of a connection leave for those that go on: which
// rows came before a cursor, and the rest of the page in which it stands, so
// that the platform is not asked for it again. It saves requests and duplicates;
// a cursor is enough to go on without. It is safe for concurrent use.
type Memory struct {
	trails *recent.Map[*Trail]

	mu      sync.Mutex
	changes func() uint64 // made on the account; what was read before one is not used after it
	kept    map[spot]kept
	order   []spot // oldest first
	weight  int    // of all, in bytes
}

// spot is a page of a listing.
type spot struct {
	query uint32
	page  int
	token string
	size  int
}

// kept are pages that were read one after the other.
type kept struct {
	pages  any // []*read[T]
	many   int // pages
	since  time.Time
	weight int
}

// read is a page as it came.
type read[T any] struct {
	spot
	vendors.Page[T]
	since   time.Time
	changes uint64
}

// NewMemory makes an empty memory.
func NewMemory() *Memory {
	return &Memory{
		trails: recent.New[*Trail](maxTrails, recent.Age), kept: map[spot]kept{},
		changes: func() uint64 { return 0 },
	}
}

// Until has rows forgotten when changes, which counts what was changed on the
// account, moves on. It must come before the memory is used.
func (m *Memory) Until(changes func() uint64) { m.changes = changes }

// put keeps pages under the first of them, read at since, unless newer ones are
// there, or more of the same.
func (m *Memory) put(at spot, since time.Time, pages any, many int, weigh func() int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, known := m.kept[at]
	if known && (since.Before(old.since) || since.Equal(old.since) && many <= old.many) {
		return
	}
	k := kept{pages, many, since, weigh()}
	if known {
		m.drop(at)
	}
	if k.weight > keptWeight/8 {
		return
	}
	m.kept[at], m.order, m.weight = k, append(m.order, at), m.weight+k.weight
	for len(m.order) > 0 && (m.weight > keptWeight || time.Since(m.kept[m.order[0]].since) >= keptTime) {
		m.drop(m.order[0])
	}
}

// drop forgets pages.
func (m *Memory) drop(at spot) {
	m.weight -= m.kept[at].weight
	delete(m.kept, at)
	i := slices.Index(m.order, at)
	m.order = slices.Delete(m.order, i, i+1)
}

// get gives the pages from a place on.
func (m *Memory) get(at spot) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept[at].pages
}

// reader reads the pages of one call, those first that are kept.
type reader[T any] struct {
	Walker[T]
	query  uint32
	memory *Memory
	ahead  []*read[T]
	came   []*read[T] // the last ones of this call
	kept   [2]bool    // whether the last one and the one before it come from memory
}

// recalled reports whether the last page comes from memory.
func (r *reader[T]) recalled() bool { return r.kept[0] }

// recalledBefore reports whether the page before the last does.
func (r *reader[T]) recalledBefore() bool { return r != nil && r.kept[1] }

// from takes up what was kept of the page in which p stands. At the beginning
// of a page nothing was read of it.
func (r *reader[T]) from(p Position) {
	if p.Skip > 0 {
		r.ahead, _ = r.memory.get(spot{r.query, p.Page, p.Token, p.Size}).([]*read[T])
	}
}

// page is the Fetch of a walker.
func (r *reader[T]) page(ctx context.Context, page int, token string, size int) (vendors.Page[T], error) {
	at := spot{r.query, page, token, size}
	changes := r.memory.changes()
	r.kept[0], r.kept[1] = false, r.kept[0]
	if len(r.ahead) > 0 {
		next := r.ahead[0]
		if r.ahead = r.ahead[1:]; next.spot == at && next.changes == changes && time.Since(next.since) < keptTime {
			r.kept[0] = true
			r.add(next)
			return next.Page, nil
		}
		r.ahead = nil
	}
	since := time.Now()
	p, err := r.Fetch(ctx, page, token, size)
	if err == nil && r.Weigh != nil {
		if p.Size > 0 && p.Size < size && (page == 1 || token != "") {
			at.size = p.Size // pages are numbered by it from here on
		}
		r.add(&read[T]{at, p, since, changes})
	}
	return p, err
}

// add remembers a page for this call.
func (r *reader[T]) add(p *read[T]) {
	if len(r.came) == keptPages {
		r.came = r.came[1:]
	}
	r.came = append(r.came, p)
}

// keep leaves the page in which p stands, and those behind it, for the next call.
func (r *reader[T]) keep(p Position) {
	if p.Skip == 0 {
		return
	}
	at := spot{r.query, p.Page, p.Token, p.Size}
	i := slices.IndexFunc(r.came, func(c *read[T]) bool { return c.spot == at })
	if i < 0 {
		return
	}
	pages := r.came[i:]
	r.memory.put(at, pages[0].since, pages, len(pages), func() (weight int) {
		for _, p := range pages {
			for _, row := range p.Items {
				weight += r.Weigh(row)
			}
		}
		return weight
	})
}

package vendors

import "context"

// scanSize is the page size of a filtered listing: most filters are applied
// here, so that few rows of a page match, and every platform gives 100.
const scanSize = 100

// collected is what [collect] found.
type collected[T any] struct {
	rows   []row[T]
	cursor string // "" at the end
	total  *int   // only when it counts just the matching rows
	behind cursors
	why    bound
	lost   int
}

// query asks for the next rows of a listing.
type query struct {
	Hash     uint32 // of everything that changes the rows
	Cursor   string // "" for the beginning
	Limit    int    // rows wanted
	Filtered bool   // not every row matches
}

// collect walks until q.Limit rows match. trails are those of the cursors that
// were given out.
func collect[T any](ctx context.Context, w walker[T], trails *recent[*trail], q query, match func(*T) bool) (out collected[T], err error) {
	p := start(q.Hash, q.Limit)
	if q.Filtered {
		p.Size = scanSize
	}
	if q.Cursor != "" {
		if p, err = parseCursor(q.Cursor, q.Hash); err != nil {
			return out, err
		}
		w.trail, _ = trails.get(q.Cursor)
	}
	out.rows = make([]row[T], 0, q.Limit)
	clean := true // no row came that the platform's filter should have kept back
	visit := func(r row[T]) bool {
		if !match(r.item) {
			clean = false
			return false
		}
		out.rows = append(out.rows, r)
		return len(out.rows) == q.Limit
	}
	// Without a filter one request is one answer: a shorter page is no reason
	// to spend another request.
	pageDone := func(visited int) bool { return !q.Filtered && visited > 0 }
	e, err := w.walk(ctx, p, listTime, visit, pageDone)
	if err != nil {
		return out, err
	}
	out.why, out.lost = e.why, e.lost
	out.behind = cursors{met: e.met}
	if e.page.Moves {
		out.behind.before, out.behind.trails = w.trail, trails
	}
	for _, r := range out.rows {
		out.behind.rows = append(out.behind.rows, reached{r.after, r.met})
	}
	if e.next != nil {
		out.cursor = out.behind.cursor(reached{*e.next, len(e.met)})
	}
	if !q.Filtered || e.page.Filtered && clean {
		out.total = e.page.Total
	}
	return out, nil
}

// cursors makes the cursor behind each row of a list. Where the order moves it
// remembers for each which rows came before it.
type cursors struct {
	rows   []reached
	met    []uint64
	before *trail
	trails *recent[*trail] // nil where rows keep their order
}

// reached is where a listing goes on, after so many rows of this call.
type reached struct {
	position
	met int
}

// at is the cursor behind row i.
func (c cursors) at(i int) string { return c.cursor(c.rows[i]) }

func (c cursors) cursor(p reached) string {
	text := p.position.cursor()
	if c.trails != nil {
		if t := c.before.longer(c.met[:p.met]); t != nil {
			c.trails.put(text, t)
		}
	}
	return text
}

// Package several makes one list of the rows of several connections, page by
// page. All connections are read at once; a cursor says which of them are done
// and where one of the others stands, so that it stays short. What was read and
// not shown yet is remembered for the next page; without that (a restart,
// another replica) it is read again.
package several

import (
	"context"
	"sync"
	"time"

	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/recent"
)

// Bounds of what is remembered between pages.
const (
	keptLists = 32
	keptTime  = 5 * time.Minute
)

// Source is a connection. Read gives rows from a place on, "" for the beginning,
// and stops when it has as many as are wanted; an error is a connection that
// gives none.
type Source[T any] struct {
	Name string
	Read func(ctx context.Context, from string, wanted int) (connection.Part[T], error)
}

// Lists remembers what the pages of lists have left.
type Lists[T any] struct{ kept *recent.Map[state[T]] }

// New makes a memory of lists. It is safe for concurrent use.
func New[T any]() *Lists[T] { return &Lists[T]{recent.New[state[T]](keptLists, keptTime)} }

// state is where the list of each connection stands. It is not changed once it
// is remembered.
type state[T any] []stand[T]

// stand is where the list of a connection stands: behind rows already shown at
// from, with rows read from there on up to end.
type stand[T any] struct {
	from  string
	shown bool // some of its rows were shown; at most one such list is not done
	rows  []connection.PartRow[T]
	end   string
	done  bool // nothing is behind rows
}

// finished reports whether nothing is left to show.
func (s stand[T]) finished() bool { return s.done && len(s.rows) == 0 }

// Page is a part of the list.
type Page[T any] struct {
	Items      []T
	Incomplete []connection.Incomplete
	Cursor     string // "" at the end

	lists *Lists[T]
	query uint32
	all   state[T]
}

// Page reads the next rows, at most limit, of what query selects. query must
// name everything that changes the rows. The error of a source that is the only
// one is the list's; that of one of several is in Incomplete.
func (l *Lists[T]) Page(ctx context.Context, sources []Source[T], query, cursor string, limit int) (Page[T], error) {
	hash := hashOf(query, sources)
	all := make(state[T], len(sources))
	if cursor != "" {
		at, err := parse(cursor, hash, len(sources))
		if err != nil {
			return Page[T]{}, err
		}
		if known, ok := l.kept.Get(cursor); ok {
			all = append(state[T](nil), known...)
		} else {
			for i := range all {
				all[i] = stand[T]{done: at.done.Bit(i) == 1}
			}
			if at.open >= 0 {
				all[at.open] = stand[T]{from: at.place, end: at.place, shown: true}
			}
		}
	}
	gaps, err := all.read(ctx, sources, limit)
	if err != nil && len(sources) == 1 {
		return Page[T]{}, err
	}
	return Page[T]{Incomplete: gaps, lists: l, query: hash, all: all}.Cut(limit), nil
}

// read reads on wherever there are fewer rows than a page may show.
func (s state[T]) read(ctx context.Context, sources []Source[T], limit int) (gaps []connection.Incomplete, err error) {
	parts, errs := make([]connection.Part[T], len(s)), make([]error, len(s))
	var wg sync.WaitGroup
	for i, at := range s {
		if at.done || len(at.rows) >= limit {
			parts[i] = connection.Part[T]{End: at.end, Done: at.done}
			continue
		}
		wg.Go(func() {
			errs[i] = connection.Recovered(func() (err error) {
				parts[i], err = sources[i].Read(ctx, at.end, limit-len(at.rows))
				return err
			})
		})
	}
	wg.Wait()
	for i, p := range parts {
		gaps = append(gaps, p.Gaps...)
		if failed := errs[i]; failed != nil {
			gaps = append(gaps, connection.Gap(sources[i].Name, "", failed))
			err, p = failed, connection.Part[T]{Done: true}
		}
		if p.Short != nil {
			gaps = append(gaps, connection.Incomplete{Vendor: sources[i].Name, Error: *p.Short})
		}
		s[i].rows = append(s[i].rows[:len(s[i].rows):len(s[i].rows)], p.Rows...)
		s[i].end, s[i].done = p.End, p.Done
	}
	return gaps, err
}

// Cut is the page with at most n rows; the others are left to its cursor.
func (p Page[T]) Cut(n int) Page[T] {
	p.Items = []T{}
	left := append(state[T](nil), p.all...)
	take := func(i, n int) {
		s := &left[i]
		n = min(n, len(s.rows))
		for _, r := range s.rows[:n] {
			p.Items = append(p.Items, r.Item)
			s.from, s.shown = r.After, true
		}
		if s.rows = s.rows[n:]; len(s.rows) == 0 {
			s.from, s.shown = s.end, true // also what was looked at in vain is behind it
		}
	}
	open := func() bool { // a list of which rows were shown has others left
		for _, s := range left {
			if s.shown && !s.finished() {
				return true
			}
		}
		return false
	}
	for i := range left { // first the list that was begun
		if left[i].shown && !left[i].finished() {
			take(i, n)
		}
	}
	for _, whole := range []bool{true, false} { // then those that are read to their ends
		for i := range left {
			room := n - len(p.Items)
			if s := left[i]; s.finished() || s.shown || s.done != whole || open() && (!s.done || len(s.rows) > room) {
				continue
			}
			take(i, room)
		}
	}
	p.Cursor = p.lists.keep(p.query, left)
	return p
}

// keep remembers what is left, and returns the cursor for it; "" if nothing is.
func (l *Lists[T]) keep(query uint32, left state[T]) string {
	at := position{open: -1}
	more := false
	for i, s := range left {
		switch {
		case s.finished():
			at.done.SetBit(&at.done, i, 1)
			continue
		case s.shown:
			at.open, at.place = i, s.from
		}
		more = true
	}
	if !more {
		return ""
	}
	text := at.text(query)
	l.kept.Put(text, left)
	return text
}

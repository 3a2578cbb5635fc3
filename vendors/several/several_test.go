package several

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// stock is a connection with n rows; a read looks at no more than reach of them,
// in vain or not, and finds those that are not hidden.
type stock struct {
	name     string
	n, reach int
	hidden   func(i int) bool
	err      error
	reads    int
}

func (s *stock) source() Source[string] {
	return Source[string]{s.name, func(_ context.Context, from string, wanted int) (p connection.Part[string], err error) {
		if s.reads++; s.err != nil {
			return p, s.err
		}
		at := 0
		if from != "" {
			if at, err = strconv.Atoi(from); err != nil {
				return p, err
			}
		}
		end := min(s.n, at+s.reach)
		for ; at < end && len(p.Rows) < wanted; at++ {
			if s.hidden == nil || !s.hidden(at) {
				p.Rows = append(p.Rows, connection.PartRow[string]{Item: fmt.Sprintf("%s%d", s.name, at), After: strconv.Itoa(at + 1)})
			}
		}
		if p.Done = at == s.n; !p.Done {
			p.End = strconv.Itoa(at)
			if len(p.Rows) < wanted {
				p.Short = &vendors.ErrorReport{Kind: vendors.Timeout}
			}
		}
		return p, nil
	}}
}

// all pages to the end; between is called after each page with what gave it.
func all(t *testing.T, stocks []*stock, limit int, between func(page int, l **Lists[string])) (rows []string, pages int) {
	t.Helper()
	var sources []Source[string]
	for _, s := range stocks {
		sources = append(sources, s.source())
	}
	l, cursor := New[string](), ""
	for pages = 1; pages < 1000; pages++ {
		p, err := l.Page(t.Context(), sources, "q", cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Items) > limit || len(p.Cursor) > 60 {
			t.Fatalf("%d rows, cursor %q", len(p.Items), p.Cursor)
		}
		if pages%3 == 0 && len(p.Items) > 1 { // an answer that is too large
			p = p.Cut(len(p.Items) / 2)
		}
		rows = append(rows, p.Items...)
		if cursor = p.Cursor; cursor == "" {
			return rows, pages
		}
		between(pages, &l)
	}
	t.Fatal("the paging does not end")
	return nil, 0
}

func TestEachRowOnce(t *testing.T) {
	some := func(i int) bool { return i%7 != 0 }
	tests := map[string]func() []*stock{
		"one":   func() []*stock { return []*stock{{name: "a", n: 25, reach: 100}} },
		"empty": func() []*stock { return []*stock{{name: "a", reach: 1}, {name: "b", reach: 1}} },
		"quick": func() []*stock {
			return []*stock{{name: "a", n: 25, reach: 100}, {name: "b", n: 3, reach: 100}, {name: "c", n: 40, reach: 100}}
		},
		"slow": func() []*stock {
			return []*stock{{name: "a", n: 50, reach: 9}, {name: "b", n: 60, reach: 4}, {name: "c", n: 2, reach: 1}}
		},
		"rare": func() []*stock {
			return []*stock{{name: "a", n: 200, reach: 5, hidden: some}, {name: "b", n: 90, reach: 100, hidden: some}}
		},
		"in vain": func() []*stock {
			return []*stock{{name: "a", n: 50, reach: 5, hidden: func(int) bool { return true }}, {name: "b", n: 9, reach: 100}}
		},
		"all slow": func() []*stock {
			return []*stock{{name: "a", n: 30, reach: 2}, {name: "b", n: 30, reach: 2}, {name: "c", n: 30, reach: 2}, {name: "d", n: 30, reach: 2}}
		},
	}
	forget := map[string]func(page int, l **Lists[string]){
		"remembered": func(int, **Lists[string]) {},
		"forgotten":  func(_ int, l **Lists[string]) { *l = New[string]() },
		"now and then": func(page int, l **Lists[string]) {
			if page%2 == 0 {
				*l = New[string]()
			}
		},
	}
	for name, make := range tests {
		for memory, between := range forget {
			for _, limit := range []int{1, 4, 20, 100} {
				t.Run(fmt.Sprint(name, " ", memory, " ", limit), func(t *testing.T) {
					stocks := make()
					rows, _ := all(t, stocks, limit, between)
					var want []string
					for _, s := range stocks {
						for i := range s.n {
							if s.hidden == nil || !s.hidden(i) {
								want = append(want, fmt.Sprintf("%s%d", s.name, i))
							}
						}
					}
					slices.Sort(rows)
					slices.Sort(want)
					if !slices.Equal(rows, want) {
						t.Errorf("%v, want %v", rows, want)
					}
				})
			}
		}
	}
}

// TestWhatWasReadIsNotReadAgain: pages come from memory while they last.
func TestWhatWasReadIsNotReadAgain(t *testing.T) {
	stocks := []*stock{{name: "a", n: 10, reach: 100}, {name: "b", n: 10, reach: 100}}
	if _, pages := all(t, stocks, 10, func(int, **Lists[string]) {}); pages < 2 || stocks[0].reads != 1 || stocks[1].reads != 1 {
		t.Errorf("%d pages, %d and %d reads", pages, stocks[0].reads, stocks[1].reads)
	}
}

func TestAConnectionThatFails(t *testing.T) {
	down := &stock{name: "down", err: vendors.Errorf(vendors.Unavailable, "It is down.")}
	slow := &stock{name: "slow", n: 50, reach: 5}
	p, err := New[string]().Page(t.Context(), []Source[string]{down.source(), slow.source()}, "q", "", 20)
	if err != nil || len(p.Items) != 5 || len(p.Incomplete) != 2 || p.Cursor == "" {
		t.Fatalf("%+v, %v", p, err)
	}
	if a, b := p.Incomplete[0], p.Incomplete[1]; a.Vendor != "down" || a.Error.Kind != vendors.Unavailable || b.Vendor != "slow" || b.Error.Kind != vendors.Timeout {
		t.Errorf("%+v", p.Incomplete)
	}
	if _, err := New[string]().Page(t.Context(), []Source[string]{down.source()}, "q", "", 20); !errors.Is(err, down.err) {
		t.Errorf("the only one: %v", err)
	}
	mad := Source[string]{"mad", func(context.Context, string, int) (connection.Part[string], error) { panic("mad") }}
	if p, err = New[string]().Page(t.Context(), []Source[string]{mad, slow.source()}, "q", "", 20); err != nil || p.Incomplete[0].Error.Kind != vendors.Internal {
		t.Errorf("a panic: %+v, %v", p, err)
	}
}

func TestForeignCursors(t *testing.T) {
	s := []Source[string]{(&stock{name: "a", n: 50, reach: 5}).source(), (&stock{name: "b", n: 50, reach: 5}).source()}
	l := New[string]()
	p, err := l.Page(t.Context(), s, "q", "", 3)
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"another query":      func() error { _, err := l.Page(t.Context(), s, "r", p.Cursor, 3); return err },
		"other connections":  func() error { _, err := l.Page(t.Context(), s[:1], "q", p.Cursor, 3); return err },
		"cut":                func() error { _, err := l.Page(t.Context(), s, "q", p.Cursor[:len(p.Cursor)-2], 3); return err },
		"nonsense":           func() error { _, err := l.Page(t.Context(), s, "q", "x.y.z", 3); return err },
		"more done than are": func() error { _, err := l.Page(t.Context(), s, "q", fmt.Sprintf("%s.9", p.Cursor[:6]), 3); return err },
	} {
		if err := call(); vendors.KindOf(err) != vendors.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("1.0", 3)
	f.Add("zz.3.2.abc~def", 4)
	f.Fuzz(func(t *testing.T, cursor string, lists int) {
		p, err := parse(cursor, 1, lists&63)
		if err == nil && (p.open >= lists&63 || p.done.BitLen() > lists&63) {
			t.Errorf("%q: %+v", cursor, p)
		}
	})
}

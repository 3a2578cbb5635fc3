package connection

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
)

// cutPages reads a listing to its end through answers that hold fit rows of
// those that were read; next gives the connection of each call.
func cutPages(t *testing.T, next func(call int) *Connection, q ListQuery, fit int) (got []string, calls int) {
	t.Helper()
	for calls = 1; calls < 200; calls++ {
		out, err := next(calls).ListDocuments(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		out = out.Fit(fit).(DocumentList)
		got = append(got, ids(out.Documents)...)
		if q.Cursor = out.NextCursor; q.Cursor == "" {
			return got, calls
		}
	}
	t.Fatal("the listing does not end")
	return nil, 0
}

// TestWhatDidNotFitWaits: what was read and not shown takes no request, and the
// answers stay full.
func TestWhatDidNotFitWaits(t *testing.T) {
	for _, limit := range []int{40, 50, 100} {
		for name, q := range map[string]ListQuery{"all": {}, "filtered": {NameContains: "doc"}} {
			s := &shelf{sorted: true}
			s.put(1000)
			v := New("v", "p", s)
			q.KnowledgeBaseID, q.Limit = "kb", limit
			got, calls := cutPages(t, func(int) *Connection { return v }, q, 44)
			if once(t, got, ids(s.docs)); len(got) != 1000 {
				t.Errorf("%s, limit %d: %d rows", name, limit, len(got))
			}
			pages := 1000 / limit
			if name == "filtered" {
				pages = 10
			}
			if s.requests > pages || calls > 1000/min(limit, 44)+pages/2 {
				t.Errorf("%s, limit %d: %d requests, %d calls", name, limit, s.requests, calls)
			}
		}
	}
}

// TestWhatWaitsIsForgotten: after a change of ours and after a minute, rows are
// read again.
func TestWhatWaitsIsForgotten(t *testing.T) {
	for name, want := range map[string]int{"at once": 1, "changed": 2, "late": 2} {
		synctest.Test(t, func(t *testing.T) {
			s := &shelf{sorted: true}
			s.put(90)
			var changes atomic.Uint64
			v := New("v", "p", s).Gather(func(ctx context.Context) (context.Context, func(), error) { return ctx, func() {}, nil }, changes.Load)
			q := ListQuery{KnowledgeBaseID: "kb", Limit: 100}
			first, err := v.ListDocuments(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			q.Cursor = first.Fit(50).(DocumentList).NextCursor
			s.docs[60].Status = vendors.Failed
			switch name {
			case "changed":
				changes.Add(1)
			case "late":
				time.Sleep(time.Minute)
			}
			rest, err := v.ListDocuments(t.Context(), q)
			if err != nil || s.requests != want || len(rest.Documents) != 40 || (rest.Documents[10].Status == vendors.Failed) != (want == 2) {
				t.Errorf("%s: %d requests, %d rows, %v", name, s.requests, len(rest.Documents), err)
			}
		})
	}
}

// TestWhatWaitsIsNobodysElse: two callers of one cursor get the same rows, and
// neither can change those of the other.
func TestWhatWaitsIsNobodysElse(t *testing.T) {
	s := &shelf{}
	s.put(100)
	v := New("v", "p", s)
	q := ListQuery{KnowledgeBaseID: "kb", Limit: 100}
	first, err := v.ListDocuments(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	q.Cursor = first.Fit(10).(DocumentList).NextCursor
	for range 3 {
		rest, err := v.ListDocuments(t.Context(), q)
		if err != nil || s.requests != 1 || len(rest.Documents) != 90 || rest.Documents[0].Name != "doc" {
			t.Fatalf("%d requests, %d rows, %v", s.requests, len(rest.Documents), err)
		}
		for i := range rest.Documents {
			rest.Documents[i].Name = "changed"
		}
	}
}

// TestEachRowOnceWhateverIsRemembered: pages that are cut, a process that starts
// anew at every call, and documents that come and go do not add up to a row
// twice, or to none.
func TestEachRowOnceWhateverIsRemembered(t *testing.T) {
	changes := map[string]func(s *shelf, call int){
		"nothing": func(*shelf, int) {},
		"3 come":  func(s *shelf, _ int) { s.put(3) },
		"20 come": func(s *shelf, _ int) { s.put(20) },
		"5 go":    func(s *shelf, _ int) { s.docs = s.docs[5:] },
		"2 come and 2 go": func(s *shelf, _ int) {
			s.docs = s.docs[2:]
			s.put(2)
		},
	}
	for what, change := range changes {
		for _, moment := range []int{0, 1, 7, 1000} {
			for _, fit := range []int{100, 13} {
				for _, forgets := range []bool{false, true} {
					for _, contains := range []string{"", "doc"} {
						t.Run(fmt.Sprint(what, " ", moment, " of a moment, fit ", fit, " forgets ", forgets, " ", contains), func(t *testing.T) {
							s := &shelf{sorted: moment > 0, moment: moment}
							s.put(205)
							before := ids(s.docs)
							v := New("v", "p", s)
							got, _ := cutPages(t, func(call int) *Connection {
								if call > 1 && call < 6 {
									change(s, call)
								}
								if forgets {
									return New("v", "p", s)
								}
								return v
							}, ListQuery{KnowledgeBaseID: "kb", Limit: 20, NameContains: contains}, fit)
							now := ids(s.docs)
							if what == "20 come" && moment%1000 == 0 && fit == 13 && forgets {
								got = slices.Compact(slices.Sorted(slices.Values(got))) // a whole page was pushed between: some come twice, all come
							}
							once(t, got, slices.DeleteFunc(before, func(id string) bool { return !slices.Contains(now, id) }))
						})
					}
				}
			}
		}
	}
}

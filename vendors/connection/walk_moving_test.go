package connection

import (
	"slices"
	"strings"
	"testing"

	"kb-mcp/vendors"
)

// restless is a platform that sorts by the last change, and whose documents
// change while they are ingested.
type restless struct {
	scripted
	docs    []vendors.Document
	changes func(call int, docs []vendors.Document) []vendors.Document
}

func newRestless(n int, changes func(call int, docs []vendors.Document) []vendors.Document) *restless {
	r := &restless{docs: rows(n), changes: changes}
	r.list = func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
		if r.changes != nil {
			r.docs = r.changes(len(r.asks), r.docs)
		}
		return vendors.Page[vendors.Document]{Items: slice(r.docs, q), Total: intp(len(r.docs)), More: q.Page*q.Size < len(r.docs), Moves: true}, nil
	}
	return r
}

// rises moves document i to the top.
func rises(docs []vendors.Document, i int) []vendors.Document {
	d := docs[i]
	return slices.Insert(slices.Delete(slices.Clone(docs), i, i+1), 0, d)
}

// TestAnOrderThatMovesLosesNothing: documents that move to the top while the list
// is read are found at its end.
func TestAnOrderThatMovesLosesNothing(t *testing.T) {
	for _, limit := range []int{20, 100} {
		moving := func() *restless {
			return newRestless(250, func(call int, docs []vendors.Document) []vendors.Document {
				if call > 1 && call < 4 {
					docs = rises(rises(docs, len(docs)-3), len(docs)-20)
				}
				return docs
			})
		}
		r := moving()
		got := page(t, New("v", "p", r), ListQuery{KnowledgeBaseID: "kb", Limit: limit}, func(int) {})
		once(t, got, ids(rows(250)))
		if len(got) != 250 {
			t.Errorf("limit %d: %d rows, 250 documents", limit, len(got))
		}
		sum, err := New("v", "p", moving()).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
		if err != nil || sum.Summary.Total != 250 || !sum.Summary.Done || sum.Summary.Scanned != nil || sum.Truncated {
			t.Errorf("progress: %+v, %v", sum.Summary, err)
		}
	}
}

// TestAQuietOrderCostsNothingMore: a listing whose order could move, and does
// not, takes as many requests as any.
func TestAQuietOrderCostsNothingMore(t *testing.T) {
	r := newRestless(250, nil)
	v := New("v", "p", r)
	once(t, page(t, v, ListQuery{KnowledgeBaseID: "kb", Limit: 100}, func(int) {}), ids(rows(250)))
	if len(r.asks) != 3 {
		t.Errorf("%d requests, want 3", len(r.asks))
	}
	one, err1 := v.ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Limit: 100})
	two, err2 := v.ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Limit: 100})
	if err1 != nil || err2 != nil || one.NextCursor != two.NextCursor {
		t.Errorf("two cursors of the same place: %q, %q", one.NextCursor, two.NextCursor)
	}
}

// TestWhatNeverComesIsSaid: without rest the list ends and says that rows are
// missing, and so it does where nobody remembers what came.
func TestWhatNeverComesIsSaid(t *testing.T) {
	wild := func(call int, docs []vendors.Document) []vendors.Document { return rises(docs, len(docs)-1) }
	hidden := newRestless(250, wild)
	list := hidden.list
	hidden.list = func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
		p, err := list(q)
		p.Items = slices.DeleteFunc(p.Items, func(d vendors.Document) bool { return d.DocumentID == "r077" }) // always elsewhere
		return p, err
	}
	v := New("v", "p", hidden)
	q := ListQuery{KnowledgeBaseID: "kb", Limit: 100}
	var last DocumentList
	var got []string
	for n := 0; ; n++ {
		var err error
		if last, err = v.ListDocuments(t.Context(), q); err != nil || n > 30 {
			t.Fatalf("call %d: %v", n, err)
		}
		got = append(got, ids(last.Documents)...)
		if q.Cursor = last.NextCursor; q.Cursor == "" {
			break
		}
	}
	once(t, got, slices.DeleteFunc(ids(rows(250)), func(id string) bool { return id == "r077" }))
	if !last.Truncated || !strings.Contains(last.Hint, "1 of its rows did not come") {
		t.Errorf("%q", last.Hint)
	}
	sum, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
	if err != nil || sum.Summary.Done || sum.Summary.Total != 250 || *sum.Summary.Scanned != 249 || !sum.Truncated {
		t.Errorf("progress: %+v, %v", sum.Summary, err)
	}

	// Another replica, or this one after a restart, knows only how many came.
	r := newRestless(250, func(call int, docs []vendors.Document) []vendors.Document {
		if call == 3 {
			docs = rises(docs, 249)
		}
		return docs
	})
	first, err := New("v", "p", r).ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	q.Cursor = first.NextCursor
	for range 3 {
		if last, err = New("v", "p", r).ListDocuments(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if q.Cursor = last.NextCursor; q.Cursor == "" {
			break
		}
	}
	if q.Cursor != "" || !last.Truncated || !strings.Contains(last.Hint, "1 of its rows did not come") {
		t.Errorf("after a restart: %q, cursor %q", last.Hint, q.Cursor)
	}
}

// TestACutListRemembersWhatCame: what does not fit an answer comes with the next
// page, although the order moves.
func TestACutListRemembersWhatCame(t *testing.T) {
	r := newRestless(120, func(call int, docs []vendors.Document) []vendors.Document {
		if call > 1 && call < 5 {
			docs = rises(docs, len(docs)-2)
		}
		return docs
	})
	v := New("v", "p", r)
	q := ListQuery{KnowledgeBaseID: "kb", Limit: 50}
	var got []string
	for n := 0; ; n++ {
		out, err := v.ListDocuments(t.Context(), q)
		if err != nil || n > 30 {
			t.Fatalf("call %d: %v", n, err)
		}
		cut := out.Fit(33).(DocumentList)
		got = append(got, ids(cut.Documents)...)
		if q.Cursor = cut.NextCursor; q.Cursor == "" {
			break
		}
	}
	once(t, got, ids(rows(120)))
	if len(got) != 120 {
		t.Errorf("%d rows of 120", len(got))
	}
}

package connection

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/recent"
	"kb-mcp/vendors/tally"
)

// archive is a platform that reports the progress of a document whatever
// knowledge base is named, and whose lists of an unknown one are empty.
type archive struct {
	bench
	holds   map[string][]string // documents by knowledge base
	members int                 // requests
	checks  int
}

func newArchive(holds map[string][]string) *archive {
	a := &archive{holds: holds}
	a.progress = func(q vendors.ProgressQuery) (r vendors.Report, err error) {
		for _, id := range q.DocumentIDs {
			r.Documents = append(r.Documents, vendors.Document{DocumentID: id, Status: vendors.Completed})
		}
		return r, nil
	}
	return a
}

func (a *archive) ListDocuments(_ context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	total := len(a.holds[q.KnowledgeBaseID])
	p := vendors.Page[vendors.Document]{Total: &total}
	for _, id := range a.holds[q.KnowledgeBaseID] {
		p.Items = append(p.Items, vendors.Document{DocumentID: id, Status: vendors.Completed})
	}
	return p, nil
}

func (a *archive) Members(_ context.Context, kb string, ids []string) (rows []vendors.Document, err error) {
	a.members++
	for _, id := range ids {
		if slices.Contains(a.holds[kb], id) {
			rows = append(rows, vendors.Document{DocumentID: id})
		}
	}
	return rows, nil
}

func (a *archive) CheckKnowledgeBase(_ context.Context, id string) error {
	a.checks++
	if _, ok := a.holds[id]; !ok {
		return vendors.Errorf(vendors.ErrNotFound, "There is no such knowledge base.")
	}
	return nil
}

// TestProgressUnderAWrongKnowledgeBase: no document is reported under a
// knowledge base that does not hold it.
func TestProgressUnderAWrongKnowledgeBase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newArchive(map[string][]string{"one": {"a", "b"}, "two": {"x"}, "empty": {}})
		v := New("v", "p", a)
		ask := func(kb string, ids ...string) (ProgressResult, error) {
			return v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: ids})
		}
		got, err := ask("one", "a", "x", "b")
		if err != nil || got.Summary.ByStatus[vendors.Completed] != 2 || got.Summary.ByStatus[vendors.NotFound] != 1 || got.Documents[1].Status != vendors.NotFound {
			t.Errorf("%+v, %v", got, err)
		}
		if q := a.asked[0]; a.members != 1 || !slices.Equal(q.DocumentIDs, []string{"a", "b"}) {
			t.Errorf("%d requests, then %v", a.members, q.DocumentIDs)
		}
		for _, kb := range []string{"unknown", "unknown"} {
			if _, err := ask(kb, "a"); vendors.KindOf(err) != vendors.ErrNotFound {
				t.Errorf("an unknown knowledge base: %v", err)
			}
			if _, err := v.Wait(t.Context(), ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: []string{"a"}}, time.Second, func(tally.Summary) {}); vendors.KindOf(err) != vendors.ErrNotFound {
				t.Errorf("waiting in an unknown knowledge base: %v", err)
			}
		}
		if got, err := ask("two", "a"); err != nil || got.Documents[0].Status != vendors.NotFound || len(a.asked) != 1 {
			t.Errorf("a foreign document: %+v, %v, asked %v", got, err, a.asked)
		}
		before := a.members
		for range 5 {
			if got, err := ask("one", "a", "b"); err != nil || !got.Summary.Done {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if a.members != before {
			t.Errorf("%d more requests for what is known", a.members-before)
		}
		time.Sleep(3 * recent.Age)
		if _, err := ask("one", "a", "b"); err != nil || a.members != before+1 {
			t.Errorf("%v, %d more requests after half an hour", err, a.members-before)
		}
	})
}

func TestListingsProveMembership(t *testing.T) {
	a := newArchive(map[string][]string{"one": {"a", "b"}})
	v := New("v", "p", a)
	if _, err := v.ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "one", Limit: 20}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "one", DocumentIDs: []string{"b"}}); err != nil || a.members != 0 {
		t.Errorf("%v, %d requests", err, a.members)
	}
}

// TestAnEmptyListIsOfAKnowledgeBase: an unknown one is not reported as empty.
func TestAnEmptyListIsOfAKnowledgeBase(t *testing.T) {
	a := newArchive(map[string][]string{"empty": {}})
	v := New("v", "p", a)
	for range 3 {
		if _, err := v.ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "empty", Limit: 20}); err != nil {
			t.Error(err)
		}
		if p, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "empty"}); err != nil || p.Summary.Total != 0 {
			t.Errorf("%+v, %v", p, err)
		}
	}
	if a.checks != 1 {
		t.Errorf("%d requests", a.checks)
	}
	if _, err := v.ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "x", Limit: 20}); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Errorf("list: %v", err)
	}
	if _, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "x"}); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Errorf("progress: %v", err)
	}
	if u, err := v.Unfinished(t.Context(), "x"); err != nil || len(u.Incomplete) != 1 || u.Incomplete[0].Error.Kind != vendors.ErrNotFound {
		t.Errorf("unfinished: %+v, %v", u, err)
	}
}

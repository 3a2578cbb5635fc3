package connection

import (
	"context"
	"slices"
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/tally"
)

// archive is a platform that answers for an unknown knowledge base as for an empty
// one.
type archive struct {
	bench
	holds  map[string][]string // documents by knowledge base
	checks int
}

func newArchive(holds map[string][]string) *archive {
	a := &archive{holds: holds}
	a.progress = func(q vendors.ProgressQuery) (r vendors.Report, err error) {
		for _, id := range q.DocumentIDs {
			if slices.Contains(holds[q.KnowledgeBaseID], id) {
				r.Documents = append(r.Documents, vendors.Document{DocumentID: id, Status: vendors.Completed})
			}
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

func (a *archive) CheckKnowledgeBase(_ context.Context, id string) error {
	a.checks++
	if _, ok := a.holds[id]; !ok {
		return vendors.Errorf(vendors.ErrNotFound, "There is no such knowledge base.")
	}
	return nil
}

// TestProgressOfAnUnknownKnowledgeBase: it is not found, and one that has shown
// documents is not asked for.
func TestProgressOfAnUnknownKnowledgeBase(t *testing.T) {
	a := newArchive(map[string][]string{"one": {"a"}})
	v := New("v", "p", a)
	request := func(kb string, ids ...string) ProgressRequest {
		return ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: ids}
	}
	if _, err := v.Progress(t.Context(), request("one", "a")); err != nil || a.checks != 0 {
		t.Errorf("%v after %d checks", err, a.checks)
	}
	if got, err := v.Progress(t.Context(), request("one", "x")); err != nil || got.Documents[0].Status != vendors.NotFound || a.checks != 0 {
		t.Errorf("%+v, %v after %d checks", got, err, a.checks)
	}
	if _, err := v.Progress(t.Context(), request("unknown", "a")); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Error(err)
	}
	if _, err := v.Wait(t.Context(), request("unknown", "a"), time.Second, func(tally.Summary) {}); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Errorf("waiting: %v", err)
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

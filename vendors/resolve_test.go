package vendors

import (
	"context"
	"testing"
)

// twoNames is a platform that takes a name in place of an id.
type twoNames struct {
	*bench
	asked []string // knowledge bases that the driver was asked for
	err   error
}

func (n *twoNames) ResolveKnowledgeBase(_ context.Context, id string) (string, error) {
	if id == "docs" {
		id = "kb-1"
	}
	return id, n.err
}

func (n *twoNames) ListDocuments(ctx context.Context, q PageQuery) (Page[Document], error) {
	n.asked = append(n.asked, q.KnowledgeBaseID)
	return n.bench.ListDocuments(ctx, q)
}

func (n *twoNames) GetDocument(_ context.Context, ref Ref) (Document, error) {
	n.asked = append(n.asked, ref.KnowledgeBaseID)
	return Document{DocumentID: ref.DocumentID}, nil
}

func (n *twoNames) Progress(ctx context.Context, q ProgressQuery) (Report, error) {
	n.asked = append(n.asked, q.KnowledgeBaseID)
	return n.bench.Progress(ctx, q)
}

func (n *twoNames) Search(_ context.Context, q SearchQuery) ([]Hit, error) {
	n.asked = append(n.asked, q.KnowledgeBaseID)
	return nil, nil
}

// TestOneIDOfAKnowledgeBase: however a caller names a knowledge base, drivers are
// asked for its one id, and answers and cursors carry it.
func TestOneIDOfAKnowledgeBase(t *testing.T) {
	n := &twoNames{bench: &bench{progress: func(q ProgressQuery) (Report, error) { return Report{}, nil }}}
	n.put(30)
	v, ctx := New("v", "p", n), t.Context()
	list, err := v.ListDocuments(ctx, ListQuery{KnowledgeBaseID: "docs", Limit: 20})
	if err != nil || list.KnowledgeBaseID != "kb-1" || list.Documents[0].KnowledgeBaseID != "kb-1" {
		t.Errorf("list: %s, %v", list.KnowledgeBaseID, err)
	}
	if _, err := v.ListDocuments(ctx, ListQuery{KnowledgeBaseID: "kb-1", Limit: 20, Cursor: list.NextCursor}); err != nil {
		t.Errorf("a cursor of the same knowledge base: %v", err)
	}
	if d, err := v.GetDocument(ctx, Ref{"docs", "a"}); err != nil || d.KnowledgeBaseID != "kb-1" {
		t.Errorf("get: %+v, %v", d, err)
	}
	for _, q := range []ProgressRequest{{KnowledgeBaseID: "docs", DocumentIDs: []string{"a"}}, {KnowledgeBaseID: "docs", BatchID: "b"}, {KnowledgeBaseID: "docs"}} {
		if p, err := v.Progress(ctx, q); err != nil || p.KnowledgeBaseID != "kb-1" {
			t.Errorf("progress: %+v, %v", p, err)
		}
	}
	if r, err := v.Search(ctx, SearchQuery{KnowledgeBaseID: "docs", Query: "q", Limit: 5}); err != nil || r.KnowledgeBaseID != "kb-1" {
		t.Errorf("search: %+v, %v", r, err)
	}
	if _, err := v.Unfinished(ctx, "docs"); err != nil {
		t.Error(err)
	}
	for i, kb := range n.asked {
		if kb != "kb-1" {
			t.Errorf("call %d asked for %s", i, kb)
		}
	}
	n.asked, n.err = nil, Errorf(ErrNotFound, "no")
	if _, err := v.ListDocuments(ctx, ListQuery{KnowledgeBaseID: "gone", Limit: 20}); KindOf(err) != ErrNotFound || n.asked != nil {
		t.Errorf("%v, asked %v", err, n.asked)
	}
	if u, err := v.Unfinished(ctx, "gone"); err != nil || len(u.Incomplete) != 1 || u.Incomplete[0].Error.Kind != ErrNotFound {
		t.Errorf("%+v, %v", u, err)
	}
}

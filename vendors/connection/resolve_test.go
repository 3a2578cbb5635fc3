package connection

import (
	"context"
	"errors"
	"testing"

	"kb-mcp/vendors"
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

func (n *twoNames) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	n.asked = append(n.asked, q.KnowledgeBaseID)
	return n.bench.ListDocuments(ctx, q)
}

func (n *twoNames) GetDocument(_ context.Context, ref vendors.Ref) (vendors.Document, error) {
	n.asked = append(n.asked, ref.KnowledgeBaseID)
	return vendors.Document{DocumentID: ref.DocumentID}, nil
}

func (n *twoNames) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	n.asked = append(n.asked, q.KnowledgeBaseID)
	return n.bench.Progress(ctx, q)
}

func (n *twoNames) Search(_ context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	n.asked = append(n.asked, q.KnowledgeBaseID)
	return nil, nil
}

// TestOneIDOfAKnowledgeBase: however a caller names a knowledge base, drivers are
// asked for its one id, and answers and cursors carry it.
func TestOneIDOfAKnowledgeBase(t *testing.T) {
	n := &twoNames{bench: &bench{progress: func(q vendors.ProgressQuery) (vendors.Report, error) { return vendors.Report{}, nil }}}
	n.put(30)
	v, ctx := New("v", "p", n), t.Context()
	list, err := v.ListDocuments(ctx, ListQuery{KnowledgeBaseID: "docs", Limit: 20})
	if err != nil || list.KnowledgeBaseID != "kb-1" || list.Documents[0].KnowledgeBaseID != "kb-1" {
		t.Errorf("list: %s, %v", list.KnowledgeBaseID, err)
	}
	if _, err := v.ListDocuments(ctx, ListQuery{KnowledgeBaseID: "kb-1", Limit: 20, Cursor: list.NextCursor}); err != nil {
		t.Errorf("a cursor of the same knowledge base: %v", err)
	}
	if d, err := v.GetDocument(ctx, vendors.Ref{KnowledgeBaseID: "docs", DocumentID: "a"}); err != nil || d.KnowledgeBaseID != "kb-1" {
		t.Errorf("get: %+v, %v", d, err)
	}
	for _, q := range []ProgressRequest{{KnowledgeBaseID: "docs", DocumentIDs: []string{"a"}}, {KnowledgeBaseID: "docs", BatchID: "b"}, {KnowledgeBaseID: "docs"}} {
		if p, err := v.Progress(ctx, q); err != nil || p.KnowledgeBaseID != "kb-1" {
			t.Errorf("progress: %+v, %v", p, err)
		}
	}
	if r, err := v.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: "docs", Query: "q", Limit: 5}); err != nil || r.KnowledgeBaseID != "kb-1" {
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
	n.asked, n.err = nil, vendors.Errorf(vendors.ErrNotFound, "no")
	if _, err := v.ListDocuments(ctx, ListQuery{KnowledgeBaseID: "gone", Limit: 20}); vendors.KindOf(err) != vendors.ErrNotFound || n.asked != nil {
		t.Errorf("%v, asked %v", err, n.asked)
	}
	if u, err := v.Unfinished(ctx, "gone"); err != nil || len(u.Incomplete) != 1 || u.Incomplete[0].Error.Kind != vendors.ErrNotFound {
		t.Errorf("%+v, %v", u, err)
	}
}

// scribe is a platform with writes that takes a name in place of an id.
type scribe struct {
	*writer
	asked []string
}

func (s *scribe) ResolveKnowledgeBase(_ context.Context, id string) (string, error) {
	if id == "docs" {
		id = "kb-1"
	}
	return id, nil
}

func (s *scribe) note(kb string) { s.asked = append(s.asked, kb) }

func (s *scribe) UpdateKnowledgeBase(ctx context.Context, id string, c vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	s.note(id)
	return s.writer.UpdateKnowledgeBase(ctx, id, c)
}

func (s *scribe) DeleteKnowledgeBase(ctx context.Context, id string) error {
	s.note(id)
	return s.writer.DeleteKnowledgeBase(ctx, id)
}

func (s *scribe) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	s.note(u.KnowledgeBaseID)
	return s.writer.Upload(ctx, u)
}

func (s *scribe) UpdateDocument(ctx context.Context, ref vendors.Ref, c vendors.DocumentChange) (vendors.Document, error) {
	s.note(ref.KnowledgeBaseID)
	return s.writer.UpdateDocument(ctx, ref, c)
}

func (s *scribe) DeleteDocuments(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	s.note(kb)
	return s.writer.DeleteDocuments(ctx, kb, ids)
}

func (s *scribe) StartIngestion(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	s.note(kb)
	return s.writer.StartIngestion(ctx, kb, ids)
}

func (s *scribe) StopIngestion(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	s.note(kb)
	return s.writer.StopIngestion(ctx, kb, ids)
}

func (s *scribe) Download(ctx context.Context, ref vendors.Ref) (vendors.Download, error) {
	s.note(ref.KnowledgeBaseID)
	return s.writer.Download(ctx, ref)
}

func TestWritesGoToTheOneID(t *testing.T) {
	s := &scribe{writer: &writer{outcomes: []vendors.Outcome{{DocumentID: "a", Result: vendors.Done}}}}
	v, ctx, name, ref := New("v", "p", s), t.Context(), "n", vendors.Ref{KnowledgeBaseID: "docs", DocumentID: "a"}
	_, err1 := v.UpdateKnowledgeBase(ctx, "docs", vendors.KnowledgeBaseChange{Name: &name})
	err2 := v.DeleteKnowledgeBase(ctx, "docs")
	up, err3 := v.Upload(ctx, vendors.Upload{KnowledgeBaseID: "docs", Name: "n", Text: "t"})
	doc, err4 := v.UpdateDocument(ctx, ref, vendors.DocumentChange{Name: &name})
	_, err5 := v.DeleteDocuments(ctx, "docs", []string{"a"})
	_, err6 := v.StartIngestion(ctx, "docs", []string{"a"})
	_, err7 := v.StopIngestion(ctx, "docs", []string{"a"})
	_, err8 := v.Download(ctx, ref)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, err8); err != nil {
		t.Fatal(err)
	}
	if up.Document.KnowledgeBaseID != "kb-1" || doc.KnowledgeBaseID != "kb-1" || len(s.asked) != 8 {
		t.Errorf("%s, %s, %v", up.Document.KnowledgeBaseID, doc.KnowledgeBaseID, s.asked)
	}
	for i, kb := range s.asked {
		if kb != "kb-1" {
			t.Errorf("write %d went to %s", i, kb)
		}
	}
}

package connection

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"kb-mcp/vendors"
)

// shelves are a platform with knowledge bases of documents, which it filters by
// nothing.
type shelves struct {
	shelf
	bases  []string
	lists  int // requests for knowledge bases
	broken string
}

func (a *shelves) ListKnowledgeBases(context.Context, vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	a.lists++
	p := vendors.Page[vendors.KnowledgeBase]{}
	for _, id := range a.bases {
		p.Items = append(p.Items, vendors.KnowledgeBase{KnowledgeBaseID: id, Name: "name of " + id})
	}
	return p, nil
}

func (a *shelves) ListDocuments(_ context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	p := vendors.Page[vendors.Document]{NewestFirst: true}
	if q.KnowledgeBaseID == a.broken {
		return p, vendors.Errorf(vendors.PermissionDenied, "It is closed.")
	}
	for i := range 250 {
		if at := (q.Page - 1) * q.Size; i >= at && i < at+q.Size {
			p.Items = append(p.Items, vendors.Document{DocumentID: fmt.Sprint(q.KnowledgeBaseID, i), Name: fmt.Sprint("doc ", i), Status: vendors.Completed,
				CreatedAt: vendors.Seconds(int64(1_700_000_000 - i))})
		}
	}
	p.More = q.Page*q.Size < 250
	return p, nil
}

// TestFindOverAll: each match once, whatever the limit, and the knowledge bases
// are listed once in a walk.
func TestFindOverAll(t *testing.T) {
	for _, limit := range []int{1, 7, 100} {
		a := &shelves{bases: []string{"a", "b", "c", "d", "e", "f"}, broken: "c"}
		v, q := New("v", "p", a), ListQuery{NameContains: "DOC 2", Limit: limit}
		var got []string
		var gaps []Incomplete
		for n := 0; ; n++ {
			p, err := v.FindDocuments(t.Context(), q)
			if err != nil || n > 1000 {
				t.Fatal(n, err)
			}
			for _, r := range p.Rows {
				got = append(got, r.Item.DocumentID)
			}
			gaps = append(gaps, p.Gaps...)
			if q.Cursor = p.End; p.Done {
				break
			}
		}
		slices.Sort(got)
		if n := len(got); n != 5*61 || len(slices.Compact(got)) != n { // 2, 20-29, 200-249
			t.Errorf("limit %d: %d rows, %d distinct", limit, n, len(slices.Compact(got)))
		}
		if a.lists != 1 || len(gaps) == 0 || gaps[0].KnowledgeBaseID != "c" || gaps[0].Error.Kind != vendors.PermissionDenied {
			t.Errorf("limit %d: %d lists, %+v", limit, a.lists, gaps)
		}
	}
}

func TestFindInOneKnowledgeBase(t *testing.T) {
	v := New("v", "p", &shelves{bases: []string{"a"}, broken: "c"})
	if _, err := v.FindDocuments(t.Context(), ListQuery{KnowledgeBaseID: "c", NameContains: "d", Limit: 5}); vendors.KindOf(err) != vendors.PermissionDenied {
		t.Errorf("%v", err)
	}
	if _, err := v.FindDocuments(t.Context(), ListQuery{KnowledgeBaseID: "a", NameContains: "d", Limit: 5, Cursor: "x~y"}); vendors.KindOf(err) != vendors.InvalidArgument {
		t.Errorf("a cursor of another: %v", err)
	}
}

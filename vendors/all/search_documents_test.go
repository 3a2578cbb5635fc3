package all

import (
	"context"
	"slices"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// TestSearchesInDocuments: only hits of the given documents come, from the
// platform's own filter in one request where it has one.
func TestSearchesInDocuments(t *testing.T) {
	for _, tt := range []struct {
		way      string
		requests int
	}{{"ragflow", 1}, {"volcengine", 1}, {"dify", 2}} {
		t.Run(tt.way, func(t *testing.T) {
			sb := sandbox.New(sandbox.Options{})
			v, p := grown(t, sb, tt.way)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			kb := handbook(t, ctx, v.Connection)
			all, err := v.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: kb, Query: "退款", Limit: 50})
			if err != nil || len(all.Hits) < 2 {
				t.Fatalf("%d hits, %v", len(all.Hits), err)
			}
			last := all.Hits[len(all.Hits)-1].DocumentID
			p.requests = 0
			got, err := v.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: kb, Query: "退款", Limit: 5, DocumentIDs: []string{last}})
			if err != nil || len(got.Hits) == 0 || slices.ContainsFunc(got.Hits, func(h vendors.Hit) bool { return h.DocumentID != last }) {
				t.Errorf("%+v, %v", got.Hits, err)
			}
			if p.requests > tt.requests {
				t.Errorf("%d requests, at most %d", p.requests, tt.requests)
			}
		})
	}
}

// TestSearchesOfAllKnowledgeBases: RAGFlow searches them in one request; one that
// is closed to API calls, on Dify, is named.
func TestSearchesOfAllKnowledgeBases(t *testing.T) {
	for _, tt := range []struct {
		way          string
		most, closed int
	}{{"ragflow", 1, 0}, {"volcengine", 20, 0}, {"dify", 40, 1}} {
		t.Run(tt.way, func(t *testing.T) {
			sb := sandbox.New(sandbox.Options{})
			v, p := grown(t, sb, tt.way)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			kb := handbook(t, ctx, v.Connection)
			bases, gaps := v.Searchable(ctx)
			if len(bases) < 2 || len(gaps) > 0 {
				t.Fatalf("%d, %+v", len(bases), gaps)
			}
			p.requests = 0
			part := v.SearchIn(ctx, bases, vendors.SearchQuery{Query: "退款", Limit: 5})
			found := false
			for _, list := range part.Lists {
				found = found || slices.ContainsFunc(list, func(h vendors.Hit) bool { return h.KnowledgeBaseID == kb && h.Vendor == v.Name() })
			}
			if !found || len(part.Gaps) != tt.closed || p.requests > tt.most {
				t.Errorf("%d requests, %+v", p.requests, part)
			}
		})
	}
}

// handbook is the knowledge base of the sandbox that has texts to search.
func handbook(t *testing.T, ctx context.Context, v *connection.Connection) string {
	t.Helper()
	list, err := v.ListKnowledgeBases(ctx, connection.ListQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range list.KnowledgeBases {
		if slices.Contains([]string{"产品手册", "product_manual"}, k.Name) {
			return k.KnowledgeBaseID
		}
	}
	t.Fatalf("%+v", list)
	return ""
}

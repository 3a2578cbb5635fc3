package all

import (
	"fmt"
	"slices"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// archive is the large knowledge base of a face.
func (l live) archive(t testing.TB) string {
	t.Helper()
	for _, kb := range l.knowledgeBases(t, connection.ListQuery{Limit: 100}) {
		if kb.Name == sandbox.BulkName(l.platform()) {
			return kb.KnowledgeBaseID
		}
	}
	t.Fatal("no archive")
	return ""
}

// requests runs f and bounds what it asks of the platform.
func (l live) requests(t testing.TB, what string, limit int, f func()) {
	t.Helper()
	before := l.sb.Requests(l.face)
	f()
	n := l.sb.Requests(l.face) - before
	t.Logf("%s: %d requests", what, n)
	if n > limit {
		t.Errorf("%s took %d requests, want at most %d", what, n, limit)
	}
}

// TestSandboxLarge: of 10,000 documents each comes exactly once, and progress
// of 1,000 is asked for in batches. The older generations, with the same lists,
// are in TestSandboxWhole.
func TestSandboxLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("ten thousand documents on each platform")
	}
	const total = 10_000
	sb, url := sandboxed(t, sandbox.Options{Documents: total})
	for way, most := range map[string]int{"coze": 10, "dify": 40, "ragflow": 10, "volcengine": 10} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			l := connect(t, sb, url, way)
			kb := l.archive(t)
			var all []vendors.Document
			l.requests(t, "list of 10,000", total/100, func() { all = l.documents(t, connection.ListQuery{KnowledgeBaseID: kb, Limit: 100}) })
			if got := ids(t, all); !slices.Equal(got, l.stored(kb)) || len(got) != total {
				t.Fatalf("%d documents, want %d", len(got), total)
			}
			part := all[3000:4000]
			var asked []string
			for _, d := range part {
				asked = append(asked, d.DocumentID)
			}
			l.requests(t, "progress of 1,000", most, func() {
				res, err := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: asked})
				if err != nil || len(res.Documents) != 1000 || res.Summary.Total != 1000 || len(res.Remaining) > 0 {
					t.Fatalf("progress of 1,000 = %+v, %v", res.Summary, err)
				}
				for i, p := range res.Documents {
					if p.DocumentID != asked[i] || p.Status != part[i].Status {
						t.Fatalf("progress %+v, want %s", p, brief(part[i]))
					}
				}
			})
		})
	}
}

// TestSandboxWhole: a whole knowledge base of many pages is counted in one
// call.
func TestSandboxWhole(t *testing.T) {
	sb, url := sandboxed(t, sandbox.Options{Documents: 600})
	for _, way := range []string{"coze", "coze-studio", "dify", "ragflow", "ragflow-preview", "volcengine"} {
		t.Run(way, func(t *testing.T) {
			l := connect(t, sb, url, way)
			for _, kb := range l.knowledgeBases(t, connection.ListQuery{Limit: 100}) {
				if kb.Name != sandbox.BulkName(l.platform()) {
					continue
				}
				all := l.documents(t, connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: 100})
				if got := ids(t, all); !slices.Equal(got, l.stored(kb.KnowledgeBaseID)) {
					t.Errorf("%d documents, want 600", len(got))
				}
				most := 8
				if way == "coze-studio" { // each page has a failure, which may be tried again
					most += 6
				}
				l.requests(t, "progress of 600", most, func() { l.whole(t, kb, all) })
			}
		})
	}
}

// TestSandboxWriters: what is there when paging begins comes exactly once while
// others add documents, and no new one comes twice.
func TestSandboxWriters(t *testing.T) {
	sb, url := sandboxed(t, sandbox.Options{Documents: 300})
	for _, way := range []string{"dify", "ragflow", "ragflow-preview", "volcengine"} {
		for _, limit := range []int{7, 20, 100} {
			t.Run(fmt.Sprint(way, " ", limit), func(t *testing.T) {
				l := connect(t, sb, url, way)
				kb := l.archive(t)
				before, n := l.stored(kb), 0
				add := func() {
					for range 1 + n%3 {
						n++
						if _, err := sb.Add(l.platform(), kb, fmt.Sprintf("new-%d.txt", n), sandbox.Normal()); err != nil {
							t.Fatal(err)
						}
					}
				}
				got := ids(t, l.documents(t, connection.ListQuery{KnowledgeBaseID: kb, Limit: limit}, add))
				for _, id := range before {
					if _, ok := slices.BinarySearch(got, id); !ok {
						t.Errorf("document %s was lost", id)
					}
				}
				if n == 0 || len(got) > len(before)+n {
					t.Errorf("%d documents of %d, with %d added", len(got), len(before), n)
				}
			})
		}
	}
}

// TestSandboxReaders: the same while others remove documents.
func TestSandboxReaders(t *testing.T) {
	sb, url := sandboxed(t, sandbox.Options{Documents: 300})
	for _, way := range []string{"dify", "ragflow", "volcengine"} {
		t.Run(way, func(t *testing.T) {
			l := connect(t, sb, url, way)
			kb := l.archive(t)
			before, removed := l.stored(kb), map[string]bool{}
			remove := func() {
				docs := sb.Store(l.platform()).Documents(kb)
				id := docs.At(len(removed) * 7 % docs.Len()).ID
				removed[id] = sb.Remove(l.platform(), id)
			}
			got := ids(t, l.documents(t, connection.ListQuery{KnowledgeBaseID: kb, Limit: 20}, remove))
			for _, id := range before {
				if _, ok := slices.BinarySearch(got, id); !ok && !removed[id] {
					t.Errorf("document %s was lost", id)
				}
			}
		})
	}
}

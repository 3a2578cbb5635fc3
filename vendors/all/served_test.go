package all

import (
	"slices"
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// TestRowsSayWhatIsServed: on every platform a document says the same in a list,
// alone and in progress about whether searches return it, what is wrong with it
// and when it changed.
func TestRowsSayWhatIsServed(t *testing.T) {
	eachWay(t, func(t *testing.T, l live) {
		unserved, rows := 0, 0
		for _, kb := range l.knowledgeBases(t, connection.ListQuery{Limit: 100}) {
			list, err := l.ListDocuments(t.Context(), connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: 100})
			if vendors.KindOf(err) == vendors.PermissionDenied { // closed to API calls
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			progress := l.progressOf(t, kb.KnowledgeBaseID, list.Documents)
			for i, d := range list.Documents {
				one, err := l.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb.KnowledgeBaseID, DocumentID: d.DocumentID})
				if err != nil {
					t.Fatal(err)
				}
				rows++
				if d.Searchable != nil {
					unserved++
				}
				for name, said := range map[string]bool{"list": served(d), "alone": served(one)} {
					if !said {
						t.Errorf("%s, %s: %+v", d.Name, name, d)
					}
				}
				p := progress[i]
				if (p.Searchable == nil) != (one.Searchable == nil) || (d.Searchable == nil) != (one.Searchable == nil) {
					t.Errorf("%s: searchable in the list %v, alone %v, in progress %v", d.Name, d.Searchable, one.Searchable, p.Searchable)
				}
				if len(p.Warnings) != len(one.Warnings) {
					t.Errorf("%s: warnings alone %q, in progress %q", d.Name, one.Warnings, p.Warnings)
				}
			}
		}
		if rows == 0 || unserved == 0 && l.platform() != "volcengine" { // which has no switch
			t.Errorf("%d of %d documents are not served", unserved, rows)
		}
	})
}

// progressOf is the progress of documents, in their order.
func (l live) progressOf(t *testing.T, kb string, docs []vendors.Document) []connection.Progress {
	t.Helper()
	if len(docs) == 0 {
		return nil
	}
	ids := make([]string, len(docs))
	for i, d := range docs {
		ids[i] = d.DocumentID
	}
	res, err := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: ids})
	if err != nil || len(res.Documents) != len(ids) {
		t.Fatalf("%d of %d, %v", len(res.Documents), len(ids), err)
	}
	if res.KnowledgeBaseID != kb {
		t.Errorf("%s is called %s", kb, res.KnowledgeBaseID)
	}
	slices.SortFunc(res.Documents, func(a, b connection.Progress) int {
		return slices.Index(ids, a.DocumentID) - slices.Index(ids, b.DocumentID)
	})
	return res.Documents
}

// served reports whether a document's words about itself are true: searchable is
// false exactly where it is completed and switched off, it has a warning where it
// is completed without chunks, and its times can be.
func served(d vendors.Document) bool {
	off := d.Enabled != nil && !*d.Enabled || d.Archived != nil && *d.Archived
	switch done := d.Status == vendors.Completed; {
	case d.Searchable != nil && *d.Searchable:
	case (d.Searchable != nil) != (done && off):
	case done && d.ChunkCount != nil && *d.ChunkCount == 0 && len(d.Warnings) == 0:
	case !d.UpdatedAt.IsZero() && d.UpdatedAt.Before(d.CreatedAt):
	case !d.CreatedAt.IsZero() && d.CreatedAt.Before(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)):
	default:
		return true
	}
	return false
}

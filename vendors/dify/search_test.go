package dify_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// A server that ignores page and limit of the segments (Dify 1.1.1) gives every
// row on every page; the walk ends all the same, with each chunk once.
func TestSegmentsWithoutPaging(t *testing.T) {
	for _, tt := range []struct {
		rows, limit int
		total       bool
	}{{70, 20, false}, {70, 20, true}, {20, 20, false}, {20, 20, true}, {3, 20, false}, {70, 100, false}} {
		t.Run(fmt.Sprintf("%+v", tt), func(t *testing.T) {
			var rows []string
			for i := range tt.rows {
				rows = append(rows, fmt.Sprintf(`{"id":"b1000000-0000-4000-8000-%012d","position":%d,"content":"piece %d"}`, i, i+1, i))
			}
			body := `{"data":[` + strings.Join(rows, ",") + `],"doc_form":"text_model"`
			if tt.total {
				body += fmt.Sprintf(`,"total":%d`, tt.rows)
			}
			asked := 0
			v := at(func(*http.Request) (int, string) { asked++; return 200, body + "}" })
			seen := map[string]int{}
			for cursor := ""; ; {
				list, err := v.ListChunks(t.Context(), vendors.Ref{KnowledgeBaseID: kbID, DocumentID: docID}, tt.limit, cursor)
				if err != nil || asked > 10 {
					t.Fatalf("after %d requests: %v", asked, err)
				}
				for _, c := range list.Chunks {
					seen[c.ChunkID]++
				}
				if cursor = list.NextCursor; cursor == "" {
					break
				}
			}
			if len(seen) != tt.rows {
				t.Errorf("%d chunks of %d", len(seen), tt.rows)
			}
			for id, n := range seen {
				if n > 1 {
					t.Errorf("%s came %d times", id, n)
				}
			}
		})
	}
}

// What was read of a knowledge base serves for five minutes.
func TestFactsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		v := at(func(r *http.Request) (int, string) {
			if r.Method == http.MethodGet {
				reads++
				return 200, `{"id":"` + kbID + `","indexing_technique":"economy","document_count":3}`
			}
			return 200, `{"query":{"content":"x"},"records":[{"segment":{"id":"` + docID + `","document_id":"` + docID + `","content":"x"}}]}`
		})
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{0, 1}, {5*time.Minute - time.Second, 1}, {time.Second, 2}} {
			time.Sleep(step.after)
			if _, err := v.Search(t.Context(), vendors.SearchQuery{KnowledgeBaseID: kbID, Query: fmt.Sprint("x", step), Limit: 5}); err != nil || reads != step.want {
				t.Errorf("after %s more: %d reads, %v", step.after, reads, err)
			}
		}
	})
}

// Dify counts searches for themselves: after one was refused, reads are answered
// (1.12.1 with its plan's limit).
func TestRefusedSearchLeavesReadsAlone(t *testing.T) {
	searches := 0
	v := at(func(r *http.Request) (int, string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/retrieve"):
			searches++
			return 403, `{"code":"forbidden","message":"Sorry, you have reached the knowledge base request rate limit of your subscription.","status":403}`
		case strings.HasSuffix(r.URL.Path, "/documents"):
			return 200, `{"data":[],"has_more":false,"limit":20,"total":0,"page":1}`
		}
		return 200, `{"id":"` + kbID + `","indexing_technique":"economy","document_count":3}`
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 2 {
		_, err := v.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: kbID, Query: "x", Limit: 5})
		if r := vendors.ReportOf(err); r.Kind != vendors.RateLimited || r.RetryAfterSeconds < 55 {
			t.Errorf("a search: %+v", r)
		}
	}
	if searches != 1 {
		t.Errorf("%d searches were sent", searches)
	}
	began := time.Now()
	if _, err := v.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: kbID, Limit: 20}); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("a read after it: %v, %v", err, time.Since(began))
	}
}

// A knowledge base all of whose documents are available has nothing unfinished:
// the list of knowledge bases says so, and a large one is not read.
func TestAvailableNeedsNoLook(t *testing.T) {
	const other = "d2bebc7e-0904-41cf-8031-7211ed29cfc6"
	var asked []string
	v := at(func(r *http.Request) (int, string) {
		asked = append(asked, r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/documents") {
			return 200, `{"data":[{"id":"` + docID + `","name":"a","indexing_status":"error","created_at":1795950000}],"has_more":false,"limit":100,"total":1,"page":1}`
		}
		return 200, `{"data":[{"id":"` + kbID + `","name":"a","document_count":700,"total_documents":700,"total_available_documents":700},` +
			`{"id":"` + other + `","name":"b","document_count":1,"total_documents":1,"total_available_documents":0}],"has_more":false,"limit":100,"total":2,"page":1}`
	})
	found, err := v.Unfinished(t.Context(), "")
	if err != nil || len(found.Documents) != 1 || found.Summary.Failed != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	for _, path := range asked {
		if strings.Contains(path, kbID) {
			t.Errorf("asked %s", path)
		}
	}
}

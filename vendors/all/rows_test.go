package all

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// floods are answers of a few zipped kilobytes with millions of rows, wherever a
// platform has rows.
func floods() map[string]string {
	rows := "[" + strings.Repeat("{},", 300_000) + "{}]"
	texts := "[" + strings.Repeat(`"",`, 2_000_000) + `""]`
	nested := "[" + strings.TrimSuffix(strings.Repeat(`{"id":"1","document_id":"1","doc_metadata":R,"meta":R,"pipeline_list":R,"processing_file_id_list":R,"failed_file_list":R,"child_chunks":R},`, 50), ",") + "]"
	nested = strings.ReplaceAll(nested, "R", "["+strings.Repeat("{},", 8000)+"{}]")
	quoted := `[{"doc_id":"1","doc_name":"a","meta":"[` + strings.Repeat("{},", 100_000) + `{}]"}]`
	keys := []string{"data", "docs", "chunks", "records", "document_infos", "dataset_list", "collection_list", "doc_list", "point_list", "result_list", "workspaces", "document_bases", "pipeline_list"}
	all := func(list string) string {
		var b strings.Builder
		for _, k := range keys {
			fmt.Fprintf(&b, `,%q:%s`, k, list)
		}
		return b.String()
	}
	bodies := map[string]string{
		"most":    `{"code":0,"total":1,"data":[` + strings.Repeat("{},", 2_700_000) + `{}]}`,
		"texts":   `{"code":0,"total":1,"data":` + texts + `}`,
		"nested":  `{"code":0,"total":1,"data":` + nested + `}`,
		"keys":    `{"code":0,"data":{` + strings.Repeat(`"a":{},`, 1_000_000) + `"b":1}}`,
		"deep":    `{"code":0,"data":` + strings.Repeat(`[`, 1_000_000) + strings.Repeat(`]`, 1_000_000) + `}`,
		"objects": `{"code":0,"data":` + strings.Repeat(`{"a":`, 1_000_000) + "1" + strings.Repeat(`}`, 1_000_000) + `}`,
		"quoted":  `{"code":0,"data":{"total_num":1` + all(quoted) + `}}`,
	}
	for _, k := range keys {
		bodies["data."+k] = fmt.Sprintf(`{"code":0,"data":{"total":1,%q:%s}}`, k, rows)
		bodies[k] = fmt.Sprintf(`{"code":0,"total":1,%q:%s}`, k, rows)
	}
	return bodies
}

// TestFloods: however many rows an answer has, it takes little more memory than
// its bytes, in every operation of every platform. (8 KB of gzip took gigabytes.)
func TestFloods(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred large answers")
	}
	var answer atomic.Pointer[[]byte]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(*answer.Load())
	}))
	t.Cleanup(srv.Close)
	list := open(t, "DIFY_API_KEY=dataset-0123456789", "DIFY_BASE_URL="+srv.URL, "RAGFLOW_API_KEY=ragflow-0123456789", "RAGFLOW_BASE_URL="+srv.URL,
		"COZE_API_TOKEN=pat_0123456789", "COZE_API_BASE="+srv.URL, "COZE_SPACE_ID=1", "VOLCENGINE_API_KEY=0123456789", "VOLCENGINE_BASE_URL="+srv.URL,
		"COZE_RATE_LIMIT=off", "DIFY_RATE_LIMIT=off", "RAGFLOW_RATE_LIMIT=off", "VOLCENGINE_RATE_LIMIT=off")
	for name, body := range floods() {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		z.Write([]byte(body))
		z.Close()
		b := zipped.Bytes()
		answer.Store(&b)
		for _, v := range list {
			t.Run(name+" "+v.Name(), func(t *testing.T) {
				for op, do := range reads(v) {
					if cost := peak(func() { _ = do(t.Context()) }); cost > 100<<20 {
						t.Errorf("%s takes %d MB", op, cost>>20)
					}
				}
			})
		}
	}
}

// reads are the operations that read.
func reads(v *connection.Connection) map[string]func(context.Context) error {
	kb, doc := "7", "8"
	if v.Platform() == "dify" {
		kb, doc = "8a7b5c1e-0000-4000-8000-000000000000", "8a7b5c1e-0000-4000-8000-000000000001"
	}
	if v.Platform() == "ragflow" {
		kb, doc = strings.Repeat("a", 32), strings.Repeat("b", 32)
	}
	ref := vendors.Ref{KnowledgeBaseID: kb, DocumentID: doc}
	return map[string]func(context.Context) error{
		"knowledge bases": func(ctx context.Context) error {
			_, err := v.ListKnowledgeBases(ctx, connection.ListQuery{Limit: 20})
			return err
		},
		"documents": func(ctx context.Context) error {
			_, err := v.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: kb, Limit: 20})
			return err
		},
		"document": func(ctx context.Context) error { _, err := v.GetDocument(ctx, ref); return err },
		"progress": func(ctx context.Context) error {
			_, err := v.Progress(ctx, connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: []string{doc}})
			return err
		},
		"search": func(ctx context.Context) error {
			_, err := v.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: kb, Query: "q", Limit: 5})
			return err
		},
		"chunks": func(ctx context.Context) error { _, err := v.ListChunks(ctx, ref, 20, ""); return err },
	}
}

// peak is how much the heap grows at most while f runs.
func peak(f func()) uint64 {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtime.GC()
	metrics.Read(heap)
	before := heap[0].Value.Uint64()
	most := before
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			metrics.Read(heap)
			most = max(most, heap[0].Value.Uint64())
			select {
			case <-stop:
				return
			default:
				runtime.Gosched()
			}
		}
	}()
	f()
	close(stop)
	<-done
	return most - before
}

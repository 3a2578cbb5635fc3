package all

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// rowKeys are the keys that a platform's wire types give lists.
func rowKeys(t *testing.T, platform string) []string {
	t.Helper()
	files, err := filepath.Glob("../" + platform + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no source of %s: %v", platform, err)
	}
	keys := []string{"data"}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range listField.FindAllSubmatch(source, -1) {
			keys = append(keys, string(m[1]))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// listField is a field of a list in the source of a wire type.
var listField = regexp.MustCompile("\\[\\][\\w.]+ +`json:\"(\\w+)")

// floods are answers of a few zipped kilobytes with millions of rows, wherever a
// platform has rows.
func floods(keys []string) map[string]string {
	rows := "[" + strings.Repeat("{},", 300_000) + "{}]"
	texts := "[" + strings.Repeat(`"",`, 2_000_000) + `""]`
	nested := "[" + strings.TrimSuffix(strings.Repeat(`{"id":"1","document_id":"1","doc_metadata":R,"meta":R,"pipeline_list":R,"processing_file_id_list":R,"failed_file_list":R,"child_chunks":R},`, 50), ",") + "]"
	nested = strings.ReplaceAll(nested, "R", "["+strings.Repeat("{},", 8000)+"{}]")
	quoted := `[{"doc_id":"1","doc_name":"a","meta":"[` + strings.Repeat("{},", 100_000) + `{}]"}]`
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
	if raced() {
		t.Skip("the race detector makes large answers ten times as slow, and one reader has no races; .ci/run runs it without")
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
	for _, v := range list {
		for name, body := range floods(rowKeys(t, v.Platform())) {
			var zipped bytes.Buffer
			z := gzip.NewWriter(&zipped)
			z.Write([]byte(body))
			z.Close()
			b := zipped.Bytes()
			answer.Store(&b)
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

// raced reports whether the race detector watches.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
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
			case <-time.After(time.Millisecond):
			}
		}
	}()
	f()
	close(stop)
	<-done
	return most - before
}

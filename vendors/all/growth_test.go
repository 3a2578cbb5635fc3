package all

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"

	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// replayer answers what was asked before as it was answered before, so that
// what a call costs can be told from what the sandbox costs.
type replayer struct {
	next http.Handler

	mu       sync.Mutex
	answers  map[string]*httptest.ResponseRecorder
	requests int
	weigh    bool   // measure the heap at every tenth request
	peak     uint64 // the most that was in use
}

func (p *replayer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	key := r.Method + " " + r.URL.String() + " " + string(body)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	if p.weigh && p.requests%10 == 0 {
		p.peak = max(p.peak, inUse())
	}
	a := p.answers[key]
	if a == nil {
		a = httptest.NewRecorder()
		r.Body = io.NopCloser(bytes.NewReader(body))
		p.next.ServeHTTP(a, r)
		p.answers[key] = a
	}
	maps.Copy(w.Header(), a.Header())
	w.WriteHeader(a.Code)
	w.Write(a.Body.Bytes())
}

// inUse is the heap without its garbage.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// grown is a connection to a sandbox through a replayer.
func grown(t *testing.T, sb *sandbox.Sandbox, way string) (live, *replayer) {
	p := &replayer{next: sb, answers: map[string]*httptest.ResponseRecorder{}}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	return connect(t, sb, srv.URL, way), p
}

// cost is what f asks of the platform and allocates, once everything is warm.
func (p *replayer) cost(runs int, f func()) (requests int, bytes uint64) {
	f()
	var before, after runtime.MemStats
	p.requests = 0
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return p.requests / runs, (after.TotalAlloc - before.TotalAlloc) / uint64(runs)
}

// TestOnePageCostsTheSame: the first page of a knowledge base costs what it
// shows, whatever else the knowledge base holds.
func TestOnePageCostsTheSame(t *testing.T) {
	small, _ := sandboxed(t, sandbox.Options{Documents: 20})
	large, _ := sandboxed(t, sandbox.Options{Documents: 10_000})
	for _, way := range ways() {
		t.Run(way, func(t *testing.T) {
			var requests [2]int
			var bytes [2]uint64
			for i, sb := range []*sandbox.Sandbox{small, large} {
				l, p := grown(t, sb, way)
				kb := l.archive(t)
				requests[i], bytes[i] = p.cost(20, func() {
					page, err := l.ListDocuments(t.Context(), connection.ListQuery{KnowledgeBaseID: kb, Limit: 20})
					if err != nil || len(page.Documents) != 20 {
						t.Fatalf("%d documents, %v", len(page.Documents), err)
					}
				})
			}
			t.Logf("of 20 and of 10,000 documents: %d requests, %d bytes allocated", requests, bytes)
			if requests[0] != 1 || requests[1] != 1 || bytes[1] > 2*bytes[0] {
				t.Errorf("a page of 10,000 documents costs %d requests and %d bytes, of 20 %d and %d", requests[1], bytes[1], requests[0], bytes[0])
			}
		})
	}
}

func ways() []string {
	return []string{"coze", "coze-studio", "dify", "ragflow", "ragflow-preview", "volcengine"}
}

// TestWholeGrowsWithPages: counting a whole knowledge base takes as many more
// requests as it has more pages, in memory that does not grow.
func TestWholeGrowsWithPages(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of documents on each platform")
	}
	small, _ := sandboxed(t, sandbox.Options{Documents: 500})
	large, _ := sandboxed(t, sandbox.Options{Documents: 5000})
	for _, way := range ways() {
		t.Run(way, func(t *testing.T) {
			var requests [2]int
			var held, bytes [2]uint64
			for i, sb := range []*sandbox.Sandbox{small, large} {
				l, p := grown(t, sb, way)
				kb := l.archive(t)
				whole := func() {
					res, err := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb})
					if err != nil || res.Summary.Total != len(l.stored(kb)) || res.NextCursor != "" {
						t.Fatalf("%+v, %q, %v", res.Summary, res.NextCursor, err)
					}
				}
				requests[i], bytes[i] = p.cost(1, whole)
				p.weigh, p.peak = true, 0
				before := inUse()
				whole()
				held[i] = max(p.peak, before) - before
			}
			t.Logf("of 500 and of 5,000 documents: %d requests, %d bytes allocated, at most %d held", requests, bytes, held)
			if requests[1] > 10*requests[0] || bytes[1] > 20*bytes[0] || held[1] > held[0]+512<<10 {
				t.Error("ten times the documents cost more than ten times as much, or are held")
			}
		})
	}
}

package dify_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/dify"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
)

// live is the production driver at a sandbox whose clock the test moves.
type live struct {
	*connection.Connection
	t  *testing.T
	sb *sandbox.Sandbox

	mu  sync.Mutex
	now time.Time
}

func newLive(t *testing.T, o sandbox.Options) *live {
	l := &live{t: t, now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	o.Now = l.clock
	l.sb = sandbox.New(o)
	srv := httptest.NewServer(l.sb)
	t.Cleanup(srv.Close)
	c := dify.Config{APIKey: sandbox.DifyKey, BaseURL: srv.URL + "/dify"}
	l.Connection = connection.New("conn", "dify", dify.New(c, rest.Conn{
		Transport: srv.Client().Transport, Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{}, Now: l.clock,
	}))
	return l
}

func (l *live) clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *live) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

// must fails the test for an error of a step.
func must[T any](t *testing.T, what string) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v (%+v)", what, err, vendors.ReportOf(err))
		}
		return v
	}
}

func ptr[T any](v T) *T { return &v }

func fileOf(content string) *vendors.File {
	return &vendors.File{Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

// create makes a knowledge base and counts the requests of f from then on.
func (l *live) create(ctx context.Context, name string) string {
	kb := must[vendors.KnowledgeBase](l.t, "create")(l.CreateKnowledgeBase(ctx, vendors.KnowledgeBaseChange{Name: &name, Description: ptr("d")}))
	if kb.Name != name || kb.Description != "d" || kb.KnowledgeBaseID == "" {
		l.t.Fatalf("created %+v", kb)
	}
	l.sb.ResetRequests()
	return kb.KnowledgeBaseID
}

// took checks the number of requests since the last look.
func (l *live) took(what string, want int) {
	l.t.Helper()
	if got := l.sb.Requests(sandbox.FaceDify); got != want {
		l.t.Errorf("%s took %d requests, want %d", what, got, want)
	}
	l.sb.ResetRequests()
}

func TestSandboxLife(t *testing.T) {
	for _, old := range []bool{false, true} {
		l, ctx := newLive(t, sandbox.Options{Dify: sandbox.DifyOptions{OldDeletes: old}}), t.Context()
		kb := l.create(ctx, "Life")
		if _, err := l.CreateKnowledgeBase(ctx, vendors.KnowledgeBaseChange{Name: ptr("Life")}); vendors.KindOf(err) != vendors.Conflict {
			t.Errorf("a second one of the name: %v", err)
		}
		l.sb.ResetRequests()
		upload := must[connection.UploadResult](t, "upload")
		a := upload(l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: "tea.txt", Text: "Green tea brews at eighty degrees.\nBlack tea at a hundred."}))
		l.took("the first upload", 2)
		b := upload(l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: "咖啡 \"b\".md", File: fileOf("Coffee is ground before brewing.")}))
		l.took("the second upload", 2)
		c := upload(l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: "milk.txt", Text: "Milk is heated slowly."}))
		l.took("the third upload, with remembered facts", 1)
		if a.BatchID == "" || a.Document.Status != vendors.Queued || b.Document.Name != "咖啡 \"b\".md" || len(a.Notes) < 3 || len(c.Notes) != 2 {
			t.Errorf("uploaded %+v, %+v, %+v", a, b, c)
		}
		if _, err := l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, URL: "https://example.com/"}); vendors.KindOf(err) != vendors.Unsupported {
			t.Errorf("a URL: %v", err)
		}
		if _, err := l.UpdateDocument(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: a.Document.DocumentID}, vendors.DocumentChange{Enabled: ptr(false)}); vendors.KindOf(err) != vendors.Conflict {
			t.Errorf("switching off what is not completed: %v", err)
		}
		l.pass(20 * time.Second)
		p := must[connection.ProgressResult](t, "progress")(l.Progress(ctx, connection.ProgressRequest{KnowledgeBaseID: kb, BatchID: b.BatchID}))
		if !p.Summary.Done || p.Summary.Failed > 0 {
			t.Errorf("progress %+v", p.Summary)
		}
		l.sb.ResetRequests()
		hits := must[connection.SearchResult](t, "search")(l.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: kb, Query: "brewing coffee", Limit: 5})).Hits
		if len(hits) == 0 || hits[0].DocumentID != b.Document.DocumentID || hits[0].Score != nil {
			t.Errorf("hits %+v", hits)
		}
		l.took("a search with remembered facts", 1)
		chunks := must[connection.ChunkList](t, "chunks")(l.ListChunks(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: a.Document.DocumentID}, 1, ""))
		if len(chunks.Chunks) != 1 || chunks.NextCursor == "" || *chunks.Total != 2 {
			t.Errorf("chunks %+v", chunks)
		}
		if rest := must[connection.ChunkList](t, "chunks")(l.ListChunks(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: a.Document.DocumentID}, 1, chunks.NextCursor)); rest.NextCursor != "" || rest.Chunks[0].Content != "Black tea at a hundred." {
			t.Errorf("chunks %+v", rest)
		}
		l.change(ctx, kb, a.Document.DocumentID)
		l.end(ctx, kb, b.Document, a.Document.DocumentID, c.Document.DocumentID)
	}
}

// change renames the knowledge base, switches a document off and on, and
// replaces it by an upload of its name.
func (l *live) change(ctx context.Context, kb, id string) {
	t := l.t
	if got := must[vendors.KnowledgeBase](t, "update")(l.UpdateKnowledgeBase(ctx, kb, vendors.KnowledgeBaseChange{Name: ptr("Life 2")})); got.Name != "Life 2" || got.Description != "d" {
		t.Errorf("updated %+v", got)
	}
	ref := vendors.Ref{KnowledgeBaseID: kb, DocumentID: id}
	for _, on := range []bool{false, true} {
		doc := must[vendors.Document](t, "enable")(l.UpdateDocument(ctx, ref, vendors.DocumentChange{Enabled: &on}))
		if *doc.Enabled != on || doc.Status != vendors.Completed {
			t.Errorf("enabled %v: %+v", on, doc)
		}
		l.pass(2 * time.Second)
	}
	if _, err := l.UpdateDocument(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: "00000000-0000-4000-8000-000000000000"}, vendors.DocumentChange{Enabled: ptr(true)}); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Errorf("an unknown document: %v", err)
	}
	again := must[connection.UploadResult](t, "replace")(l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: "tea.txt", Text: "White tea brews at seventy."}))
	if again.Document.DocumentID != id || again.Document.Status != vendors.Queued || again.BatchID == "" {
		t.Errorf("replaced %+v", again)
	}
	l.pass(20 * time.Second)
}

// end downloads, deletes everything, and then the knowledge base.
func (l *live) end(ctx context.Context, kb string, file vendors.Document, others ...string) {
	t := l.t
	d := must[vendors.Download](t, "download")(l.Download(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: file.DocumentID}))
	content, err := io.ReadAll(d.Body)
	d.Body.Close()
	if err != nil || string(content) != "Coffee is ground before brewing." || d.Name != file.Name || d.Size != int64(len(content)) {
		t.Errorf("downloaded %q (%d) as %q: %v", content, d.Size, d.Name, err)
	}
	ids := append([]string{file.DocumentID, "00000000-0000-4000-8000-000000000000"}, others...)
	out := must[connection.OutcomeResult](t, "delete")(l.DeleteDocuments(ctx, kb, ids))
	for i, row := range out.Results {
		want := vendors.Done
		if i == 1 {
			want = vendors.Absent
		}
		if row.Outcome != want {
			t.Errorf("deleted %+v", row)
		}
	}
	if err := l.DeleteKnowledgeBase(ctx, kb); err != nil {
		t.Error(err)
	}
	if err := l.DeleteKnowledgeBase(ctx, kb); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Errorf("deleted twice: %v", err)
	}
}

// One in eight uploads fails, and says what to do; another upload of its name
// replaces it.
func TestSandboxFailureAndRepair(t *testing.T) {
	l, ctx := newLive(t, sandbox.Options{}), t.Context()
	kb := l.create(ctx, "Failures")
	for i := range 8 {
		name := "n" + string(rune('0'+i)) + ".txt"
		if _, err := l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: name, Text: "text " + name}); err != nil {
			t.Fatal(err)
		}
	}
	l.pass(20 * time.Second)
	failed := must[connection.DocumentList](t, "list")(l.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: kb, Status: vendors.Failed, Limit: 20})).Documents
	if len(failed) != 1 || failed[0].Error == nil || failed[0].Error.Hint == "" {
		t.Fatalf("failed: %+v", failed)
	}
	again := must[connection.UploadResult](t, "repair")(l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: failed[0].Name, Text: "better"}))
	l.pass(20 * time.Second)
	doc := must[vendors.Document](t, "get")(l.GetDocument(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: again.Document.DocumentID}))
	if doc.DocumentID != failed[0].DocumentID || doc.Status != vendors.Completed {
		t.Errorf("repaired: %+v", doc)
	}
}

// The sandbox's own documents: an archived one cannot be deleted, one from the
// web has no file, and a high_quality knowledge base scores its hits.
func TestSandboxSeeds(t *testing.T) {
	l, ctx := newLive(t, sandbox.Options{}), t.Context()
	kb, wiki := l.sb.KnowledgeBaseID(sandbox.Dify, "产品手册"), l.sb.KnowledgeBaseID(sandbox.Dify, "Engineering Wiki")
	archived, page := l.sb.DocumentID(sandbox.Dify, "价格表2025.xlsx"), l.sb.DocumentID(sandbox.Dify, "Status page")
	out := must[connection.OutcomeResult](t, "delete")(l.DeleteDocuments(ctx, kb, []string{archived}))
	if row := out.Results[0]; row.Outcome != vendors.NotDone || row.Error == nil || row.Error.Kind != vendors.Conflict {
		t.Errorf("deleting an archived document: %+v", row)
	}
	if _, err := l.Download(ctx, vendors.Ref{KnowledgeBaseID: wiki, DocumentID: page}); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Errorf("the file of a web page: %v", err)
	}
	for range 2 {
		hits := must[connection.SearchResult](t, "search")(l.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: kb, Query: "定制商品退款", Limit: 2})).Hits
		if len(hits) != 2 || hits[0].Score == nil || *hits[0].Score < *hits[1].Score {
			t.Errorf("hits %+v", hits)
		}
	}
	if _, err := l.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: wiki, Query: "dashboard", Limit: 5}); err != nil {
		t.Errorf("an economy knowledge base: %v", err)
	}
}

// Knowledge bases are remembered for any number of callers.
func TestFactsAreRemembered(t *testing.T) {
	l, ctx := newLive(t, sandbox.Options{}), t.Context()
	kb := l.sb.KnowledgeBaseID(sandbox.Dify, "产品手册")
	search := func(id, query string) {
		if _, err := l.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: id, Query: query, Limit: 5}); err != nil {
			t.Error(err)
		}
	}
	search(kb, "退款")
	l.took("the first search", 2)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() { search(strings.ToUpper(kb), fmt.Sprint("退款 ", i)) })
	}
	wg.Wait()
	l.took("ten searches", 10)
}

// A knowledge base whose technique was changed finds nothing by the remembered
// one: it is read again before that is said.
func TestSearchAfterChangeOfTechnique(t *testing.T) {
	for _, change := range [][2]string{{"economy", "high_quality"}, {"high_quality", "economy"}} {
		l, ctx := newLive(t, sandbox.Options{}), t.Context()
		kb := l.sb.KnowledgeBaseID(sandbox.Dify, "产品手册")
		become := func(technique string) {
			l.sb.Store(sandbox.Dify).UpdateKB(kb, func(k *sandbox.KnowledgeBase) { k.Technique = technique })
		}
		search := func(what, query string, hits bool, requests int) {
			t.Helper()
			l.sb.ResetRequests()
			got := must[connection.SearchResult](t, what)(l.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: kb, Query: query, Limit: 5})).Hits
			if (len(got) > 0) != hits {
				t.Errorf("%s: %d hits", what, len(got))
			}
			l.took(what, requests)
		}
		become(change[0])
		search("before the change", "退款", true, 2)
		search("before the change", "qwxz", false, 2)
		become(change[1])
		search("after it", "退款", true, 3)
		search("remembered again", "退款", true, 1)
	}
}

// What this process uploaded is watched by its batch, which has chunk counts,
// until it is uploaded again. An upload into a knowledge base that was emptied
// in the meantime.
func TestSandboxUploadAfterEmptying(t *testing.T) {
	l, ctx := newLive(t, sandbox.Options{}), t.Context()
	kb := l.create(ctx, "emptied")
	upload := func(name string) string {
		up := must[connection.UploadResult](t, "upload")(l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: name, Text: "A line."}))
		return up.Document.DocumentID
	}
	upload("first.txt")
	upload("second.txt") // now the knowledge base is remembered as one that has documents
	for _, name := range []string{"first.txt", "second.txt"} {
		l.sb.Remove(sandbox.Dify, l.sb.DocumentID(sandbox.Dify, name))
	}
	l.sb.ResetRequests()
	if id := upload("third.txt"); id != l.sb.DocumentID(sandbox.Dify, "third.txt") {
		t.Errorf("uploaded %q", id)
	}
	l.took("upload", 1)
}

// Servers before 1.12 want a rule with every text (HTTP 500 without one): the
// knowledge base's own, which an emptied one keeps for files alone.
func TestSandboxOldServer(t *testing.T) {
	l, ctx := newLive(t, sandbox.Options{Dify: sandbox.DifyOptions{Version: "1.8.1"}}), t.Context()
	kb := l.create(ctx, "old")
	upload := func(name string, requests int) string {
		t.Helper()
		up := must[connection.UploadResult](t, "upload")(l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: name, Text: "A line."}))
		l.took("the upload of "+name, requests)
		return up.Document.DocumentID
	}
	first := upload("first.txt", 2)
	second := upload("second", 4)
	l.pass(20 * time.Second)
	out := must[connection.OutcomeResult](t, "delete")(l.DeleteDocuments(ctx, kb, []string{first, second}))
	for _, row := range out.Results {
		if row.Outcome != vendors.Done {
			t.Errorf("%+v", row)
		}
	}
	l.sb.ResetRequests()
	upload("third.md", 3) // as a file, whose rule is looked at
	if _, err := l.CreateKnowledgeBase(ctx, vendors.KnowledgeBaseChange{Name: ptr("old")}); vendors.KindOf(err) != vendors.Conflict {
		t.Errorf("a second one of the name: %v", err)
	}
}

func TestSandboxProgressOfUploads(t *testing.T) {
	l, ctx := newLive(t, sandbox.Options{}), t.Context()
	kb := l.sb.KnowledgeBaseID(sandbox.Dify, "产品手册")
	up := must[connection.UploadResult](t, "upload")(l.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: "lines.txt", Text: strings.Repeat("One line.\n", 40)}))
	id := up.Document.DocumentID
	progress := func(requests int) connection.Progress {
		t.Helper()
		l.sb.ResetRequests()
		p := must[connection.ProgressResult](t, "progress")(l.Progress(ctx, connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: []string{id}}))
		l.took("progress", requests)
		return p.Documents[0]
	}
	l.pass(6 * time.Second)
	if p := progress(1); p.Name != "lines.txt" || p.Status != vendors.Processing || p.ChunksTotal == nil || *p.ChunksTotal != 40 || *p.ChunksDone == 0 || p.ProgressPercent == nil {
		t.Errorf("while indexing: %+v", p)
	}
	l.sb.Store(sandbox.Dify).Update(id, func(d *sandbox.Document) { d.Batch = "20261122120000123456" })
	if p := progress(2); p.Name != "lines.txt" || p.Status != vendors.Processing {
		t.Errorf("after another upload: %+v", p)
	}
	l.pass(20 * time.Second)
	if p := progress(1); p.Status != vendors.Completed {
		t.Errorf("at the end: %+v", p)
	}
	must[connection.OutcomeResult](t, "delete")(l.DeleteDocuments(ctx, kb, []string{id}))
	if p := progress(1); p.Status != vendors.NotFound {
		t.Errorf("after its delete: %+v", p)
	}
}

package ragflow_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/tools"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/ragflow"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
)

// live is a sandbox behind a real socket whose clock moves by hand.
type live struct {
	t     *testing.T
	box   *sandbox.Sandbox
	v     *connection.Connection
	clock *atomic.Int64 // seconds after the beginning
}

func start(t *testing.T, face string, o sandbox.Options) live {
	t.Helper()
	clock := &atomic.Int64{}
	o.Now = func() time.Time {
		return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).Add(time.Duration(clock.Load()) * time.Second)
	}
	box := sandbox.New(o)
	srv := httptest.NewServer(box)
	t.Cleanup(srv.Close)
	c := ragflow.Config{APIKey: sandbox.RAGFlowKey, BaseURL: srv.URL + "/" + face}
	if face == sandbox.FaceRAGFlowPreview {
		c.APIKey = sandbox.RAGFlowToken
	}
	conn := rest.Conn{Transport: http.DefaultTransport, Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{}, Now: o.Now}
	return live{t, box, connection.New("live", "ragflow", ragflow.New(c, conn)), clock}
}

func (l live) later(d time.Duration) { l.clock.Add(int64(d / time.Second)) }

// must fails the test on an error and gives the value.
func must[T any](l live, v T, err error) T {
	l.t.Helper()
	if err != nil {
		l.t.Fatalf("%v: %+v", err, vendors.ReportOf(err))
	}
	return v
}

func (l live) upload(kb, name, text string) connection.UploadResult {
	l.t.Helper()
	up, err := l.v.Upload(l.t.Context(), vendors.Upload{KnowledgeBaseID: kb, Name: name, Text: text})
	return must(l, up, err)
}

func file(content string) *vendors.File {
	return &vendors.File{Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

// said is the outcomes of a write, in order.
func said(r connection.OutcomeResult) string {
	var words []string
	for _, row := range r.Results {
		words = append(words, string(row.Outcome))
	}
	return strings.Join(words, " ")
}

// The whole life of a knowledge base, in both generations, found out by itself.
func TestSandboxWrites(t *testing.T) {
	for _, face := range []string{sandbox.FaceRAGFlow, sandbox.FaceRAGFlowPreview} {
		t.Run(face, func(t *testing.T) { wholeLife(start(t, face, sandbox.Options{}), face == sandbox.FaceRAGFlow) })
	}
}

func wholeLife(l live, current bool) {
	t, ctx := l.t, l.t.Context()
	name, about := "Field notes", "Notes 笔记"
	made, err := l.v.CreateKnowledgeBase(ctx, vendors.KnowledgeBaseChange{Name: &name, Description: &about})
	kb := must(l, made, err).KnowledgeBaseID
	twin, err := l.v.CreateKnowledgeBase(ctx, vendors.KnowledgeBaseChange{Name: &name})
	if must(l, twin, err); twin.Name != "Field notes(1)" || made.Description != about {
		t.Errorf("made %+v and %+v", made, twin)
	}
	name = "Field notes 2026"
	renamed, err := l.v.UpdateKnowledgeBase(ctx, kb, vendors.KnowledgeBaseChange{Name: &name})
	if must(l, renamed, err); renamed.Name != name || renamed.Description != about {
		t.Errorf("renamed %+v", renamed)
	}

	ids := []string{l.upload(kb, "herons.md", "Herons stand in the shallow water.\nThey eat fish.").Document.DocumentID}
	again := l.upload(kb, "herons.md", "Other herons.")
	if again.Document.Name != "herons(1).md" || !slices.ContainsFunc(again.Notes, func(s string) bool { return strings.Contains(s, "herons(1).md") }) {
		t.Errorf("a second upload: %+v", again)
	}
	up, err := l.v.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: "owls.txt", File: file("Owls hunt at night.")})
	ids = append(ids, again.Document.DocumentID, must(l, up, err).Document.DocumentID)
	web, err := l.v.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, URL: "https://example.com/birds/geese?key=1"})
	if current {
		ids = append(ids, must(l, web, err).Document.DocumentID)
		if web.Document.Name != "geese.pdf" {
			t.Errorf("a page: %+v", web)
		}
	} else if vendors.KindOf(err) != vendors.Unsupported {
		t.Errorf("a page: %v", err)
	}
	l.parse(kb, ids, current)
	if current {
		l.search(kb, ids[0])
	}
	l.change(kb, ids[2], current)
	l.end(kb, ids)
}

// parse starts all, stops one, starts it again and waits for all of them.
func (l live) parse(kb string, ids []string, current bool) {
	t, ctx := l.t, l.t.Context()
	r, err := l.v.StartIngestion(ctx, kb, append([]string{"nope"}, ids...))
	if got := said(must(l, r, err)); !strings.HasPrefix(got, "not_found accepted accepted accepted") {
		t.Errorf("start: %s", got)
	}
	l.later(2 * time.Second)
	r, err = l.v.StopIngestion(ctx, kb, ids[:1])
	if got := said(must(l, r, err)); got != "done" {
		t.Errorf("stop: %s", got)
	}
	d, err := l.v.GetDocument(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: ids[0]})
	if must(l, d, err); d.Status != vendors.Cancelled {
		t.Errorf("after the stop: %+v", d)
	}
	for range 3 { // one in eight fails at its first start
		l.later(20 * time.Second)
		p, err := l.v.Progress(ctx, connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: ids})
		if must(l, p, err); p.Summary.ByStatus[vendors.Completed] == len(ids) {
			return
		}
		r, err := l.v.StartIngestion(ctx, kb, ids)
		must(l, r, err)
	}
	t.Error("not all documents were completed")
}

func (l live) search(kb, doc string) {
	t, ctx := l.t, l.t.Context()
	found, err := l.v.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: kb, Query: "shallow water", Limit: 5})
	if must(l, found, err); len(found.Hits) != 1 || found.Hits[0].DocumentID != doc || !strings.Contains(found.Hits[0].Content, "Herons") {
		t.Errorf("search: %+v", found)
	}
	chunks, err := l.v.ListChunks(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: doc}, 1, "")
	if must(l, chunks, err); len(chunks.Chunks) != 1 || chunks.NextCursor == "" {
		t.Fatalf("chunks: %+v", chunks)
	}
	next, err := l.v.ListChunks(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: doc}, 1, chunks.NextCursor)
	if must(l, next, err); len(next.Chunks) != 1 || next.Chunks[0].Content != "They eat fish." || next.NextCursor != "" {
		t.Errorf("more chunks: %+v", next)
	}
}

// change renames one document and, where that is possible, switches it off.
func (l live) change(kb, doc string, current bool) {
	t, ctx := l.t, l.t.Context()
	ref, name, off := vendors.Ref{KnowledgeBaseID: kb, DocumentID: doc}, "barn owls.txt", false
	change := vendors.DocumentChange{Name: &name}
	if current {
		change.Enabled, change.Metadata = &off, map[string]any{"author": "Wang", "year": 2026}
	}
	d, err := l.v.UpdateDocument(ctx, ref, change)
	if must(l, d, err); d.Name != name || current && (*d.Enabled || d.Metadata["author"] != "Wang") {
		t.Errorf("changed: %+v", d)
	}
	if _, err := l.v.UpdateDocument(ctx, ref, vendors.DocumentChange{Enabled: &off}); !current && vendors.KindOf(err) != vendors.Unsupported {
		t.Errorf("disabled: %v", err)
	}
	name = "owls.pdf"
	if _, err := l.v.UpdateDocument(ctx, ref, vendors.DocumentChange{Name: &name}); vendors.KindOf(err) != vendors.InvalidArgument {
		t.Errorf("another extension: %v", err)
	}
	down, err := l.v.Download(ctx, ref)
	defer must(l, down, err).Body.Close()
	text, err := io.ReadAll(down.Body)
	if must(l, text, err); string(text) != "Owls hunt at night." || down.Name != "barn owls.txt" || down.Size != int64(len(text)) {
		t.Errorf("download of %s, %d bytes: %q", down.Name, down.Size, text)
	}
}

// end deletes everything; a document of another knowledge base stays.
func (l live) end(kb string, ids []string) {
	t, ctx := l.t, l.t.Context()
	other := l.box.DocumentID(sandbox.RAGFlow, "退款政策.pdf")
	r, err := l.v.DeleteDocuments(ctx, kb, append(slices.Clone(ids), other))
	if got := said(must(l, r, err)); got != strings.Repeat("done ", len(ids))+"not_found" {
		t.Errorf("delete: %s", got)
	}
	if l.box.Store(sandbox.RAGFlow).Document(other) == nil {
		t.Error("a document of another knowledge base is gone")
	}
	if err := l.v.DeleteKnowledgeBase(ctx, kb); err != nil {
		t.Error(err)
	}
	if err := l.v.DeleteKnowledgeBase(ctx, kb); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Errorf("deleted twice: %v", err)
	}
	if got := len(l.box.Store(sandbox.RAGFlow).KBs()); got != 4 { // three seeds and the twin
		t.Errorf("%d knowledge bases are left", got)
	}
}

// The preview's release builds cannot start: one document pays for knowing it.
func TestSandboxBrokenStart(t *testing.T) {
	l := start(t, sandbox.FaceRAGFlowPreview, sandbox.Options{BrokenStart: true})
	kb := l.box.KnowledgeBaseID(sandbox.RAGFlow, "产品手册")
	ids := []string{l.box.DocumentID(sandbox.RAGFlow, "退款政策.pdf"), l.box.DocumentID(sandbox.RAGFlow, "待处理-会议纪要.docx")}
	for range 2 {
		if _, err := l.v.StartIngestion(t.Context(), kb, ids); vendors.KindOf(err) != vendors.Unsupported {
			t.Errorf("start = %v", err)
		}
	}
	d, err := l.v.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb, DocumentID: ids[0]})
	if must(l, d, err); d.Status != vendors.Completed {
		t.Errorf("the document with chunks was sacrificed: %+v", d)
	}
	if slices.Contains(tools.Capabilities(l.v), "start_ingestion") || slices.Contains(tools.Capabilities(l.v), "search_knowledge_base") {
		t.Errorf("capabilities %v", tools.Capabilities(l.v))
	}
}

// One request is made for many documents, however their states differ.
func TestSandboxManyStarts(t *testing.T) {
	l := start(t, sandbox.FaceRAGFlow, sandbox.Options{})
	kb := l.box.KnowledgeBaseID(sandbox.RAGFlow, "Empty shelf")
	var ids []string
	for range 50 {
		ids = append(ids, l.upload(kb, "n.txt", "text").Document.DocumentID)
	}
	must(l, 0, second(l.v.StartIngestion(t.Context(), kb, ids[:10])))
	l.box.ResetRequests()
	r, err := l.v.StartIngestion(t.Context(), kb, ids)
	if got := strings.Count(said(must(l, r, err)), "accepted"); got != 50 || l.box.Requests(sandbox.FaceRAGFlow) != 2 {
		t.Errorf("%d accepted in %d requests", got, l.box.Requests(sandbox.FaceRAGFlow))
	}
	l.box.ResetRequests()
	r, err = l.v.DeleteDocuments(t.Context(), kb, ids)
	if got := strings.Count(said(must(l, r, err)), "done"); got != 50 || l.box.Requests(sandbox.FaceRAGFlow) != 2 {
		t.Errorf("%d deleted in %d requests", got, l.box.Requests(sandbox.FaceRAGFlow))
	}
}

func second[T any](_ T, err error) error { return err }

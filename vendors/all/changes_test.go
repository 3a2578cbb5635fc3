package all

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"kb-mcp/tools"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// gate keeps the first request that comes after it was shut.
type gate struct {
	next http.Handler

	mu     sync.Mutex
	shut   bool
	caught chan struct{}
	open   chan struct{}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	mine := g.shut
	g.shut = false
	caught, open := g.caught, g.open
	g.mu.Unlock()
	if mine {
		close(caught)
		<-open
	}
	g.next.ServeHTTP(w, r)
}

// close says when a request was caught, and lets it go.
func (g *gate) close() (caught <-chan struct{}, open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut, g.caught, g.open = true, make(chan struct{}), make(chan struct{})
	return g.caught, sync.OnceFunc(func() { close(g.open) })
}

// TestChangesEndSharing: after each operation that changes something, on each
// platform, a read joins none that left before it.
func TestChangesEndSharing(t *testing.T) {
	sb, _ := sandboxed(t, sandbox.Options{})
	g := &gate{next: sb}
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	for _, way := range slices.Sorted(maps.Keys(credentials(sb, srv.URL))) {
		t.Run(way, func(t *testing.T) {
			l := connect(t, sb, srv.URL, way)
			can := tools.Capabilities(l.Connection)
			read := func(ctx context.Context) error {
				_, err := l.ListKnowledgeBases(ctx, connection.ListQuery{Limit: 20})
				return err
			}
			if err := read(t.Context()); err != nil {
				t.Fatal(err)
			}
			done := 0
			for _, op := range l.changes(t) {
				if !slices.Contains(can, op.tool) {
					continue
				}
				caught, open := g.close()
				early := make(chan error, 1)
				go func() { early <- read(t.Context()) }()
				<-caught
				if err := op.do(t.Context()); err != nil {
					t.Errorf("%s: %v", op.tool, err)
				}
				late, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				unshared := read(late)
				cancel()
				open()
				if before := <-early; unshared != nil || before != nil {
					t.Errorf("%s: the read after it: %v; the read before it: %v", op.tool, unshared, before)
				}
				done++
			}
			t.Logf("%d operations", done)
		})
	}
}

// change is an operation that changes something.
type change struct {
	tool string
	do   func(context.Context) error
}

// changes are one of each, in an order in which all work.
func (l live) changes(t *testing.T) []change {
	name, other, text, off := "kb_of_changes", "kb_of_changes_2", "some text", false
	there, old := l.finished(t)
	var kb, doc string
	return []change{
		{"create_knowledge_base", func(ctx context.Context) error {
			made, err := l.CreateKnowledgeBase(ctx, vendors.KnowledgeBaseChange{Name: &name})
			kb = made.KnowledgeBaseID
			return err
		}},
		{"update_knowledge_base", func(ctx context.Context) error {
			change := vendors.KnowledgeBaseChange{Name: &other}
			if l.platform() == "volcengine" {
				change = vendors.KnowledgeBaseChange{Description: &other}
			}
			_, err := l.UpdateKnowledgeBase(ctx, kb, change)
			return err
		}},
		{"upload_document", func(ctx context.Context) error {
			upload := vendors.Upload{KnowledgeBaseID: kb, Name: "a.txt", Text: text}
			if l.platform() == "volcengine" {
				upload = vendors.Upload{KnowledgeBaseID: kb, Name: "a.txt", URL: "https://example.com/a.txt"}
			}
			up, err := l.Upload(ctx, upload)
			doc = up.Document.DocumentID
			return err
		}},
		{"start_ingestion", func(ctx context.Context) error { _, err := l.StartIngestion(ctx, kb, []string{doc}); return err }},
		{"stop_ingestion", func(ctx context.Context) error { _, err := l.StopIngestion(ctx, kb, []string{doc}); return err }},
		{"update_document", func(ctx context.Context) error {
			renamed := "renamed_" + old.Name
			change := vendors.DocumentChange{Name: &renamed}
			switch l.platform() {
			case "dify":
				change = vendors.DocumentChange{Enabled: &off}
			case "volcengine":
				change = vendors.DocumentChange{Metadata: map[string]any{"a": "b"}}
			}
			_, err := l.UpdateDocument(ctx, vendors.Ref{KnowledgeBaseID: there, DocumentID: old.DocumentID}, change)
			return err
		}},
		{"delete_documents", func(ctx context.Context) error { _, err := l.DeleteDocuments(ctx, kb, []string{doc}); return err }},
		{"delete_knowledge_base", func(ctx context.Context) error { return l.DeleteKnowledgeBase(ctx, kb) }},
	}
}

// finished is a completed document and its knowledge base.
func (l live) finished(t *testing.T) (kb string, doc vendors.Document) {
	t.Helper()
	for _, k := range l.readable(t) {
		for _, d := range l.documents(t, connection.ListQuery{KnowledgeBaseID: k.KnowledgeBaseID, Limit: 100}) {
			if d.Status == vendors.Completed && (d.Enabled == nil || *d.Enabled) && (d.Archived == nil || !*d.Archived) {
				return k.KnowledgeBaseID, d
			}
		}
	}
	t.Fatal("no completed document")
	return "", vendors.Document{}
}

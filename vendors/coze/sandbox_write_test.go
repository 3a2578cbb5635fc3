package coze_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/coze"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
)

// clock is the time of a sandbox and of the driver that talks to it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a driver on a face whose answers may be lost.
type bench struct {
	*connection.Connection
	box   *sandbox.Sandbox
	clock *clock
	lose  func(r *http.Request) bool // the answer is lost after it was made
}

func benches(t *testing.T, test func(t *testing.T, b *bench, face string)) {
	for face, path := range map[string]string{sandbox.FaceCoze: "/coze", sandbox.FaceCozeStudio: "/coze-studio"} {
		t.Run(face, func(t *testing.T) { test(t, newBench(t, path), face) })
	}
}

func newBench(t *testing.T, path string) *bench {
	b := &bench{clock: &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}}
	b.box = sandbox.New(sandbox.Options{Now: b.clock.Now})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.lose != nil && b.lose(r) {
			b.box.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		b.box.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	conn := rest.Conn{Transport: http.DefaultTransport, Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{}, Now: b.clock.Now}
	b.Connection = connection.New("live", "coze", coze.New(coze.Config{
		Token: sandbox.CozeToken, APIBase: srv.URL + path, SpaceID: sandbox.CozeSpaceID, Dialect: "auto"}, conn))
	return b
}

func text(s string) *vendors.File {
	return &vendors.File{Size: int64(len(s)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(s)), nil
	}}
}

// create makes a knowledge base and fails the test when it cannot.
func (b *bench) create(t *testing.T, name string) string {
	t.Helper()
	kb, err := b.CreateKnowledgeBase(t.Context(), vendors.KnowledgeBaseChange{Name: &name, Description: new("描述")})
	if err != nil || kb.KnowledgeBaseID == "" || kb.Name != name {
		t.Fatalf("create: %+v, %v", kb, err)
	}
	return kb.KnowledgeBaseID
}

// TestSandboxLife is the whole life of a knowledge base.
func TestSandboxLife(t *testing.T) {
	benches(t, func(t *testing.T, b *bench, face string) {
		kb := b.create(t, "Life 生活")
		var ids []string
		for _, u := range []vendors.Upload{
			{Name: "note.txt", Text: "ein Wort\n第二段"},
			{Name: "plan.md", File: text("# Plan\nerst das, dann dies")},
			{Name: "scan.pdf", File: text("%PDF-1.7")},
			{URL: "https://example.com/docs/intro?token=x"},
		} {
			u.KnowledgeBaseID = kb
			up, err := b.Upload(t.Context(), u)
			if u.URL != "" && face == sandbox.FaceCozeStudio {
				if vendors.KindOf(err) != vendors.Unsupported {
					t.Errorf("a URL on studio: %v", err)
				}
				continue
			}
			if err != nil || up.Document.Status != vendors.Processing {
				t.Fatalf("%s: %+v, %v", u.Name, up, err)
			}
			if (u.Name == "plan.md" && face == sandbox.FaceCoze) != (len(up.Notes) == 1) {
				t.Errorf("%s: notes %q", u.Name, up.Notes)
			}
			ids = append(ids, up.Document.DocumentID)
		}
		for i := 0; ; i++ {
			r, err := b.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: ids})
			if err != nil || i > 10 {
				t.Fatalf("progress %d: %+v, %v", i, r, err)
			}
			if r.Summary.Done {
				break
			}
			b.clock.pass(3 * time.Second)
		}
		b.outcomeOfLife(t, face, kb, ids)
	})
}

// outcomeOfLife changes and deletes what TestSandboxLife has made.
func (b *bench) outcomeOfLife(t *testing.T, face, kb string, ids []string) {
	ref := vendors.Ref{KnowledgeBaseID: kb, DocumentID: ids[0]}
	if d, err := b.UpdateDocument(t.Context(), ref, vendors.DocumentChange{Name: new("neu.txt")}); err != nil || d.Name != "neu.txt" {
		t.Errorf("rename: %+v, %v", d, err)
	}
	d, err := b.GetDocument(t.Context(), ref)
	size, want := d.SizeBytes, len("ein Wort\n第二段")
	if face == sandbox.FaceCozeStudio { // it counts the characters of the chunks
		size, want = d.CharCount, len([]rune("ein Wort第二段"))
	}
	if err != nil || d.Name != "neu.txt" || size == nil || *size != int64(want) {
		t.Errorf("after the rename: %+v, %v", d, err)
	}
	if k, err := b.UpdateKnowledgeBase(t.Context(), kb, vendors.KnowledgeBaseChange{Name: new("Leben")}); err != nil || k.Name != "Leben" || k.Description != "描述" {
		t.Errorf("update: %+v, %v", k, err)
	}
	if got := b.box.Store(sandbox.Coze).KB(kb); got.Name != "Leben" || got.Description != "描述" {
		t.Errorf("the description was lost: %+v", got)
	}
	r, err := b.DeleteDocuments(t.Context(), kb, append([]string{"7999999999999999999"}, ids...))
	if err != nil || r.Results[0].Outcome != vendors.Absent {
		t.Fatalf("delete: %+v, %v", r, err)
	}
	for _, row := range r.Results[1:] {
		if row.Outcome != vendors.Done || b.box.Store(sandbox.Coze).Document(row.DocumentID) != nil {
			t.Errorf("%+v", row)
		}
	}
	if err := b.DeleteKnowledgeBase(t.Context(), kb); err != nil {
		t.Error(err)
	}
	if err := b.DeleteKnowledgeBase(t.Context(), kb); vendors.KindOf(err) != vendors.ErrNotFound {
		t.Errorf("deleted twice: %v", err)
	}
}

// TestSandboxForeignDocuments: a document of another knowledge base is not
// deleted or renamed.
func TestSandboxForeignDocuments(t *testing.T) {
	benches(t, func(t *testing.T, b *bench, _ string) {
		kb := b.create(t, "mine")
		other := b.box.DocumentID(sandbox.Coze, "退款政策.pdf")
		r, err := b.DeleteDocuments(t.Context(), kb, []string{other})
		if err != nil || r.Results[0].Outcome != vendors.Absent || b.box.Store(sandbox.Coze).Document(other) == nil {
			t.Errorf("delete: %+v, %v", r, err)
		}
		_, err = b.UpdateDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb, DocumentID: other}, vendors.DocumentChange{Name: new("x.pdf")})
		if vendors.KindOf(err) != vendors.ErrNotFound || b.box.DocumentID(sandbox.Coze, "退款政策.pdf") != other {
			t.Errorf("update: %v", err)
		}
	})
}

// TestSandboxLost: writes whose answers are lost happen once, and what happened
// is seen by looking.
func TestSandboxLost(t *testing.T) {
	benches(t, func(t *testing.T, b *bench, face string) {
		var writes []string
		b.lose = func(r *http.Request) bool {
			reads := r.Method == "GET" || strings.HasSuffix(r.URL.Path, "/list") || strings.HasSuffix(r.URL.Path, "/process") || strings.HasSuffix(r.URL.Path, "/files/upload")
			if !reads {
				writes = append(writes, r.Method+" "+r.URL.Path)
			}
			return !reads && r.Method != "PUT"
		}
		kb := b.create(t, "lost")
		b.clock.pass(time.Hour)
		for i, u := range []vendors.Upload{{Name: "a.txt", Text: "one"}, {Name: "b.docx", File: text("two")}} {
			u.KnowledgeBaseID = kb
			up, err := b.Upload(t.Context(), u)
			if err != nil || up.Document.Name != u.Name || !slices.ContainsFunc(up.Notes, func(n string) bool { return strings.Contains(n, "lost") }) {
				t.Fatalf("upload: %+v, %v", up, err)
			}
			if docs := b.box.Store(sandbox.Coze).Documents(kb); docs.Len() != i+1 {
				t.Fatalf("%d documents", docs.Len())
			}
			b.clock.pass(time.Hour)
		}
		// Two of one name: if both are new, the stored file shows which it is,
		// which hosted Coze does not have.
		b.box.Add(sandbox.Coze, kb, "c.txt", sandbox.Normal())
		up, err := b.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: kb, Name: "c.txt", Text: "three"})
		if face == sandbox.FaceCozeStudio {
			if doc := b.box.Store(sandbox.Coze).Document(up.Document.DocumentID); err != nil || doc == nil || doc.Text != "three" {
				t.Errorf("two of one name: %+v, %v", up, err)
			}
		} else if err == nil || !strings.Contains(vendors.ReportOf(err).Message, "It is unknown") {
			t.Errorf("two of one name: %v", err)
		}
		ids := documents(t, b.Connection, kb)
		r, err := b.DeleteDocuments(t.Context(), kb, ids)
		if err != nil || len(r.Results) != 4 {
			t.Fatalf("delete: %+v, %v", r, err)
		}
		for _, row := range r.Results {
			if row.Outcome != vendors.Done {
				t.Errorf("%+v", row)
			}
		}
		err = b.DeleteKnowledgeBase(t.Context(), kb)
		if err == nil || b.box.Store(sandbox.Coze).KB(kb) != nil {
			t.Errorf("delete: %v", err)
		}
		if want := 1 + 3 + 1 + 2; len(writes) != want {
			t.Errorf("%d writes, want %d: %q", len(writes), want, writes)
		}
	})
}

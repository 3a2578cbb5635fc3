package volcengine

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
)

// face is the sandbox's Volcengine behind the production driver, signing, with
// a clock that moves by hand.
type face struct {
	*connection.Connection
	t     *testing.T
	sb    *sandbox.Sandbox
	clock *time.Time
	drop  *string // the answer to a path of this ending is lost once
}

func newFace(t *testing.T) face {
	clock, drop := time.Now(), ""
	now := func() time.Time { return clock }
	sb := sandbox.New(sandbox.Options{Now: now})
	srv := httptest.NewServer(sb)
	t.Cleanup(srv.Close)
	c := Config{
		AccessKey: sandbox.VolcengineAccessKey, SecretKey: sandbox.VolcengineSecretKey,
		BaseURL: srv.URL + "/volcengine", Region: "cn-beijing", Project: "default",
	}
	if p := c.Problems(); p != nil {
		t.Fatal(p)
	}
	d := New(c, rest.Conn{
		Limiter: ratelimit.New(ratelimit.Rate{}, nil), Now: now,
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err == nil && drop != "" && strings.HasSuffix(r.URL.Path, drop) {
				drop = ""
				resp.Body.Close()
				return nil, fmt.Errorf("connection reset after the answer")
			}
			return resp, err
		}),
	})
	return face{connection.New("v", "volcengine", d), t, sb, &clock, &drop}
}

// must fails the test for an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (f face) create(name string) vendors.KnowledgeBase {
	f.t.Helper()
	about := "made by a test"
	return must[vendors.KnowledgeBase](f.t)(f.CreateKnowledgeBase(f.t.Context(), vendors.KnowledgeBaseChange{Name: &name, Description: &about}))
}

func (f face) upload(kb, url, name string) connection.UploadResult {
	f.t.Helper()
	return must[connection.UploadResult](f.t)(f.Upload(f.t.Context(), vendors.Upload{KnowledgeBaseID: kb, URL: url, Name: name}))
}

// settle moves the clock until every document has settled.
func (f face) settle(kb string) connection.ProgressResult {
	f.t.Helper()
	for range 20 {
		rep := must[connection.ProgressResult](f.t)(f.Progress(f.t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb}))
		if rep.Summary.Done {
			return rep
		}
		*f.clock = f.clock.Add(time.Second)
	}
	f.t.Fatal("not settled")
	panic("unreachable")
}

// One session: make, fill, wait, search, read, change, clean up.
func TestLife(t *testing.T) {
	f, ctx := newFace(t), t.Context()
	kb := f.create("life")
	if kb.KnowledgeBaseID == "" || kb.Name != "life" || kb.Description != "made by a test" {
		t.Errorf("created %+v", kb)
	}
	id := kb.KnowledgeBaseID
	if _, err := f.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: id, Query: "x", Limit: 5}); vendors.KindOf(err) != vendors.Conflict {
		t.Errorf("search before the index is built: %v", err)
	}
	var docs []string
	for i := range 9 {
		up := f.upload(id, fmt.Sprintf("https://files.example.com/%d.pdf?X-Tos-Signature=%d", i, i), "")
		if up.Document.Status != vendors.Queued || up.Document.Name != fmt.Sprintf("%d.pdf", i) || len(up.Notes) > 0 {
			t.Errorf("uploaded %+v", up)
		}
		docs = append(docs, up.Document.DocumentID)
		*f.clock = f.clock.Add(time.Second)
	}
	docs = append(docs, f.upload(id, "tos://bucket/dir/手册.md", "Zebra handbook.md").Document.DocumentID)
	rep := f.settle(id)
	if s := rep.Summary; s.Total != 10 || s.Failed < 1 || s.Failed > 2 || s.ByStatus[vendors.Completed] != 10-s.Failed {
		t.Errorf("summary %+v", s)
	}
	for _, p := range rep.Documents {
		if p.Status == vendors.Failed && (p.Error == nil || p.Error.Message == "" || p.Error.Hint == "") {
			t.Errorf("failed without a reason: %+v", p)
		}
	}
	f.searched(id, docs[9])
	f.changed(id, docs[9])
	f.cleaned(id, docs)
}

// searched finds the handbook and reads its chunks.
func (f face) searched(kb, doc string) {
	f.t.Helper()
	ctx := f.t.Context()
	got := must[connection.SearchResult](f.t)(f.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: kb, Query: "zebra", Limit: 5}))
	if len(got.Hits) != 1 || got.Hits[0].DocumentID != doc || !strings.Contains(got.Hits[0].Content, "Zebra") || got.Hits[0].Score == nil {
		f.t.Errorf("hits %+v", got)
	}
	if none := must[connection.SearchResult](f.t)(f.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: "life", Query: "giraffe", Limit: 5})); len(none.Hits) != 0 {
		f.t.Errorf("hits %+v", none)
	}
	chunks := must[connection.ChunkList](f.t)(f.ListChunks(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: doc}, 1, ""))
	rest := must[connection.ChunkList](f.t)(f.ListChunks(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: doc}, 20, chunks.NextCursor))
	if len(chunks.Chunks) != 1 || chunks.Chunks[0].ChunkID != got.Hits[0].ChunkID || *chunks.Total != 2 || len(rest.Chunks) != 1 || rest.NextCursor != "" {
		f.t.Errorf("chunks %+v and %+v", chunks, rest)
	}
	if _, err := f.ListChunks(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: "nope"}, 20, ""); vendors.KindOf(err) != vendors.ErrNotFound {
		f.t.Errorf("chunks of an unknown document: %v", err)
	}
}

// changed renames, sets metadata twice, and changes the description.
func (f face) changed(kb, doc string) {
	f.t.Helper()
	ctx, ref := f.t.Context(), vendors.Ref{KnowledgeBaseID: kb, DocumentID: doc}
	name, about := "Giraffe handbook.md", "other words"
	must[vendors.Document](f.t)(f.UpdateDocument(ctx, ref, vendors.DocumentChange{Name: &name, Metadata: map[string]any{"year": 2024.0, "author": "张"}}))
	said := must[vendors.Document](f.t)(f.UpdateDocument(ctx, ref, vendors.DocumentChange{Metadata: map[string]any{"author": "李", "tags": []any{"a"}}}))
	is := must[vendors.Document](f.t)(f.GetDocument(ctx, ref))
	for _, d := range []vendors.Document{said, is} {
		if d.Name != name || fmt.Sprint(d.Metadata) != "map[author:李 tags:[a] year:2024]" {
			f.t.Errorf("changed: %+v", d)
		}
	}
	must[vendors.KnowledgeBase](f.t)(f.UpdateKnowledgeBase(ctx, kb, vendors.KnowledgeBaseChange{Description: &about}))
	list := must[connection.KnowledgeBaseList](f.t)(f.ListKnowledgeBases(ctx, connection.ListQuery{NameContains: "life", Limit: 5}))
	if len(list.KnowledgeBases) != 1 || list.KnowledgeBases[0].Description != about {
		f.t.Errorf("listed %+v", list)
	}
}

// cleaned deletes everything; the list lags.
func (f face) cleaned(kb string, docs []string) {
	f.t.Helper()
	ctx := f.t.Context()
	count := func() int {
		return len(must[connection.DocumentList](f.t)(f.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: kb, Limit: 50})).Documents)
	}
	got := must[connection.OutcomeResult](f.t)(f.DeleteDocuments(ctx, kb, append(docs, "nope")))
	for i, row := range got.Results {
		if want := vendors.Accepted; i < len(docs) && row.Outcome != want || i == len(docs) && row.Outcome != vendors.Absent {
			f.t.Errorf("%+v", row)
		}
	}
	if n := count(); n != len(docs) {
		f.t.Errorf("%d documents right after the deletion", n)
	}
	*f.clock = f.clock.Add(5 * time.Second)
	if n := count(); n != 0 {
		f.t.Errorf("%d documents are left", n)
	}
	if err := f.DeleteKnowledgeBase(ctx, kb); err != nil {
		f.t.Error(err)
	}
	if err := f.DeleteKnowledgeBase(ctx, kb); vendors.KindOf(err) != vendors.ErrNotFound {
		f.t.Errorf("deleted twice: %v", err)
	}
}

// Answers that are lost after the platform did what was asked.
func TestLostAnswers(t *testing.T) {
	f, ctx := newFace(t), t.Context()
	*f.drop = "/collection/create"
	kb := f.create("lost").KnowledgeBaseID
	*f.drop = "/doc/v2/add"
	up := f.upload(kb, "https://files.example.com/a.pdf", "a.pdf")
	if len(up.Notes) != 1 || *f.drop != "" {
		t.Errorf("uploaded %+v", up)
	}
	again := vendors.Upload{KnowledgeBaseID: kb, URL: "https://files.example.com/a.pdf"}
	if _, err := f.Upload(ctx, again); vendors.KindOf(err) != vendors.Conflict || !strings.Contains(vendors.ReportOf(err).VendorMessage, up.Document.DocumentID) {
		t.Errorf("the same content twice: %v", err)
	}
	*f.drop = "/doc/delete"
	got := must[connection.OutcomeResult](t)(f.DeleteDocuments(ctx, kb, []string{up.Document.DocumentID}))
	if got.Results[0].Outcome != vendors.Accepted {
		t.Errorf("%+v", got)
	}
	*f.drop = "/collection/delete"
	if err := f.DeleteKnowledgeBase(ctx, kb); err != nil || *f.drop != "" {
		t.Error(err)
	}
}

// An agent makes 100 documents and deletes them at the cost of one request
// each, and one more to show what it made.
func TestRequests(t *testing.T) {
	f := newFace(t)
	kb := f.create("many").KnowledgeBaseID
	f.sb.ResetRequests()
	ids := []string{}
	for i := range 100 {
		ids = append(ids, f.upload(kb, fmt.Sprintf("https://files.example.com/%d.pdf", i), "").Document.DocumentID)
	}
	if n := f.sb.Requests(sandbox.FaceVolcengine); n != 200 {
		t.Errorf("100 uploads took %d requests", n)
	}
	f.sb.ResetRequests()
	must[connection.OutcomeResult](t)(f.DeleteDocuments(context.WithoutCancel(t.Context()), kb, ids))
	if n := f.sb.Requests(sandbox.FaceVolcengine); n != 100 {
		t.Errorf("100 deletions took %d requests", n)
	}
}

// A project that holds nothing, while others do, is named with what is meant.
func TestDoctorNamesTheProject(t *testing.T) {
	srv := httptest.NewServer(sandbox.New(sandbox.Options{}))
	t.Cleanup(srv.Close)
	for project, want := range map[string]string{"default": "", "research": "", "typo": `VOLCENGINE_PROJECT`} {
		d := New(Config{APIKey: sandbox.VolcengineAPIKey, BaseURL: srv.URL, Region: "cn-beijing", Project: project},
			rest.Conn{Limiter: ratelimit.New(ratelimit.Rate{}, nil), Transport: http.DefaultTransport})
		hints := ""
		for _, f := range d.Diagnose(t.Context()) {
			if f.Check == "project" {
				hints += f.Hint
			}
		}
		if (want == "") != (hints == "") || !strings.Contains(hints, want) || want != "" && !strings.Contains(hints, "default, research") {
			t.Errorf("%s: %q", project, hints)
		}
	}
}

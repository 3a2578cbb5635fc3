package connection

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/vendors"
)

// writer is a platform that does everything a test scripts, and counts.
type writer struct {
	bench
	outcomes []vendors.Outcome
	hits     []vendors.Hit
	chunks   []vendors.Chunk
	err      error
	ignores  bool // changes
	advice   map[string]string

	calls []string
	ids   []string // of the last write over several
	size  []int    // of pages of chunks
}

func (w *writer) did(call string) error { w.calls = append(w.calls, call); return w.err }

func (w *writer) each(call string, ids []string) ([]vendors.Outcome, error) {
	w.ids = ids
	return w.outcomes, w.did(call)
}

func (w *writer) Instead() map[string]string { return w.advice }

func (w *writer) ListKnowledgeBases(context.Context, vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	return vendors.Page[vendors.KnowledgeBase]{}, w.did("list_knowledge_bases")
}

func (w *writer) Search(context.Context, vendors.SearchQuery) ([]vendors.Hit, error) {
	return w.hits, w.did("search_knowledge_base")
}

func (w *writer) ListChunks(_ context.Context, _ vendors.Ref, q vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	w.size = append(w.size, q.Size)
	from := min((q.Page-1)*q.Size, len(w.chunks))
	to := min(from+q.Size, len(w.chunks))
	return vendors.Page[vendors.Chunk]{Items: w.chunks[from:to], Total: intp(len(w.chunks)), More: to < len(w.chunks)}, w.did("list_chunks")
}

func (w *writer) CreateKnowledgeBase(_ context.Context, c vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	return vendors.KnowledgeBase{KnowledgeBaseID: "new", Name: *c.Name}, w.did("create_knowledge_base")
}

func (w *writer) UpdateKnowledgeBase(_ context.Context, id string, c vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	return vendors.KnowledgeBase{KnowledgeBaseID: id, Name: w.shown(c.Name)}, w.did("update_knowledge_base")
}

// shown is a name after a change: the new one, unless the platform ignores it.
func (w *writer) shown(name *string) string {
	if name == nil || w.ignores {
		return "old"
	}
	return *name
}

func (w *writer) DeleteKnowledgeBase(context.Context, string) error {
	return w.did("delete_knowledge_base")
}

func (w *writer) Upload(context.Context, vendors.Upload) (vendors.Uploaded, error) {
	d := vendors.Document{DocumentID: "new", Status: vendors.Completed, ProgressPercent: intp(3)}
	return vendors.Uploaded{Document: d, BatchID: "b", Notes: []string{"renamed"}}, w.did("upload_document")
}

func (w *writer) UpdateDocument(_ context.Context, ref vendors.Ref, c vendors.DocumentChange) (vendors.Document, error) {
	return vendors.Document{DocumentID: ref.DocumentID, Name: w.shown(c.Name), Status: vendors.Completed}, w.did("update_document")
}

func (w *writer) DeleteDocuments(_ context.Context, _ string, ids []string) ([]vendors.Outcome, error) {
	return w.each("delete_documents", ids)
}

func (w *writer) StartIngestion(_ context.Context, _ string, ids []string) ([]vendors.Outcome, error) {
	return w.each("start_ingestion", ids)
}

func (w *writer) StopIngestion(_ context.Context, _ string, ids []string) ([]vendors.Outcome, error) {
	return w.each("stop_ingestion", ids)
}

func (w *writer) Download(context.Context, vendors.Ref) (vendors.Download, error) {
	return vendors.Download{Name: "a.txt", Size: 1, Body: io.NopCloser(strings.NewReader("x"))}, w.did("download_document")
}

// optional calls every tool that a platform may lack.
func optional(ctx context.Context, v *Connection) map[string]error {
	name, ref, errs := "n", vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d"}, map[string]error{}
	of := func(tool string) context.Context { return vendors.WithCaller(ctx, vendors.Caller{Tool: tool}) }
	_, errs["list_knowledge_bases"] = v.ListKnowledgeBases(of("list_knowledge_bases"), ListQuery{Limit: 1})
	_, errs["search_knowledge_base"] = v.Search(of("search_knowledge_base"), vendors.SearchQuery{KnowledgeBaseID: "kb", Query: "q", Limit: 1})
	_, errs["list_chunks"] = v.ListChunks(of("list_chunks"), ref, 1, "")
	_, errs["create_knowledge_base"] = v.CreateKnowledgeBase(of("create_knowledge_base"), vendors.KnowledgeBaseChange{Name: &name})
	_, errs["update_knowledge_base"] = v.UpdateKnowledgeBase(of("update_knowledge_base"), "kb", vendors.KnowledgeBaseChange{Name: &name})
	errs["delete_knowledge_base"] = v.DeleteKnowledgeBase(of("delete_knowledge_base"), "kb")
	_, errs["upload_document"] = v.Upload(of("upload_document"), vendors.Upload{KnowledgeBaseID: "kb", Name: "n", Text: "t"})
	_, errs["update_document"] = v.UpdateDocument(of("update_document"), ref, vendors.DocumentChange{Name: &name})
	_, errs["delete_documents"] = v.DeleteDocuments(of("delete_documents"), "kb", []string{"d"})
	_, errs["start_ingestion"] = v.StartIngestion(of("start_ingestion"), "kb", []string{"d"})
	_, errs["stop_ingestion"] = v.StopIngestion(of("stop_ingestion"), "kb", []string{"d"})
	_, errs["download_document"] = v.Download(of("download_document"), ref)
	return errs
}

func TestWhatADriverLacksIsUnsupported(t *testing.T) {
	for tool, err := range optional(t.Context(), New("v", "p", &writer{})) {
		if err != nil {
			t.Errorf("%s: %v", tool, err)
		}
	}
	for tool, err := range optional(t.Context(), New("v", "p", &shelf{})) {
		r := vendors.ReportOf(err)
		if r.Kind != vendors.Unsupported || r.Hint == "" || r.Vendor != "v" || !strings.Contains(r.Message, tool) {
			t.Errorf("%s: %+v", tool, r)
		}
	}
}

func TestAdviceMakesAToolUnsupported(t *testing.T) {
	for tool := range optional(t.Context(), New("v", "p", &writer{})) {
		for _, hint := range []string{"Use the console for " + tool + ".", ""} {
			w := &writer{advice: map[string]string{tool: hint}}
			v := New("v", "p", w)
			err := optional(t.Context(), v)[tool]
			if vendors.KindOf(err) != vendors.Unsupported || hint != "" && vendors.ReportOf(err).Hint != hint || !strings.Contains(err.Error(), tool) {
				t.Errorf("%s: %v", tool, err)
			}
			if slices.Contains(w.calls, tool) {
				t.Errorf("%s reached the driver", tool)
			}
		}
	}
}

func TestOutcomes(t *testing.T) {
	busy := &vendors.Error{Kind: vendors.RateLimited, Message: "busy"}
	row := func(id string, r vendors.Result, kind vendors.Kind) string {
		s := `{"document_id":"` + id + `","outcome":"` + string(r) + `"`
		if kind != "" {
			s += `,"error":"` + string(kind) + `"`
		}
		return s + "}"
	}
	tests := []struct {
		name     string
		outcomes []vendors.Outcome
		err      error
		want     []string
	}{
		{"in the caller's order", []vendors.Outcome{{DocumentID: "c", Result: vendors.Absent}, {DocumentID: "a", Result: vendors.Done}, {DocumentID: "b", Result: vendors.Accepted}}, nil,
			[]string{row("b", vendors.Accepted, ""), row("a", vendors.Done, ""), row("c", vendors.Absent, "")}},
		{"a refused one", []vendors.Outcome{{DocumentID: "a", Result: vendors.NotDone, Err: &vendors.Error{Kind: vendors.Conflict}}, {DocumentID: "b", Result: vendors.Done}, {DocumentID: "c", Result: vendors.Done}}, nil,
			[]string{row("b", vendors.Done, ""), row("a", vendors.NotDone, vendors.Conflict), row("c", vendors.Done, "")}},
		{"ended by an error", []vendors.Outcome{{DocumentID: "b", Result: vendors.Done}}, busy,
			[]string{row("b", vendors.Done, ""), row("a", vendors.NotDone, vendors.RateLimited), row("c", vendors.NotDone, vendors.RateLimited)}},
		{"not told of", []vendors.Outcome{{DocumentID: "b", Result: vendors.Done}, {DocumentID: "a", Result: vendors.NotDone}}, nil,
			[]string{row("b", vendors.Done, ""), row("a", vendors.NotDone, vendors.BadResponse), row("c", vendors.NotDone, vendors.BadResponse)}},
		{"of others", []vendors.Outcome{{DocumentID: "x", Result: vendors.Done}, {DocumentID: "a", Result: vendors.Done}, {DocumentID: "b", Result: vendors.Done}, {DocumentID: "c", Result: vendors.Done}}, nil,
			[]string{row("b", vendors.Done, ""), row("a", vendors.Done, ""), row("c", vendors.Done, "")}},
		{"an error at once", nil, busy, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &writer{outcomes: tt.outcomes, err: tt.err}
			got, err := New("v", "p", w).DeleteDocuments(t.Context(), "kb", []string{"b", "a", "b", "c"})
			if tt.want == nil {
				if vendors.KindOf(err) != vendors.RateLimited {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err != nil || !slices.Equal(w.ids, []string{"b", "a", "c"}) {
				t.Fatalf("%v, asked for %v", err, w.ids)
			}
			var rows []string
			for _, r := range got.Results {
				kind := vendors.Kind("")
				if r.Error != nil {
					kind = r.Error.Kind
				}
				rows = append(rows, row(r.DocumentID, r.Outcome, kind))
			}
			if d := cmp.Diff(tt.want, rows); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFitOfOutcomes(t *testing.T) {
	r := OutcomeResult{}
	for range 5 {
		r.Results = append(r.Results, OutcomeRow{DocumentID: "d", Outcome: vendors.NotDone, Error: &vendors.ErrorReport{Kind: vendors.Conflict}})
	}
	got := r.Fit(2).(OutcomeResult)
	if len(got.Results) != 5 || got.Results[1].Error == nil || got.Results[2].Error != nil || !got.Truncated || got.Hint == "" {
		t.Errorf("%+v", got)
	}
	if r.Results[4].Error == nil || r.Truncated {
		t.Error("Fit changed its receiver")
	}
}

func TestWritesRefusedHere(t *testing.T) {
	empty := ""
	many := func(f func(ids ...string) error) map[string]error {
		return map[string]error{"no ids": f(), "an empty id": f("a", ""), "dots": f("..")}
	}
	w := &writer{}
	v := New("v", "p", w)
	ctx := t.Context()
	errs := map[string]error{}
	for tool, do := range map[string]func(context.Context, string, []string) (OutcomeResult, error){
		"delete": v.DeleteDocuments, "start": v.StartIngestion, "stop": v.StopIngestion,
	} {
		for name, err := range many(func(ids ...string) error { _, err := do(ctx, "kb", ids); return err }) {
			errs[tool+", "+name] = err
		}
		_, errs[tool+", no knowledge base"] = do(ctx, "", []string{"a"})
	}
	ref := vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d"}
	_, errs["update a knowledge base, nothing given"] = v.UpdateKnowledgeBase(ctx, "kb", vendors.KnowledgeBaseChange{})
	_, errs["update a knowledge base, no id"] = v.UpdateKnowledgeBase(ctx, ".", vendors.KnowledgeBaseChange{Description: &empty})
	errs["delete a knowledge base, no id"] = v.DeleteKnowledgeBase(ctx, "")
	_, errs["update a document, nothing given"] = v.UpdateDocument(ctx, ref, vendors.DocumentChange{})
	_, errs["update a document, no metadata"] = v.UpdateDocument(ctx, ref, vendors.DocumentChange{Metadata: map[string]any{}})
	_, errs["update a document, no id"] = v.UpdateDocument(ctx, vendors.Ref{KnowledgeBaseID: "kb"}, vendors.DocumentChange{Name: &empty})
	_, errs["upload, no id"] = v.Upload(ctx, vendors.Upload{KnowledgeBaseID: "a b"})
	_, errs["download, no id"] = v.Download(ctx, vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "../x\x00"})
	for name, err := range errs {
		if vendors.KindOf(err) != vendors.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(w.calls) != 0 {
		t.Errorf("the driver was called: %v", w.calls)
	}
}

func TestWritesAreStamped(t *testing.T) {
	v, name := New("v", "p", &writer{}), "n"
	up, err := v.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: "kb", Text: "t"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(up)
	const want = `{"document":{"vendor":"v","knowledge_base_id":"kb","document_id":"new","name":"","status":"completed","progress_percent":100},"batch_id":"b","notes":["renamed"]}`
	if err != nil || string(got) != want {
		t.Errorf("%s", got)
	}
	if kb, err := v.CreateKnowledgeBase(t.Context(), vendors.KnowledgeBaseChange{Name: &name}); err != nil || kb.Vendor != "v" || kb.Name != "n" {
		t.Errorf("%+v, %v", kb, err)
	}
	if d, err := v.UpdateDocument(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d"}, vendors.DocumentChange{Name: &name}); err != nil || d.Vendor != "v" || d.KnowledgeBaseID != "kb" {
		t.Errorf("%+v, %v", d, err)
	}
	lost := New("v", "p", &writer{err: &vendors.Error{Kind: vendors.Unavailable, Message: "lost"}})
	for tool, err := range optional(t.Context(), lost) {
		if r := vendors.ReportOf(err); r.Kind != vendors.Unavailable || r.Vendor != "v" {
			t.Errorf("%s: %+v", tool, r)
		}
	}
}

// TestChangesThatDoNotShow: a platform that accepts a change and shows the old
// state has perhaps changed something.
func TestChangesThatDoNotShow(t *testing.T) {
	v, name := New("v", "p", &writer{ignores: true}), "new"
	_, kb := v.UpdateKnowledgeBase(t.Context(), "kb", vendors.KnowledgeBaseChange{Name: &name})
	_, doc := v.UpdateDocument(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d"}, vendors.DocumentChange{Name: &name})
	for _, err := range []error{kb, doc} {
		if r := vendors.WriteReportOf(err); r.Kind != vendors.Conflict || r.Outcome != "unknown" {
			t.Errorf("%+v", r)
		}
	}
}

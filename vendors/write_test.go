package vendors

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writer is a platform that does everything a test scripts, and counts.
type writer struct {
	bench
	outcomes []Outcome
	hits     []Hit
	chunks   []Chunk
	err      error
	advice   map[string]string

	calls []string
	ids   []string // of the last write over several
	size  []int    // of pages of chunks
}

func (w *writer) did(call string) error { w.calls = append(w.calls, call); return w.err }

func (w *writer) each(call string, ids []string) ([]Outcome, error) {
	w.ids = ids
	return w.outcomes, w.did(call)
}

func (w *writer) Instead() map[string]string { return w.advice }

func (w *writer) ListKnowledgeBases(context.Context, PageQuery) (Page[KnowledgeBase], error) {
	return Page[KnowledgeBase]{}, w.did("list_knowledge_bases")
}

func (w *writer) Search(context.Context, SearchQuery) ([]Hit, error) {
	return w.hits, w.did("search_knowledge_base")
}

func (w *writer) ListChunks(_ context.Context, _ Ref, q PageQuery) (Page[Chunk], error) {
	w.size = append(w.size, q.Size)
	from := min((q.Page-1)*q.Size, len(w.chunks))
	to := min(from+q.Size, len(w.chunks))
	return Page[Chunk]{Items: w.chunks[from:to], Total: intp(len(w.chunks)), More: to < len(w.chunks)}, w.did("list_chunks")
}

func (w *writer) CreateKnowledgeBase(_ context.Context, c KnowledgeBaseChange) (KnowledgeBase, error) {
	return KnowledgeBase{KnowledgeBaseID: "new", Name: *c.Name}, w.did("create_knowledge_base")
}

func (w *writer) UpdateKnowledgeBase(_ context.Context, id string, _ KnowledgeBaseChange) (KnowledgeBase, error) {
	return KnowledgeBase{KnowledgeBaseID: id}, w.did("update_knowledge_base")
}

func (w *writer) DeleteKnowledgeBase(context.Context, string) error {
	return w.did("delete_knowledge_base")
}

func (w *writer) Upload(context.Context, Upload) (Uploaded, error) {
	d := Document{DocumentID: "new", Status: Completed, ProgressPercent: intp(3)}
	return Uploaded{Document: d, BatchID: "b", Notes: []string{"renamed"}}, w.did("upload_document")
}

func (w *writer) UpdateDocument(_ context.Context, ref Ref, _ DocumentChange) (Document, error) {
	return Document{DocumentID: ref.DocumentID, Status: Completed}, w.did("update_document")
}

func (w *writer) DeleteDocuments(_ context.Context, _ string, ids []string) ([]Outcome, error) {
	return w.each("delete_documents", ids)
}

func (w *writer) StartIngestion(_ context.Context, _ string, ids []string) ([]Outcome, error) {
	return w.each("start_ingestion", ids)
}

func (w *writer) StopIngestion(_ context.Context, _ string, ids []string) ([]Outcome, error) {
	return w.each("stop_ingestion", ids)
}

func (w *writer) Download(context.Context, Ref) (Download, error) {
	return Download{Name: "a.txt", Size: 1, Body: io.NopCloser(strings.NewReader("x"))}, w.did("download_document")
}

// optional calls every tool that a platform may lack.
func optional(ctx context.Context, v *Vendor) map[string]error {
	name, ref, errs := "n", Ref{KnowledgeBaseID: "kb", DocumentID: "d"}, map[string]error{}
	_, errs["list_knowledge_bases"] = v.ListKnowledgeBases(ctx, ListQuery{Limit: 1})
	_, errs["search_knowledge_base"] = v.Search(ctx, SearchQuery{KnowledgeBaseID: "kb", Query: "q", Limit: 1})
	_, errs["list_chunks"] = v.ListChunks(ctx, ref, 1, "")
	_, errs["create_knowledge_base"] = v.CreateKnowledgeBase(ctx, KnowledgeBaseChange{Name: &name})
	_, errs["update_knowledge_base"] = v.UpdateKnowledgeBase(ctx, "kb", KnowledgeBaseChange{Name: &name})
	errs["delete_knowledge_base"] = v.DeleteKnowledgeBase(ctx, "kb")
	_, errs["upload_document"] = v.Upload(ctx, Upload{KnowledgeBaseID: "kb", Name: "n", Text: "t"})
	_, errs["update_document"] = v.UpdateDocument(ctx, ref, DocumentChange{Name: &name})
	_, errs["delete_documents"] = v.DeleteDocuments(ctx, "kb", []string{"d"})
	_, errs["start_ingestion"] = v.StartIngestion(ctx, "kb", []string{"d"})
	_, errs["stop_ingestion"] = v.StopIngestion(ctx, "kb", []string{"d"})
	_, errs["download_document"] = v.Download(ctx, ref)
	return errs
}

var always = []string{"list_documents", "get_document_info", "get_ingestion_progress", "wait_for_ingestion", "find_unfinished_documents"}

func TestCapabilities(t *testing.T) {
	all := New("v", "p", &writer{}).Capabilities()
	if d := cmp.Diff(toolOrder, all); d != "" {
		t.Errorf("a driver with every method: %s", d)
	}
	for tool, err := range optional(t.Context(), New("v", "p", &writer{})) {
		if err != nil || !slices.Contains(all, tool) {
			t.Errorf("%s: %v", tool, err)
		}
	}
	least := New("v", "p", &shelf{})
	if d := cmp.Diff(always, least.Capabilities()); d != "" {
		t.Errorf("a driver with no more than it must have: %s", d)
	}
	for tool, err := range optional(t.Context(), least) {
		if KindOf(err) != Unsupported || ReportOf(err).Hint == "" || ReportOf(err).Vendor != "v" {
			t.Errorf("%s: %+v", tool, ReportOf(err))
		}
	}
}

func TestAdviceMakesAToolUnsupported(t *testing.T) {
	for tool := range optional(t.Context(), New("v", "p", &writer{})) {
		for _, hint := range []string{"Use the console for " + tool + ".", ""} {
			w := &writer{advice: map[string]string{tool: hint}}
			v := New("v", "p", w)
			if can := v.Capabilities(); slices.Contains(can, tool) || len(can) != len(toolOrder)-1 {
				t.Errorf("%s is still among %v", tool, can)
			}
			err := optional(t.Context(), v)[tool]
			if KindOf(err) != Unsupported || hint != "" && ReportOf(err).Hint != hint || !strings.Contains(err.Error(), tool) {
				t.Errorf("%s: %v", tool, err)
			}
			if slices.Contains(w.calls, tool) {
				t.Errorf("%s reached the driver", tool)
			}
		}
	}
}

func TestOutcomes(t *testing.T) {
	busy := &Error{Kind: RateLimited, Message: "busy"}
	row := func(id string, r Result, kind Kind) string {
		s := `{"document_id":"` + id + `","outcome":"` + string(r) + `"`
		if kind != "" {
			s += `,"error":"` + string(kind) + `"`
		}
		return s + "}"
	}
	tests := []struct {
		name     string
		outcomes []Outcome
		err      error
		want     []string
	}{
		{"in the caller's order", []Outcome{{"c", Absent, nil}, {"a", Done, nil}, {"b", Accepted, nil}}, nil,
			[]string{row("b", Accepted, ""), row("a", Done, ""), row("c", Absent, "")}},
		{"a refused one", []Outcome{{"a", NotDone, &Error{Kind: Conflict}}, {"b", Done, nil}, {"c", Done, nil}}, nil,
			[]string{row("b", Done, ""), row("a", NotDone, Conflict), row("c", Done, "")}},
		{"ended by an error", []Outcome{{"b", Done, nil}}, busy,
			[]string{row("b", Done, ""), row("a", NotDone, RateLimited), row("c", NotDone, RateLimited)}},
		{"not told of", []Outcome{{"b", Done, nil}, {"a", NotDone, nil}}, nil,
			[]string{row("b", Done, ""), row("a", NotDone, BadResponse), row("c", NotDone, BadResponse)}},
		{"of others", []Outcome{{"x", Done, nil}, {"a", Done, nil}, {"b", Done, nil}, {"c", Done, nil}}, nil,
			[]string{row("b", Done, ""), row("a", Done, ""), row("c", Done, "")}},
		{"an error at once", nil, busy, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &writer{outcomes: tt.outcomes, err: tt.err}
			got, err := New("v", "p", w).DeleteDocuments(t.Context(), "kb", []string{"b", "a", "b", "c"})
			if tt.want == nil {
				if KindOf(err) != RateLimited {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err != nil || !slices.Equal(w.ids, []string{"b", "a", "c"}) {
				t.Fatalf("%v, asked for %v", err, w.ids)
			}
			var rows []string
			for _, r := range got.Results {
				kind := Kind("")
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
		r.Results = append(r.Results, OutcomeRow{DocumentID: "d", Outcome: NotDone, Error: &ErrorReport{Kind: Conflict}})
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
	ref := Ref{KnowledgeBaseID: "kb", DocumentID: "d"}
	_, errs["update a knowledge base, nothing given"] = v.UpdateKnowledgeBase(ctx, "kb", KnowledgeBaseChange{})
	_, errs["update a knowledge base, no id"] = v.UpdateKnowledgeBase(ctx, ".", KnowledgeBaseChange{Description: &empty})
	errs["delete a knowledge base, no id"] = v.DeleteKnowledgeBase(ctx, "")
	_, errs["update a document, nothing given"] = v.UpdateDocument(ctx, ref, DocumentChange{})
	_, errs["update a document, no metadata"] = v.UpdateDocument(ctx, ref, DocumentChange{Metadata: map[string]any{}})
	_, errs["update a document, no id"] = v.UpdateDocument(ctx, Ref{KnowledgeBaseID: "kb"}, DocumentChange{Name: &empty})
	_, errs["upload, no id"] = v.Upload(ctx, Upload{KnowledgeBaseID: "a b"})
	_, errs["download, no id"] = v.Download(ctx, Ref{KnowledgeBaseID: "kb", DocumentID: "../x\x00"})
	for name, err := range errs {
		if KindOf(err) != InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(w.calls) != 0 {
		t.Errorf("the driver was called: %v", w.calls)
	}
}

func TestWritesAreStamped(t *testing.T) {
	v, name := New("v", "p", &writer{}), "n"
	up, err := v.Upload(t.Context(), Upload{KnowledgeBaseID: "kb", Text: "t"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(up)
	const want = `{"document":{"vendor":"v","knowledge_base_id":"kb","document_id":"new","name":"","status":"completed","vendor_status":"","progress_percent":100},"batch_id":"b","notes":["renamed"]}`
	if err != nil || string(got) != want {
		t.Errorf("%s", got)
	}
	if kb, err := v.CreateKnowledgeBase(t.Context(), KnowledgeBaseChange{Name: &name}); err != nil || kb.Vendor != "v" || kb.Name != "n" {
		t.Errorf("%+v, %v", kb, err)
	}
	if d, err := v.UpdateDocument(t.Context(), Ref{"kb", "d"}, DocumentChange{Name: &name}); err != nil || d.Vendor != "v" || d.KnowledgeBaseID != "kb" {
		t.Errorf("%+v, %v", d, err)
	}
	lost := New("v", "p", &writer{err: &Error{Kind: Unavailable, Message: "lost"}})
	for tool, err := range optional(t.Context(), lost) {
		if r := ReportOf(err); r.Kind != Unavailable || r.Vendor != "v" {
			t.Errorf("%s: %+v", tool, r)
		}
	}
}

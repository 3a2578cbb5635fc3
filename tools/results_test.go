package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// depot is a fake that can do everything.
type depot struct {
	fake
	uploads []vendors.Upload
	sent    string // what the last upload's file held
	body    func() io.ReadCloser
	size    int64
	failure error // of each document of a write
	calls   int
}

func (d *depot) Search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	score := 0.5
	hit := vendors.Hit{DocumentID: "a", DocumentName: "a.md", ChunkID: "c", Content: strings.Repeat("长", 9000), Score: &score}
	return []vendors.Hit{hit, hit, hit}, d.answer(ctx)
}

func (d *depot) ListChunks(ctx context.Context, _ vendors.Ref, q vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	at, on, total := int64(1), true, 2
	items := []vendors.Chunk{{ChunkID: "1", Position: &at, Content: strings.Repeat("x", 30_000), Enabled: &on}, {ChunkID: "2", Content: "y"}}
	return vendors.Page[vendors.Chunk]{Items: items, Total: &total}, d.answer(ctx)
}

func (d *depot) CreateKnowledgeBase(_ context.Context, c vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	d.calls++
	return vendors.KnowledgeBase{KnowledgeBaseID: "k", Name: *c.Name}, nil
}

func (d *depot) UpdateKnowledgeBase(_ context.Context, id string, c vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	d.calls++
	kb := vendors.KnowledgeBase{KnowledgeBaseID: id}
	if c.Description != nil {
		kb.Description = *c.Description
	}
	if c.Name != nil {
		kb.Name = *c.Name
	}
	return kb, nil
}

func (d *depot) DeleteKnowledgeBase(context.Context, string) error { d.calls++; return nil }

func (d *depot) Upload(_ context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	d.calls++
	d.uploads = append(d.uploads, u)
	if u.File != nil {
		for range 2 { // a second try reads it again
			f, err := u.File.Open()
			if err != nil {
				return vendors.Uploaded{}, err
			}
			b, err := io.ReadAll(f)
			if err := errors.Join(err, f.Close()); err != nil {
				return vendors.Uploaded{}, err
			}
			d.sent = string(b)
		}
	}
	return vendors.Uploaded{Document: full("new"), BatchID: "b", Notes: []string{"renamed"}}, nil
}

func (d *depot) UpdateDocument(_ context.Context, ref vendors.Ref, c vendors.DocumentChange) (vendors.Document, error) {
	d.calls++
	doc := full(ref.DocumentID)
	doc.Metadata, doc.Enabled = c.Metadata, c.Enabled
	if c.Name != nil {
		doc.Name = *c.Name
	}
	return doc, nil
}

func (d *depot) each(ids []string) (list []vendors.Outcome, err error) {
	d.calls++
	for _, id := range ids {
		o := vendors.Outcome{DocumentID: id, Result: vendors.Accepted}
		if d.failure != nil {
			o.Result, o.Err = vendors.NotDone, d.failure
		}
		list = append(list, o)
	}
	return list, nil
}

func (d *depot) DeleteDocuments(_ context.Context, _ string, ids []string) ([]vendors.Outcome, error) {
	return d.each(ids)
}

func (d *depot) StartIngestion(_ context.Context, _ string, ids []string) ([]vendors.Outcome, error) {
	return d.each(ids)
}

func (d *depot) StopIngestion(_ context.Context, _ string, ids []string) ([]vendors.Outcome, error) {
	return d.each(ids)
}

func (d *depot) Download(ctx context.Context, _ vendors.Ref) (vendors.Download, error) {
	d.calls++
	if err := d.answer(ctx); err != nil {
		return vendors.Download{}, err
	}
	if d.body == nil {
		return vendors.Download{Name: "a.txt", Size: 3, Body: io.NopCloser(strings.NewReader("abc"))}, nil
	}
	return vendors.Download{Name: "a.txt", Size: d.size, Body: d.body()}, nil
}

// schema compiles a tool's output schema, with nothing allowed beyond it.
func schema(t *testing.T, d mcp.Tool) *jsonschema.Schema {
	t.Helper()
	var doc any
	if err := json.Unmarshal(d.RawOutputSchema, &doc); err != nil {
		t.Fatal(err)
	}
	strict(doc)
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// strict forbids fields that the schema does not name, so that a new field of
// a struct cannot be forgotten in its schema.
func strict(v any) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	if props, ok := m["properties"].(map[string]any); ok {
		m["additionalProperties"] = false
		for _, p := range props {
			strict(p)
		}
	}
	strict(m["items"])
}

// TestResultsFollowTheirSchemas calls every tool there is. It also proves that
// each document field is known to its schema, because the fake's document has
// them all, and that two answers about the same state are the same bytes.
func TestResultsFollowTheirSchemas(t *testing.T) {
	failed, completed, busy := full("a"), full("b"), full("c")
	completed.Status, busy.Status = vendors.Completed, vendors.Processing
	docs := []vendors.Document{failed, completed, busy}
	const kb, doc = `"knowledge_base_id":"kb"`, `"knowledge_base_id":"kb","document_id":"a"`
	const three = `{"knowledge_base_id":"kb","document_ids":["a","b","c"]}`
	calls := map[string][]string{
		"list_vendors":         {`{}`},
		"list_knowledge_bases": {`{"limit":1}`},
		"list_documents":       {`{` + kb + `}`, `{` + kb + `,"limit":1}`, `{` + kb + `,"status":"paused"}`},
		"find_documents":       {`{"status":"failed"}`, `{"enabled":true,"limit":1}`, `{"name_contains":"Launch","detail":"full"}`},
		"get_document_info":    {`{` + doc + `}`},
		"get_ingestion_progress": {`{` + kb + `}`, `{"knowledge_base_id":"kb","document_ids":["a","b","c","d"]}`,
			`{` + kb + `,"batch_id":"20250306150245647595"}`},
		"wait_for_ingestion":        {`{` + kb + `,"document_ids":["a","b"]}`, `{"knowledge_base_id":"kb","document_ids":["a","b","c"],"timeout_seconds":1}`, `{` + kb + `,"timeout_seconds":1}`},
		"search_knowledge_base":     {`{` + kb + `,"query":"q"}`, `{` + kb + `,"query":"q","limit":1}`},
		"find_unfinished_documents": {`{}`, `{"limit":1}`, `{` + kb + `}`},
		"list_chunks":               {`{` + doc + `}`, `{` + doc + `,"limit":1}`},
		"create_knowledge_base":     {`{"name":"n"}`},
		"update_knowledge_base":     {`{` + kb + `,"name":"n"}`},
		"delete_knowledge_base":     {`{` + kb + `}`},
		"upload_document":           {`{` + kb + `,"name":"a.md","text":"t"}`, `{` + kb + `,"url":"https://example.com/a.md"}`},
		"update_document":           {`{` + doc + `,"name":"n"}`, `{` + doc + `,"enabled":false,"metadata":{"a":1,"b":[true,null]}}`},
		"delete_documents":          {three},
		"start_ingestion":           {three},
		"stop_ingestion":            {three},
		"download_document":         {`{` + doc + `}`},
	}
	var all []mcp.Tool
	for _, failure := range []error{nil, &vendors.Error{Kind: vendors.Conflict, Message: "busy", VendorCode: "9"}} {
		s := writeSet(&depot{fake: fake{docs: docs}, failure: failure})
		all = s.Definitions()
		for _, d := range all {
			compiled := schema(t, d)
			for _, args := range append(calls[d.Name], least(t, d)...) {
				follows(t, s, d.Name, compiled, args)
			}
		}
	}
	for name := range calls {
		if !slices.ContainsFunc(all, func(d mcp.Tool) bool { return d.Name == name }) {
			t.Errorf("there is no tool %s", name)
		}
	}
}

// least is a call of a reading tool with the arguments that it requires, so that
// new tools are called too.
func least(t *testing.T, d mcp.Tool) []string {
	t.Helper()
	if !*d.Annotations.ReadOnlyHint {
		return nil
	}
	var in struct{ Required []string }
	if err := json.Unmarshal(d.RawInputSchema, &in); err != nil {
		t.Fatal(err)
	}
	values := map[string]any{"knowledge_base_id": "kb", "document_id": "a", "document_ids": []string{"a"}, "query": "q"}
	args := map[string]any{}
	for _, name := range in.Required {
		if args[name] = values[name]; values[name] == nil {
			t.Errorf("%s requires %s, of which this test has no value", d.Name, name)
		}
	}
	if d.Name == "find_documents" {
		args["status"] = "failed" // one of three
	}
	if strings.Contains(string(d.RawInputSchema), `"timeout_seconds"`) {
		args["timeout_seconds"] = 1
	}
	b, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	return []string{string(b)}
}

// follows holds one answer against its schema.
func follows(t *testing.T, s *Set, tool string, compiled *jsonschema.Schema, args string) {
	t.Helper()
	a, known := s.Call(t.Context(), tool, json.RawMessage(args))
	if !known || a.Failed {
		t.Fatalf("%s %s: %s", tool, args, a.Text)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.Text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(v); err != nil {
		t.Errorf("%s %s: %v\n%s", tool, args, err, a.Text)
	}
	if n := utf8.RuneCount(a.Text); n > 20_000 {
		t.Errorf("%s %s: %d characters", tool, args, n)
	}
	if again, _ := s.Call(t.Context(), tool, json.RawMessage(args)); !bytes.Equal(a.Text, again.Text) {
		t.Errorf("%s: two answers differ:\n%s\n%s", tool, a.Text, again.Text)
	}
	if tool == "list_documents" && !strings.Contains(args, "paused") && !bytes.Contains(a.Text, []byte(`<b>&`)) {
		t.Errorf("HTML is escaped: %s", a.Text)
	}
}

func TestManyFailedOutcomesStaySmall(t *testing.T) {
	d := &depot{failure: &vendors.Error{Kind: vendors.VendorError, Message: strings.Repeat("m", 400), Hint: strings.Repeat("h", 400)}}
	ids := make([]string, 100)
	for i := range ids {
		ids[i] = `"` + strings.Repeat("d", 33) + string(rune('0'+i/10)) + string(rune('0'+i%10)) + `"`
	}
	a, _ := writeSet(d).Call(t.Context(), "delete_documents", json.RawMessage(`{"knowledge_base_id":"kb","document_ids":[`+strings.Join(ids, ",")+`]}`))
	var got connection.OutcomeResult
	if err := json.Unmarshal(a.Text, &got); err != nil || utf8.RuneCount(a.Text) > 20_000 || len(got.Results) != 100 || !got.Truncated || got.Results[0].Error == nil {
		t.Errorf("%d characters, %d results, %v", utf8.RuneCount(a.Text), len(got.Results), err)
	}
}

func TestWriteToolsAreNotThereUnlessAllowed(t *testing.T) {
	d := &depot{}
	read := New([]*connection.Connection{connection.New("dify", "dify", d)}, Options{Clean: strings.Clone, Log: discard})
	write := writeSet(d)
	for _, name := range write.Names() {
		_, writes := hints[name]
		if _, known := read.Call(t.Context(), name, json.RawMessage(`{}`)); known == writes {
			t.Errorf("%s: known %v without writes", name, known)
		}
	}
	if len(write.Names()) != len(read.Names())+len(hints) || d.calls != 0 {
		t.Errorf("%v, %d calls", write.Names(), d.calls)
	}
	var list vendorList
	for s, want := range map[*Set]bool{read: false, write: true} {
		a, _ := s.Call(t.Context(), "list_vendors", nil)
		if err := json.Unmarshal(a.Text, &list); err != nil || bytes.Contains(a.Text, []byte("delete_documents")) != want {
			t.Errorf("writes %v: %s", want, a.Text)
		}
		if !bytes.Contains(a.Text, []byte(`"wait_for_ingestion"`)) || !bytes.Contains(a.Text, []byte(`"find_unfinished_documents"`)) {
			t.Errorf("%s", a.Text)
		}
	}
}

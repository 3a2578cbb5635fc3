package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// fake is a platform whose answers a test scripts.
type fake struct {
	docs  []vendors.Document
	err   error
	panic bool
	hang  bool
}

func (f *fake) answer(ctx context.Context) error {
	if f.panic {
		panic("boom SECRET")
	}
	if f.hang {
		<-ctx.Done()
		return &vendors.Error{Kind: vendors.Timeout, Message: "late", Err: ctx.Err()}
	}
	return f.err
}

func (f *fake) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	from := min((q.Page-1)*q.Size, len(f.docs))
	to := min(from+q.Size, len(f.docs))
	total := len(f.docs)
	return vendors.Page[vendors.Document]{Items: slices.Clone(f.docs[from:to]), Total: &total, More: to < total}, f.answer(ctx)
}

func (f *fake) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	if err := f.answer(ctx); err != nil {
		return vendors.Document{}, err
	}
	if len(f.docs) == 0 {
		return vendors.Document{}, vendors.Errorf(vendors.ErrNotFound, "No such document.")
	}
	return f.docs[0], nil
}

func (f *fake) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	return vendors.Report{Documents: f.docs}, f.answer(ctx)
}

func (f *fake) ListKnowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	n := int64(3)
	return vendors.Page[vendors.KnowledgeBase]{Items: []vendors.KnowledgeBase{{KnowledgeBaseID: "k", Name: "产品手册", DocumentCount: &n}}}, f.answer(ctx)
}

// full is a document with every field set.
func full(id string) vendors.Document {
	n, yes, elapsed, eta := int64(1234567), true, 3.5, int64(30)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	d := vendors.Document{
		DocumentID: id, Name: `Launch "plan" <b>&.pdf`, Status: vendors.Failed, VendorStatus: "error",
		Error:  &vendors.Failure{Code: "10003", Message: "The URL is not valid.", Retryable: &yes, Hint: "Correct it."},
		Format: "pdf", Kind: "text", Source: "web", SizeBytes: &n, CharCount: &n, TokenCount: &n, ChunkCount: &n, HitCount: &n,
		Enabled: &yes, Archived: &yes, Warnings: []string{"part failed"}, CreatedAt: at, UpdatedAt: at,
		SourceURL: "https://example.com/a.pdf", Metadata: map[string]any{"team": "产品", "year": 2026},
		Ingestion: vendors.Ingestion{Stage: "indexing", ChunksDone: &n, ChunksTotal: &n, ETASeconds: &eta, StartedAt: at, FinishedAt: at, ElapsedSeconds: &elapsed},
	}
	v := reflect.ValueOf(&d).Elem()
	for i := range v.NumField() { // new ones
		switch v.Type().Field(i).Name {
		case "Vendor", "KnowledgeBaseID", "ProgressPercent", "Stalled", "Searchable": // the connection sets them
		default:
			fill(v.Field(i))
		}
	}
	return d
}

// fill sets a field that is not set.
func fill(v reflect.Value) {
	if !v.IsZero() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("de")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	default:
		panic("no value for a " + v.Type().String())
	}
}

var discard = slog.New(slog.DiscardHandler)

func newSet(f *fake, names ...string) *Set {
	var list []*connection.Connection
	for _, name := range names {
		list = append(list, connection.New(name, "dify", f))
	}
	clean := func(s string) string { return strings.ReplaceAll(s, "SECRET", "[redacted]") }
	return New(list, Options{Clean: clean, Log: discard})
}

// writeSet is a set with the write tools over any driver.
func writeSet(d vendors.Driver, roots ...string) *Set {
	clean := func(s string) string { return s }
	return New([]*connection.Connection{connection.New("dify", "dify", d)}, Options{Clean: clean, Log: discard, AllowWrites: true, Roots: roots})
}

// TestToolList holds the lists against their snapshots, their budgets and what
// hosts can read. KB_UPDATE=1 rewrites the snapshots.
func TestToolList(t *testing.T) {
	tests := []struct {
		set    *Set
		path   string
		budget int
	}{
		{newSet(&fake{}), "../testdata/tools/list.json", 18_000},
		{writeSet(&fake{}), "../testdata/tools/list_writes.json", 28_000},
	}
	for _, tt := range tests {
		defs := tt.set.Definitions()
		got, err := marshal(map[string]any{"tools": defs})
		if err != nil {
			t.Fatal(err)
		}
		if n := utf8.RuneCount(got); n > tt.budget {
			t.Errorf("the list has %d characters, at most %d are promised", n, tt.budget)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, got, "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		if os.Getenv("KB_UPDATE") != "" {
			if err := os.WriteFile(tt.path, pretty.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), pretty.String()); d != "" {
			t.Errorf("tools/list changed (-want +got); if meant, KB_UPDATE=1:\n%s", d)
		}
		for _, d := range defs {
			lint(t, d)
			ordered(t, d)
		}
	}
}

// hints are what is promised of each tool that is not a read: whether it
// destroys, and whether once more changes nothing.
var hints = map[string]struct{ destroys, again bool }{
	"create_knowledge_base": {},
	"update_knowledge_base": {again: true},
	"delete_knowledge_base": {destroys: true, again: true},
	"upload_document":       {},
	"update_document":       {again: true},
	"delete_documents":      {destroys: true, again: true},
	"start_ingestion":       {},
	"stop_ingestion":        {again: true},
	"download_document":     {},
}

// lint checks a tool's face.
func lint(t *testing.T, d mcp.Tool) {
	t.Helper()
	a := d.Annotations
	if a.ReadOnlyHint == nil || a.DestructiveHint == nil || a.IdempotentHint == nil || a.OpenWorldHint == nil || a.Title == "" {
		t.Fatalf("%s: annotations %+v", d.Name, a)
	}
	h, writes := hints[d.Name]
	if !writes {
		h.again = true
	}
	if *a.ReadOnlyHint == writes || *a.DestructiveHint != h.destroys || *a.IdempotentHint != h.again || !*a.OpenWorldHint {
		t.Errorf("%s: read only %v, destructive %v, idempotent %v, open world %v", d.Name, *a.ReadOnlyHint, *a.DestructiveHint, *a.IdempotentHint, *a.OpenWorldHint)
	}
	if n := strings.Count(d.Description, ". ") + strings.Count(d.Description, ".)") + 1; n < 3 || len(d.Description) > 2000 {
		t.Errorf("%s: the description has about %d sentences, %d bytes", d.Name, n, len(d.Description))
	}
	for kind, raw := range map[string]json.RawMessage{"input": d.RawInputSchema, "output": d.RawOutputSchema} {
		var s map[string]any
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatalf("%s %s: %v", d.Name, kind, err)
		}
		if s["type"] != "object" {
			t.Errorf("%s %s: root %v", d.Name, kind, s["type"])
		}
		portable(t, d.Name+" "+kind, s)
	}
}

// ordered holds the properties of a tool's input in the order that agents read
// best: where, what must be given, the rest.
func ordered(t *testing.T, d mcp.Tool) {
	t.Helper()
	var s struct {
		Properties json.RawMessage
		Required   []string
	}
	must(t, json.Unmarshal(d.RawInputSchema, &s))
	dec := json.NewDecoder(bytes.NewReader(s.Properties))
	var names []string
	for depth := 0; dec.More() || depth > 1; {
		token, err := dec.Token()
		must(t, err)
		switch name, text := token.(string); {
		case token == json.Delim('{') || token == json.Delim('['):
			depth++
		case token == json.Delim('}') || token == json.Delim(']'):
			depth--
		case text && depth == 1:
			names = append(names, name)
		}
	}
	rank := func(name string) int {
		switch {
		case name == "vendor":
			return 0
		case name == "knowledge_base_id":
			return 1
		case slices.Contains(s.Required, name):
			return 2
		}
		return 3
	}
	if len(names) == 0 && d.Name != "list_vendors" || !slices.IsSortedFunc(names, func(a, b string) int { return rank(a) - rank(b) }) {
		t.Errorf("%s: properties %v, required %v", d.Name, names, s.Required)
	}
}

// portable walks a schema for what some host cannot read.
func portable(t *testing.T, at string, v any) {
	t.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	for _, word := range []string{"anyOf", "oneOf", "allOf", "not", "$ref", "nullable", "const", "additionalProperties"} {
		if _, ok := m[word]; ok {
			t.Errorf("%s: %s", at, word)
		}
	}
	if m["type"] == "array" && m["items"] == nil {
		t.Errorf("%s: an array without items", at)
	}
	if _, list := m["type"].([]any); list {
		t.Errorf("%s: a union of types", at)
	}
	if props, ok := m["properties"].(map[string]any); ok {
		for name, p := range props {
			portable(t, at+"."+name, p)
		}
	}
	portable(t, at+"[]", m["items"])
}

func TestResultsStayUnderTheirSize(t *testing.T) {
	f := &fake{}
	for i := range 300 {
		d := full(fmt.Sprintf("doc-%04d", i))
		d.Metadata = map[string]any{"text": strings.Repeat("长", i*3)}
		f.docs = append(f.docs, d)
	}
	f.docs[150].Metadata = map[string]any{"text": strings.Repeat("x", 30_000)}
	s := newSet(f, "dify")
	seen := map[string]int{}
	for cursor, calls := "", 0; ; calls++ {
		a, _ := s.Call(t.Context(), "list_documents", json.RawMessage(fmt.Sprintf(`{"knowledge_base_id":"kb","limit":100,"cursor":%q}`, cursor)))
		var out struct {
			Documents []struct {
				ID string `json:"document_id"`
			}
			Next string `json:"next_cursor"`
		}
		if err := json.Unmarshal(a.Text, &out); err != nil || a.Failed || utf8.RuneCount(a.Text) > 20_000 || calls > 300 {
			t.Fatalf("%d characters after %d calls, %v, %s", utf8.RuneCount(a.Text), calls, err, a.Text[:200])
		}
		for _, d := range out.Documents {
			seen[d.ID]++
		}
		if cursor = out.Next; cursor == "" {
			break
		}
	}
	for _, d := range f.docs {
		if seen[d.DocumentID] != 1 {
			t.Errorf("%s came %d times", d.DocumentID, seen[d.DocumentID])
		}
	}
	f.docs = f.docs[150:]
	a, _ := s.Call(t.Context(), "get_document_info", json.RawMessage(`{"knowledge_base_id":"kb","document_id":"x"}`))
	if a.Failed || len(a.Text) > 2000 || !bytes.Contains(a.Text, []byte(`"truncated":true`)) {
		t.Errorf("%d bytes: %.300s", len(a.Text), a.Text)
	}
}

func TestAPageOfTwentyIsSmall(t *testing.T) {
	f := &fake{}
	for i := range 20 {
		d := full(fmt.Sprintf("74463124762081425%02d", i))
		d.Status, d.Metadata, d.SourceURL = vendors.Completed, nil, ""
		d.Warnings, d.Kind, d.ChunkCount, d.UpdatedAt = nil, "", nil, time.Time{} // as Dify's rows, which say the most
		d.Archived = new(bool)                                                    // served to searches, as nearly all are
		f.docs = append(f.docs, d)
	}
	a, _ := newSet(f, "coze").Call(t.Context(), "list_documents", json.RawMessage(`{"knowledge_base_id":"7446312476208142546"}`))
	if n := utf8.RuneCount(a.Text); n > 8_000 {
		t.Errorf("%d characters", n)
	}
}

func TestFailuresAreResults(t *testing.T) {
	tests := []struct {
		name string
		fake fake
		tool string
		args string
		want string
	}{
		{"a driver's error", fake{err: &vendors.Error{Kind: vendors.ErrNotFound, Message: "No SECRET such knowledge base.", VendorCode: "4200", HTTPStatus: 200, RequestID: "log1"}},
			"list_documents", `{"knowledge_base_id":"kb"}`,
			`{"error":{"kind":"not_found","message":"No [redacted] such knowledge base.","hint":"Take the id from list_knowledge_bases or list_documents.","vendor":"dify","vendor_code":"4200","http_status":200,"request_id":"log1","retryable":false}}`},
		{"an unclassified error", fake{err: errors.New("SECRET details")}, "list_documents", `{"knowledge_base_id":"kb"}`,
			`{"error":{"kind":"internal","message":"kb-mcp could not do this because of a fault of its own.","hint":"Report this with the time of the call; the server's log has the details.","vendor":"dify","retryable":false}}`},
		{"a panic", fake{panic: true}, "get_document_info", `{"knowledge_base_id":"kb","document_id":"d"}`,
			`{"error":{"kind":"internal","message":"kb-mcp failed while it worked on this call.","hint":"Report this with the time of the call; the server's log has the details.","retryable":false}}`},
		{"arguments that are a list", fake{}, "list_vendors", `[1]`,
			`{"error":{"kind":"invalid_argument","message":"The arguments are not a JSON object.","hint":"Pass an object such as {\"vendor\": \"dify\"}.","retryable":false}}`},
		{"an unknown connection", fake{}, "list_documents", `{"vendor":"difi","knowledge_base_id":"kb"}`,
			"{\"error\":{\"kind\":\"invalid_argument\",\"message\":\"`vendor` is \\\"difi\\\", which is not a connection of this server.\",\"hint\":\"Did you mean \\\"dify\\\"? `vendor` must be one of: dify.\",\"retryable\":false}}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := newSet(&tt.fake, "dify").Call(t.Context(), tt.tool, json.RawMessage(tt.args))
			if !a.Failed || string(a.Text) != tt.want {
				t.Errorf("got  %s\nwant %s", a.Text, tt.want)
			}
			if r := toResult(a); !r.IsError || r.StructuredContent != nil || len(r.Content) != 1 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestVendorMayBeLeftOutWhenThereIsOne(t *testing.T) {
	f := &fake{docs: []vendors.Document{full("a")}}
	if a, _ := newSet(f, "dify").Call(t.Context(), "list_documents", json.RawMessage(`{"knowledge_base_id":"kb"}`)); a.Failed {
		t.Errorf("%s", a.Text)
	}
	a, _ := newSet(f, "dify", "staging").Call(t.Context(), "list_documents", json.RawMessage(`{"knowledge_base_id":"kb"}`))
	if !a.Failed || !bytes.Contains(a.Text, []byte("dify, staging")) {
		t.Errorf("%s", a.Text)
	}
	if a, _ := newSet(f, "dify", "staging").Call(t.Context(), "list_documents", json.RawMessage(`{"vendor":"staging","knowledge_base_id":"kb"}`)); !bytes.Contains(a.Text, []byte(`"vendor":"staging"`)) {
		t.Errorf("%s", a.Text)
	}
}

func TestACallEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a, _ := newSet(&fake{hang: true}, "dify").Call(t.Context(), "list_documents", json.RawMessage(`{"knowledge_base_id":"kb"}`))
		if took := time.Since(began); took > 55*time.Second || !a.Failed || !bytes.Contains(a.Text, []byte(`"timeout"`)) {
			t.Errorf("after %s: %s", took, a.Text)
		}
	})
}

func BenchmarkListDocuments(b *testing.B) {
	f := &fake{}
	for i := range 20 {
		f.docs = append(f.docs, full(fmt.Sprint(i)))
	}
	s := newSet(f, "dify")
	b.ReportAllocs()
	for b.Loop() {
		if a, _ := s.Call(context.Background(), "list_documents", json.RawMessage(`{"knowledge_base_id":"kb"}`)); a.Failed {
			b.Fatal(string(a.Text))
		}
	}
}

// TestCapabilities: a tool is offered where the driver has what it needs and does
// not advise against it.
func TestCapabilities(t *testing.T) {
	all := New(nil, Options{AllowWrites: true}).Names()[1:] // list_vendors asks no connection
	if got := Capabilities(connection.New("v", "p", &depot{})); !slices.Equal(got, all) {
		t.Errorf("a driver with every method: %v", got)
	}
	least := strings.Fields("list_documents get_document_info get_ingestion_progress wait_for_ingestion find_unfinished_documents")
	got := Capabilities(connection.New("v", "p", bare{&depot{}}))
	for _, it := range (&Set{}).all() {
		asked := it.needs != nil && it.needs(connection.New("v", "p", bare{nil}))
		if slices.Contains(got, it.name) != asked || slices.Contains(least, it.name) && !asked || it.effect != reads && asked {
			t.Errorf("a driver with no more than it must have: %v, and %s: %v", got, it.name, asked)
		}
	}
	for _, name := range all {
		if got := Capabilities(connection.New("v", "p", advising{&depot{}, name})); slices.Contains(got, name) || len(got) != len(all)-1 {
			t.Errorf("%s is still among %v", name, got)
		}
	}
}

// TestToolsThatAreNotOffered are in no list and no capabilities, and schemas do
// not refer to them.
func TestToolsThatAreNotOffered(t *testing.T) {
	offered := []string{"list_vendors", "list_documents"}
	s := New([]*connection.Connection{connection.New("v", "p", &depot{})}, Options{Clean: strings.Clone, Log: discard, AllowWrites: true,
		Offered: func(name string) bool { return slices.Contains(offered, name) }})
	if !slices.Equal(s.Names(), offered) {
		t.Errorf("%v", s.Names())
	}
	a, _ := s.Call(t.Context(), "list_vendors", nil)
	if want := `{"vendors":[{"vendor":"v","platform":"p","capabilities":["list_documents"]}]}`; string(a.Text) != want {
		t.Errorf("%s", a.Text)
	}
	for _, d := range s.Definitions() {
		if bytes.Contains(d.RawOutputSchema, []byte("as in")) {
			t.Errorf("%s", d.RawOutputSchema)
		}
	}
	if text := s.Unknown("find_documents"); !strings.Contains(text, "KB_MCP_TOOLS") {
		t.Error(text)
	}
}

// bare is a driver without anything beyond reading.
type bare struct{ vendors.Driver }

// advising is a driver that advises against one tool.
type advising struct {
	*depot
	against string
}

func (a advising) Instead() map[string]string {
	return map[string]string{a.against: "Do something else."}
}

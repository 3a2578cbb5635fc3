// Package vendortest is the acceptance suite of drivers. [Run] plays every
// golden case of a folder against a driver and checks the exchange, the answer
// and the invariants of every answer; [Fuzz] feeds it other bodies. A case is
// one JSON file, and says where its answer comes from.
//
// KB_UPDATE=1 go test ./... rewrites the `want` of the cases, and nothing else.
package vendortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/rest"
)

// Open makes the driver under test. env holds the case's settings by variable
// name, nil for the usual ones; the credential is the literal SECRET.
type Open func(t testing.TB, env map[string]string, conn rest.Conn) vendors.Driver

// Case is one file of testdata/<platform>/<operation>, a folder with the name of
// the call's op. A case's name is that of its file, and a platform has it once.
type Case struct {
	Why    string            `json:"why"`
	Origin string            `json:"origin"` // documented, recorded or synthetic
	Source string            `json:"source"`
	Config map[string]string `json:"config,omitempty"`
	Call   Call              `json:"call"`
	HTTP   []Exchange        `json:"http"`
	Want   json.RawMessage   `json:"want"`
}

// Call is the call of a tool.
type Call struct {
	Op   string `json:"op"`
	Args Args   `json:"args"`
}

// Args are the tools' arguments.
type Args struct {
	KnowledgeBaseID string         `json:"knowledge_base_id,omitempty"`
	DocumentID      string         `json:"document_id,omitempty"`
	DocumentIDs     []string       `json:"document_ids,omitempty"`
	BatchID         string         `json:"batch_id,omitempty"`
	Status          vendors.Status `json:"status,omitempty"`
	NameContains    string         `json:"name_contains,omitempty"`
	Limit           int            `json:"limit,omitempty"`
	Query           string         `json:"query,omitempty"`
	Name            *string        `json:"name,omitempty"`
	Description     *string        `json:"description,omitempty"`
	Text            string         `json:"text,omitempty"`
	URL             string         `json:"url,omitempty"`
	File            string         `json:"file,omitempty"` // the content of a file to upload
	Enabled         *bool          `json:"enabled,omitempty"`
	Metadata        map[string]any `json:"metadata,omitempty"`
}

// required are the cases that every driver must show or explain in skip.json.
var required = strings.Fields(`kbs kbs_empty list list_empty list_last_page list_filter_status list_filter_name
	get get_not_found progress_queued progress_processing progress_completed progress_failed progress_not_found
	progress_unknown_status progress_whole err_unauthenticated err_permission_denied err_not_found err_rate_limited
	err_quota_exhausted err_vendor_error err_unavailable err_not_json err_cut_short err_empty_body err_too_large
	err_timeout err_redirect odd_types nulls`)

// Run plays all cases of dir, and fails when a required one is missing.
func Run(t *testing.T, dir string, open Open) {
	files := cases(t, dir)
	skip := map[string]string{}
	if b, err := os.ReadFile(filepath.Join(dir, "skip.json")); err == nil {
		if err := json.Unmarshal(b, &skip); err != nil {
			t.Fatalf("skip.json: %v", err)
		}
	}
	for _, name := range required {
		if _, ok := files[name]; !ok && skip[name] == "" {
			t.Errorf("case %s.json is missing in %s, and skip.json does not say why", name, dir)
		}
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) { play(t, files[name], open) })
	}
}

// cases maps case names to files.
func cases(t testing.TB, dir string) map[string]string {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	stray, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(stray) > 1 {
		t.Errorf("only skip.json stands beside the folders of operations: %q", stray)
	}
	files := map[string]string{}
	for _, p := range paths {
		name := strings.TrimSuffix(filepath.Base(p), ".json")
		if files[name] != "" {
			t.Errorf("two cases have one name: %s and %s", files[name], p)
		}
		files[name] = p
	}
	return files
}

// load reads a case strictly: a misspelt key would be an assertion that never
// runs.
func load(t testing.TB, path string) (Case, []byte) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c Case
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	switch {
	case c.Why == "" || c.Source == "":
		t.Fatalf("%s: why and source are mandatory", path)
	case c.Call.Op != filepath.Base(filepath.Dir(path)):
		t.Fatalf("%s is a case of %s", path, c.Call.Op)
	case c.Origin != "documented" && c.Origin != "recorded" && c.Origin != "synthetic":
		t.Fatalf("%s: origin %q", path, c.Origin)
	}
	return c, b
}

// play runs one case twice, with a new driver each time: the same exchange must
// give the same bytes.
func play(t *testing.T, path string, open Open) {
	c, raw := load(t, path)
	var got, again []byte
	synctest.Test(t, func(t *testing.T) { got = answer(t, c, open) })
	synctest.Test(t, func(t *testing.T) { again = answer(t, c, open) })
	if !bytes.Equal(got, again) {
		t.Errorf("two answers differ:\n%s\n%s", got, again)
	}
	if os.Getenv("KB_UPDATE") != "" {
		update(t, path, raw, got)
		return
	}
	if len(c.Want) == 0 {
		t.Fatalf("%s has no want; run with KB_UPDATE=1 and read what it writes\ngot %s", path, got)
	}
	if d := cmp.Diff(decode(t, c.Want), decode(t, got)); d != "" {
		t.Errorf("answer (-want +got):\n%s", d)
	}
}

// answer makes the call and returns its normalized answer.
func answer(t *testing.T, c Case, open Open) []byte {
	ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
	defer cancel()
	p := &player{t: t, exchanges: c.HTTP}
	conn := rest.Conn{
		Transport: p, Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{}, MaxBody: maxBody,
		Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
	}
	v := connection.New("conn", "the platform", open(t, c.Config, conn))
	result, err := Do(ctx, v, c.Call)
	p.finish()
	if err != nil {
		return failed(t, c.Call.Op, err)
	}
	b := encode(t, result)
	Invariants(t, b)
	return b
}

// failed checks an error and returns its report.
func failed(t testing.TB, op string, err error) []byte {
	b := classified(t, op, err)
	noSecret(t, b)
	noSecret(t, []byte(err.Error()))
	return b
}

// classified checks the form of an error and returns its report.
func classified(t testing.TB, op string, err error) []byte {
	var e *vendors.Error
	if !errors.As(err, &e) {
		t.Fatalf("not a *vendors.Error: %v", err)
	}
	r := vendors.ReportOf(err)
	if writes(op) {
		r = vendors.WriteReportOf(err)
	}
	if r.Kind == vendors.Internal {
		t.Errorf("an error of kind internal: %v (%v)", err, errors.Unwrap(err))
	}
	if r.Message == "" || r.Hint == "" {
		t.Errorf("an error without message or hint: %+v", r)
	}
	b := encode(t, map[string]any{"error": r})
	if len(b) > 2048 {
		t.Errorf("the error's text has %d bytes", len(b))
	}
	return b
}

// update rewrites the want of a case file, keeping everything before it.
func update(t testing.TB, path string, raw, got []byte) {
	raw = formatted(t, path, raw)
	head, _, ok := bytes.Cut(raw, []byte("\n  \"want\":"))
	if !ok {
		head = bytes.TrimRight(bytes.TrimSpace(raw), "}")
	}
	head = bytes.TrimRight(head, " \n,")
	whole := slices.Concat(head, []byte(",\"want\":"), got, []byte("}"))
	if err := os.WriteFile(path, formatted(t, path, whole), 0o644); err != nil {
		t.Fatal(err)
	}
}

// formatted is the text of a JSON file, indented.
func formatted(t testing.TB, path string, text []byte) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(text), "", "  "); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return append(b.Bytes(), '\n')
}

func encode(t testing.TB, v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(b.Bytes()))
	dec.UseNumber()
	if err := dec.Decode(&m); err == nil {
		if c, ok := m["next_cursor"].(string); ok { // opaque
			return bytes.ReplaceAll(bytes.TrimSpace(b.Bytes()), []byte(`"`+c+`"`), []byte(`"<cursor>"`))
		}
	}
	return bytes.TrimSpace(b.Bytes())
}

// decode keeps every digit.
func decode(t testing.TB, b []byte) any {
	var v any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

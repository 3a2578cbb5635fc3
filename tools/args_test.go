package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/vendors"
)

// argsCase is one file of testdata/tools/args.
type argsCase struct {
	Why  string          `json:"why"`
	Tool string          `json:"tool"`
	Args json.RawMessage `json:"args"`
	// Want is the decoded struct's fields by argument name; or the error.
	Want  map[string]any `json:"want,omitempty"`
	Error string         `json:"error,omitempty"`
	Hint  string         `json:"hint,omitempty"`
}

// decodeFor decodes arguments for a tool into its struct.
func decodeFor(tool string, args map[string]json.RawMessage) (any, error) {
	switch tool {
	case "list_vendors":
		return decodeInto[listVendorsArgs](args)
	case "list_knowledge_bases":
		return decodeInto[listKnowledgeBasesArgs](args)
	case "list_documents":
		return decodeInto[listDocumentsArgs](args)
	case "get_document_info":
		return decodeInto[getDocumentInfoArgs](args)
	case "wait_for_ingestion":
		return decodeInto[waitForIngestionArgs](args)
	case "search_knowledge_base":
		return decodeInto[searchKnowledgeBaseArgs](args)
	case "create_knowledge_base":
		return decodeInto[createKnowledgeBaseArgs](args)
	case "update_knowledge_base":
		return decodeInto[updateKnowledgeBaseArgs](args)
	case "update_document":
		return decodeInto[updateDocumentArgs](args)
	case "delete_documents":
		return decodeInto[documentsArgs](args)
	}
	return decodeInto[getIngestionProgressArgs](args)
}

func decodeInto[A any](args map[string]json.RawMessage) (any, error) {
	var a A
	params := paramsOf[A]()
	return a, mistakes(params, decodeArgs(params, args, &a))
}

// byName shows a decoded struct by argument names, without zero values.
func byName(t *testing.T, v any) map[string]any {
	out := map[string]any{}
	rv := reflect.ValueOf(v)
	for i := range rv.NumField() {
		if !rv.Field(i).IsZero() {
			out[rv.Type().Field(i).Tag.Get("arg")] = rv.Field(i).Interface()
		}
	}
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// update rewrites what a case wants, if it is something else now.
func update(t *testing.T, file string, c argsCase, got any, err error) {
	t.Helper()
	now := argsCase{Why: c.Why, Tool: c.Tool, Args: c.Args}
	var e *vendors.Error
	if errors.As(err, &e) {
		now.Error, now.Hint = e.Message, e.Hint
	} else {
		now.Want = byName(t, got)
	}
	if cmp.Equal(now, c) {
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	must(t, enc.Encode(now), os.WriteFile(file, b.Bytes(), 0o644))
}

func TestArguments(t *testing.T) {
	files, err := filepath.Glob("../testdata/tools/args/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c argsCase
			if err := json.Unmarshal(b, &c); err != nil || c.Why == "" {
				t.Fatalf("%v, why %q", err, c.Why)
			}
			var m map[string]json.RawMessage
			if err := json.Unmarshal(c.Args, &m); err != nil {
				t.Fatal(err)
			}
			got, err := decodeFor(c.Tool, m)
			if os.Getenv("KB_UPDATE") != "" {
				update(t, file, c, got, err)
				return
			}
			if c.Error == "" {
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(c.Want, byName(t, got)); d != "" {
					t.Error(d)
				}
				return
			}
			var e *vendors.Error
			if !errors.As(err, &e) || e.Kind != vendors.InvalidArgument {
				t.Fatalf("%v", err)
			}
			if e.Message != c.Error || e.Hint != c.Hint {
				t.Errorf("message %q\nwant    %q\nhint %q\nwant %q", e.Message, c.Error, e.Hint, c.Hint)
			}
		})
	}
}

func FuzzArguments(f *testing.F) {
	f.Add("list_documents", []byte(`{"vendor":"v","knowledge_base_id":"7446670805219090001","limit":"20","status":null}`))
	f.Add("get_ingestion_progress", []byte(`{"knowledge_base_id":"k","document_ids":["a",null,3]}`))
	f.Add("update_document", []byte(`{"knowledge_base_id":"k","document_id":"d","enabled":false,"name":"","metadata":{"a":[1e400,null]}}`))
	f.Add("list_documents", []byte(`{"LIMIT":1e400,"limit":-0.0,"\u0000":1}`))
	f.Fuzz(func(t *testing.T, tool string, args []byte) {
		var m map[string]json.RawMessage
		if json.Unmarshal(args, &m) != nil {
			return
		}
		got, err := decodeFor(tool, m)
		if err == nil {
			limit := reflect.ValueOf(got).FieldByName("Limit")
			if limit.IsValid() && (limit.Int() < 1 || limit.Int() > 100) {
				t.Errorf("limit %d from %s", limit.Int(), args)
			}
			return
		}
		var e *vendors.Error
		if !errors.As(err, &e) || e.Kind != vendors.InvalidArgument || e.Message == "" || e.Hint == "" {
			t.Errorf("%#v from %s", err, args)
		}
		if b, err := marshal(vendors.ReportOf(err)); err != nil || len(b) > 2000 {
			t.Errorf("%d bytes of error, %v", len(b), err)
		}
	})
}

func BenchmarkDecodeArgs(b *testing.B) {
	args := map[string]json.RawMessage{
		"vendor": json.RawMessage(`"dify"`), "knowledge_base_id": json.RawMessage(`"426b81d0-3121-45a3-aeba-2340453846f5"`),
		"limit": json.RawMessage(`20`), "status": json.RawMessage(`"failed"`),
	}
	params := paramsOf[listDocumentsArgs]()
	b.ReportAllocs()
	for b.Loop() {
		var a listDocumentsArgs
		if wrong := decodeArgs(params, args, &a); wrong != nil {
			b.Fatal(wrong)
		}
	}
}

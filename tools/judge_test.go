package tools

import (
	"encoding/json"
	"strings"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/coze"
	"kb-mcp/vendors/dify"
	"kb-mcp/vendors/ragflow"
	"kb-mcp/vendors/volcengine"
)

// everywhere is a set with a connection on each platform, and one more.
func everywhere() *Set {
	var forms []vendors.IDForm
	for _, c := range []interface{ IDs() vendors.IDForm }{coze.Config{}, dify.Config{}, ragflow.Config{}, volcengine.Config{}} {
		forms = append(forms, c.IDs())
	}
	var list []*connection.Connection
	for _, f := range forms {
		list = append(list, connection.New(f.Platform, f.Platform, &depot{}).Recognize(f, forms))
	}
	list = append(list, connection.New("staging", "dify", &depot{}).Recognize(dify.Config{}.IDs(), forms))
	return New(list, Options{Clean: strings.Clone, Log: discard, AllowWrites: true})
}

// TestAllProblemsAtOnce: whoever corrects what one answer names succeeds.
func TestAllProblemsAtOnce(t *testing.T) {
	for _, tt := range []struct {
		tool, args string
		want       []string // in the message
		hint       []string
	}{
		{"list_documents", `{}`, []string{"`vendor` is missing", "`knowledge_base_id` is missing"}, []string{"coze, dify, ragflow, volcengine, staging", "list_knowledge_bases"}},
		{"list_documents", `{"vendor":"Dify","limit":0}`, []string{"`vendor` is \"Dify\"", "`knowledge_base_id` is missing", "`limit` is 0"}, []string{`Did you mean "dify"?`, "1 to 100"}},
		{"list_documents", `{"platform":"dify","kb_id":"x"}`, []string{"`vendor` is missing", "`knowledge_base_id` is missing", "`kb_id`", "`platform`"}, []string{"`vendor` by `platform`", "`knowledge_base_id` by `kb_id`"}},
		{"upload_document", `{"vendor":"nowhere","text":"a","url":"ftp://x"}`,
			[]string{"`vendor` is \"nowhere\"", "`knowledge_base_id` is missing", "2 of `text`", "`name` is missing", "`url` is not"}, []string{"exactly one"}},
		{"create_knowledge_base", `{"name":" ","x":1}`, []string{"`vendor` is missing", "`name` holds only spaces", "`x` is not"}, nil},
		{"find_unfinished_documents", `{"knowledge_base_id":"k","limit":"many"}`, []string{"`vendor` is missing", "`limit` is \"many\""}, nil},
		{"get_ingestion_progress", `{"vendor":"dify","knowledge_base_id":"k","document_ids":["a"],"batch_id":"b","limit":1}`,
			[]string{"`document_ids` and `batch_id` were both given", "`limit` is not an argument"}, nil},
		{"wait_for_ingestion", `{"vendor":"dify","knowledge_base_id":"k","batch_id":"b","cursor":"c","timeout_seconds":99}`, []string{"`timeout_seconds` is 99"}, nil},
	} {
		a, _ := everywhere().Call(t.Context(), tt.tool, json.RawMessage(tt.args))
		var e struct{ Error vendors.ErrorReport }
		must(t, json.Unmarshal(a.Text, &e))
		if e.Error.Kind != vendors.InvalidArgument {
			t.Errorf("%s %s: %s", tt.tool, tt.args, a.Text)
		}
		for _, want := range tt.want {
			if !strings.Contains(e.Error.Message, want) {
				t.Errorf("%s %s: %q is not in %s", tt.tool, tt.args, want, e.Error.Message)
			}
		}
		for _, want := range tt.hint {
			if !strings.Contains(e.Error.Hint, want) {
				t.Errorf("%s %s: %q is not in %s", tt.tool, tt.args, want, e.Error.Hint)
			}
		}
	}
}

// TestIdsOfAnotherPlatform are called that, and reach no platform.
func TestIdsOfAnotherPlatform(t *testing.T) {
	ids := map[string]string{
		"coze": "7446312476208142546", "dify": "426b81d0-3121-45a3-aeba-2340453846f5",
		"ragflow": "2a47c6bee61611f1a05202fc00000001", "volcengine": "kb-b39e0a0ed54cb94e",
	}
	names := map[string]string{"coze": "Coze", "dify": "Dify", "ragflow": "RAGFlow", "volcengine": "Volcengine"}
	s := everywhere()
	for vendor := range ids {
		for platform, id := range ids {
			args, err := json.Marshal(map[string]any{"vendor": vendor, "knowledge_base_id": id, "document_ids": []string{id}})
			must(t, err)
			a, _ := s.Call(t.Context(), "delete_documents", args)
			said := strings.Count(string(a.Text), "which is an id of "+names[platform])
			want := 2 // the knowledge base's and the document's
			if vendor == "volcengine" {
				want = 1 // a document's id may be anything there
			}
			switch {
			case vendor == platform:
				if a.Failed {
					t.Errorf("%s: %s", vendor, a.Text)
				}
			case said != want && !(vendor == "volcengine" && platform == "ragflow"), kindOf(t, a) != vendors.InvalidArgument:
				t.Errorf("%s with an id of %s: %s", vendor, platform, a.Text)
			case !strings.Contains(string(a.Text), "Pass `vendor` \\\""+platform+"\\\""):
				t.Errorf("no way on: %s", a.Text)
			}
		}
	}
}

package dify_test

import (
	"fmt"
	"strings"
	"testing"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/dify"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

// What 1.12.1 and 1.8.1 answer to the same request (Dify, self-hosted).
func TestDifyVersions(t *testing.T) {
	none := "00000000-0000-4000-8000-000000000000"
	desks := map[string]*sandboxtest.Desk{}
	for _, version := range []string{"1.12.1", "1.8.1"} {
		desks[version] = sandboxtest.NewDesk(t, sandbox.Options{Dify: dify.Options{Version: version}})
	}
	any := desks["1.8.1"].S
	wiki, kb := "/datasets/"+any.KnowledgeBaseID(world.Dify, "Engineering Wiki"), "/datasets/"+any.KnowledgeBaseID(world.Dify, "产品手册")
	empty, doc := "/datasets/"+any.KnowledgeBaseID(world.Dify, "Empty shelf"), any.DocumentID(world.Dify, "退款政策.pdf")
	text := `{"name":"a","text":"b","indexing_technique":"economy"}`
	for _, tt := range []struct {
		method, path, body, auth string
		new, old                 int
		newCode, oldCode         string
	}{
		{"GET", "/datasets/" + none, "", "Bearer dataset-wrong", 404, 401, "not_found", "unauthorized"},
		{"POST", "/datasets/" + none + "/document/create-by-text", text, "", 404, 400, "not_found", "invalid_param"},
		{"DELETE", "/datasets/" + none + "/documents/" + doc, "", "", 404, 400, "not_found", "invalid_param"},
		{"POST", empty + "/document/create-by-text", `{"name":"a","text":"b"}`, "", 500, 400, "unknown", "invalid_param"},
		{"POST", wiki + "/document/create-by-text", text, "", 200, 500, "", "unknown"},
		{"POST", wiki + "/document/create-by-text", `{"name":"a","text":"b"}`, "", 400, 400, "invalid_param", "invalid_param"},
		{"POST", "/datasets", `{"name":""}`, "", 400, 400, "invalid_param", ""},
		{"POST", "/datasets", `{"name":"x","description":null}`, "", 400, 400, "invalid_param", ""},
		{"GET", "/datasets?limit=abc", "", "", 400, 200, "invalid_param", ""},
		{"GET", "/datasets?limit=", "", "", 400, 200, "invalid_param", ""},
		{"GET", "/datasets?include_all=maybe", "", "", 400, 200, "invalid_param", ""},
		{"GET", "/datasets?tag_ids=x", "", "", 400, 500, "invalid_param", "unknown"},
		{"GET", "/datasets?page=99999999999999999999", "", "", 500, 200, "unknown", ""},
		{"GET", kb + "/documents/" + doc + "/segments?limit=abc", "", "", 200, 200, "", ""},
		{"POST", kb + "/retrieve", `{"query":""}`, "", 400, 400, "invalid_param", "invalid_param"},
		{"POST", kb + "/retrieve", `{"query":"x","retrieval_model":{"top_k":2}}`, "", 500, 500, "internal_server_error", "internal_server_error"},
		{"PATCH", kb + "/documents/status/disable", `{"document_ids":"x"}`, "", 500, 500, "unknown", "unknown"},
		{"POST", wiki + "/retrieve", `{"query":"dashboard","retrieval_model":{"search_method":"semantic_search","reranking_enable":false,"top_k":2,"score_threshold_enabled":false}}`, "", 200, 200, "", ""},
		{"GET", kb + "/documents/" + doc + "/download", "", "", 404, 404, "", ""},
		{"DELETE", kb + "/documents/" + doc, "", "", 200, 200, "", ""},
	} {
		for version, d := range desks {
			want, code := tt.new, tt.newCode
			if version == "1.8.1" {
				want, code = tt.old, tt.oldCode
			}
			auth := difyAuth
			if tt.auth != "" {
				auth = "Authorization: " + tt.auth
			}
			r := d.Send(tt.method, "/dify/v1"+tt.path, tt.body, auth, "Content-Type: application/json")
			got := ""
			if strings.Contains(r.Text, `"code":`) {
				got = fmt.Sprint(r.At("code"))
			}
			if r.Status != want || got != code && want >= 400 {
				t.Errorf("%s: %s %s %s = %d %.200s, want %d %s", version, tt.method, tt.path, tt.body, r.Status, r.Text, want, code)
			}
		}
	}
}

// What does not work behind the server.
func TestDifyTroubles(t *testing.T) {
	const hq, eco = "产品手册", "Engineering Wiki"
	for _, tt := range []struct {
		name                         string
		o                            dify.Options
		kb                           string
		read, search, chunks, upload int
	}{
		{"nothing", dify.Options{}, hq, 200, 200, 200, 200},
		{"the daemon", dify.Options{DaemonDown: true}, hq, 400, 400, 400, 200},
		{"the daemon, without need of it", dify.Options{DaemonDown: true}, eco, 400, 400, 200, 200},
		{"the model's limit", dify.Options{Model: "Rate limit reached, 429 Too Many Requests"}, hq, 200, 400, 200, 200},
		{"the model is gone", dify.Options{Model: "Provider langgenius/openai/openai does not exist."}, hq, 200, 400, 400, 200},
		{"no default model", dify.Options{NoDefaultModel: true}, eco, 200, 400, 200, 200},
		{"the plan", dify.Options{Plan: "The capacity of the vector space has reached the limit of your subscription."}, eco, 200, 200, 200, 403},
	} {
		d := sandboxtest.NewDesk(t, sandbox.Options{Dify: tt.o})
		id := d.S.KnowledgeBaseID(world.Dify, tt.kb)
		kb := "/datasets/" + id
		doc := d.S.Store(world.Dify).Documents(id).At(0).ID
		for what, got := range map[string][2]int{
			"read":   {get(d, kb).Status, tt.read},
			"search": {do(d, "POST", kb+"/retrieve", `{"query":"x"}`).Status, tt.search},
			"chunks": {get(d, kb+"/documents/"+doc+"/segments").Status, tt.chunks},
			"upload": {do(d, "POST", kb+"/document/create-by-text", `{"name":"n","text":"x","indexing_technique":"economy"}`).Status, tt.upload},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: %s = %d, want %d", tt.name, what, got[0], got[1])
			}
		}
	}
}

// A knowledge base keeps its rule when it is empty, but not its form.
func TestDifyRules(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := "/datasets/" + do(d, "POST", "/datasets", `{"name":"ruled"}`).At("id").(string)
	upload := func(body string) string {
		t.Helper()
		r := do(d, "POST", kb+"/document/create-by-text", body)
		if r.Status != 200 {
			t.Fatalf("%s = %d %s", body, r.Status, r.Text)
		}
		return kb + "/documents/" + r.At("document", "id").(string)
	}
	first := upload(`{"name":"a","text":"a","indexing_technique":"economy","process_rule":{"mode":"custom","rules":{"segmentation":{"separator":"###"}}}}`)
	if r := do(d, "DELETE", first, ""); r.Status != 204 {
		t.Fatalf("delete = %d", r.Status)
	}
	if r := get(d, kb); r.At("doc_form") != nil || r.At("indexing_technique") != "economy" {
		t.Errorf("emptied: %s", r.Text)
	}
	second := upload(`{"name":"b","text":"b","indexing_technique":"economy"}`)
	if r := get(d, second); r.At("dataset_process_rule", "mode") != "custom" || r.At("document_process_rule", "mode") != "custom" {
		t.Errorf("the rule of the second: %s", r.Text)
	}
}

func TestDifyOriginalDocument(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "产品手册")
	doc := d.S.DocumentID(world.Dify, "退款政策.pdf")
	busy := d.S.DocumentID(world.Dify, "新品发布会🚀.pdf")
	body := `{"name":"new name","text":"new words","indexing_technique":"high_quality","original_document_id":"%s"}`
	if r := do(d, "POST", kb+"/document/create_by_text", fmt.Sprintf(body, doc)); r.Status != 200 || r.At("document", "id") != doc || r.At("document", "name") != "new name" {
		t.Errorf("%d %s", r.Status, r.Text)
	}
	if r := do(d, "POST", kb+"/document/create_by_text", fmt.Sprintf(body, busy)); r.Status != 400 || r.At("message") != "Document is not available" {
		t.Errorf("%d %s", r.Status, r.Text)
	}
}

func TestDifySegments(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "产品手册")
	segments := kb + "/documents/" + d.S.DocumentID(world.Dify, "退款政策.pdf") + "/segments"
	before := fmt.Sprint(get(d, segments).At("total"))
	added := do(d, "POST", segments, `{"segments":[{"content":"a quagga","keywords":["animal"]}]}`)
	id, _ := added.At("data", 0, "id").(string)
	one := segments + "/" + id
	if r := get(d, one); r.Status != 200 || r.At("data", "content") != "a quagga" || r.At("doc_form") != "text_model" {
		t.Fatalf("one = %d %s", r.Status, r.Text)
	}
	if r := do(d, "POST", one, `{"segment":{"content":"two quaggas","enabled":false}}`); r.At("data", "content") != "two quaggas" || r.At("data", "enabled") != false {
		t.Errorf("update = %d %s", r.Status, r.Text)
	}
	if r := do(d, "POST", kb+"/hit-testing", `{"query":"quaggas"}`); len(r.Rows("records")) != 0 {
		t.Errorf("a chunk that is switched off is found: %s", r.Text)
	}
	child := do(d, "POST", one+"/child_chunks", `{"content":"a part"}`)
	childID, _ := child.At("data", "id").(string)
	if r := get(d, one+"/child_chunks"); fmt.Sprint(r.At("total")) != "1" || r.At("data", 0, "type") != "customized" {
		t.Errorf("child chunks = %s", r.Text)
	}
	if r := do(d, "PATCH", one+"/child_chunks/"+childID, `{"content":"other"}`); r.At("data", "content") != "other" {
		t.Errorf("child = %d %s", r.Status, r.Text)
	}
	for _, path := range []string{one + "/child_chunks/" + childID, one} {
		if r := do(d, "DELETE", path, ""); r.Status != 204 {
			t.Errorf("delete %s = %d %s", path, r.Status, r.Text)
		}
		if r := do(d, "DELETE", path, ""); r.Status != 404 {
			t.Errorf("delete %s again = %d %s", path, r.Status, r.Text)
		}
	}
	if after := fmt.Sprint(get(d, segments).At("total")); after != before {
		t.Errorf("%s chunks, and %s before", after, before)
	}
	if r := do(d, "POST", segments, `{}`); r.Status != 400 || r.At("error") != "Segments is required" {
		t.Errorf("nothing = %d %s", r.Status, r.Text)
	}
	if r := do(d, "POST", kb+"/documents/"+d.S.DocumentID(world.Dify, "新品发布会🚀.pdf")+"/segments", `{"segments":[{"content":"x"}]}`); r.Status != 404 {
		t.Errorf("at work = %d %s", r.Status, r.Text)
	}
}

func TestDifyMetadata(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "Engineering Wiki")
	doc := d.S.Store(world.Dify).Documents(d.S.KnowledgeBaseID(world.Dify, "Engineering Wiki")).At(0).ID
	made := do(d, "POST", kb+"/metadata", `{"type":"number","name":"year"}`)
	field, _ := made.At("id").(string)
	if made.Status != 201 || made.At("type") != "number" {
		t.Fatalf("create = %d %s", made.Status, made.Text)
	}
	if r := do(d, "POST", kb+"/metadata", `{"type":"number","name":"year"}`); r.Status != 400 {
		t.Errorf("twice = %d", r.Status)
	}
	if r := do(d, "POST", kb+"/documents/metadata", `{"operation_data":[{"document_id":"`+doc+`","metadata_list":[{"id":"`+field+`","name":"year","value":2024}]}]}`); r.At("result") != "success" {
		t.Errorf("set = %d %s", r.Status, r.Text)
	}
	do(d, "PATCH", kb+"/metadata/"+field, `{"name":"when"}`)
	if r := get(d, kb+"/documents/"+doc); r.At("doc_metadata", 0, "name") != "when" || fmt.Sprint(r.At("doc_metadata", 0, "value")) != "2024" {
		t.Errorf("document = %s", r.Text)
	}
	if r := do(d, "POST", kb+"/metadata/built-in/enable", ""); r.At("result") != "success" || get(d, kb).At("built_in_field_enabled") != true {
		t.Errorf("built-in = %s", r.Text)
	}
	if r := get(d, kb+"/metadata"); r.At("doc_metadata", 0, "name") != "when" || fmt.Sprint(r.At("doc_metadata", 0, "count")) != "1" {
		t.Errorf("list = %s", r.Text)
	}
	if r := do(d, "DELETE", kb+"/metadata/"+field, ""); r.Status != 204 || strings.Contains(get(d, kb+"/documents/"+doc).Text, "2024") {
		t.Errorf("delete = %d", r.Status)
	}
}

func TestDifyTags(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := d.S.KnowledgeBaseID(world.Dify, "产品手册")
	tag, _ := do(d, "POST", "/datasets/tags", `{"name":"animals"}`).At("id").(string)
	if r := do(d, "POST", "/datasets/tags/binding", `{"tag_ids":["`+tag+`"],"target_id":"`+kb+`"}`); r.Status != 204 {
		t.Fatalf("bind = %d %s", r.Status, r.Text)
	}
	if r := get(d, "/datasets?tag_ids="+tag); len(r.Rows("data")) != 1 || r.At("data", 0, "tags", 0, "name") != "animals" {
		t.Errorf("by tag = %s", r.Text)
	}
	if r := get(d, "/datasets/"+kb+"/tags"); fmt.Sprint(r.At("total")) != "1" {
		t.Errorf("of the base = %s", r.Text)
	}
	do(d, "PATCH", "/datasets/tags", `{"name":"beasts","tag_id":"`+tag+`"}`)
	do(d, "POST", "/datasets/tags/unbinding", `{"tag_id":"`+tag+`","target_id":"`+kb+`"}`)
	if r := get(d, "/datasets/tags"); !strings.Contains(r.Text, `"binding_count":"0"`) || !strings.Contains(r.Text, "beasts") {
		t.Errorf("tags = %s", r.Text)
	}
	if r := do(d, "DELETE", "/datasets/tags", `{"tag_id":"`+tag+`"}`); r.Status != 204 || get(d, "/datasets/tags").Text != "[]\n" {
		t.Errorf("delete = %d", r.Status)
	}
}

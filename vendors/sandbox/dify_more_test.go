package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"kb-mcp/vendors/sandbox/dify"
	"kb-mcp/vendors/sandbox/world"
)

// What 1.12.1 and 1.8.1 answer to the same request (Dify, self-hosted).
func TestDifyVersions(t *testing.T) {
	none := "00000000-0000-4000-8000-000000000000"
	desks := map[string]*desk{}
	for _, version := range []string{"1.12.1", "1.8.1"} {
		desks[version] = newDesk(t, Options{Dify: dify.Options{Version: version}})
	}
	any := desks["1.8.1"].s
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
			r := d.send(tt.method, "/dify/v1"+tt.path, tt.body, auth, "Content-Type: application/json")
			got := ""
			if strings.Contains(r.text, `"code":`) {
				got = fmt.Sprint(r.at("code"))
			}
			if r.status != want || got != code && want >= 400 {
				t.Errorf("%s: %s %s %s = %d %.200s, want %d %s", version, tt.method, tt.path, tt.body, r.status, r.text, want, code)
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
		d := newDesk(t, Options{Dify: tt.o})
		id := d.s.KnowledgeBaseID(world.Dify, tt.kb)
		kb := "/datasets/" + id
		doc := d.s.Store(world.Dify).Documents(id).At(0).ID
		for what, got := range map[string][2]int{
			"read":   {d.dify(kb).status, tt.read},
			"search": {d.difyDo("POST", kb+"/retrieve", `{"query":"x"}`).status, tt.search},
			"chunks": {d.dify(kb + "/documents/" + doc + "/segments").status, tt.chunks},
			"upload": {d.difyDo("POST", kb+"/document/create-by-text", `{"name":"n","text":"x","indexing_technique":"economy"}`).status, tt.upload},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: %s = %d, want %d", tt.name, what, got[0], got[1])
			}
		}
	}
}

// A knowledge base keeps its rule when it is empty, but not its form.
func TestDifyRules(t *testing.T) {
	d := newDesk(t, Options{})
	kb := "/datasets/" + d.difyDo("POST", "/datasets", `{"name":"ruled"}`).at("id").(string)
	upload := func(body string) string {
		t.Helper()
		r := d.difyDo("POST", kb+"/document/create-by-text", body)
		if r.status != 200 {
			t.Fatalf("%s = %d %s", body, r.status, r.text)
		}
		return kb + "/documents/" + r.at("document", "id").(string)
	}
	first := upload(`{"name":"a","text":"a","indexing_technique":"economy","process_rule":{"mode":"custom","rules":{"segmentation":{"separator":"###"}}}}`)
	if r := d.difyDo("DELETE", first, ""); r.status != 204 {
		t.Fatalf("delete = %d", r.status)
	}
	if r := d.dify(kb); r.at("doc_form") != nil || r.at("indexing_technique") != "economy" {
		t.Errorf("emptied: %s", r.text)
	}
	second := upload(`{"name":"b","text":"b","indexing_technique":"economy"}`)
	if r := d.dify(second); r.at("dataset_process_rule", "mode") != "custom" || r.at("document_process_rule", "mode") != "custom" {
		t.Errorf("the rule of the second: %s", r.text)
	}
}

func TestDifyOriginalDocument(t *testing.T) {
	d := newDesk(t, Options{})
	kb := "/datasets/" + d.s.KnowledgeBaseID(world.Dify, "产品手册")
	doc := d.s.DocumentID(world.Dify, "退款政策.pdf")
	busy := d.s.DocumentID(world.Dify, "新品发布会🚀.pdf")
	body := `{"name":"new name","text":"new words","indexing_technique":"high_quality","original_document_id":"%s"}`
	if r := d.difyDo("POST", kb+"/document/create_by_text", fmt.Sprintf(body, doc)); r.status != 200 || r.at("document", "id") != doc || r.at("document", "name") != "new name" {
		t.Errorf("%d %s", r.status, r.text)
	}
	if r := d.difyDo("POST", kb+"/document/create_by_text", fmt.Sprintf(body, busy)); r.status != 400 || r.at("message") != "Document is not available" {
		t.Errorf("%d %s", r.status, r.text)
	}
}

func TestDifySegments(t *testing.T) {
	d := newDesk(t, Options{})
	kb := "/datasets/" + d.s.KnowledgeBaseID(world.Dify, "产品手册")
	segments := kb + "/documents/" + d.s.DocumentID(world.Dify, "退款政策.pdf") + "/segments"
	before := fmt.Sprint(d.dify(segments).at("total"))
	added := d.difyDo("POST", segments, `{"segments":[{"content":"a quagga","keywords":["animal"]}]}`)
	id, _ := added.at("data", 0, "id").(string)
	one := segments + "/" + id
	if r := d.dify(one); r.status != 200 || r.at("data", "content") != "a quagga" || r.at("doc_form") != "text_model" {
		t.Fatalf("one = %d %s", r.status, r.text)
	}
	if r := d.difyDo("POST", one, `{"segment":{"content":"two quaggas","enabled":false}}`); r.at("data", "content") != "two quaggas" || r.at("data", "enabled") != false {
		t.Errorf("update = %d %s", r.status, r.text)
	}
	if r := d.difyDo("POST", kb+"/hit-testing", `{"query":"quaggas"}`); len(r.rows("records")) != 0 {
		t.Errorf("a chunk that is switched off is found: %s", r.text)
	}
	child := d.difyDo("POST", one+"/child_chunks", `{"content":"a part"}`)
	childID, _ := child.at("data", "id").(string)
	if r := d.dify(one + "/child_chunks"); fmt.Sprint(r.at("total")) != "1" || r.at("data", 0, "type") != "customized" {
		t.Errorf("child chunks = %s", r.text)
	}
	if r := d.difyDo("PATCH", one+"/child_chunks/"+childID, `{"content":"other"}`); r.at("data", "content") != "other" {
		t.Errorf("child = %d %s", r.status, r.text)
	}
	for _, path := range []string{one + "/child_chunks/" + childID, one} {
		if r := d.difyDo("DELETE", path, ""); r.status != 204 {
			t.Errorf("delete %s = %d %s", path, r.status, r.text)
		}
		if r := d.difyDo("DELETE", path, ""); r.status != 404 {
			t.Errorf("delete %s again = %d %s", path, r.status, r.text)
		}
	}
	if after := fmt.Sprint(d.dify(segments).at("total")); after != before {
		t.Errorf("%s chunks, and %s before", after, before)
	}
	if r := d.difyDo("POST", segments, `{}`); r.status != 400 || r.at("error") != "Segments is required" {
		t.Errorf("nothing = %d %s", r.status, r.text)
	}
	if r := d.difyDo("POST", kb+"/documents/"+d.s.DocumentID(world.Dify, "新品发布会🚀.pdf")+"/segments", `{"segments":[{"content":"x"}]}`); r.status != 404 {
		t.Errorf("at work = %d %s", r.status, r.text)
	}
}

func TestDifyMetadata(t *testing.T) {
	d := newDesk(t, Options{})
	kb := "/datasets/" + d.s.KnowledgeBaseID(world.Dify, "Engineering Wiki")
	doc := d.s.Store(world.Dify).Documents(d.s.KnowledgeBaseID(world.Dify, "Engineering Wiki")).At(0).ID
	made := d.difyDo("POST", kb+"/metadata", `{"type":"number","name":"year"}`)
	field, _ := made.at("id").(string)
	if made.status != 201 || made.at("type") != "number" {
		t.Fatalf("create = %d %s", made.status, made.text)
	}
	if r := d.difyDo("POST", kb+"/metadata", `{"type":"number","name":"year"}`); r.status != 400 {
		t.Errorf("twice = %d", r.status)
	}
	if r := d.difyDo("POST", kb+"/documents/metadata", `{"operation_data":[{"document_id":"`+doc+`","metadata_list":[{"id":"`+field+`","name":"year","value":2024}]}]}`); r.at("result") != "success" {
		t.Errorf("set = %d %s", r.status, r.text)
	}
	d.difyDo("PATCH", kb+"/metadata/"+field, `{"name":"when"}`)
	if r := d.dify(kb + "/documents/" + doc); r.at("doc_metadata", 0, "name") != "when" || fmt.Sprint(r.at("doc_metadata", 0, "value")) != "2024" {
		t.Errorf("document = %s", r.text)
	}
	if r := d.difyDo("POST", kb+"/metadata/built-in/enable", ""); r.at("result") != "success" || d.dify(kb).at("built_in_field_enabled") != true {
		t.Errorf("built-in = %s", r.text)
	}
	if r := d.dify(kb + "/metadata"); r.at("doc_metadata", 0, "name") != "when" || fmt.Sprint(r.at("doc_metadata", 0, "count")) != "1" {
		t.Errorf("list = %s", r.text)
	}
	if r := d.difyDo("DELETE", kb+"/metadata/"+field, ""); r.status != 204 || strings.Contains(d.dify(kb+"/documents/"+doc).text, "2024") {
		t.Errorf("delete = %d", r.status)
	}
}

func TestDifyTags(t *testing.T) {
	d := newDesk(t, Options{})
	kb := d.s.KnowledgeBaseID(world.Dify, "产品手册")
	tag, _ := d.difyDo("POST", "/datasets/tags", `{"name":"animals"}`).at("id").(string)
	if r := d.difyDo("POST", "/datasets/tags/binding", `{"tag_ids":["`+tag+`"],"target_id":"`+kb+`"}`); r.status != 204 {
		t.Fatalf("bind = %d %s", r.status, r.text)
	}
	if r := d.dify("/datasets?tag_ids=" + tag); len(r.rows("data")) != 1 || r.at("data", 0, "tags", 0, "name") != "animals" {
		t.Errorf("by tag = %s", r.text)
	}
	if r := d.dify("/datasets/" + kb + "/tags"); fmt.Sprint(r.at("total")) != "1" {
		t.Errorf("of the base = %s", r.text)
	}
	d.difyDo("PATCH", "/datasets/tags", `{"name":"beasts","tag_id":"`+tag+`"}`)
	d.difyDo("POST", "/datasets/tags/unbinding", `{"tag_id":"`+tag+`","target_id":"`+kb+`"}`)
	if r := d.dify("/datasets/tags"); !strings.Contains(r.text, `"binding_count":"0"`) || !strings.Contains(r.text, "beasts") {
		t.Errorf("tags = %s", r.text)
	}
	if r := d.difyDo("DELETE", "/datasets/tags", `{"tag_id":"`+tag+`"}`); r.status != 204 || d.dify("/datasets/tags").text != "[]\n" {
		t.Errorf("delete = %d", r.status)
	}
}

package volcengine_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/volcengine"
	"kb-mcp/vendors/sandbox/world"
)

// The platform's own libraries know only a host: they ask GET /ping first, and
// everything else at the root.
func TestVolcengineAtTheRoot(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	for _, tt := range []struct {
		method, path, key string
		want              int
	}{
		{http.MethodGet, "/ping", volcengine.APIKey, 200},
		{http.MethodGet, "/ping", "nope", 401},
		{http.MethodGet, "/volcengine/ping", volcengine.APIKey, 200},
		{http.MethodPost, "/api/knowledge/collection/list", volcengine.APIKey, 200},
		{http.MethodPost, "/volcengine/api/knowledge/collection/list", volcengine.APIKey, 200},
		{http.MethodPost, "/api/other", volcengine.APIKey, 404},
		{http.MethodGet, "/pings", volcengine.APIKey, 404},
	} {
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader("{}"))
		volcBearer(tt.key)(r)
		w := httptest.NewRecorder()
		vt.ServeHTTP(w, r)
		if w.Code != tt.want || w.Code == 200 && !strings.HasPrefix(w.Body.String(), `{"code":0`) {
			t.Errorf("%s %s: %d %s, want %d", tt.method, tt.path, w.Code, w.Body, tt.want)
		}
	}
	if n := vt.Requests(sandbox.FaceVolcengine); n != 5 {
		t.Errorf("%d requests were counted, want 5", n)
	}
}

// The fields of an index are objects, also those that a collection was made
// with; the libraries read them from every collection.
func TestVolcengineIndexFields(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	vt.data("collection/create", `{"name":"indexed","index":{"index_config":{"fields":[{"field_name":"year","field_type":"int64","default_val":7}]}}}`)
	for _, kb := range volcRows(vt.data("collection/list", `{"brief":true}`), "collection_list") {
		index := kb["pipeline_list"].([]any)[0].(map[string]any)["index_list"].([]any)[0].(map[string]any)
		fields := index["index_config"].(map[string]any)["fields"].([]any)
		if _, has := index["status"]; has || fields[0].(map[string]any)["field_name"] != "doc_id" {
			t.Errorf("%s: %v", kb["collection_name"], index)
		}
		if kb["collection_name"] == "indexed" && fmt.Sprint(fields[1]) != "map[default_val:7 field_name:year field_type:int64]" {
			t.Errorf("indexed: %v", fields)
		}
	}
}

// The ways of version 1 to add: a document that is there is skipped, TOS takes
// no id and may be a folder, Lark needs none.
func TestVolcengineAddV1(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	add := func(more string) map[string]any { return vt.data("doc/add", `{"collection_name":"bench",%s}`, more) }
	add(`"add_type":"url","doc_id":"d1","url":"https://h.example/a.md","meta":"[{\"field_name\":\"n\",\"field_type\":\"int64\",\"field_value\":1}]"`)
	twice := add(`"add_type":"url","doc_id":"d2","url":"https://h.example/a.md","dedup":{"content_dedup":true,"auto_skip":true}`)
	if got := fmt.Sprint(twice["dedup_info"]); got != "map[same_doc_ids:[d1] skip:true]" {
		t.Errorf("content that is there: %s", got)
	}
	named := add(`"add_type":"url","doc_id":"d3","doc_name":"a.md","url":"https://h.example/b.md","dedup":{"doc_name_dedup":true,"auto_skip":true}`)
	if named["dedup_info"] == nil {
		t.Errorf("a name that is there: %v", named)
	}
	tos := add(`"add_type":"tos","doc_id":"ignored","tos_path":"bucket/c.pdf"`)
	if tos["doc_id"] == "ignored" || tos["doc_id"] == "" {
		t.Errorf("tos: %v", tos)
	}
	if folder := add(`"add_type":"tos","tos_path":"bucket/dir/"`); folder["task_id"] == nil {
		t.Errorf("a folder: %v", folder)
	}
	lark := add(`"add_type":"lark","lark_file":{"url":"https://example.feishu.cn/wiki/x","obj_type":"wiki"}`)
	info := vt.data("doc/info", `{"collection_name":"bench","doc_id":%q}`, lark["doc_id"])
	if info["doc_type"] != "wiki" || info["add_type"] != "lark" {
		t.Errorf("lark: %v", info)
	}
	if meta := vt.data("doc/info", `{"collection_name":"bench","doc_id":"d1"}`)["meta"]; !strings.Contains(fmt.Sprint(meta), `"field_value":1`) {
		t.Errorf("meta %v", meta)
	}
	if n := vt.Store(world.Volcengine).Documents(vt.kb).Len(); n != 5 {
		t.Errorf("%d documents, want 5", n)
	}
}

// Chunks are read, added, changed and deleted one at a time.
func TestVolcenginePointLife(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	d := vt.add("a.txt", world.Plan{})
	*vt.clock = vt.clock.Add(time.Minute)
	at := func(path, more string) map[string]any {
		return vt.data(path, `{"collection_name":"bench",%s}`, more)
	}
	listed := func(more string) string {
		var out []string
		for _, row := range volcRows(at("point/list", more), "point_list") {
			out = append(out, fmt.Sprint(row["chunk_id"], row["content"]))
		}
		return strings.Join(out, " ")
	}
	first := pointID(d, 0)
	if row := at("point/info", fmt.Sprintf(`"point_id":%q`, first)); row["content"] != "One." || row["update_time"] != row["process_time"] {
		t.Errorf("info: %v", row)
	}
	added := at("point/add", fmt.Sprintf(`"doc_id":%q,"chunk_type":"faq","content":"An answer.","question":"A question?"`, d.ID))
	if added["chunk_id"] != 2.0 || added["point_id"] != pointID(d, 2) || added["resource_id"] != vt.kb {
		t.Errorf("added: %v", added)
	}
	vt.ok("point/update", `{"collection_name":"bench","point_id":%q,"content":"Uno.","chunk_title":"T"}`, first)
	vt.ok("point/delete", `{"collection_name":"bench","point_id":%q}`, pointID(d, 1))
	if got := listed(`"doc_ids":null`); got != "0Uno. 2An answer." {
		t.Errorf("points: %s", got)
	}
	if got := listed(fmt.Sprintf(`"point_ids":[%q],"limit":-1`, pointID(d, 2))); got != "2An answer." {
		t.Errorf("points by id: %s", got)
	}
	hits := volcRows(vt.data("collection/search", `{"name":"bench","query":"answer","rerank_switch":true}`), "result_list")
	if len(hits) != 1 || hits[0]["original_question"] != "A question?" || hits[0]["rerank_score"] == nil || hits[0]["chunk_type"] != "faq" {
		t.Errorf("hits: %v", hits)
	}
	for body, want := range map[string]string{
		`{"collection_name":"bench","point_id":"` + pointID(d, 1) + `"}`: "1002001", `{"collection_name":"bench","point_id":"x"}`: "1002001",
		`{"collection_name":"bench"}`: "1000003",
	} {
		for _, path := range []string{"point/info", "point/update", "point/delete"} {
			if w, out := vt.send(path, body, volcBearer(volcengine.APIKey)); fmt.Sprintf("%.0f", out["code"]) != want || w.Code != 400 {
				t.Errorf("%s %s: %s", path, body, w.Body)
			}
		}
	}
	for _, body := range []string{`"chunk_type":"structured","content":"x"`, `"chunk_type":"text"`, `"chunk_type":"faq","content":"x"`, `"content":"x"`} {
		if w, out := vt.send("point/add", fmt.Sprintf(`{"collection_name":"bench","doc_id":%q,%s}`, d.ID, body), volcBearer(volcengine.APIKey)); out["code"] != 1000003.0 {
			t.Errorf("add %s: %s", body, w.Body)
		}
	}
}

// Filters look at a document's id and at what the index knows.
func TestVolcengineFilters(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	vt.Store(world.Volcengine).UpdateKB(vt.kb, func(kb *world.KnowledgeBase) {
		kb.Fields = []world.Field{{Name: "year", Type: "int64"}, {Name: "tags", Type: "list<string>"}}
	})
	ids := map[string]string{}
	for name, fields := range map[string][]world.Field{
		"a.txt": {{Name: "year", Type: "int64", Value: 2024.0}, {Name: "tags", Type: "list<string>", Value: []any{"x", "y"}}}, "b.txt": {{Name: "year", Type: "int64", Value: 2026.0}}, "c.txt": nil,
	} {
		d := vt.add(name, world.Plan{})
		vt.Store(world.Volcengine).Update(d.ID, func(d *world.Document) { d.Metadata = fields })
		ids[name] = d.ID
	}
	*vt.clock = vt.clock.Add(time.Minute)
	for filter, want := range map[string]string{
		`{"op":"must","field":"year","conds":[2024]}`:                            "a.txt",
		`{"op":"must_not","field":"year","conds":[2024]}`:                        "b.txt c.txt",
		`{"op":"must","field":"tags","conds":["y","z"]}`:                         "a.txt",
		`{"op":"range","field":"year","gt":2024,"lte":2026}`:                     "b.txt",
		fmt.Sprintf(`{"op":"must","field":"doc_id","conds":[%q]}`, ids["c.txt"]): "c.txt",
		fmt.Sprintf(`{"op":"or","conds":[{"op":"must","field":"_sys_auto_doc_id","conds":[%q]},{"op":"range","field":"year","gte":2026}]}`, ids["c.txt"]): "b.txt c.txt",
		`{"op":"and","conds":[{"op":"range","field":"year","lt":2026},{"op":"must","field":"tags","conds":["x"]}]}`:                                       "a.txt",
	} {
		names := map[string]bool{}
		for _, row := range volcRows(vt.data("doc/v2/search_by_filter", `{"collection_name":"bench","filter":%s}`, filter), "doc_list") {
			names[row["doc_name"].(string)] = true
		}
		found := map[string]bool{}
		for _, row := range volcRows(vt.data("collection/search_knowledge", `{"name":"bench","query":"two","query_param":{"doc_filter":%s}}`, filter), "result_list") {
			found[row["doc_info"].(map[string]any)["doc_name"].(string)] = true
		}
		for _, name := range []string{"a.txt", "b.txt", "c.txt"} {
			if wanted := strings.Contains(want, name); names[name] != wanted || found[name] != wanted {
				t.Errorf("%s: %s listed %v, found %v, want %v", filter, name, names[name], found[name], wanted)
			}
		}
	}
	for _, filter := range []string{`{"op":"must","field":"nope","conds":[1]}`, `{"op":"like","field":"year"}`, `[]`, `{"op":"and","conds":[{"op":"x"}]}`} {
		if _, out := vt.send("doc/v2/search_by_filter", fmt.Sprintf(`{"collection_name":"bench","filter":%s}`, filter), volcBearer(volcengine.APIKey)); out["code"] != 1000003.0 {
			t.Errorf("%s: %v", filter, out)
		}
	}
}

// An index in any state but built finds nothing, or refuses while it is made.
func TestVolcengineIndexStates(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	vt.add("a.txt", world.Plan{})
	*vt.clock = vt.clock.Add(time.Minute)
	for state, want := range map[int]int{0: 1, 2: 0, 3: 0, -1: 0} {
		vt.Store(world.Volcengine).UpdateKB(vt.kb, func(kb *world.KnowledgeBase) { kb.Index = state })
		if hits := vt.data("collection/search_knowledge", `{"name":"bench","query":"two"}`); hits["count"] != float64(want) {
			t.Errorf("state %d: %v", state, hits)
		}
	}
}

package volcengine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/volcengine"
	"kb-mcp/vendors/sandbox/world"
)

// Answers of the platform's own pages to writes and searches.
const (
	volcAddSample    = `{"collection_name":"test_collection_name","resource_id":"kb-8349ef57441ab57","project":"default","doc_id":"test0123"}`
	volcCreateSample = `{"resource_id":"kb-8349ef57441ab57"}`
	volcPointSample  = `{"collection_name":"api0828","total_num":1,"count":1,"point_list":[{"collection_name":"api0828","point_id":"_sys_auto_gen_doc_id-17691607628519396693-0","process_time":1724848725,"content":"x","chunk_id":0,"doc_info":{"doc_id":"_sys_auto_gen_doc_id-17691607628519396693","doc_name":"演示表格.xlsx","create_time":1724848720,"doc_type":"xlsx","source":"tos_fe"},"chunk_type":"structured"}]}`
	volcSearchSample = `{"collection_name":"example","count":1,"result_list":[{"id":"_sys_auto_gen_doc_id-13411829101044883689-15","content":"content","score":0.2639991044998169,"point_id":"_sys_auto_gen_doc_id-13411829101044883689-15","chunk_title":"title","chunk_id":15,"process_time":1,"doc_info":{"doc_id":"_sys_auto_gen_doc_id-13411829101044883689","doc_name":"2404.08817v2.pdf","create_time":1727333117,"doc_type":"pdf","source":"tos_fe","title":"title"},"recall_position":1,"chunk_type":"text"}]}`
)

// ok posts with the API key and wants success without data.
func (vt volcTest) ok(path, format string, args ...any) {
	vt.t.Helper()
	w, out := vt.send(path, fmt.Sprintf(format, args...), volcBearer(volcengine.APIKey))
	if _, has := out["data"]; w.Code != 200 || out["code"] != 0.0 || has {
		vt.t.Fatalf("POST %s: %d %s", path, w.Code, w.Body)
	}
}

func (vt volcTest) status(id string) string {
	vt.t.Helper()
	_, out := vt.send("doc/info", fmt.Sprintf(`{"resource_id":%q,"doc_id":%q}`, vt.kb, id), volcBearer(volcengine.APIKey))
	data, ok := out["data"].(map[string]any)
	if !ok {
		return fmt.Sprint(out["code"])
	}
	return fmt.Sprint(data["status"].(map[string]any)["process_status"])
}

func TestVolcengineWriteShapes(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	vt.add("a.pdf", world.Plan{})
	*vt.clock = vt.clock.Add(time.Minute)
	for _, tt := range []struct {
		sample string
		got    map[string]any
	}{
		{volcCreateSample, vt.data("collection/create", `{"name":"fresh"}`)},
		{volcAddSample, vt.data("doc/v2/add", `{"collection_name":"bench","doc_id":"d1","uri":"https://h.example/a.pdf"}`)},
		{volcPointSample, vt.data("point/list", `{"collection_name":"bench"}`)},
		{volcSearchSample, vt.data("collection/search_knowledge", `{"name":"bench","query":"two"}`)},
	} {
		var want any
		if err := json.Unmarshal([]byte(tt.sample), &want); err != nil {
			t.Fatal(err)
		}
		for _, diff := range sandboxtest.ShapeDiff("", want, tt.got) {
			if !strings.HasSuffix(diff, "not in the recording") {
				t.Errorf("%s: %s", tt.sample[:40], diff)
			}
		}
	}
}

func TestVolcengineWriteRefusals(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	vt.data("collection/create", `{"name":"other","project":"research"}`)
	vt.data("doc/v2/add", `{"collection_name":"bench","doc_id":"taken","uri":"https://h.example/a.pdf?sig=1"}`)
	d := vt.add("a.txt", world.Plan{})
	const id = `"collection_name":"bench","doc_id":"taken"`
	for _, tt := range []struct{ path, body, want string }{
		{"collection/create", `{}`, "1000003 invalid request: name is required"},
		{"collection/create", `{"name":"客服"}`, "1000003 invalid request: name must match"},
		{"collection/create", `{"name":"a-b"}`, "1000003 invalid request: name must match"},
		{"collection/create", `{"name":"bench"}`, "1000004 collection exist"},
		{"collection/create", `{"name":"x","version":3}`, "1000003 invalid request: version"},
		{"collection/create", `{"name":"x","data_type":"y"}`, "1000003 invalid request: data_type"},
		{"collection/update", `{"name":"nope","description":"x"}`, "1000005 collection not exist"},
		{"collection/delete", `{"name":"other"}`, "1000005 collection not exist"},
		{"collection/delete", `{"collection_name":"bench"}`, "1000003 invalid request: name is required"},
		{"collection/search_knowledge", `{"name":"bench"}`, "1000003 invalid request: query is required"},
		{"collection/search_knowledge", `{"name":"bench","query":"x","limit":0}`, "1000003 invalid request: limit"},
		{"collection/search_knowledge", `{"name":"bench","query":"` + strings.Repeat("x", 8001) + `"}`, "1000003 invalid request: query is too long"},
		{"collection/search_knowledge", `{"name":"bench","query":"x"}`, "1000023 index is not ready"},
		{"doc/v2/add", `{"collection_name":"bench"}`, "1000003 invalid request: uri is required"},
		{"doc/v2/add", `{"collection_name":"bench","uri":"ftp://h/a.pdf"}`, "1000003 invalid request: uri must begin"},
		{"doc/v2/add", `{"collection_name":"bench","uri":"a.pdf"}`, "1000003 invalid request: uri is not valid"},
		{"doc/v2/add", `{"collection_name":"bench","uri":"https://h/a"}`, `1000003 invalid request: doc_type "" is not supported`},
		{"doc/v2/add", `{"collection_name":"bench","uri":"https://h/a.pdf","doc_id":"1a"}`, "1000003 invalid request: doc_id must match"},
		{"doc/v2/add", `{"collection_name":"bench","uri":"https://h/a.pdf","doc_name":"a/b.pdf"}`, "1000003 invalid request: doc_name"},
		{"doc/v2/add", `{"collection_name":"bench","uri":"https://h.example/a.pdf?sig=2","doc_id":"twin"}`, "1001002 invalid request: doc_id:twin is duplicated with doc_ids:taken"},
		{"doc/v2/add", `{"collection_name":"other","project":"research","uri":"https://h/a.pdf","doc_id":"taken"}`, "1000003 invalid request: doc_id is used"},
		{"doc/add", `{"collection_name":"bench","add_type":"ftp","doc_id":"x"}`, "1000003 invalid request: add_type"},
		{"doc/add", `{"collection_name":"bench","add_type":"lark","doc_id":"x"}`, "1000003 invalid request: lark_file is required"},
		{"doc/add", `{"collection_name":"bench","add_type":"lark","lark_file":{}}`, "1000003 invalid request: lark_file needs"},
		{"doc/add", `{"collection_name":"bench","add_type":"url","url":"https://h.example/a.pdf","doc_id":"y","dedup":{"content_dedup":true}}`, "1001002 invalid request: doc_id:y is duplicated with doc_ids:taken"},
		{"doc/add", `{"collection_name":"bench","add_type":"url","url":"https://h/a.pdf"}`, "1000003 invalid request: doc_id is required"},
		{"doc/update", `{` + id + `}`, "1000003 invalid request: doc_name is required"},
		{"doc/update", `{` + id + `,"doc_name":"a:b"}`, "1000003 invalid request: doc_name"},
		{"doc/update", `{"collection_name":"bench","doc_id":"nope","doc_name":"b"}`, "1001001 doc not exist"},
		{"doc/update_meta", `{` + id + `}`, "1000003 invalid request: meta is required"},
		{"doc/update_meta", `{` + id + `,"meta":{"a":1}}`, "1000003 invalid request: meta is not a list"},
		{"doc/update_meta", `{` + id + `,"meta":[{"field_name":"n","field_type":"int64","field_value":"1"}]}`, "1000003 invalid request: meta: field"},
		{"doc/update_meta", `{` + id + `,"meta":[{"field_name":"doc_id","field_type":"string","field_value":"1"}]}`, "1000003 invalid request: meta: field"},
		{"doc/delete", `{"collection_name":"bench","doc_ids":["` + d.ID + `"]}`, "1000003 invalid request: doc_id is required"},
		{"doc/delete", `{"collection_name":"bench","doc_id":"nope"}`, "1001001 doc not exist"},
		{"doc/delete", `{"collection_name":"other","project":"research","doc_id":"taken"}`, "1001001 doc not exist"},
		{"point/list", `{"collection_name":"bench","offset":-1}`, "1000003 invalid request: offset"},
	} {
		w, out := vt.send(tt.path, tt.body, volcBearer(volcengine.APIKey))
		if got := fmt.Sprintf("%.0f %s", out["code"], out["message"]); w.Code != 400 || !strings.HasPrefix(got, tt.want) || len(out) != 3 {
			t.Errorf("%s %.80s: %d %s, want %s", tt.path, tt.body, w.Code, got, tt.want)
		}
	}
	for i := range vt.Store(world.Volcengine).Documents(vt.kb).Len() {
		if got := vt.Store(world.Volcengine).Documents(vt.kb).At(i); got.Name != "a.pdf" && got.Name != "a.txt" {
			t.Errorf("a refused request changed %s", got.Name)
		}
	}
}

// Added, overwritten by version 1, deleted, gone.
func TestVolcengineDocumentLife(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	begun := *vt.clock
	vt.data("doc/v2/add", `{"resource_id":%q,"doc_id":"d1","uri":"https://h.example/a.md","doc_name":"甲.md"}`, vt.kb)
	var seen []string
	look := func(seconds ...int) {
		for _, s := range seconds {
			*vt.clock = begun.Add(time.Duration(s) * time.Second)
			seen = append(seen, vt.status("d1"))
		}
	}
	look(0, 5, 20)
	vt.data("doc/add", `{"resource_id":%q,"doc_id":"d1","add_type":"url","url":"https://h.example/k.md","doc_name":"乙.md"}`, vt.kb)
	look(20, 25, 40)
	vt.ok("doc/delete", `{"resource_id":%q,"doc_id":"d1"}`, vt.kb)
	vt.ok("doc/delete", `{"resource_id":%q,"doc_id":"d1"}`, vt.kb)
	look(41, 42, 44)
	if got := strings.Join(seen, " "); got != "2 6 0 3 6 0 5 5 1.001001e+06" {
		t.Errorf("statuses %s", got)
	}
	if n := vt.data("collection/info", `{"name":"bench"}`)["pipeline_list"].([]any)[0].(map[string]any)["pipeline_stat"].(map[string]any)["doc_num"]; n != 0.0 {
		t.Errorf("%v documents are counted", n)
	}
}

// One of eight added documents fails, always the same ones.
func TestVolcengineSomeFail(t *testing.T) {
	run := func() string {
		vt := newVolcTest(t, sandbox.Options{})
		var out []string
		for i := range 16 {
			vt.data("doc/v2/add", `{"resource_id":%q,"doc_id":"d%d","uri":"https://h.example/%d.pdf"}`, vt.kb, i, i)
		}
		*vt.clock = vt.clock.Add(time.Minute)
		for i := range 16 {
			out = append(out, vt.status(fmt.Sprintf("d%d", i)))
		}
		return strings.Join(out, "")
	}
	got := run()
	if strings.Count(got, "1") != 2 || strings.Count(got, "0") != 14 || got != run() {
		t.Errorf("statuses %s and %s", got, run())
	}
}

// doc_ids is the only filter; chunks come by their ids as text.
func TestVolcenginePoints(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	a, b := vt.add("a.txt", world.Plan{}), vt.add("b.txt", world.Plan{})
	vt.Store(world.Volcengine).Update(a.ID, func(d *world.Document) { d.Pieces = 12 })
	for query, want := range map[string]int{
		`"x":1`: 14, `"doc_ids":null`: 14, `"doc_ids":[]`: 0, `"doc_id":"` + b.ID + `"`: 14,
		`"doc_ids":["` + b.ID + `"]`: 2, `"doc_ids":["` + a.ID + `","nope"],"offset":10,"limit":5`: 2, `"doc_ids":["nope"]`: 0,
	} {
		data := vt.data("point/list", `{"collection_name":"bench",%s}`, query)
		if rows := volcRows(data, "point_list"); len(rows) != want || data["count"] != float64(want) {
			t.Errorf("%s: %d chunks, want %d", query, len(rows), want)
		}
	}
	var order []string
	for _, row := range volcRows(vt.data("point/list", `{"collection_name":"bench","doc_ids":[%q],"limit":4}`, a.ID), "point_list") {
		order = append(order, fmt.Sprint(row["chunk_id"]))
	}
	if got := strings.Join(order, " "); got != "0 1 10 11" {
		t.Errorf("order %s", got)
	}
}

func TestVolcengineSearch(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	d := vt.add("a.txt", world.Plan{})
	vt.add("later.txt", world.Normal())
	*vt.clock = vt.clock.Add(6 * time.Second)
	for param, want := range map[string]int{
		`"limit":10`: 2, `"limit":1`: 1, `"query_param":{"doc_filter":{"op":"must","field":"doc_id","conds":["nope"]}}`: 0,
		`"query_param":{"doc_filter":{"op":"must","field":"_sys_auto_doc_id","conds":["` + d.ID + `"]}}`: 2,
		`"query_param":{"doc_filter":{"op":"must_not","field":"doc_id","conds":["` + d.ID + `"]}}`:       0,
	} {
		data := vt.data("collection/search_knowledge", `{"name":"bench","query":"one two",%s}`, param)
		_, has := data["result_list"]
		if rows := volcRows(data, "result_list"); len(rows) != want || has != (want > 0) {
			t.Errorf("%s: %v", param, data)
		}
	}
	_, out := vt.send("collection/search_knowledge", `{"name":"bench","query":"x","query_param":{"doc_filter":{"op":"must","field":"author","conds":[]}}}`, volcBearer(volcengine.APIKey))
	if !strings.Contains(fmt.Sprint(out["message"]), "not in collection config") {
		t.Errorf("a filter on an unknown field: %v", out)
	}
}

package volcengine_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

// list is a data's list as objects.
func volcRows(data map[string]any, key string) []map[string]any {
	list, _ := data[key].([]any)
	rows := make([]map[string]any, len(list))
	for i, row := range list {
		rows[i] = row.(map[string]any)
	}
	return rows
}

// Answers of the platform's own pages.
const (
	volcInfoSample = `{"collection_name":"test_collection_name","doc_name":"张某某盗窃案","doc_id":"test0123","add_type":"url","doc_type":"pdf","create_time":1711367027047,"added_by":"user@example.com","update_time":1711367030802,"url":"https://fwh-my-test-bucket.tos-cn-beijing.volces.com/a.pdf?X-Tos-Signature=REDACTED","point_num":53,"status":{"process_status":0}}`
	volcListSample = `{"collection_name":"test_collection_name","total_num":1,"count":1,"doc_list":[{"collection_name":"test_collection_name","doc_name":"测试文档","doc_id":"test1111","add_type":"url","doc_type":"doc","create_time":1711367010,"added_by":"username","update_time":1711367010,"url":"https://fwh-my-test-bucket.tos-cn-beijing.volces.com/b.docx?X-Tos-Signature=REDACTED","point_num":100,"status":{"process_status":0}}]}`
)

func TestVolcengineShapes(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	d := vt.add("a.pdf", world.Plan{})
	id := fmt.Sprintf(`{"resource_id":%q,"doc_id":%q}`, vt.kb, d.ID)
	for sample, got := range map[string]any{
		volcInfoSample: vt.data("doc/info", "%s", id),
		volcListSample: vt.data("doc/list", "%s", id),
	} {
		var want any
		if err := json.Unmarshal([]byte(sample), &want); err != nil {
			t.Fatal(err)
		}
		for _, diff := range sandboxtest.ShapeDiff("", want, got) {
			if !strings.HasSuffix(diff, "not in the recording") { // newer fields came after the page of 2025
				t.Error(diff)
			}
		}
	}
}

// One document has milliseconds in doc/info and seconds in both lists.
func TestVolcengineTimes(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	d := vt.add("a.txt", world.Plan{Stages: []world.Stage{{Phase: world.Parsing, For: 3 * time.Second}}})
	*vt.clock = vt.clock.Add(time.Hour)
	const at = 1736753262
	info := vt.data("doc/info", `{"collection_name":"bench","doc_id":%q}`, d.ID)
	if info["create_time"] != at*1000.0 || info["update_time"] != (at+3)*1000.0 {
		t.Errorf("doc/info: %v %v", info["create_time"], info["update_time"])
	}
	for _, path := range []string{"doc/list", "doc/v2/list"} {
		row := volcRows(vt.data(path, `{"collection_name":"bench"}`), "doc_list")[0]
		if row["create_time"] != float64(at) || row["update_time"] != at+3.0 {
			t.Errorf("%s: %v %v", path, row["create_time"], row["update_time"])
		}
	}
}

func TestVolcengineStates(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	begun := *vt.clock
	d := vt.add("life.txt", world.Normal())
	vt.add("gone.txt", world.Plan{Outcome: world.Deleting})
	vt.add("renewed.txt", world.Plan{Stages: []world.Stage{{Phase: world.Parsing, For: time.Hour, Raw: "3"}}})
	vt.add("strange.txt", world.Plan{Outcome: world.Other, Raw: "4"})
	even, odd := vt.add("f1.txt", world.Plan{Outcome: world.Failed, Code: "10001"}), vt.add("f2.txt", world.Plan{Outcome: world.Failed, Code: "10001", Message: "timed out"})
	if even.Seq%2 == 1 {
		even, odd = odd, even
	}
	status := func(id string) map[string]any {
		return vt.data("doc/info", `{"collection_name":"bench","doc_id":%q}`, id)["status"].(map[string]any)
	}
	stat := func() map[string]any {
		info := vt.data("collection/info", `{"name":"bench"}`)
		return info["pipeline_list"].([]any)[0].(map[string]any)["pipeline_stat"].(map[string]any)
	}
	for _, tt := range []struct {
		after time.Duration
		want  float64
		stat  string
	}{
		{0, 2, "map[doc_num:6 finish_doc_num:2 point_num:0 success_doc_num:0]"},
		{5 * time.Second, 6, "map[doc_num:6 finish_doc_num:2 point_num:0 success_doc_num:0]"},
		{time.Minute, 0, "map[doc_num:6 finish_doc_num:3 point_num:2 success_doc_num:1]"},
	} {
		*vt.clock = begun.Add(tt.after)
		if got := status(d.ID)["process_status"]; got != tt.want {
			t.Errorf("after %v: process_status %v, want %v", tt.after, got, tt.want)
		}
		if got := fmt.Sprint(stat()); got != tt.stat {
			t.Errorf("after %v: %s, want %s", tt.after, got, tt.stat)
		}
	}
	var others []string
	for _, row := range volcRows(vt.data("doc/v2/list", `{"collection_name":"bench"}`), "doc_list") {
		others = append(others, fmt.Sprint(row["doc_name"], row["status"].(map[string]any)["process_status"]))
	}
	if got := strings.Join(others, " "); got != "f2.txt1 f1.txt1 strange.txt4 renewed.txt3 gone.txt5 life.txt0" {
		t.Errorf("statuses: %s", got)
	}
	if status(even.ID)["failed_code"] != 10001.0 || status(odd.ID)["failed_code"] != "10001" {
		t.Errorf("failed_code: want a number and a text, got %v and %v", status(even.ID), status(odd.ID))
	}
}

func TestVolcengineRows(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	base := world.Document{KB: vt.kb, Text: "x", Size: 7, Created: *vt.clock, Started: *vt.clock}
	row := func(change func(*world.Document)) map[string]any {
		d := base
		change(&d)
		return vt.data("doc/info", `{"collection_name":"bench","doc_id":%q}`, vt.Store(world.Volcengine).Add(d).ID)
	}
	lark := row(func(d *world.Document) { d.Name, d.Source = "会议", "lark" })
	if lark["add_type"] != "lark" || lark["doc_type"] != "wiki" || lark["doc_size"] != nil || lark["url"] != nil {
		t.Errorf("lark: %v", lark)
	}
	tos := row(func(d *world.Document) { d.Name, d.Format, d.Source = "a.faq.xlsx", "xlsx", "object_storage" })
	if tos["add_type"] != "tos" || tos["doc_type"] != "faq.xlsx" || tos["tos_path"] != "sandbox-bucket/a.faq.xlsx" {
		t.Errorf("tos: %v", tos)
	}
	file := row(func(d *world.Document) {
		d.Name, d.Format, d.Source = "报告 1.md", "md", "file"
		d.Metadata = []world.Field{{Name: "author", Type: "string", Value: "张"}, {Name: "year", Type: "number", Value: 2024.0}}
	})
	if file["url"] != nil || file["add_type"] != "tos_fe" || file["doc_type"] != "markdown" {
		t.Errorf("file: %v", file)
	}
	web := row(func(d *world.Document) { d.Name, d.Format, d.Source = "报告 2.md", "md", "web" })
	u, err := url.Parse(fmt.Sprint(web["url"]))
	if err != nil || u.Query().Get("X-Tos-Signature") == "" || web["add_type"] != "url" {
		t.Errorf("web: %v", web)
	}
	const meta = `[{"field_name":"author","field_type":"string","field_value":"张"},{"field_name":"year","field_type":"int64","field_value":2024}]`
	if file["meta"] != meta {
		t.Errorf("meta %v, want %s", file["meta"], meta)
	}
}

func TestVolcengineCollections(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	vt.Store(world.Volcengine).AddKB(world.KnowledgeBase{Name: "elsewhere", Project: "other"})
	all := vt.data("collection/list", `{}`)
	if n := len(vt.Store(world.Volcengine).KBs()); all["total_num"] != float64(n) || len(volcRows(all, "collection_list")) != n {
		t.Errorf("all projects: %v", all)
	}
	one := vt.data("collection/list", `{"project":"other","brief":true}`)
	rows := volcRows(one, "collection_list")
	if len(rows) != 1 || rows[0]["collection_name"] != "elsewhere" || rows[0]["project"] != "other" {
		t.Errorf("one project: %v", one)
	}
	if none := vt.data("collection/list", `{"project":"nope"}`); fmt.Sprint(none["collection_list"]) != "[]" || none["total_num"] != 0.0 {
		t.Errorf("no collection: %v", none)
	}
}

func TestVolcengineListV1(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{Documents: 250})
	page := func(format string, args ...any) (names []string, data map[string]any) {
		data = vt.data("doc/list", `{"collection_name":%q,%s}`, world.BulkName(world.Volcengine), fmt.Sprintf(format, args...))
		for _, row := range volcRows(data, "doc_list") {
			names = append(names, row["doc_id"].(string))
		}
		return names, data
	}
	first, data := page(`"x":1`)
	if len(first) != 100 || data["count"] != 100.0 || data["total_num"] != 250.0 {
		t.Errorf("without a limit: %d documents", len(first))
	}
	for query, want := range map[string]int{
		`"limit":500`: 100, `"offset":200,"limit":100`: 50, `"offset":200,"limit":-1`: 50, `"offset":90,"limit":5`: 5,
		`"offset":300,"limit":9`: 0, `"doc_type":[]`: 0, `"doc_type":null`: 100, `"doc_type":["pdf"]`: 0, `"doc_type":["markdown"]`: 100, `"doc_type":"pdf"`: 0, `"doc_type":"markdown"`: 100,
		`"filter":{"doc_id_list":[]}`: 100, `"filter":{"doc_ids":["x"]}`: 100, `"Limit":3,"page_size":3`: 100,
	} {
		if names, data := page("%s", query); len(names) != want || want == 0 && fmt.Sprint(data["doc_list"]) != "[]" {
			t.Errorf("%s: %d documents, want %d", query, len(names), want)
		}
	}
	if trap, _ := page(`"offset":100`); !slices.Equal(trap, first) {
		t.Error("an offset of 100 without a limit has to be ignored")
	}
	if some, data := page(`"filter":{"doc_id_list":[%q,"nope"]},"limit":100`, first[7]); len(some) != 1 || some[0] != first[7] || data["total_num"] != 250.0 {
		t.Errorf("doc_id_list: %v", data)
	}
}

func TestVolcengineListV2(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	empty := vt.data("doc/v2/list", `{"collection_name":"bench"}`)
	if _, has := empty["doc_list"]; has || empty["has_more"] != false {
		t.Errorf("empty: %v", empty)
	}
	for i := range 5 {
		*vt.clock = vt.clock.Add(time.Duration(i%2) * time.Second)
		vt.add(fmt.Sprintf("%d.txt", i), world.Plan{})
	}
	one := vt.data("doc/v2/list", `{"collection_name":"bench","limit":2}`)
	vt.add("new.txt", world.Plan{}) // shifts nothing
	last := volcRows(one, "doc_list")[1]["doc_id"].(string)
	vt.Store(world.Volcengine).Remove(last) // the token does not need its document
	two := vt.data("doc/v2/list", `{"collection_name":"bench","limit":3,"next_token":%q}`, one["next_token"])
	var names []any
	for _, row := range append(volcRows(one, "doc_list"), volcRows(two, "doc_list")...) {
		names = append(names, row["doc_name"])
	}
	if got := fmt.Sprint(names); got != "[4.txt 3.txt 2.txt 1.txt 0.txt]" {
		t.Errorf("pages: %s", got)
	}
	if one["total_num"] != 5.0 || one["has_more"] != true || two["total_num"] != nil || two["has_more"] != false || two["next_token"] != nil {
		t.Errorf("envelopes: %v %v", one, two)
	}
}

func TestVolcengineTenThousand(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{Documents: 10_000})
	seen := map[string]int{}
	for token := ""; ; {
		data := vt.data("doc/v2/list", `{"collection_name":%q,"limit":100,"next_token":%q}`, world.BulkName(world.Volcengine), token)
		for _, row := range volcRows(data, "doc_list") {
			seen[row["doc_id"].(string)]++
		}
		if token, _ = data["next_token"].(string); token == "" {
			break
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	if len(seen) != 10_000 {
		t.Errorf("%d ids", len(seen))
	}
}

package coze_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

const (
	cozeAuth    = "Authorization: Bearer " + coze.Token
	cozeStrings = "Agw-Js-Conv: str"
	cozeList    = "/open_api/knowledge/document/list"
)

func callHosted(d *sandboxtest.Desk, method, path, body string) sandboxtest.Reply {
	d.T.Helper()
	return d.Send(method, "/coze"+path, body, cozeAuth, cozeStrings)
}

func TestCozeRefusals(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := d.S.KnowledgeBaseID(world.Coze, "产品手册")
	process := "/v1/datasets/" + kb + "/process"
	noScope := "Authorization: Bearer " + coze.TokenNoScope
	tests := []struct {
		method, path, body, auth string
		status                   int
		code                     string
	}{
		{"GET", "/v1/workspaces", "", "X: y", 401, "700012006"},
		{"GET", "/v1/workspaces", "", "Authorization: Bearer pat_wrong", 401, "700012006"},
		{"GET", "/v1/workspaces", "", noScope, 200, "4101"},
		{"POST", cozeList, `{"dataset_id":"1"}`, noScope, 200, "4101"},
		{"POST", cozeList, `{"dataset_id":"1"}`, cozeAuth, 200, "4200"},
		{"POST", cozeList, `{}`, cozeAuth, 200, "4000"},
		{"POST", cozeList, `not json`, cozeAuth, 200, "4000"},
		{"POST", cozeList, `{"dataset_id":"` + kb + `","size":"5"}`, cozeAuth, 200, "4000"},
		{"GET", "/v1/datasets", "", cozeAuth, 200, "4000"},
		{"GET", "/v1/datasets?space_id=" + coze.SpaceID + "&page_size=301", "", cozeAuth, 200, "4000"},
		{"GET", "/v1/datasets?space_id=7", "", cozeAuth, 200, "4200"},
		{"POST", "/v1/datasets/1/process", `{"document_ids":["1"]}`, cozeAuth, 200, "4200"},
		{"POST", process, `{"document_ids":[true]}`, cozeAuth, 200, "4000"},
		{"POST", process, `{}`, cozeAuth, 200, "4000"},
		{"GET", process, "", cozeAuth, 404, "4000"},
		{"POST", "/open_api/knowledge/document/search", "{}", cozeAuth, 404, "4000"},
	}
	for _, tt := range tests {
		r := d.Send(tt.method, "/coze"+tt.path, tt.body, tt.auth)
		logid := r.Header.Get("X-Tt-Logid")
		if r.Status != tt.status || fmt.Sprint(r.At("code")) != tt.code || r.At("msg") == "" || logid == "" || r.At("detail", "logid") != logid {
			t.Errorf("%s %s %s (%s) = %d %s", tt.method, tt.path, tt.body, tt.auth, r.Status, r.Text)
		}
	}
}

func TestCozePages(t *testing.T) {
	t.Parallel()
	d := sandboxtest.NewDesk(t, sandbox.Options{Documents: 10000})
	kb := d.S.KnowledgeBaseID(world.Coze, "Archive 档案库")
	page := func(n int) sandboxtest.Reply {
		return callHosted(d, "POST", cozeList, fmt.Sprintf(`{"dataset_id":"%s","page":%d,"size":100}`, kb, n))
	}
	if a, b := page(0), page(1); a.At("document_infos", 0, "document_id") != b.At("document_infos", 0, "document_id") {
		t.Error("pages 0 and 1 differ")
	}
	seen := map[string]bool{}
	for n := 1; n <= 101; n++ {
		page(n).IDs("document_id", seen)
	}
	if len(seen) != 10000 {
		t.Errorf("%d documents of 10000 on the pages", len(seen))
	}
	r := callHosted(d, "POST", cozeList, `{"dataset_id":"`+kb+`"}`)
	if len(r.Rows("document_infos")) != 10 || fmt.Sprint(r.At("total")) != "10000" {
		t.Errorf("without size: %d rows, total %v", len(r.Rows("document_infos")), r.At("total"))
	}
	r = callHosted(d, "GET", "/v1/datasets?page_size=2&page_num=2&space_id="+coze.SpaceID, "")
	if len(r.Rows("data", "dataset_list")) != 2 || fmt.Sprint(r.At("data", "total_count")) != "5" {
		t.Errorf("datasets: %s", r.Text)
	}
}

func TestCozeStatuses(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	want := map[string]string{ // name to status, progress, remaining_time
		"退款政策.pdf": "1 100 0", "价格表2026.xlsx": "2 100 0", "扫描件-合同.pdf": "9 100 0",
		"community-post.txt": "1000 100 0", "legacy-import.csv": "7 0 0", "old-draft.docx": "3 0 0",
		"changelog (refreshing)": "5 10 86280", "新品发布会🚀.pdf": "0 0 48",
		"architecture-overview.pdf": "0 35 583260",
	}
	for name, want := range want {
		doc := d.S.Store(world.Coze).Document(d.S.DocumentID(world.Coze, name))
		r := callHosted(d, "POST", "/v1/datasets/"+doc.KB+"/process", `{"document_ids":["1","`+doc.ID+`"]}`)
		rows := r.Rows("data", "data")
		if len(rows) != 1 {
			t.Fatalf("%s: %s, want the unknown id left out", name, r.Text)
		}
		if got := fmt.Sprint(rows[0]["status"], " ", rows[0]["progress"], " ", rows[0]["remaining_time"]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if _, has := rows[0]["status_descript"]; has != (strings.HasPrefix(want, "9 ") || strings.HasPrefix(want, "1000 ")) {
			t.Errorf("%s: status_descript = %v", name, rows[0]["status_descript"])
		}
	}
}

func TestCozeList(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := d.S.KnowledgeBaseID(world.Coze, "产品手册")
	doc := d.S.DocumentID(world.Coze, "退款政策.pdf")
	filtered := fmt.Sprintf(`{"dataset_id":"%s","document_ids":["%s","1"]}`, kb, doc)
	r := callHosted(d, "POST", cozeList, filtered)
	if len(r.Rows("document_infos")) != 1 || r.At("document_infos", 0, "document_id") != doc {
		t.Errorf("document_ids: %s", r.Text)
	}
	if r := d.Send("POST", "/coze"+cozeList, filtered, cozeAuth); !strings.Contains(r.Text, `"document_id":`+doc+",") {
		t.Errorf("without Agw-Js-Conv the id is not a number: %s", r.Text)
	}
	empty := d.S.KnowledgeBaseID(world.Coze, "Empty shelf")
	if r := callHosted(d, "POST", cozeList, `{"dataset_id":"`+empty+`"}`); r.At("document_infos") == nil || len(r.Rows("document_infos")) != 0 {
		t.Errorf("empty: %s", r.Text)
	}
	row := sandboxtest.RowOf(callHosted(d, "GET", "/v1/datasets?space_id="+coze.SpaceID, "").Rows("data", "dataset_list"), "dataset_id", kb)
	if _, ok := row["all_file_size"].(string); !ok || fmt.Sprint(row["doc_count"]) != "8" {
		t.Errorf("dataset: %v", row)
	}
	if r := callHosted(d, "GET", "/v1/workspaces", ""); r.At("data", "workspaces", 0, "id") != coze.SpaceID {
		t.Errorf("workspaces: %s", r.Text)
	}
}

func TestCozeRateAnswersInTwoForms(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{Quota: 1})
	for i, want := range []string{"200 0", "429 4009", "200 4009", "429 4009"} {
		r := callHosted(d, "GET", "/v1/workspaces", "")
		if got := fmt.Sprint(r.Status, " ", r.At("code")); got != want {
			t.Errorf("call %d = %s, want %s", i, got, want)
		}
	}
	d.Now = d.Now.Add(time.Minute)
	if r := callHosted(d, "GET", "/v1/workspaces", ""); fmt.Sprint(r.At("code")) != "0" {
		t.Errorf("after the window: %s", r.Text)
	}
	if r := callHosted(sandboxtest.NewDesk(t, sandbox.Options{Spent: true}), "GET", "/v1/workspaces", ""); r.Status != 200 || fmt.Sprint(r.At("code")) != "4028" {
		t.Errorf("with the plan used up: %d %s", r.Status, r.Text)
	}
}

// TestCozeNumbers: ids may come as numbers, as the official Go library sends them.
func TestCozeNumbers(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb, doc := d.S.KnowledgeBaseID(world.Coze, "产品手册"), d.S.DocumentID(world.Coze, "退款政策.pdf")
	for _, tt := range []struct{ path, body, want string }{
		{cozeList, `{"dataset_id":` + kb + `,"document_ids":[` + doc + `]}`, `"document_id":"` + doc + `"`},
		{"/v1/datasets/" + kb + "/process", `{"document_ids":[` + doc + `]}`, `"document_id":"` + doc + `"`},
		{cozeUpdate, `{"document_id":` + doc + `,"document_name":"neu.pdf"}`, `"code":0`},
		{cozeCreate, strings.Replace(cozeCreateBody(kb, "a", "b"), `"`+kb+`"`, kb, 1), `"name":"a"`},
		{cozeDelete, `{"document_ids":[` + doc + `]}`, `"code":0`},
	} {
		if r := callHosted(d, "POST", tt.path, tt.body); !strings.Contains(r.Text, tt.want) {
			t.Errorf("%s %s: %s", tt.path, tt.body, r.Text)
		}
	}
}

// TestCozeImages: images are uploaded first, listed, found by their captions.
func TestCozeImages(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := d.S.KnowledgeBaseID(world.Coze, "商品图片")
	images := "/v1/datasets/" + kb + "/images"
	if r := callHosted(d, "GET", images+"?keyword=speaker&has_caption=true", ""); fmt.Sprint(r.At("data", "total_count")) != "1" || r.At("data", "photo_infos", 0, "name") != "banner.jpg" {
		t.Errorf("by keyword: %s", r.Text)
	}
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cat.png\"\r\n\r\nxx\r\n--b--\r\n"
	r := d.Send("POST", "/coze/v1/files/upload", form, cozeAuth, "Content-Type: multipart/form-data; boundary=b")
	file := fmt.Sprint(r.At("data", "id"))
	if r := callHosted(d, "GET", "/v1/files/retrieve?file_id="+file, ""); r.At("data", "file_name") != "cat.png" || fmt.Sprint(r.At("data", "bytes")) != "2" {
		t.Errorf("retrieve: %s", r.Text)
	}
	r = callHosted(d, "POST", cozeCreate, `{"dataset_id":"`+kb+`","format_type":2,"chunk_strategy":{"caption_type":1},"document_bases":[{"name":"cat.png","source_info":{"source_file_id":"`+file+`","document_source":5}}]}`)
	doc := fmt.Sprint(r.At("document_infos", 0, "document_id"))
	if r := callHosted(d, "PUT", images+"/"+doc, `{"caption":"A striped cat."}`); fmt.Sprint(r.At("code")) != "0" {
		t.Errorf("caption: %s", r.Text)
	}
	if r := callHosted(d, "GET", images+"?keyword=striped", ""); r.At("data", "photo_infos", 0, "document_id") != doc || r.At("data", "photo_infos", 0, "caption") != "A striped cat." {
		t.Errorf("by the new caption: %s", r.Text)
	}
}

// TestCozePlainStates: what the platform's own libraries know.
func TestCozePlainStates(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{PlainStates: true})
	for _, kb := range d.S.Store(world.Coze).KBs() {
		for _, row := range callHosted(d, "POST", cozeList, `{"dataset_id":"`+kb.ID+`","size":100}`).Rows("document_infos") {
			if s := fmt.Sprint(row["status"]); s != "0" && s != "1" && s != "9" {
				t.Errorf("%v has status %s", row["name"], s)
			}
		}
	}
}

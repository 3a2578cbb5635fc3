package coze_test

import (
	"encoding/base64"
	"encoding/json"
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
	cozeCreate = "/open_api/knowledge/document/create"
	cozeUpdate = "/open_api/knowledge/document/update"
	cozeDelete = "/open_api/knowledge/document/delete"
)

// cozeCreateBody is a hosted create request of one text.
func cozeCreateBody(kb, name, text string) string {
	return fmt.Sprintf(`{"dataset_id":"%s","format_type":0,"chunk_strategy":{"chunk_type":0},"document_bases":[{"name":"%s","source_info":{"file_base64":"%s","file_type":"txt","document_source":0}}]}`,
		kb, name, base64.StdEncoding.EncodeToString([]byte(text)))
}

func TestCozeWriteRefusals(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb, doc := d.S.KnowledgeBaseID(world.Coze, "Empty shelf"), d.S.DocumentID(world.Coze, "退款政策.pdf")
	good := cozeCreateBody(kb, "a", "b")
	swap := func(old, to string) string { return strings.Replace(good, old, to, 1) }
	ids := `"` + strings.Repeat(doc+`","`, 100) + doc + `"`
	bases := strings.Repeat(`{"name":"a","source_info":{"web_url":"https://example.com","document_source":1}},`, 11)
	tests := []struct{ method, path, body, code string }{
		{"POST", "/v1/datasets", `{"space_id":"` + coze.SpaceID + `","format_type":0}`, "4000"},
		{"POST", "/v1/datasets", `{"name":"a","space_id":"` + coze.SpaceID + `","format_type":1}`, "4000"},
		{"POST", "/v1/datasets", `{"name":"a","space_id":"` + coze.SpaceID + `"}`, "4000"},
		{"POST", "/v1/datasets", `{"name":"a","space_id":7,"format_type":0}`, "4200"},
		{"POST", "/v1/datasets", `{"name":"a","space_id":"7","format_type":0}`, "4200"},
		{"POST", "/v1/datasets", `{"name":"` + strings.Repeat("名", 101) + `","space_id":"` + coze.SpaceID + `","format_type":0}`, "4000"},
		{"PUT", "/v1/datasets/" + kb, `{"description":"a"}`, "4000"},
		{"PUT", "/v1/datasets/1", `{"name":"a"}`, "4200"},
		{"DELETE", "/v1/datasets/1", "", "4200"},
		{"POST", cozeCreate, swap(`"dataset_id":"`+kb+`"`, `"dataset_id":true`), "4000"},
		{"POST", cozeCreate, swap(`"dataset_id":"`+kb+`"`, `"dataset_id":"1"`), "4200"},
		{"POST", cozeCreate, swap(`"chunk_strategy":{"chunk_type":0},`, ""), "4000"},
		{"POST", cozeCreate, swap(`"txt"`, `"md"`), "4000"},
		{"POST", cozeCreate, swap(`"document_source":0`, `"document_source":2`), "4000"},
		{"POST", cozeCreate, swap(`"file_base64"`, `"custom_content"`), "4000"},
		{"POST", cozeCreate, swap(`"name":"a"`, `"name":""`), "4000"},
		{"POST", cozeCreate, swap(`"document_bases":[`, `"document_bases":[`+bases), "4000"},
		{"POST", cozeCreate, swap(`"format_type":0`, `"format_type":2`), "4000"},
		{"POST", cozeUpdate, `{"document_id":true,"document_name":"a"}`, "4000"},
		{"POST", cozeUpdate, `{"document_id":"1","document_name":"a"}`, "4200"},
		{"POST", cozeDelete, `{"document_ids":[]}`, "4000"},
		{"POST", cozeDelete, `{"document_ids":[true]}`, "4000"},
		{"POST", cozeDelete, `{"document_ids":[` + ids + `]}`, "4000"},
		{"POST", cozeDelete, `{"document_ids":["` + doc + `","1"]}`, "4200"},
		{"POST", "/v1/files/upload", "not a form", "4000"},
	}
	for _, tt := range tests {
		r := callHosted(d, tt.method, tt.path, tt.body)
		if r.Status != 200 || fmt.Sprint(r.At("code")) != tt.code {
			t.Errorf("%s %s %.200s = %d %s, want %s", tt.method, tt.path, tt.body, r.Status, r.Text, tt.code)
		}
		r = d.Send(tt.method, "/coze"+tt.path, tt.body, "Authorization: Bearer "+coze.TokenNoScope)
		if fmt.Sprint(r.At("code")) != "4101" {
			t.Errorf("%s %s without the right = %s", tt.method, tt.path, r.Text)
		}
	}
	if d.S.Store(world.Coze).Document(doc) == nil || d.S.Store(world.Coze).Documents(kb).Len() != 0 {
		t.Error("a refused call changed something")
	}
}

// TestCozeStub: the answer to a create is the recorded one's shape, and without
// the header its id is a number.
func TestCozeStub(t *testing.T) {
	const recorded = `{"code":0,"document_infos":[{"char_count":0,"chunk_strategy":{},"create_time":0,"document_id":"7454933945252216868","format_type":0,"hit_count":0,"name":"test01","size":0,"slice_count":0,"source_type":0,"status":0,"type":"","update_interval":0,"update_time":0,"update_type":0}],"msg":""}`
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := d.S.KnowledgeBaseID(world.Coze, "Empty shelf")
	r := callHosted(d, "POST", cozeCreate, cozeCreateBody(kb, "a.txt", "b"))
	var want, got any
	if err := json.Unmarshal([]byte(recorded), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(r.Text), &got); err != nil {
		t.Fatal(err)
	}
	for _, diff := range sandboxtest.ShapeDiff("", want, got) {
		if !strings.HasPrefix(diff, ".detail: not in") {
			t.Error(diff)
		}
	}
	if r := d.Send("POST", "/coze"+cozeCreate, cozeCreateBody(kb, "a.txt", "b"), cozeAuth); !strings.Contains(r.Text, `"document_id":7`) {
		t.Errorf("without Agw-Js-Conv: %s", r.Text)
	}
}

// TestCozeUploadsFail: one in eight fails, and which one follows from its
// number alone.
func TestCozeUploadsFail(t *testing.T) {
	fates := func() (fates string) {
		d := sandboxtest.NewDesk(t, sandbox.Options{})
		kb := d.S.KnowledgeBaseID(world.Coze, "Empty shelf")
		for i := range 16 {
			if r := callHosted(d, "POST", cozeCreate, cozeCreateBody(kb, fmt.Sprint(i), "text")); fmt.Sprint(r.At("code")) != "0" {
				t.Fatal(r.Text)
			}
		}
		d.Now = d.Now.Add(5 * time.Second)
		for i := range 16 {
			fates += string(d.S.Store(world.Coze).Documents(kb).At(i).State(d.Now).Phase) + " "
		}
		return fates
	}
	first := fates()
	if strings.Count(first, string(world.Failed)) != 2 || fates() != first {
		t.Errorf("fates: %s", first)
	}
}

func TestStudioWriteRefusals(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb, doc := d.S.KnowledgeBaseID(world.Coze, "Empty shelf"), d.S.DocumentID(world.Coze, "退款政策.pdf")
	one := func(kb string) string {
		return `{"dataset_id":` + kb + `,"document_bases":[{"name":"a","source_info":{"custom_content":"b"}}]}`
	}
	foreign := "Authorization: Bearer " + coze.TokenNoScope
	tests := []struct {
		method, path, body, auth string
		status                   int
		want                     string
	}{
		{"POST", "/v1/datasets", `{"name":"a","space_id":"` + coze.OtherSpaceID + `"}`, cozeAuth, 200, `"code":105000001`},
		{"POST", "/v1/datasets", `{"name":"a","space_id":"7"}`, cozeAuth, 200, `"dataset_id"`},
		{"POST", "/v1/datasets", `{"name":"a"}`, cozeAuth, 200, `"code":105000000`},
		{"POST", "/v1/datasets", `{"name":"a","space_id":"7","format_type":1}`, cozeAuth, 200, `"code":0`},
		{"POST", "/v1/datasets", `{"name":"a","space_id":"7","format_type":7}`, cozeAuth, 500, `"code":500`},
		{"POST", "/v1/datasets", `{"name":"` + strings.Repeat("名", 150) + `","space_id":"7"}`, cozeAuth, 200, `"code":0`},
		{"POST", "/v1/datasets", `{"name":"` + strings.Repeat("名", 151) + `","space_id":"7"}`, cozeAuth, 200, `"code":105000003`},
		{"PUT", "/v1/datasets/0", `{"name":"a"}`, cozeAuth, 200, `"code":105000000`},
		{"PUT", "/v1/datasets/99999999999999999999", `{"name":"a"}`, cozeAuth, 400, `value out of range`},
		{"POST", "/v1/datasets", `{"name":"a","space_id":7}`, cozeAuth, 400, `"code":400`},
		{"POST", "/v1/datasets", `{"space_id":"` + coze.SpaceID + `"}`, cozeAuth, 200, `"code":105000000`},
		{"PUT", "/v1/datasets/1", `{"name":"a"}`, cozeAuth, 200, `"code":105000011`},
		{"DELETE", "/v1/datasets/1", "", cozeAuth, 200, `"code":105000011`},
		{"DELETE", "/v1/datasets/" + kb, "", foreign, 200, `"code":105000001`},
		{"DELETE", "/v1/datasets/kb-1", "", cozeAuth, 401, "missing session_key in cookie"},
		{"POST", cozeCreate, one(kb), cozeAuth, 400, `"code":400,"msg":"bind body failed`},
		{"POST", cozeCreate, one(`"1"`), cozeAuth, 500, `"code":500,"msg":"internal server error"`},
		{"POST", cozeCreate, one(`"` + kb + `"`), foreign, 200, `"code":105000001`},
		{"POST", cozeUpdate, `{"document_id":` + doc + `}`, cozeAuth, 400, "bind body failed"},
		{"POST", cozeUpdate, `{"document_id":"abc","document_name":"a"}`, cozeAuth, 400, "bind body failed"},
		{"POST", cozeUpdate, `{"document_id":"1","document_name":"a"}`, cozeAuth, 500, ""},
		{"POST", cozeCreate, `{"dataset_id":"` + kb + `","document_bases":[]}`, cozeAuth, 500, `"code":500`},
		{"POST", cozeCreate, `{"dataset_id":"` + kb + `","document_bases":[{"name":"a"}]}`, cozeAuth, 500, ""},
		{"POST", cozeCreate, `{"dataset_id":"` + kb + `","format_type":2,"document_bases":[{"name":"a","source_info":{"custom_content":"b"}}]}`, cozeAuth, 500, ""},
		{"POST", cozeCreate, `{"dataset_id":"` + kb + `","format_type":2,"chunk_strategy":{"caption_type":0},"document_bases":[{"name":"a","source_info":{"custom_content":"b"}}]}`, cozeAuth, 200, `"code":105000000`},
		{"POST", cozeDelete, `{"document_ids":[]}`, cozeAuth, 500, `"code":500`},
		{"POST", cozeDelete, `{"document_ids":["abc"]}`, cozeAuth, 500, `"code":500`},
		{"POST", cozeDelete, `{"document_ids":["7300000000000000009"]}`, cozeAuth, 200, `{"BaseResp":null,"code":0,"msg":""}`},
		{"POST", cozeDelete, `{"document_ids":[` + doc + `]}`, cozeAuth, 400, "bind body failed"},
		{"POST", cozeDelete, `{"document_ids":["` + doc + `"]}`, foreign, 200, `"code":105000001`},
		{"POST", "/v1/files/upload", "not a form", cozeAuth, 200, `"code":104000005`},
		{"POST", "/v1/files/upload", "not a form", "X: y", 200, `"code":700012006`},
	}
	for _, tt := range tests {
		r := d.Send(tt.method, "/coze-studio"+tt.path, tt.body, tt.auth)
		if r.Status != tt.status || !strings.Contains(r.Text, tt.want) {
			t.Errorf("%s %s %s = %d %s", tt.method, tt.path, tt.body, r.Status, r.Text)
		}
	}
	if d.S.Store(world.Coze).Document(doc) == nil || d.S.Store(world.Coze).Documents(kb).Len() != 0 {
		t.Error("a refused call changed something")
	}
}

// TestStudioOddities: a delete of own and foreign documents deletes nothing, an
// unknown one counts as deleted, hosted's forms of content are ignored without a
// word, and a rename that names no columns deletes a table's data.
func TestStudioOddities(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	first, last := d.S.DocumentID(world.Coze, "退款政策.pdf"), d.S.DocumentID(world.Coze, "扫描件-合同.pdf")
	theirs := d.S.Store(world.Coze).AddKB(world.KnowledgeBase{Name: "theirs", Owner: "other", Space: coze.OtherSpaceID})
	foreign := d.S.Store(world.Coze).Add(world.Document{KB: theirs.ID, Name: "x"})
	r := callStudio(d, "POST", cozeDelete, `{"document_ids":["`+first+`","`+foreign.ID+`"]}`)
	if fmt.Sprint(r.At("code")) != "105000001" || d.S.Store(world.Coze).Document(first) == nil {
		t.Errorf("delete with a foreign id: %s", r.Text)
	}
	r = callStudio(d, "POST", cozeDelete, `{"document_ids":["`+first+`","1","`+last+`"]}`)
	if fmt.Sprint(r.At("code")) != "0" || d.S.Store(world.Coze).Document(first) != nil || d.S.Store(world.Coze).Document(last) != nil {
		t.Errorf("delete with an unknown id: %s", r.Text)
	}
	kb := d.S.KnowledgeBaseID(world.Coze, "Empty shelf")
	r = callStudio(d, "POST", cozeCreate, cozeCreateBody(kb, "a", "b"))
	doc := d.S.Store(world.Coze).Document(fmt.Sprint(r.At("document_infos", 0, "document_id")))
	if doc == nil || doc.Text != "" || doc.Plan.Outcome != world.Failed {
		t.Errorf("hosted's form of a file: %s, %+v", r.Text, doc)
	}
	r = callStudio(d, "POST", "/v1/datasets", `{"name":"neu","space_id":"`+coze.SpaceID+`","format_type":0}`)
	if id, _ := r.At("data", "dataset_id").(string); d.S.Store(world.Coze).KB(id) == nil {
		t.Errorf("create: %s", r.Text)
	}
	table := d.S.Store(world.Coze).Add(world.Document{KB: kb, Name: "t.csv", Format: "csv", Coze: world.CozeDetail{Kind: "table", Columns: `[{"id":"1","column_name":"a"}]`}})
	for _, meta := range []string{`,"table_meta":[{"id":"1","column_name":"a"}]`, ""} {
		r = callStudio(d, "POST", cozeUpdate, `{"document_id":"`+table.ID+`","document_name":"u.csv"`+meta+`}`)
		if got := d.S.Store(world.Coze).Document(table.ID); r.Text != `{"code":0,"msg":""}`+"\n" || got.Coze.Dropped != (meta == "") {
			t.Errorf("rename with %q: %s %+v", meta, r.Text, got.Coze)
		}
	}
}

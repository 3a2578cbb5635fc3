package coze_test

import (
	"fmt"
	"strings"
	"testing"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

func callStudio(d *sandboxtest.Desk, method, path, body string) sandboxtest.Reply {
	d.T.Helper()
	return d.Send(method, "/coze-studio"+path, body, cozeAuth, cozeStrings)
}

func TestStudioRefusals(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb, doc := d.S.KnowledgeBaseID(world.Coze, "产品手册"), d.S.DocumentID(world.Coze, "退款政策.pdf")
	process := "/v1/datasets/" + kb + "/process"
	foreign := "Authorization: Bearer " + coze.TokenNoScope
	tests := []struct {
		method, path, body, auth string
		status                   int
		want                     string
	}{
		{"POST", process, `{"document_ids":["` + doc + `"]}`, cozeAuth, 400, `"code":400,"msg":"bind body failed, err=Mismatch type int64 with value string`},
		{"POST", process, `{"document_ids":[` + doc + `]}`, foreign, 200, `"code":105000001,"msg":"unauthorized access : permission denied"`},
		{"POST", process, `{"document_ids":[` + doc + `]}`, "X: y", 200, `"code":700012006,"msg":"authentication failed: `},
		{"POST", process, `{"document_ids":[` + doc + `]}`, "Authorization: Bearer pat_wrong", 200, `"code":700012006,"msg":"authentication failed: CheckPermission failed"`},
		{"POST", process, `{"document_ids":[` + doc + `]}`, "Authorization: Basic YTpi", 200, `missing api_key in request`},
		{"POST", process, `{}`, cozeAuth, 200, `{"code":0,"data":{"data":[]},"msg":"success"}`},
		{"POST", "/v1/datasets/kb-1/process", `{}`, cozeAuth, 401, `"msg":"missing session_key in cookie"`},
		{"POST", cozeList, `{"dataset_id":` + kb + `}`, cozeAuth, 400, `bind body failed`},
		{"POST", cozeList, `{"dataset_id":"` + kb + `","document_ids":[` + doc + `]}`, cozeAuth, 400, `bind body failed`},
		{"POST", cozeList, `{"dataset_id":"` + kb + `","size":9}`, foreign, 200, `"code":105000001`},
		{"POST", cozeList, `{"dataset_id":"abc","size":9}`, cozeAuth, 400, `bind body failed`},
		{"POST", cozeList, `{"size":9}`, cozeAuth, 400, `'dataset_id' field is a 'required' parameter`},
		{"POST", cozeList, `{"dataset_id":"0","size":9}`, cozeAuth, 200, `"code":105000003,"msg":"MySQL operation failed: need ids or knowledge_ids"`},
		{"POST", cozeList, `{"dataset_id":"` + kb + `","document_ids":["abc"]}`, cozeAuth, 500, `"code":500,"msg":"internal server error"`},
		{"GET", cozeList, "", cozeAuth, 404, `{"code":404,"msg":"not found"}`},
		{"PATCH", "/v1/datasets", "{}", cozeAuth, 404, `{"code":404,"msg":"not found"}`},
		{"GET", "/v1/datasets", "", cozeAuth, 200, `"code":105000000`},
		{"GET", "/v1/datasets?space_id=abc", "", cozeAuth, 400, `unable to decode 'abc' as int64`},
		{"GET", "/v1/datasets?space_id=7300000000000000001", "", cozeAuth, 200, `"total_count":0`},
		{"GET", "/v1/datasets?space_id=" + coze.OtherSpaceID, "", cozeAuth, 200, `"code":105000001`},
		{"GET", "/v1/workspaces", "", cozeAuth, 401, "missing session_key in cookie"},
		{"GET", "/v1/nothing", "", "X: y", 401, "missing session_key in cookie"},
		{"PUT", "/v1/datasets/" + kb + "/images/" + doc, "{}", cozeAuth, 401, "missing session_key in cookie"},
		{"GET", "/v1/datasets/" + kb + "/images", "", cozeAuth, 200, `"photo_infos":[]`},
	}
	for _, tt := range tests {
		r := d.Send(tt.method, "/coze-studio"+tt.path, tt.body, tt.auth)
		if r.Status != tt.status || !strings.Contains(r.Text, tt.want) || r.Header.Get("X-Log-ID") == "" {
			t.Errorf("%s %s %s (%s) = %d %s", tt.method, tt.path, tt.body, tt.auth, r.Status, r.Text)
		}
	}
	r := callStudio(d, "POST", cozeList, `{"dataset_id":`+kb+`}`)
	if got := r.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
		t.Errorf("a number as dataset_id: %s, want text/plain", got)
	}
}

func TestStudioPages(t *testing.T) {
	t.Parallel()
	d := sandboxtest.NewDesk(t, sandbox.Options{Documents: 10000})
	kb := d.S.KnowledgeBaseID(world.Coze, "Archive 档案库")
	seen := map[string]bool{}
	for n := range 101 {
		r := callStudio(d, "POST", cozeList, fmt.Sprintf(`{"dataset_id":"%s","page":%d,"size":100}`, kb, n))
		r.IDs("document_id", seen)
	}
	if len(seen) != 10000 {
		t.Errorf("%d documents of 10000 on pages from 0", len(seen))
	}
	d = sandboxtest.NewDesk(t, sandbox.Options{Documents: 400})
	kb = d.S.KnowledgeBaseID(world.Coze, "Archive 档案库")
	r := callStudio(d, "POST", cozeList, `{"dataset_id":"`+kb+`","page":3}`)
	if got := r.IDs("document_id", seen); got != 400 {
		t.Errorf("%d documents without size, want all", got)
	}
	r = callStudio(d, "POST", cozeList, `{"dataset_id":"1","size":9}`)
	if r.Status != 200 || fmt.Sprint(r.At("total")) != "0" {
		t.Errorf("an unknown knowledge base = %d %s, want an empty list", r.Status, r.Text)
	}
	r = callStudio(d, "GET", "/v1/datasets?space_id="+coze.SpaceID, "")
	if got := len(r.Rows("data", "dataset_list")); got != 5 || r.At("msg") != "success" {
		t.Errorf("%d knowledge bases without page_size, want all; %s", got, r.Text)
	}
	if v, has := r.Object()["BaseResp"]; !has || v != nil {
		t.Errorf("BaseResp = %v, %v, want null", v, has)
	}
}

func TestStudioStatuses(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	names := []string{"退款政策.pdf", "价格表2026.xlsx", "扫描件-合同.pdf", "community-post.txt", "old-draft.docx", "用户反馈汇总.docx", "退款政策.pdf"}
	ids := []string{"1"}
	for _, n := range names {
		ids = append(ids, d.S.DocumentID(world.Coze, n))
	}
	r := callStudio(d, "POST", "/v1/datasets/1/process", `{"document_ids":[`+strings.Join(ids, ",")+`]}`)
	got := []string{}
	for _, row := range r.Rows("data", "data") {
		got = append(got, fmt.Sprint(row["document_name"], row["status"], row["status_descript"], row["progress"], row["remaining_time"]))
	}
	want := []string{ // in the order of creation, the deleted and the unknown one left out
		"退款政策.pdf1生效1000", "价格表2026.xlsx0失效1000", "community-post.txt9失败1000", "扫描件-合同.pdf9失败1000", "用户反馈汇总.docx0上传中0300",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("process =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	kb := d.S.KnowledgeBaseID(world.Coze, "产品手册")
	rows := callStudio(d, "POST", cozeList, `{"dataset_id":"`+kb+`","keyword":"ignored","size":100}`).Rows("document_infos")
	if row := sandboxtest.RowOf(rows, "name", "扫描件-合同.pdf"); row["status_descript"] != "文件解析失败，请检查文件是否损坏或加密" {
		t.Errorf("the reason in the list: %v", row["status_descript"])
	}
	if row := sandboxtest.RowOf(rows, "name", "退款政策.pdf"); row["status_descript"] != "" || row["web_url"] == nil || row["update_type"] != nil {
		t.Errorf("a completed row: %v", row)
	}
}

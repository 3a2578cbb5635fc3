package dify_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/dify"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

// difyDo sends JSON to the Dify face.
func do(d *sandboxtest.Desk, method, path, body string) sandboxtest.Reply {
	d.T.Helper()
	return d.Send(method, "/dify/v1"+path, body, difyAuth, "Content-Type: application/json")
}

// difyForm uploads a file by a form.
func upload(d *sandboxtest.Desk, path, name, content, data string) sandboxtest.Reply {
	d.T.Helper()
	body := "--b\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n" + data +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name + "\"\r\n\r\n" + content + "\r\n--b--\r\n"
	return d.Send("POST", "/dify/v1"+path, body, difyAuth, "Content-Type: multipart/form-data; boundary=b")
}

func TestDifyKnowledgeBases(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	r := do(d, "POST", "/datasets", `{"name":"Shelf","description":"d"}`)
	if r.Status != 200 || r.At("name") != "Shelf" || r.At("indexing_technique") != nil {
		t.Fatalf("create = %d %s", r.Status, r.Text)
	}
	kb := "/datasets/" + r.At("id").(string)
	for _, tt := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/datasets", `{"name":"Shelf"}`, 409, "dataset_name_duplicate"},
		{"POST", "/datasets", `{"name":"` + strings.Repeat("册", 41) + `"}`, 400, "invalid_param"},
		{"POST", "/datasets", `{}`, 400, "invalid_param"},
		{"POST", "/datasets", `nonsense`, 400, "bad_request"},
		{"PATCH", kb, `{"name":"产品手册"}`, 400, "invalid_param"},
		{"PUT", kb, `{}`, 405, "method_not_allowed"},
	} {
		if r := do(d, tt.method, tt.path, tt.body); r.Status != tt.status || r.At("code") != tt.code {
			t.Errorf("%s %s %s = %d %s", tt.method, tt.path, tt.body, r.Status, r.Text)
		}
	}
	if r := d.Send("POST", "/dify/v1/datasets", `{"name":"x"}`, difyAuth); r.Status != 415 {
		t.Errorf("without a content type: %d", r.Status)
	}
	if r := do(d, "PATCH", kb, `{"name":"Shelf 2"}`); r.At("name") != "Shelf 2" || r.At("description") != "d" {
		t.Errorf("update = %s", r.Text)
	}
	if r := do(d, "DELETE", kb, ""); r.Status != 204 || r.Text != "" {
		t.Errorf("delete = %d %q", r.Status, r.Text)
	}
	if r := do(d, "DELETE", kb, ""); r.Status != 404 || r.At("message") != "Dataset not found." {
		t.Errorf("delete again = %d %s", r.Status, r.Text)
	}
}

func TestDifyUploads(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "Empty shelf")
	text := kb + "/document/create-by-text"
	for body, want := range map[string]int{
		`{"name":"a.txt","text":"x"}`:                                                                           500, // nobody says a technique
		`{"name":"a.txt","text":"x","indexing_technique":"fast"}`:                                               400,
		`{"name":"a.txt","indexing_technique":"economy"}`:                                                       400,
		`{"name":"a.txt","text":"x","indexing_technique":"economy","process_rule":{"mode":"custom"}}`:           400,
		`{"name":"a.txt","text":7,"indexing_technique":"economy","process_rule":{"mode":"automatic"}}`:          400,
		`{"name":"a.txt","text":"x","indexing_technique":"economy","process_rule":{"mode":"x"},"doc_form":"y"}`: 400,
	} {
		if r := do(d, "POST", text, body); r.Status != want {
			t.Errorf("%s = %d %s", body, r.Status, r.Text)
		}
	}
	first := do(d, "POST", text, `{"name":"a.txt","text":"first words","indexing_technique":"economy","process_rule":{"mode":"automatic"}}`)
	batch, _ := first.At("batch").(string)
	if first.Status != 200 || first.At("document", "indexing_status") != "waiting" || len(batch) != 20 {
		t.Fatalf("upload = %d %s", first.Status, first.Text)
	}
	if r := get(d, kb); r.At("indexing_technique") != "economy" || r.At("doc_form") != "text_model" {
		t.Errorf("the knowledge base after it: %s", r.Text)
	}
	for _, body := range []string{
		`{"name":"b.txt","text":"x","doc_form":"qa_model","indexing_technique":"economy"}`,
		`{"name":"b.txt","text":"x"}`, // the technique is wanted every time
		`{"name":"b.txt","text":"x","indexing_technique":null}`,
	} {
		if r := do(d, "POST", text, body); r.Status != 400 || r.At("code") != "invalid_param" {
			t.Errorf("%s = %d %s", body, r.Status, r.Text)
		}
	}
	again := do(d, "POST", text, `{"name":"a.txt","text":"second words","indexing_technique":"high_quality"}`)
	if again.At("document", "id") != first.At("document", "id") || again.At("batch") == batch || fmt.Sprint(again.At("document", "created_at")) != fmt.Sprint(first.At("document", "created_at")) {
		t.Errorf("the same name again: %s after %s", again.Text, first.Text)
	}
	if r := get(d, kb); r.At("indexing_technique") != "economy" {
		t.Errorf("another technique was taken: %s", r.Text)
	}
	if r := get(d, kb+"/documents/"+batch+"/indexing-status"); r.Status != 404 {
		t.Errorf("the old batch = %d", r.Status)
	}
	d.Now = d.Now.Add(20 * time.Second)
	words := `{"query":"words","retrieval_model":{"search_method":"keyword_search","reranking_enable":false,"top_k":3,"score_threshold_enabled":false}}`
	if r := do(d, "POST", kb+"/retrieve", words); !strings.Contains(r.Text, "second words") || strings.Contains(r.Text, "first words") {
		t.Errorf("retrieve = %s", r.Text)
	}
	if r := do(d, "POST", kb+"/retrieve", `{"query":"words"}`); r.Status != 200 || len(r.Rows("records")) != 0 {
		t.Errorf("retrieve by other settings than its technique's = %d %s", r.Status, r.Text)
	}
	checkFiles(d, kb)
}

// difyFiles uploads files to a knowledge base that has one document.
func checkFiles(d *sandboxtest.Desk, kb string) {
	t := d.T
	file := kb + "/document/create-by-file"
	if r := upload(d, file, "guide.md", "a file", `{"doc_form":"text_model"}`); r.Status != 200 || r.At("document", "name") != "guide.md" || r.At("document", "data_source_detail_dict", "upload_file", "extension") != "md" {
		t.Errorf("a file = %d %s", r.Status, r.Text)
	}
	if r := upload(d, file, "guide.md", "another", `{"duplicate":false}`); r.Status != 200 || fmt.Sprint(get(d, kb+"/documents").At("total")) != "3" {
		t.Errorf("a file that must not replace = %d %s", r.Status, r.Text)
	}
	for _, name := range []string{"setup.exe", "README"} {
		if r := upload(d, file, name, "x", `{}`); r.Status != 400 || r.At("message") != "" {
			t.Errorf("%s = %d %s", name, r.Status, r.Text)
		}
	}
	if r := do(d, "POST", file, `{}`); r.Status != 400 || r.At("code") != "no_file_uploaded" {
		t.Errorf("no form = %d %s", r.Status, r.Text)
	}
}

func TestDifyUpdates(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "产品手册")
	doc := d.S.DocumentID(world.Dify, "退款政策.pdf")
	status := func(action, id string) sandboxtest.Reply {
		return do(d, "PATCH", kb+"/documents/status/"+action, `{"document_ids":["`+id+`"]}`)
	}
	if r := status("disable", doc); r.Text != "{\"result\":\"success\"}\n" || get(d, kb+"/documents/"+doc).At("enabled") != false {
		t.Errorf("disable = %s", r.Text)
	}
	if r := status("enable", doc); r.Status != 400 || !strings.HasSuffix(r.At("message").(string), "please try again later") {
		t.Errorf("enable at once = %d %s", r.Status, r.Text)
	}
	if r := do(d, "POST", kb+"/documents/"+doc+"/update-by-text", `{"name":"x","text":"y"}`); r.At("message") != "Document is not available" {
		t.Errorf("update of a disabled document = %s", r.Text)
	}
	d.Now = d.Now.Add(2 * time.Second)
	if r := status("enable", doc); r.Status != 200 {
		t.Errorf("enable = %d %s", r.Status, r.Text)
	}
	if r := status("disable", d.S.DocumentID(world.Dify, "新品发布会🚀.pdf")); !strings.HasSuffix(r.At("message").(string), "is not completed.") {
		t.Errorf("disable at work = %s", r.Text)
	}
	if r := status("disable", "00000000-0000-4000-8000-000000000000"); r.Status != 200 {
		t.Errorf("an unknown document is skipped: %d", r.Status)
	}
	if r := status("melt", doc); r.At("code") != "invalid_action" {
		t.Errorf("an unknown action = %s", r.Text)
	}
	for body, want := range map[string]int{`{"name":"x"}`: 400, `{"text":"y"}`: 400, `{"name":"x.txt","text":"new words"}`: 200} {
		if r := do(d, "POST", kb+"/documents/"+doc+"/update-by-text", body); r.Status != want {
			t.Errorf("update-by-text %s = %d %s", body, r.Status, r.Text)
		}
	}
	other := d.S.DocumentID(world.Dify, "快速入门.docx")
	if r := upload(d, kb+"/documents/"+other+"/update-by-file", "setup.exe", "x", "{}"); r.Status != 415 || r.At("code") != "unsupported_file_type" {
		t.Errorf("update-by-file = %d %s", r.Status, r.Text)
	}
	archived := d.S.DocumentID(world.Dify, "价格表2025.xlsx")
	if r := do(d, "DELETE", kb+"/documents/"+archived, ""); r.Status != 403 || r.At("code") != "archived_document_immutable" {
		t.Errorf("delete of an archived document = %d %s", r.Status, r.Text)
	}
	if r := status("un_archive", archived); r.Status != 200 {
		t.Errorf("un_archive = %d", r.Status)
	}
	if r := do(d, "DELETE", kb+"/documents/"+archived, ""); r.Status != 204 {
		t.Errorf("delete = %d %s", r.Status, r.Text)
	}
	if r := do(d, "DELETE", kb+"/documents/"+archived, ""); r.Status != 404 || r.At("message") != "Document Not Exists." {
		t.Errorf("delete again = %d %s", r.Status, r.Text)
	}
}

func TestDifyFiles(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{Dify: dify.Options{OldDeletes: true}})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "产品手册")
	doc := d.S.DocumentID(world.Dify, "退款政策.pdf")
	link, err := url.Parse(get(d, kb+"/documents/"+doc+"/download").At("url").(string))
	if err != nil {
		t.Fatal(err)
	}
	path := link.RequestURI()
	if r := d.Send("GET", path, ""); r.Status != 200 || !strings.HasPrefix(r.Text, "购买后") || !strings.Contains(r.Header.Get("Content-Disposition"), "filename*=") {
		t.Errorf("the file = %d %s", r.Status, r.Text)
	}
	if r := d.Send("GET", path, "", difyAuth); r.Status != 400 {
		t.Errorf("with the key: %d", r.Status)
	}
	if r := d.Send("GET", strings.Replace(path, "sign=", "sign=0", 1), ""); r.Status != 404 {
		t.Errorf("with another signature: %d", r.Status)
	}
	d.Now = d.Now.Add(6 * time.Minute)
	if r := d.Send("GET", path, ""); r.Status != 404 {
		t.Errorf("after its time: %d", r.Status)
	}
	wiki := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "Engineering Wiki")
	if r := get(d, wiki+"/documents/"+d.S.DocumentID(world.Dify, "Status page")+"/download"); r.Status != 404 {
		t.Errorf("a page of the web: %d", r.Status)
	}
	if r := do(d, "DELETE", kb+"/documents/"+doc, ""); r.Status != 200 || r.Text != "204\n" {
		t.Errorf("an old server's delete = %d %q", r.Status, r.Text)
	}
}

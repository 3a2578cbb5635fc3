package sandbox

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox/dify"
	"kb-mcp/vendors/sandbox/world"
)

// difyDo sends JSON to the Dify face.
func (d *desk) difyDo(method, path, body string) reply {
	d.t.Helper()
	return d.send(method, "/dify/v1"+path, body, difyAuth, "Content-Type: application/json")
}

// difyForm uploads a file by a form.
func (d *desk) difyForm(path, name, content, data string) reply {
	d.t.Helper()
	body := "--b\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n" + data +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name + "\"\r\n\r\n" + content + "\r\n--b--\r\n"
	return d.send("POST", "/dify/v1"+path, body, difyAuth, "Content-Type: multipart/form-data; boundary=b")
}

func TestDifyKnowledgeBases(t *testing.T) {
	d := newDesk(t, Options{})
	r := d.difyDo("POST", "/datasets", `{"name":"Shelf","description":"d"}`)
	if r.status != 200 || r.at("name") != "Shelf" || r.at("indexing_technique") != nil {
		t.Fatalf("create = %d %s", r.status, r.text)
	}
	kb := "/datasets/" + r.at("id").(string)
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
		if r := d.difyDo(tt.method, tt.path, tt.body); r.status != tt.status || r.at("code") != tt.code {
			t.Errorf("%s %s %s = %d %s", tt.method, tt.path, tt.body, r.status, r.text)
		}
	}
	if r := d.send("POST", "/dify/v1/datasets", `{"name":"x"}`, difyAuth); r.status != 415 {
		t.Errorf("without a content type: %d", r.status)
	}
	if r := d.difyDo("PATCH", kb, `{"name":"Shelf 2"}`); r.at("name") != "Shelf 2" || r.at("description") != "d" {
		t.Errorf("update = %s", r.text)
	}
	if r := d.difyDo("DELETE", kb, ""); r.status != 204 || r.text != "" {
		t.Errorf("delete = %d %q", r.status, r.text)
	}
	if r := d.difyDo("DELETE", kb, ""); r.status != 404 || r.at("message") != "Dataset not found." {
		t.Errorf("delete again = %d %s", r.status, r.text)
	}
}

func TestDifyUploads(t *testing.T) {
	d := newDesk(t, Options{})
	kb := "/datasets/" + d.s.KnowledgeBaseID(world.Dify, "Empty shelf")
	text := kb + "/document/create-by-text"
	for body, want := range map[string]int{
		`{"name":"a.txt","text":"x"}`:                                                                           500, // nobody says a technique
		`{"name":"a.txt","text":"x","indexing_technique":"fast"}`:                                               400,
		`{"name":"a.txt","indexing_technique":"economy"}`:                                                       400,
		`{"name":"a.txt","text":"x","indexing_technique":"economy","process_rule":{"mode":"custom"}}`:           400,
		`{"name":"a.txt","text":7,"indexing_technique":"economy","process_rule":{"mode":"automatic"}}`:          400,
		`{"name":"a.txt","text":"x","indexing_technique":"economy","process_rule":{"mode":"x"},"doc_form":"y"}`: 400,
	} {
		if r := d.difyDo("POST", text, body); r.status != want {
			t.Errorf("%s = %d %s", body, r.status, r.text)
		}
	}
	first := d.difyDo("POST", text, `{"name":"a.txt","text":"first words","indexing_technique":"economy","process_rule":{"mode":"automatic"}}`)
	batch, _ := first.at("batch").(string)
	if first.status != 200 || first.at("document", "indexing_status") != "waiting" || len(batch) != 20 {
		t.Fatalf("upload = %d %s", first.status, first.text)
	}
	if r := d.dify(kb); r.at("indexing_technique") != "economy" || r.at("doc_form") != "text_model" {
		t.Errorf("the knowledge base after it: %s", r.text)
	}
	for _, body := range []string{
		`{"name":"b.txt","text":"x","doc_form":"qa_model","indexing_technique":"economy"}`,
		`{"name":"b.txt","text":"x"}`, // the technique is wanted every time
		`{"name":"b.txt","text":"x","indexing_technique":null}`,
	} {
		if r := d.difyDo("POST", text, body); r.status != 400 || r.at("code") != "invalid_param" {
			t.Errorf("%s = %d %s", body, r.status, r.text)
		}
	}
	again := d.difyDo("POST", text, `{"name":"a.txt","text":"second words","indexing_technique":"high_quality"}`)
	if again.at("document", "id") != first.at("document", "id") || again.at("batch") == batch || fmt.Sprint(again.at("document", "created_at")) != fmt.Sprint(first.at("document", "created_at")) {
		t.Errorf("the same name again: %s after %s", again.text, first.text)
	}
	if r := d.dify(kb); r.at("indexing_technique") != "economy" {
		t.Errorf("another technique was taken: %s", r.text)
	}
	if r := d.dify(kb + "/documents/" + batch + "/indexing-status"); r.status != 404 {
		t.Errorf("the old batch = %d", r.status)
	}
	d.now = d.now.Add(20 * time.Second)
	words := `{"query":"words","retrieval_model":{"search_method":"keyword_search","reranking_enable":false,"top_k":3,"score_threshold_enabled":false}}`
	if r := d.difyDo("POST", kb+"/retrieve", words); !strings.Contains(r.text, "second words") || strings.Contains(r.text, "first words") {
		t.Errorf("retrieve = %s", r.text)
	}
	if r := d.difyDo("POST", kb+"/retrieve", `{"query":"words"}`); r.status != 200 || len(r.rows("records")) != 0 {
		t.Errorf("retrieve by other settings than its technique's = %d %s", r.status, r.text)
	}
	d.difyFiles(kb)
}

// difyFiles uploads files to a knowledge base that has one document.
func (d *desk) difyFiles(kb string) {
	t := d.t
	file := kb + "/document/create-by-file"
	if r := d.difyForm(file, "guide.md", "a file", `{"doc_form":"text_model"}`); r.status != 200 || r.at("document", "name") != "guide.md" || r.at("document", "data_source_detail_dict", "upload_file", "extension") != "md" {
		t.Errorf("a file = %d %s", r.status, r.text)
	}
	if r := d.difyForm(file, "guide.md", "another", `{"duplicate":false}`); r.status != 200 || fmt.Sprint(d.dify(kb+"/documents").at("total")) != "3" {
		t.Errorf("a file that must not replace = %d %s", r.status, r.text)
	}
	for _, name := range []string{"setup.exe", "README"} {
		if r := d.difyForm(file, name, "x", `{}`); r.status != 400 || r.at("message") != "" {
			t.Errorf("%s = %d %s", name, r.status, r.text)
		}
	}
	if r := d.difyDo("POST", file, `{}`); r.status != 400 || r.at("code") != "no_file_uploaded" {
		t.Errorf("no form = %d %s", r.status, r.text)
	}
}

func TestDifyUpdates(t *testing.T) {
	d := newDesk(t, Options{})
	kb := "/datasets/" + d.s.KnowledgeBaseID(world.Dify, "产品手册")
	doc := d.s.DocumentID(world.Dify, "退款政策.pdf")
	status := func(action, id string) reply {
		return d.difyDo("PATCH", kb+"/documents/status/"+action, `{"document_ids":["`+id+`"]}`)
	}
	if r := status("disable", doc); r.text != "{\"result\":\"success\"}\n" || d.dify(kb+"/documents/"+doc).at("enabled") != false {
		t.Errorf("disable = %s", r.text)
	}
	if r := status("enable", doc); r.status != 400 || !strings.HasSuffix(r.at("message").(string), "please try again later") {
		t.Errorf("enable at once = %d %s", r.status, r.text)
	}
	if r := d.difyDo("POST", kb+"/documents/"+doc+"/update-by-text", `{"name":"x","text":"y"}`); r.at("message") != "Document is not available" {
		t.Errorf("update of a disabled document = %s", r.text)
	}
	d.now = d.now.Add(2 * time.Second)
	if r := status("enable", doc); r.status != 200 {
		t.Errorf("enable = %d %s", r.status, r.text)
	}
	if r := status("disable", d.s.DocumentID(world.Dify, "新品发布会🚀.pdf")); !strings.HasSuffix(r.at("message").(string), "is not completed.") {
		t.Errorf("disable at work = %s", r.text)
	}
	if r := status("disable", "00000000-0000-4000-8000-000000000000"); r.status != 200 {
		t.Errorf("an unknown document is skipped: %d", r.status)
	}
	if r := status("melt", doc); r.at("code") != "invalid_action" {
		t.Errorf("an unknown action = %s", r.text)
	}
	for body, want := range map[string]int{`{"name":"x"}`: 400, `{"text":"y"}`: 400, `{"name":"x.txt","text":"new words"}`: 200} {
		if r := d.difyDo("POST", kb+"/documents/"+doc+"/update-by-text", body); r.status != want {
			t.Errorf("update-by-text %s = %d %s", body, r.status, r.text)
		}
	}
	other := d.s.DocumentID(world.Dify, "快速入门.docx")
	if r := d.difyForm(kb+"/documents/"+other+"/update-by-file", "setup.exe", "x", "{}"); r.status != 415 || r.at("code") != "unsupported_file_type" {
		t.Errorf("update-by-file = %d %s", r.status, r.text)
	}
	archived := d.s.DocumentID(world.Dify, "价格表2025.xlsx")
	if r := d.difyDo("DELETE", kb+"/documents/"+archived, ""); r.status != 403 || r.at("code") != "archived_document_immutable" {
		t.Errorf("delete of an archived document = %d %s", r.status, r.text)
	}
	if r := status("un_archive", archived); r.status != 200 {
		t.Errorf("un_archive = %d", r.status)
	}
	if r := d.difyDo("DELETE", kb+"/documents/"+archived, ""); r.status != 204 {
		t.Errorf("delete = %d %s", r.status, r.text)
	}
	if r := d.difyDo("DELETE", kb+"/documents/"+archived, ""); r.status != 404 || r.at("message") != "Document Not Exists." {
		t.Errorf("delete again = %d %s", r.status, r.text)
	}
}

func TestDifyFiles(t *testing.T) {
	d := newDesk(t, Options{Dify: dify.Options{OldDeletes: true}})
	kb := "/datasets/" + d.s.KnowledgeBaseID(world.Dify, "产品手册")
	doc := d.s.DocumentID(world.Dify, "退款政策.pdf")
	link, err := url.Parse(d.dify(kb + "/documents/" + doc + "/download").at("url").(string))
	if err != nil {
		t.Fatal(err)
	}
	path := link.RequestURI()
	if r := d.send("GET", path, ""); r.status != 200 || !strings.HasPrefix(r.text, "购买后") || !strings.Contains(r.header.Get("Content-Disposition"), "filename*=") {
		t.Errorf("the file = %d %s", r.status, r.text)
	}
	if r := d.send("GET", path, "", difyAuth); r.status != 400 {
		t.Errorf("with the key: %d", r.status)
	}
	if r := d.send("GET", strings.Replace(path, "sign=", "sign=0", 1), ""); r.status != 404 {
		t.Errorf("with another signature: %d", r.status)
	}
	d.now = d.now.Add(6 * time.Minute)
	if r := d.send("GET", path, ""); r.status != 404 {
		t.Errorf("after its time: %d", r.status)
	}
	wiki := "/datasets/" + d.s.KnowledgeBaseID(world.Dify, "Engineering Wiki")
	if r := d.dify(wiki + "/documents/" + d.s.DocumentID(world.Dify, "Status page") + "/download"); r.status != 404 {
		t.Errorf("a page of the web: %d", r.status)
	}
	if r := d.difyDo("DELETE", kb+"/documents/"+doc, ""); r.status != 200 || r.text != "204\n" {
		t.Errorf("an old server's delete = %d %q", r.status, r.text)
	}
}

package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// send makes a request with a JSON body or, for "file:name=content", a form.
func (rt ragTest) send(face, method, path, body string) map[string]any {
	rt.t.Helper()
	auth, rd, kind := "Bearer "+RAGFlowKey, io.Reader(strings.NewReader(body)), "application/json"
	if face == "ragflow-preview" {
		auth = RAGFlowToken
	}
	if files, ok := strings.CutPrefix(body, "file:"); ok {
		rd, kind = form(rt.t, files)
	}
	r := httptest.NewRequest(method, "/"+face+path, rd)
	r.Header.Set("Authorization", auth)
	if body != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, r)
	out := map[string]any{"text": w.Body.String(), "disposition": w.Header().Get("Content-Disposition")}
	json.Unmarshal(w.Body.Bytes(), &out) // a file is no JSON
	return out
}

// form is a multipart body of "a.txt=hello&name:x=y": files, and fields with a
// colon after their kind.
func form(t *testing.T, spec string) (io.Reader, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for part := range strings.SplitSeq(spec, "&") {
		name, value, _ := strings.Cut(part, "=")
		if field, ok := strings.CutPrefix(name, "field:"); ok {
			w.WriteField(field, value)
			continue
		}
		f, err := w.CreateFormFile("file", name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, value)
	}
	w.Close()
	return &b, w.FormDataContentType()
}

// Every recorded write of v0.10.0 and v0.27.0 and every documented answer of the
// first published API is asked of the faces: successes must have its shape,
// refusals its words.
func TestRAGFlowWriteShapes(t *testing.T) {
	const doc, kb = "{doc}", "{kb}"
	upload := "file:test.txt=test"
	requests := map[string][3]string{ // method, path, body
		"v0.10.0 create":                            {"POST", "", `{"name":"kb1"}`},
		"v0.10.0 create kb":                         {"POST", "", `{"name":"kb1"}`},
		"v0.10.0 update kb":                         {"PUT", "/" + kb, `{"name":"new_name","description":"new_description1"}`},
		"v0.10.0 update kb: not the owner":          {"PUT", "/nope", `{"name":"x"}`},
		"v0.10.0 update kb: no parameter":           {"PUT", "/" + kb, `{}`},
		"v0.10.0 upload 2 file(s)":                  {"POST", "/" + kb + "/documents/", "file:test.txt=test&empty.txt="},
		"v0.10.0 upload two files":                  {"POST", "/" + kb + "/documents", "file:test.txt=&test1.txt="},
		"v0.10.0 upload: unknown kb":                {"POST", "/nope/documents", upload},
		"v0.10.0 upload: too many files":            {"POST", "/" + kb + "/documents", "file:" + strings.Repeat("a.txt=x&", 511) + "b.txt=x"},
		"v0.10.0 update document":                   {"PUT", "/" + kb + "/documents/" + doc, `{"name":"new_name.txt"}`},
		"v0.10.0 update name":                       {"PUT", "/" + kb + "/documents/" + doc, `{"name":"new_name.txt"}`},
		"v0.10.0 update unknown doc":                {"PUT", "/" + kb + "/documents/weird_doc_id", `{"name":"a.txt"}`},
		"v0.10.0 update document: unknown":          {"PUT", "/" + kb + "/documents/weird_doc_id", `{"name":"a.txt"}`},
		"v0.10.0 update document: no parameter":     {"PUT", "/" + kb + "/documents/" + doc, `{}`},
		"v0.10.0 update document: unknown kb":       {"PUT", "/fake_dataset_id/documents/" + doc, `{"name":"a.txt"}`},
		"v0.10.0 update document: other extension":  {"PUT", "/" + kb + "/documents/" + doc, `{"name":"a.pdf"}`},
		"v0.10.0 update document: name taken":       {"PUT", "/" + kb + "/documents/" + doc, `{"name":"taken.txt"}`},
		"v0.10.0 update document: unknown key":      {"PUT", "/" + kb + "/documents/" + doc, `{"illegal_parameter":"x"}`},
		"v0.10.0 update document: empty name":       {"PUT", "/" + kb + "/documents/" + doc, `{"name":""}`},
		"v0.10.0 update document: bad enable value": {"PUT", "/" + kb + "/documents/" + doc, `{"enable":"?"}`},
		"v0.10.0 parse empty":                       {"POST", "/" + kb + "/documents/{empty}/status", ""},
		"v0.10.0 parse unknown":                     {"POST", "/" + kb + "/documents/imagination/status", ""},
		"v0.10.0 stop one":                          {"DELETE", "/" + kb + "/documents/" + doc + "/status", ""},
		"v0.10.0 start one":                         {"POST", "/" + kb + "/documents/" + doc + "/status", ""},
		"v0.10.0 start one: unknown document":       {"POST", "/" + kb + "/documents/imagination.txt/status", ""},
		"v0.10.0 start one: unknown kb":             {"POST", "/imagination/documents/" + doc + "/status", ""},
		"v0.10.0 start many":                        {"POST", "/" + kb + "/documents/status", `{"doc_ids":["{doc}"]}`},
		"v0.10.0 start many: unknown document":      {"POST", "/" + kb + "/documents/status", `{"doc_ids":["imagination.txt"]}`},
		"v0.10.0 start many: unknown kb":            {"POST", "/imagination/documents/status", `{"doc_ids":["{doc}"]}`},
		"v0.10.0 start many: one file empty":        {"POST", "/" + kb + "/documents/status", `{"doc_ids":["{doc}","{empty}"]}`},
		"v0.10.0 download: unknown document":        {"GET", "/" + kb + "/documents/imagination.txt", ""},
		"v0.10.0 download: unknown kb":              {"GET", "/imagination/documents/" + doc, ""},
		"v0.10.0 download: empty file":              {"GET", "/" + kb + "/documents/{empty}", ""},
		"v0.10.0 delete":                            {"DELETE", "/" + kb + "/documents/" + doc, ""},
		"v0.10.0 delete document":                   {"DELETE", "/" + kb + "/documents/" + doc, ""},
		"v0.10.0 delete document: unknown":          {"DELETE", "/" + kb + "/documents/111", ""},
		"v0.27.0 upload":                            {"POST", "/" + kb + "/documents", "file:a.txt=x&empty.txt=&report 2024.pdf=x&b.md=x"},
		"v0.27.0 parse":                             {"POST", "/" + kb + "/chunks", `{"document_ids":["{doc}"]}`},
		"v0.27.0 parse again while RUNNING":         {"POST", "/" + kb + "/chunks", `{"document_ids":["{busy}"]}`},
		"v0.27.0 stop":                              {"DELETE", "/" + kb + "/chunks", `{"document_ids":["{busy}"]}`},
		"v0.27.0 update PATCH":                      {"PATCH", "/" + kb + "/documents/" + doc, `{"name":"new2.txt"}`},
		"v0.27.0 update unknown doc":                {"PUT", "/" + kb + "/documents/nope", `{"name":"a.txt"}`},
		"v0.27.0 delete one":                        {"DELETE", "/" + kb + "/documents", `{"ids":["{doc}"]}`},
		"v0.27.0 delete kb":                         {"DELETE", "", `{"ids":["{kb}"]}`},
		"v0.27.0 list chunks":                       {"GET", "/" + kb + "/documents/{done}/chunks", ""},
	}
	data, err := os.ReadFile("testdata/ragflow_writes.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for line := range strings.Lines(string(data)) {
		var sample ragSample
		if err := json.Unmarshal([]byte(line), &sample); err != nil {
			t.Fatal(err)
		}
		name := sample.Version + " " + sample.Case
		q, ok := requests[name]
		if !ok {
			continue
		}
		asked++
		rt := newRAGTest(t, Options{})
		empty := rt.store.Add(Document{Platform: RAGFlow, KB: rt.kb, Name: "empty.txt", Format: "txt", Source: "file", Created: *rt.clock, Updated: *rt.clock})
		rt.add("taken.txt", time.Time{}, Plan{})
		done := rt.add("done.txt", rt.clock.Add(-time.Hour), Normal())
		busy := rt.add("busy.txt", *rt.clock, Normal())
		d := rt.add("test.txt", time.Time{}, Plan{})
		fill := strings.NewReplacer("{kb}", rt.kb, "{doc}", d.ID, "{empty}", empty.ID, "{busy}", busy.ID, "{done}", done.ID)
		face, base := "ragflow", "/api/v1/datasets"
		if sample.Version == "v0.10.0" {
			face, base = "ragflow-preview", "/api/v1/dataset"
		}
		got := rt.send(face, q[0], base+fill.Replace(q[1]), fill.Replace(q[2]))
		delete(got, "text")
		delete(got, "disposition")
		var want map[string]any
		if err := json.Unmarshal([]byte(sample.Body), &want); err != nil {
			t.Fatal(err)
		}
		if want["code"] != float64(0) {
			if trimmed(got) != trimmed(want) {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
			continue
		}
		for _, diff := range shapeDiff("", want, got) {
			if !strings.HasSuffix(diff, ".process_duration: missing") && !strings.HasSuffix(diff, ".process_duation: not in the recording") {
				t.Errorf("%s%s", name, diff)
			}
		}
	}
	if asked < len(requests) {
		t.Errorf("%d of %d requests have a sample", asked, len(requests))
	}
}

// trimmed is a refusal's code and text; a documented text has quotes that the
// server's has not.
func trimmed(out map[string]any) string {
	return strings.NewReplacer("'", "", `"`, "").Replace(failure(out))
}

// The refusals that no recording shows, and what they leave alone.
func TestRAGFlowWriteRefusals(t *testing.T) {
	rt := newRAGTest(t, Options{})
	d := rt.add("a.txt", time.Time{}, Plan{})
	rt.add("b.txt", time.Time{}, Plan{})
	foreign := rt.DocumentID(RAGFlow, "退款政策.pdf")
	base, docs := "/api/v1/datasets", "/api/v1/datasets/"+rt.kb+"/documents"
	for _, tt := range []struct{ method, path, body, want string }{
		{"POST", base, `{"name":"x","dataset_name":"y"}`, `101 Field: <dataset_name> - Message: <Extra inputs are not permitted> - Value: <"y">`},
		{"POST", base, `{"name":" "}`, "101 Field: <name> - Message: <String should have at least 1 character> - Value: <>"},
		{"POST", base, `{`, "101 Malformed JSON syntax: Missing commas/brackets or invalid encoding"},
		{"PUT", base + "/" + rt.kb, `{"name":"Empty shelf"}`, "102 Dataset name 'Empty shelf' already exists"},
		{"PUT", base + "/" + rt.kb, `{}`, "101 No properties were modified"},
		{"DELETE", base, `{"ids":[]}`, "102 should either provide dataset ids or set delete_all(true)"},
		{"DELETE", base, `{"ids":null}`, "102 should either provide dataset ids or set delete_all(true)"},
		{"DELETE", docs, `{}`, "102 should either provide doc ids or set delete_all(true), dataset: " + rt.kb + ". "},
		{"DELETE", docs, `{"ids":["` + d.ID + `","` + foreign + `"]}`, "102 These documents do not belong to dataset " + rt.kb + " or Document not found: " + foreign},
		{"POST", docs, "file:field:x=y", "101 No file part!"},
		{"POST", docs, "file:x.exe=MZ", "500 x.exe: This type of file has not been supported yet!"},
		{"POST", docs + "?type=web", "file:field:name=x&field:url=nowhere", "101 The URL format is invalid"},
		{"POST", base + "/nope/documents", "file:x.txt=y", "102 Can't find the dataset with ID nope!"},
		{"PATCH", docs + "/" + d.ID, `{"enabled":true}`, "101 Field: <enabled> - Message: <`enabled` value invalid, only accept 0 or 1> - Value: <true>"},
		{"PATCH", docs + "/" + d.ID, `{"name":"a.pdf"}`, "101 The extension of file can't be changed"},
		{"PATCH", docs + "/" + d.ID, `{"name":"b.txt"}`, "102 Duplicated document name in the same dataset."},
		{"POST", base + "/" + rt.kb + "/chunks", `{"document_ids":[]}`, "102 `document_ids` is required"},
		{"DELETE", base + "/" + rt.kb + "/chunks", `{"document_ids":["` + d.ID + `"]}`, "102 Can't stop parsing document that has not started or already completed"},
		{"GET", docs + "/" + foreign, "", "102 The dataset not own the document " + foreign + "."},
		{"POST", "/api/v1/retrieval", `{"question":"x"}`, "102 `dataset_ids` is required."},
	} {
		if got := failure(rt.send("ragflow", tt.method, tt.path, tt.body)); got != tt.want {
			t.Errorf("%s %s %s\n got %s\nwant %s", tt.method, tt.path, tt.body, got, tt.want)
		}
	}
	if got := rt.store.Documents(RAGFlow, rt.kb).Len(); got != 2 || rt.store.Document(RAGFlow, foreign) == nil {
		t.Errorf("%d documents are left", got)
	}
}

// A start, a failure that passes with a second start, and the search after it.
func TestRAGFlowParsing(t *testing.T) {
	rt := newRAGTest(t, Options{})
	docs := "/api/v1/datasets/" + rt.kb
	var id string
	for id == "" { // the one in eight that fails
		if d := rt.add("n.txt", time.Time{}, Plan{}); d.Seq%ragflowFailEvery == 0 {
			id = d.ID
		}
	}
	var states []string
	for range 2 {
		rt.send("ragflow", "POST", docs+"/chunks", `{"document_ids":["`+id+`"]}`)
		*rt.clock = rt.clock.Add(time.Minute)
		states = append(states, string(rt.state(rt.store.Document(RAGFlow, id)).Phase))
	}
	if !reflect.DeepEqual(states, []string{"failed", "completed"}) {
		t.Errorf("two starts end %v", states)
	}
	out := rt.send("ragflow", "POST", "/api/v1/retrieval", `{"question":"two","dataset_ids":["`+rt.kb+`"]}`)
	if hits, _ := out["data"].(map[string]any)["chunks"].([]any); len(hits) != 1 {
		t.Errorf("search: %v", out)
	}
	if out := rt.send("ragflow", "GET", docs+"/documents/"+id, ""); out["text"] != "One.\nTwo." || !strings.Contains(out["disposition"].(string), "n.txt") {
		t.Errorf("download: %v", out)
	}
}

// The preview's stop leaves run as it is and speaks through the validity column.
func TestRAGFlowPreviewStop(t *testing.T) {
	rt := newRAGTest(t, Options{})
	d := rt.add("a.txt", *rt.clock, Normal())
	path := "/api/v1/dataset/" + rt.kb + "/documents"
	rt.send("ragflow-preview", "DELETE", path+"/"+d.ID+"/status", "")
	row := docs(rt.preview("/" + rt.kb + "/documents"))[0]
	status := rt.preview("/" + rt.kb + "/documents/" + d.ID + "/status")["data"].(map[string]any)
	if row["run"] != "1" || row["status"] != "2" || status["status"] != "CANCEL" {
		t.Errorf("after the stop: %v, %v", row, status)
	}
	rt.send("ragflow-preview", "POST", path+"/"+d.ID+"/status", "")
	if row := docs(rt.preview("/" + rt.kb + "/documents"))[0]; row["run"] != "1" || row["status"] != "1" {
		t.Errorf("after the second start: %v", row)
	}
}

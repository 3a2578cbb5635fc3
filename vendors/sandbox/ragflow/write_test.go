package ragflow_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/ragflow"
	"kb-mcp/vendors/sandbox/ragflow/preview"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

// send makes a request with a JSON body or, for "file:name=content", a form.
func (rt ragTest) send(face, method, path, body string) map[string]any {
	rt.t.Helper()
	auth, rd, kind := "Bearer "+ragflow.Key, io.Reader(strings.NewReader(body)), "application/json"
	if face == "ragflow-preview" {
		auth = preview.Token
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
		rt := newRAGTest(t, sandbox.Options{})
		empty := rt.Store(world.RAGFlow).Add(world.Document{KB: rt.kb, Name: "empty.txt", Format: "txt", Source: "file", Created: *rt.clock, Updated: *rt.clock})
		rt.add("taken.txt", time.Time{}, world.Plan{})
		done := rt.add("done.txt", rt.clock.Add(-time.Hour), world.Normal())
		busy := rt.add("busy.txt", *rt.clock, world.Normal())
		d := rt.add("test.txt", time.Time{}, world.Plan{})
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
		for _, diff := range sandboxtest.ShapeDiff("", want, got) {
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
	rt := newRAGTest(t, sandbox.Options{})
	d := rt.add("a.txt", time.Time{}, world.Plan{})
	rt.add("b.txt", time.Time{}, world.Plan{})
	foreign := rt.DocumentID(world.RAGFlow, "退款政策.pdf")
	base, docs := "/api/v1/datasets", "/api/v1/datasets/"+rt.kb+"/documents"
	for _, tt := range []struct{ method, path, body, want string }{
		{"POST", base, `{"name":"x","dataset_name":"y"}`, `101 Field: <dataset_name> - Message: <Extra inputs are not permitted> - Value: <y>`},
		{"POST", base, `{"name":" "}`, "101 Field: <name> - Message: <String should have at least 1 character> - Value: <>"},
		{"POST", base, `{"name":"x","permission":"all"}`, "101 Field: <permission> - Message: <Input should be 'me' or 'team'> - Value: <all>"},
		{"POST", base, `{"name":"x","embedding_model":"m"}`, "101 Field: <embedding_model> - Message: <Embedding model identifier must follow <model_name>@<provider> format> - Value: <m>"},
		{"POST", base, `{"name":"x","description":5}`, "101 Field: <description> - Message: <Input should be a valid string> - Value: <5>"},
		{"PUT", base + "/" + rt.kb, `{"name":null}`, "101 Field: <name> - Message: <Input should be a valid string> - Value: <None>"},
		{"PUT", base + "/" + rt.kb, `{"pagerank":101}`, "101 Field: <pagerank> - Message: <Input should be less than or equal to 100> - Value: <101>"},
		{"PUT", base + "/" + rt.kb, `{"chunk_method":"zz"}`, "101 Field: <chunk_method> - Message: <Input should be 'naive', 'book', 'email', 'laws', 'manual', 'one', 'paper', 'picture', 'presentation', 'qa', 'table', 'tag' or 'resume'> - Value: <zz>"},
		{"POST", "/api/v1/retrieval", `{"question":"x","dataset_ids":["` + rt.kb + `"],"document_ids":["` + foreign + `"]}`, "102 The datasets don't own the document " + foreign},
		{"POST", base, `{`, "101 Malformed JSON syntax: Missing commas/brackets or invalid encoding"},
		{"PUT", base + "/" + rt.kb, `{"name":"Empty shelf"}`, "102 Dataset name 'Empty shelf' already exists"},
		{"PUT", base + "/" + rt.kb, `{}`, "102 no properties were modified"},
		{"PUT", base + "/" + rt.kb, `{"name":"EMPTY SHELF"}`, "102 Dataset name 'EMPTY SHELF' already exists"},
		{"PUT", base + "/abc", `{"name":"q"}`, "101 Field: <dataset_id> - Message: <Invalid UUID format> - Value: <abc>"},
		{"DELETE", base, `{"ids":[]}`, "0 <nil>"},
		{"DELETE", base, `{"ids":null}`, "0 <nil>"},
		{"DELETE", docs, `{"ids":["` + d.ID + `","` + d.ID + `"]}`, "101 Field: <ids> - Message: <Duplicate ids: '" + d.ID + "'> - Value: <['" + d.ID + "', '" + d.ID + "']>"},
		{"DELETE", docs, `{}`, "102 should either provide doc ids or set delete_all(true), dataset: " + rt.kb + ". "},
		{"DELETE", docs, `{"ids":["` + d.ID + `","` + foreign + `"]}`, "102 These documents do not belong to dataset " + rt.kb + " or Document not found: " + foreign},
		{"POST", docs, "file:field:x=y", "101 No file part!"},
		{"POST", docs, "file:x.exe=MZ", "500 x.exe: This type of file has not been supported yet!"},
		{"POST", docs + "?type=web", "file:field:name=x&field:url=nowhere", "101 The URL format is invalid"},
		{"POST", base + "/nope/documents", "file:x.txt=y", "102 Can't find the dataset with ID nope!"},
		{"PATCH", docs + "/" + d.ID, `{"enabled":true}`, "102 Field: <enabled> - Message: <Input should be a valid integer> - Value: <True>"},
		{"PATCH", docs + "/" + d.ID, `{"enabled":5}`, "102 Field: <enabled> - Message: <`enabled` value invalid, only accept 0 or 1> - Value: <5>"},
		{"PATCH", docs + "/" + d.ID, `{"meta_fields":"x"}`, "102 Field: <meta_fields> - Message: <Input should be a valid dictionary> - Value: <x>"},
		{"PATCH", docs + "/" + d.ID, `{"name":null}`, "102 Field: <name> - Message: <Input should be a valid string> - Value: <None>"},
		{"DELETE", base + "/" + rt.kb + "/chunks", `{"document_ids":["nosuch"]}`, "102 you don't own the document nosuch"},
		{"GET", docs + "/nosuch/chunks", "", "102 you don't own the document nosuch"},
		{"POST", "/api/v1/documents/ingest", `{"doc_ids":["nosuch"],"run":"1"}`, "109 no authorization"},
		{"POST", "/api/v1/retrieval", `{"question":"  ","dataset_ids":["` + rt.kb + `"]}`, "0 <nil>"},
		{"PATCH", docs + "/" + d.ID, `{"name":"a.pdf"}`, "101 The extension of file can't be changed"},
		{"PATCH", docs + "/" + d.ID, `{"name":"b.txt"}`, "102 Duplicated document name in the same dataset."},
		{"POST", base + "/" + rt.kb + "/chunks", `{"document_ids":[]}`, "102 `document_ids` is required"},
		{"DELETE", base + "/" + rt.kb + "/chunks", `{"document_ids":["` + d.ID + `"]}`, "102 Can't stop parsing document that has not started or already completed"},
		{"GET", docs + "/" + foreign, "", "102 document not found"},
		{"POST", "/api/v1/retrieval", `{"question":"x"}`, "102 `dataset_ids` is required."},
	} {
		if got := failure(rt.send("ragflow", tt.method, tt.path, tt.body)); got != tt.want {
			t.Errorf("%s %s %s\n got %s\nwant %s", tt.method, tt.path, tt.body, got, tt.want)
		}
	}
	if got := rt.Store(world.RAGFlow).Documents(rt.kb).Len(); got != 2 || rt.Store(world.RAGFlow).Document(foreign) == nil {
		t.Errorf("%d documents are left", got)
	}
}

// A start, a failure that passes with a second start, and the search after it.
func TestRAGFlowParsing(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	docs := "/api/v1/datasets/" + rt.kb
	var id string
	for id == "" { // the one in eight that fails
		if d := rt.add("n.txt", time.Time{}, world.Plan{}); d.Seq%tables.FailEvery == 0 {
			id = d.ID
		}
	}
	var states []string
	for range 2 {
		rt.send("ragflow", "POST", docs+"/chunks", `{"document_ids":["`+id+`"]}`)
		*rt.clock = rt.clock.Add(time.Minute)
		states = append(states, string(rt.State(rt.Store(world.RAGFlow).Document(id)).Phase))
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
	rt := newRAGTest(t, sandbox.Options{})
	d := rt.add("a.txt", *rt.clock, world.Normal())
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

// What a start does on servers that cannot do it: the row shows RUNNING for ever
// for a document that cannot be queued, and for all of them without a queue.
func TestRAGFlowStartsHalfDone(t *testing.T) {
	for _, tt := range []struct {
		face, away, name, text, want string
		rows                         string // run and message of the two documents
	}{
		{sandbox.FaceRAGFlow, "", "bad.pdf", "broken file", "100 IndexError('list index out of range')", "RUNNING  UNSTART "},
		{sandbox.FaceRAGFlowOld, "", "bad.pdf", "broken file", `100 TypeError("'NoneType' object cannot be interpreted as an integer")`, "RUNNING  UNSTART "},
		{sandbox.FaceRAGFlow, "queue", "a.txt", "x", `100 AssertionError("Can't access Redis. Please check the Redis' status.")`, "RUNNING Task is queued... UNSTART "},
		{sandbox.FaceRAGFlow, "", "a.txt", "x", "0 <nil>", "RUNNING Task is queued... RUNNING Task is queued..."},
		{sandbox.FaceRAGFlowGo, "", "a.txt", "x", "0 success", "UNSTART  UNSTART "},
		{sandbox.FaceRAGFlowGo, "tables", "a.txt", "x", "102 check ingestion task for ID: Error 1146 (42S02): Table 'rag_flow.ingestion_task' doesn't exist", "UNSTART  UNSTART "},
	} {
		rt := newRAGTest(t, sandbox.Options{RAGFlowAway: tt.away})
		first := rt.add(tt.name, time.Time{}, world.Plan{})
		rt.Store(world.RAGFlow).Update(first.ID, func(d *world.Document) { d.Text = tt.text })
		second := rt.add("b.txt", time.Time{}, world.Plan{})
		out := rt.send(tt.face, "POST", "/api/v1/datasets/"+rt.kb+"/chunks", `{"document_ids":["`+first.ID+`","`+second.ID+`"]}`)
		if got := strings.ReplaceAll(failure(out), first.ID, "ID"); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.face, got, tt.want)
		}
		rows := ""
		for _, id := range []string{first.ID, second.ID} {
			_, list := rt.get(tt.face, "/api/v1/datasets/"+rt.kb+"/documents?id="+id, "Bearer "+ragflow.Key)
			rows += fmt.Sprintf("%v %v ", docs(list)[0]["run"], docs(list)[0]["progress_msg"])
		}
		if strings.TrimSuffix(rows, " ") != tt.rows {
			t.Errorf("%s: rows %q, want %q", tt.face, rows, tt.rows)
		}
	}
	rt := newRAGTest(t, sandbox.Options{})
	d := rt.add("a.txt", time.Time{}, world.Plan{})
	out := rt.send(sandbox.FaceRAGFlow, "POST", "/api/v1/datasets/"+rt.kb+"/chunks", `{"document_ids":["`+d.ID+`","`+d.ID+`"]}`)
	if got := failure(out); got != "0 Partially parsed 1 documents with 1 errors" {
		t.Errorf("twice the same: %s", got)
	}
}

// A pipeline's documents are started on another path.
func TestRAGFlowPipeline(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	rt.Store(world.RAGFlow).UpdateKB(rt.kb, func(kb *world.KnowledgeBase) { kb.Pipeline = strings.Repeat("a", 32) })
	d := rt.add("a.txt", time.Time{}, world.Plan{})
	out := rt.send(sandbox.FaceRAGFlow, "POST", "/api/v1/datasets/"+rt.kb+"/chunks", `{"document_ids":["`+d.ID+`"]}`)
	if got := failure(out); !strings.HasSuffix(got, "Use `/documents/ingest` instead.") || out["code"] != 101.0 {
		t.Errorf("start: %s", got)
	}
	rt.send(sandbox.FaceRAGFlow, "POST", "/api/v1/documents/ingest", `{"doc_ids":["`+d.ID+`"],"run":"1","delete":true}`)
	if d := rt.Store(world.RAGFlow).Document(d.ID); d.Started.IsZero() {
		t.Error("ingest has not started it")
	}
	rt.send(sandbox.FaceRAGFlow, "POST", "/api/v1/documents/ingest", `{"doc_ids":["`+d.ID+`"],"run":"2"}`)
	if p := rt.State(rt.Store(world.RAGFlow).Document(d.ID)).Phase; p != world.Cancelled {
		t.Errorf("after run 2 it is %s", p)
	}
}

// Metadata are replaced by main and added to by v0.24; what each deletes without
// ids; and that slashes are one.
func TestRAGFlowServersDiffer(t *testing.T) {
	for face, want := range map[string]string{sandbox.FaceRAGFlow: "map[b:2]", sandbox.FaceRAGFlowGo: "map[b:2]", sandbox.FaceRAGFlowOld: "map[a:1 b:2]"} {
		rt := newRAGTest(t, sandbox.Options{})
		d, method := rt.add("a.txt", time.Time{}, world.Plan{}), "PATCH"
		if face == sandbox.FaceRAGFlowOld {
			method = "PUT"
		}
		path := "/api/v1//datasets/" + rt.kb + "/documents"
		for _, body := range []string{`{"meta_fields":{"a":1}}`, `{"meta_fields":{"b":2}}`} {
			rt.send(face, method, path+"/"+d.ID, body)
		}
		_, out := rt.get(face, path, "Bearer "+ragflow.Key)
		if got := fmt.Sprint(docs(out)[0]["meta_fields"]); got != want {
			t.Errorf("%s: metadata %s, want %s", face, got, want)
		}
		rt.send(face, "DELETE", path, `{"ids":[]}`)
		if left := rt.Store(world.RAGFlow).Documents(rt.kb).Len(); (left == 0) != (face == sandbox.FaceRAGFlowOld) {
			t.Errorf("%s: %d documents are left", face, left)
		}
	}
}

// The server's own counts leave out what has none of the five values.
func TestRAGFlowSummary(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	at := rt.clock.Add(-time.Hour)
	rt.add("a.txt", time.Time{}, world.Plan{})
	rt.add("b.txt", at, world.Normal())
	rt.add("c.txt", at, world.Plan{Outcome: world.Other, Raw: "9"})
	want := "map[cancel_count:0 done_count:1 fail_count:0 running_count:0 unstart_count:1]"
	for _, face := range []string{sandbox.FaceRAGFlow, sandbox.FaceRAGFlowGo} {
		_, out := rt.get(face, "/api/v1/datasets/"+rt.kb+"/ingestions/summary", "Bearer "+ragflow.Key)
		data := out["data"].(map[string]any)
		if got := fmt.Sprint(data["status"]); got != want || data["doc_num"] != 3.0 {
			t.Errorf("%s: %v", face, data)
		}
		_, out = rt.get(face, "/api/v1/datasets?include_parsing_status=true&id="+rt.kb, "Bearer "+ragflow.Key)
		if got := fmt.Sprint(out["data"].([]any)[0].(map[string]any)["parsing_status"]); got != want {
			t.Errorf("%s: %v", face, got)
		}
	}
	if code, _ := rt.get(sandbox.FaceRAGFlowOld, "/api/v1/datasets/"+rt.kb+"/ingestions/summary", "Bearer "+ragflow.Key); code != 404 {
		t.Errorf("v0.24 has a summary: %d", code)
	}
}

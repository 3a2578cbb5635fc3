package ragflow_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/ragflow"
	"kb-mcp/vendors/sandbox/ragflow/preview"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// failure is an answer's code and text, or its retcode and retmsg.
func failure(out map[string]any) string {
	if code, ok := out["retcode"]; ok {
		return fmt.Sprintf("retcode %v %v", code, out["retmsg"])
	}
	return fmt.Sprintf("%v %v", out["code"], out["message"])
}

func TestRAGFlowRefusals(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	d := rt.add("a.txt", time.Time{}, world.Plan{})
	other := rt.Store(world.RAGFlow).AddKB(world.KnowledgeBase{Name: "Other"}).ID
	list := "/" + rt.kb + "/documents"
	for path, want := range map[string]string{
		"?keywords=x":                             "101 Field: <keywords> - Message: <Extra inputs are not permitted> - Value: <x>",
		"?page=0":                                 "101 Field: <page> - Message: <Input should be greater than or equal to 1> - Value: <0>",
		"?page_size=101":                          "101 Field: <page_size> - Message: <Value error, page_size must be less than or equal to 100> - Value: <101>",
		"?page=a&desc=maybe":                      "101 Field: <page> - Message: <Input should be a valid integer, unable to parse string as an integer> - Value: <a>\nField: <desc> - Message: <Input should be a valid boolean, unable to interpret input> - Value: <maybe>",
		"?orderby=name":                           "101 Field: <orderby> - Message: <Input should be 'create_time' or 'update_time'> - Value: <name>",
		"?id=nope":                                "101 Field: <id> - Message: <Invalid UUID format> - Value: <nope>",
		"?id=00000000000000000000000000000000":    "102 User '" + tables.Tenant + "' lacks permission for dataset '00000000000000000000000000000000'",
		"?name=nope":                              "102 User '" + tables.Tenant + "' lacks permission for dataset 'nope'",
		"/nope":                                   "102 User '" + tables.Tenant + "' lacks permission for dataset 'nope'",
		list + "?page_size=101":                   "100 ValueError('page_size must be less than or equal to 100')",
		list + "?page=a":                          "0 success", // page 1
		list + "?run=done&run=SCHEDULE":           "0 success",
		list + "?types=zz":                        "102 Invalid filter conditions: zz type",
		list + "?run=READY":                       "102 Invalid filter run status conditions: READY",
		list + "?orderby=foo":                     "101 invalid orderby field: foo",
		list + "?orderby=name":                    "0 success",
		list + "?id=nope":                         "102 you don't own the document nope",
		list + "?name=nope.txt":                   "102 you don't own the document nope.txt",
		"/" + other + "/documents?id=" + d.ID:     "102 you don't own the document " + d.ID,
		list + "?id=" + d.ID + "&ids=" + d.ID:     "100 ValueError('not enough values to unpack (expected 4, got 2)')",
		"/nope/documents?page_size=101&run=READY": "102 You don't own the dataset nope. ",
	} {
		if got := failure(rt.current(path)); got != want {
			t.Errorf("GET datasets%s\n got %s\nwant %s", path, got, want)
		}
	}
}

func TestRAGFlowPreviewRefusals(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	rt.add("a.txt", time.Time{}, world.Plan{})
	list := "/" + rt.kb + "/documents"
	const unauthorized, noRoute = "retcode 401 <Unauthorized '401: Unauthorized'>", "retcode 100 <NotFound '404: Not Found'>"
	for _, tt := range []struct{ path, auth, want string }{
		{"/api/v1/dataset", "", unauthorized},
		{"/api/v1/dataset/", ragflow.Key, unauthorized},
		{"/api/v1/dataset", "Bearer " + ragflow.Key, unauthorized},
		{"/api/v1/dataset", "Bearer " + preview.Token, unauthorized},
		{"/api/v1/datasets?page=1&page_size=1", "Bearer " + ragflow.Key, noRoute},
		{"/", "", noRoute},
		{"/api/v1/dataset/nope/", preview.Token, "102 Can't find this dataset!"},
		{"/api/v1/dataset/nope/documents/x/status", preview.Token, "102 This dataset: 'nope' cannot be found!"},
		{"/api/v1/dataset" + list + "/x/status/", preview.Token, "102 This document: 'x' is not a valid document."},
		{"/api/v1/dataset" + list + "?offset=2", preview.Token, "100 IndexError('Offset is out of the valid range.')"},
		{"/api/v1/dataset" + list + "?offset=-1", preview.Token, "100 IndexError('Offset is out of the valid range.')"},
		{"/api/v1/dataset?offset=999", preview.Token, "100 IndexError('Offset is out of the valid range.')"},
		{"/api/v1/dataset?count=x", preview.Token, `100 ValueError("invalid literal for int() with base 10: 'x'")`},
		{"/api/v1/dataset/nope/documents", preview.Token, "0 0"}, // an unknown dataset looks empty
		{"/api/v1/dataset" + list + "?offset=1", preview.Token, "0 0"},
	} {
		status, out := rt.get("ragflow-preview", tt.path, tt.auth)
		if got := failure(out); got != tt.want || status != http.StatusOK {
			t.Errorf("GET %s: HTTP %d %s, want %s", tt.path, status, got, tt.want)
		}
	}
}

func TestRAGFlowRouting(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{Quota: 1})
	send := func(method, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Authorization", "Bearer "+ragflow.Key)
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, r)
		return w
	}
	if w := send(http.MethodPut, "/ragflow/api/v1/datasets"); w.Code != 200 || !strings.Contains(w.Body.String(), `"code":100,"data":null,"message":"<MethodNotAllowed '405: Method Not Allowed'>"`) {
		t.Errorf("wrong method: %d %s", w.Code, w.Body)
	}
	if _, out := rt.get("ragflow", "/api/v1/system/version", ""); out["data"] != "v0.27.0" {
		t.Errorf("version: %v", out)
	}
	if _, out := rt.get("ragflow", "/api/v1/language", ""); fmt.Sprint(out["data"]) != "map[language:python]" {
		t.Errorf("language: %v", out)
	}
	if w := send(http.MethodGet, "/ragflow/api/v1/datasets"); w.Code != 200 {
		t.Errorf("within the quota: %d", w.Code)
	}
	if w := send(http.MethodGet, "/ragflow/api/v1/datasets"); w.Code != 429 || w.Header().Get("Content-Type") != "text/html" {
		t.Errorf("over the quota: %d %s", w.Code, w.Body)
	}
}

// A document's rows from its start to its end, in both generations.
func TestRAGFlowLife(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	begun := *rt.clock
	plan := world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: 2 * time.Second}, {Phase: world.Parsing, For: 2 * time.Second}, {Phase: world.Indexing, For: 6 * time.Second}}}
	d := rt.add("r.pdf", begun, plan)
	for _, tt := range []struct {
		after    time.Duration
		run, old string
		progress float64 // -2: below 0.01
		duration float64
		updated  time.Duration
		message  string
		chunks   float64
	}{
		{0, "RUNNING", "1", -2, 0, 0, "Task is queued...", 0},
		{1500 * time.Millisecond, "RUNNING", "1", -2, 0, 0, "1 tasks are ahead in the queue...", 0},
		{2 * time.Second, "RUNNING", "1", 0.1, 2, 0, "\n09:43:52 Page(1~13): OCR started", 0},
		{7 * time.Second, "RUNNING", "1", 0.6, 7, 6 * time.Second, "\n09:43:52 Page(1~13): OCR started\n09:43:54 Start to embed", 0},
		{time.Hour, "DONE", "3", 1, 10, 10 * time.Second, "\n09:43:52 Page(1~13): OCR started\n09:43:54 Start to embed\n09:44:00 Task done (10.00s)", 2},
	} {
		*rt.clock = begun.Add(tt.after)
		row := docs(rt.current("/" + rt.kb + "/documents?id=" + d.ID))[0]
		progress := row["progress"].(float64)
		if tt.progress == -2 && (progress <= 0 || progress >= 0.01) || tt.progress != -2 && fmt.Sprintf("%.4f", progress) != fmt.Sprintf("%.4f", tt.progress) {
			t.Errorf("after %v: progress %v", tt.after, progress)
		}
		got := []any{row["run"], row["process_duration"], row["update_time"], row["progress_msg"], row["chunk_count"], row["process_begin_at"]}
		want := []any{tt.run, tt.duration, float64(begun.Add(tt.updated).UnixMilli()), tt.message, tt.chunks, "2026-11-22T09:43:50"}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("after %v:\n got %v\nwant %v", tt.after, got, want)
		}
		old := docs(rt.preview("/" + rt.kb + "/documents?keywords=R.PDF"))[0]
		if old["run"] != tt.old || old["process_duation"] != tt.duration || old["progress_msg"] != strings.TrimPrefix(tt.message, "\n") || old["process_begin_at"] != "Sun, 22 Nov 2026 09:43:50 GMT" {
			t.Errorf("after %v, preview: %v", tt.after, old)
		}
		status := rt.preview("/" + rt.kb + "/documents/" + d.ID + "/status")
		if data := status["data"].(map[string]any); data["status"] != "RUNNING" || data["progress"] != progress {
			t.Errorf("after %v, preview status: %v", tt.after, status)
		}
	}
}

func TestRAGFlowEnds(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	begun := rt.clock.Add(-time.Hour)
	for _, tt := range []struct {
		name, run, old string // Go shows the words of the former, or what the latter are
		progress       float64
		message        string
		plan           world.Plan
	}{
		{"failed", "FAIL", "4", -1, "\n08:43:51 Start to parse.\n08:43:53 [ERROR]boom", world.Failing("", "boom")},
		{"stopped in the queue", "CANCEL", "2", 0, "Task is queued...", world.Normal().Stopped(time.Second/2, world.Cancelled)},
		{"stopped at work", "CANCEL", "2", 0, "\n08:43:51 Start to parse.", world.Normal().Stopped(2*time.Second, world.Cancelled)},
		{"scheduled", "UNSTART", "5", 0, "", world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: 2 * time.Hour, Raw: "5"}}}},
		{"scheduled, by its word", "UNSTART", "5", 0, "", world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: 2 * time.Hour, Raw: "SCHEDULE"}}}},
		{"undocumented", "UNSTART", "7", 0, "", world.Plan{Outcome: world.Other, Raw: "7"}},
		{"tries again", "RUNNING", "1", 0.5, "\n08:43:50 Start to parse.\n08:43:50 [ERROR]no model", world.Plan{
			Stages: []world.Stage{{Phase: world.Parsing, For: 2 * time.Hour}}, Message: "no model"}},
	} {
		d := rt.add("e.txt", begun, tt.plan)
		row := docs(rt.current("/" + rt.kb + "/documents?id=" + d.ID))[0]
		got := []any{row["run"], row["progress"], row["progress_msg"]}
		if want := []any{tt.run, tt.progress, tt.message}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %v\nwant %v", tt.name, got, want)
		}
		_, out := rt.get(sandbox.FaceRAGFlowGo, "/api/v1/datasets/"+rt.kb+"/documents?id="+d.ID, "Bearer "+ragflow.Key)
		if got := docs(out)[0]["run"]; got != tt.run && got != tt.old && tt.run != "UNSTART" {
			t.Errorf("%s: Go shows %v", tt.name, got)
		}
		for _, old := range docs(rt.preview("/" + rt.kb + "/documents")) {
			if old["id"] == d.ID && old["run"] != tt.old {
				t.Errorf("%s: preview run %v, want %v", tt.name, old["run"], tt.old)
			}
		}
	}
}

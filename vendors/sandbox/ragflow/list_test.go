package ragflow_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/ragflow"
	"kb-mcp/vendors/sandbox/ragflow/preview"
	"kb-mcp/vendors/sandbox/world"
)

func TestRAGFlowFilters(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	at := *rt.clock
	ids := map[string]string{}
	for i, d := range []struct {
		name  string
		start time.Time
		plan  world.Plan
	}{{"one.TXT", time.Time{}, world.Plan{}}, {"Two.pdf", at, world.Plan{}}, {"three.txt", at, world.Failing("", "x").Sped(1000)}, {"four.md", at, world.Plan{}}} {
		*rt.clock = at.Add(time.Duration(i) * time.Second)
		ids[d.name] = rt.add(d.name, d.start, d.plan).ID
	}
	*rt.clock = at.Add(time.Hour)
	two, four := "ids="+ids["Two.pdf"], "ids="+ids["four.md"]
	for query, want := range map[string]string{
		"":                                "four.md three.txt Two.pdf one.TXT | 4",
		"?desc=False":                     "one.TXT Two.pdf three.txt four.md | 4",
		"?desc=false&page=2&page_size=3":  "four.md | 4",
		"?keywords=T":                     "three.txt Two.pdf one.TXT | 3",
		"?run=DONE&run=4":                 "four.md three.txt Two.pdf | 3",
		"?run=UNSTART":                    "one.TXT | 1",
		"?suffix=md&suffix=pdf":           "four.md Two.pdf | 2",
		"?" + two + "&" + four + "&ids=x": "four.md Two.pdf | 2",
		"?name=four.md":                   "four.md | 1",
		"?page=3&page_size=2":             " | 4",
		"?name_contains=four&limit=1":     "four.md three.txt Two.pdf one.TXT | 4", // unknown: ignored
		"?orderby=update_time&page_size=1&desc=False": "one.TXT | 4",
	} {
		out := rt.current("/" + rt.kb + "/documents" + query)
		var names []string
		for _, row := range docs(out) {
			names = append(names, row["name"].(string))
		}
		if got := fmt.Sprintf("%s | %v", strings.Join(names, " "), out["data"].(map[string]any)["total"]); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	data := rt.current("/" + rt.kb + "/documents?type=filter")["data"]
	if got := fmt.Sprint(data); got != "map[filter:map[metadata:map[empty_metadata:map[true:4]] run_status:map[0:1 3:2 4:1] suffix:map[md:1 pdf:1 txt:2]] total:4]" {
		t.Errorf("type=filter: %s", got)
	}
}

func TestRAGFlowDatasets(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	n := len(rt.Store(world.RAGFlow).KBs())
	ext := "?ext=" + url.QueryEscape(`{"keywords":"bEn"}`)
	if out := rt.current(ext); out["total_datasets"] != 1.0 || len(out["data"].([]any)) != 1 {
		t.Errorf("ext keywords: %v", out)
	}
	if out := rt.current("?page=2&page_size=1"); out["total_datasets"] != float64(n) || len(out["data"].([]any)) != 1 {
		t.Errorf("page 2: %v", out)
	}
	if out := rt.current("?id=" + rt.kb); out["total_datasets"] != 1.0 {
		t.Errorf("id: %v", out)
	}
	if out := rt.preview("?offset=1&count=2"); len(out["data"].([]any)) != min(2, n-1) {
		t.Errorf("preview window: %v", out)
	}
	first := func(query string) any { return rt.preview(query)["data"].([]any)[0].(map[string]any)["name"] }
	if first("") != "Bench" || first("?desc=False") != "Bench" || first("?desc=") == "Bench" {
		t.Error("preview: any text of desc means descending, none ascending")
	}
}

func TestRAGFlowTenThousand(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{Documents: 10_000})
	list := "/documents"
	kb := rt.KnowledgeBaseID(world.RAGFlow, world.BulkName(world.RAGFlow))
	for _, walk := range []struct{ face, path, auth string }{
		{"ragflow", "/api/v1/datasets/" + kb + list + "?page_size=100&page=%d", "Bearer " + ragflow.Key},
		{"ragflow-preview", "/api/v1/dataset/" + kb + list + "?count=100&order_by=create_time&descend=True&offset=%d", preview.Token},
	} {
		seen := map[string]int{}
		for i := 0; ; i++ {
			at := i + 1
			if walk.face == "ragflow-preview" {
				at = i * 100
			}
			ids := rt.pageIDs(walk.face, fmt.Sprintf(walk.path, at), walk.auth)
			for _, id := range ids {
				seen[id]++
			}
			if len(ids) < 100 {
				break
			}
		}
		twice := 0
		for _, n := range seen {
			twice += n - 1
		}
		if len(seen) != 10_000 || twice > 0 {
			t.Errorf("%s: %d ids, %d repetitions", walk.path, len(seen), twice)
		}
	}
}

// pageIDs is the ids of one page, decoded without the rest.
func (rt ragTest) pageIDs(face, path, auth string) []string {
	r := httptest.NewRequest(http.MethodGet, "/"+face+path, nil)
	r.Header.Set("Authorization", auth)
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, r)
	var out struct {
		Data struct{ Docs []struct{ ID string } }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		rt.t.Fatal(err)
	}
	var ids []string
	for _, d := range out.Data.Docs {
		ids = append(ids, d.ID)
	}
	return ids
}

// The seed has to show every status, so that a demo and a test meet it.
func TestSeedCoversRAGFlow(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	seen := map[string]bool{}
	for _, kb := range rt.Store(world.RAGFlow).KBs() {
		_, python := rt.get(sandbox.FaceRAGFlow, "/api/v1/datasets/"+kb.ID+"/documents?page_size=100", "Bearer "+ragflow.Key)
		_, plain := rt.get(sandbox.FaceRAGFlowGo, "/api/v1/datasets/"+kb.ID+"/documents?page_size=100", "Bearer "+ragflow.Key)
		for _, row := range append(docs(python), docs(plain)...) {
			run := row["run"].(string)
			if run == "RUNNING" && row["progress"].(float64) < 0.01 {
				run += " queued"
			}
			seen[run] = true
		}
		for _, row := range docs(rt.preview("/" + kb.ID + "/documents")) {
			seen["preview "+row["run"].(string)] = true
		}
	}
	for _, want := range []string{"UNSTART", "RUNNING queued", "RUNNING", "CANCEL", "DONE", "FAIL", "5", "9",
		"preview 0", "preview 1", "preview 2", "preview 3", "preview 4", "preview 5", "preview 9"} {
		if !seen[want] {
			t.Errorf("no document with %s", want)
		}
	}
}

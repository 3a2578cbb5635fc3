package ragflow_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/ragflow"
	"kb-mcp/vendors/sandbox/ragflow/preview"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

// ragTest is a sandbox with a clock that moves by hand, and one dataset "Bench"
// of its own.
type ragTest struct {
	*sandbox.Sandbox
	t     *testing.T
	clock *time.Time
	kb    string
}

func newRAGTest(t *testing.T, o sandbox.Options) ragTest {
	clock := time.Date(2026, 11, 22, 1, 43, 50, 0, time.UTC)
	o.Now = func() time.Time { return clock }
	s := sandbox.New(o)
	kb := s.Store(world.RAGFlow).AddKB(world.KnowledgeBase{Name: "Bench", Created: clock, Updated: clock})
	return ragTest{s, t, &clock, kb.ID}
}

// add puts a document into Bench; with a zero start nobody has started it.
func (rt ragTest) add(name string, started time.Time, p world.Plan) *world.Document {
	return rt.Store(world.RAGFlow).Add(world.Document{
		KB: rt.kb, Name: name, Format: world.Suffix(name), Source: "file", Size: 14,
		Text: "One.\nTwo.", Created: *rt.clock, Updated: *rt.clock, Started: started, Plan: p,
	})
}

// get asks a face and decodes its JSON.
func (rt ragTest) get(face, path, auth string) (int, map[string]any) {
	rt.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/"+face+path, nil)
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		rt.t.Fatalf("GET %s: %v in %q", path, err, w.Body)
	}
	return w.Code, out
}

func (rt ragTest) current(path string) map[string]any {
	rt.t.Helper()
	_, out := rt.get("ragflow", "/api/v1/datasets"+path, "Bearer "+ragflow.Key)
	return out
}

func (rt ragTest) preview(path string) map[string]any {
	rt.t.Helper()
	_, out := rt.get("ragflow-preview", "/api/v1/dataset"+path, preview.Token)
	return out
}

// docs is the rows of a document list.
func docs(out map[string]any) []map[string]any {
	data, _ := out["data"].(map[string]any)
	list, _ := data["docs"].([]any)
	rows := make([]map[string]any, len(list))
	for i, row := range list {
		rows[i] = row.(map[string]any)
	}
	return rows
}

// ragSample is one recorded exchange.
type ragSample struct {
	Version, Case, Path, Body string
	Status                    int
}

func ragSamples(t *testing.T) map[string]ragSample {
	file, err := os.Open("testdata/ragflow.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := map[string]ragSample{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s ragSample
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		out[s.Version+" "+s.Case] = s
	}
	return out
}

// Every recorded read is asked of the face, and the answer must have its shape.
func TestRAGFlowShapes(t *testing.T) {
	rt := newRAGTest(t, sandbox.Options{})
	start := rt.clock.Add(-3 * time.Second)
	rows := map[string]*world.Document{
		"list docs id":                      rt.add("a.txt", time.Time{}, world.Plan{}),
		"list docs id after parse (queued)": rt.add("q.txt", start, world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: time.Hour}}}),
		"list docs id, task at 0.4":         rt.add("w.pdf", start, world.Plan{Stages: []world.Stage{{Phase: world.Parsing, For: time.Hour}}}),
		"list docs id, task failed":         rt.add("f.txt", start, world.Plan{Outcome: world.Failed, Message: "Embedding error: boom"}),
		"list docs id, task done":           rt.add("d.txt", start, world.Normal().Sped(10)),
		"list docs id after stop":           rt.add("c.txt", start, world.Normal().Stopped(time.Second/2, world.Cancelled)),
		"status when run=1 progress=0.35":   rt.add("s.txt", start, world.Plan{Stages: []world.Stage{{Phase: world.Parsing, For: time.Hour}}}),
	}
	empty := rt.Store(world.RAGFlow).AddKB(world.KnowledgeBase{Name: "Nothing", Created: *rt.clock, Updated: *rt.clock}).ID
	for name, sample := range ragSamples(t) {
		face, auth := "ragflow", "Bearer "+ragflow.Key
		if sample.Version == "v0.10.0" {
			face, auth = "ragflow-preview", preview.Token
		}
		switch sample.Case {
		case "no auth", "no Authorization header":
			auth = ""
		case "bad key":
			auth = "Bearer nope"
		case "documented-style Bearer API key":
			auth = "Bearer ragflow-apikey"
		}
		path := strings.NewReplacer(
			"eabc0b7ce61511f1a9e302fc00000001", rt.kb, "2a47c6bee61611f1a05202fc00000001", rt.kb,
			"2a4826b8e61611f1a05202fc00000001", empty, "EMPTY", ".TXT",
		).Replace(sample.Path)
		if d := rows[sample.Case]; d != nil {
			path = strings.NewReplacer("2a7710e0e61611f1b52402fc00000001", d.ID, "2a78ddc6e61611f1b52402fc00000001",
				d.ID, "ead2f8b4e61511f1a9e302fc00000001", d.ID).Replace(path)
		}
		var want any
		if err := json.Unmarshal([]byte(sample.Body), &want); err != nil {
			t.Fatal(err)
		}
		status, got := rt.get(face, path, auth)
		if status != sample.Status {
			t.Errorf("%s: HTTP %d, recorded %d", name, status, sample.Status)
		}
		for _, diff := range sandboxtest.ShapeDiff("", want, got) {
			t.Errorf("%s (%s): %s", name, path, diff)
		}
		if code := want.(map[string]any)["code"]; code != float64(0) && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, recorded %v", name, got, want)
		}
		if d := rows[sample.Case]; d != nil && face == "ragflow" {
			w, g := docs(want.(map[string]any))[0], docs(got)[0]
			if w["run"] != g["run"] {
				t.Errorf("%s: run %v, recorded %v", name, g["run"], w["run"])
			}
		}
	}
}

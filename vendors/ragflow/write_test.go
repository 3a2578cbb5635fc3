package ragflow

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// answering is a transport made of a function.
type answering func(r *http.Request) (status int, body string)

func (f answering) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := f(r)
	if r.Body != nil {
		r.Body.Close()
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (f answering) driver(t *testing.T) *Driver {
	return open(t, nil, rest.Conn{Transport: f, Limiter: ratelimit.New(ratelimit.Rate{}, nil)}).(*Driver)
}

// unstarted is a list of the Go back end, which shows UNSTART until a worker begins.
const unstarted = `{"code":0,"data":{"docs":[{"id":"d1","name":"a.txt","run":"UNSTART","progress":0,"create_date":"2026-11-22 12:00:00"}],"total":1}}`

// After a start, UNSTART of the Go back end reads as queued: everywhere, and a
// second start sends nothing. A stop is for the server to judge.
func TestStartedRecently(t *testing.T) {
	synctest.Test(t, startedRecently)
}

func startedRecently(t *testing.T) {
	starts := 0
	d := answering(func(r *http.Request) (int, string) {
		if r.Method == http.MethodGet {
			return 200, unstarted
		}
		starts++
		return 200, `{"code":0}`
	}).driver(t)
	status := func() string {
		ref := vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d1"}
		one, err1 := d.GetDocument(t.Context(), ref)
		page, err2 := d.ListDocuments(t.Context(), vendors.PageQuery{KnowledgeBaseID: "kb", Page: 1, Size: 20})
		rep, err3 := d.Progress(t.Context(), vendors.ProgressQuery{KnowledgeBaseID: "kb", DocumentIDs: []string{"d1"}})
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		return fmt.Sprint(one.Status, " ", page.Items[0].Status, " ", rep.Documents[0].Status)
	}
	for _, step := range []struct {
		do     func() ([]vendors.Outcome, error)
		after  time.Duration
		want   string
		starts int
	}{
		{nil, 0, "not_started not_started not_started", 0},
		{func() ([]vendors.Outcome, error) { return d.StopIngestion(t.Context(), "kb", []string{"d1"}) }, 0, "not_started not_started not_started", 1},
		{func() ([]vendors.Outcome, error) { return d.StartIngestion(t.Context(), "kb", []string{"d1"}) }, 0, "queued queued queued", 2},
		{func() ([]vendors.Outcome, error) { return d.StartIngestion(t.Context(), "kb", []string{"d1"}) }, 23 * time.Hour, "queued queued queued", 2},
		{nil, 2 * time.Hour, "not_started not_started not_started", 2},
		{func() ([]vendors.Outcome, error) { return d.StartIngestion(t.Context(), "kb", []string{"d1"}) }, 0, "queued queued queued", 3},
		{func() ([]vendors.Outcome, error) { return d.StopIngestion(t.Context(), "kb", []string{"d1"}) }, 0, "not_started not_started not_started", 4},
	} {
		if step.do != nil {
			if out, err := step.do(); err != nil || out[0].Result == vendors.NotDone {
				t.Fatal(out, err)
			}
		}
		time.Sleep(step.after)
		if got := status(); got != step.want || starts != step.starts {
			t.Errorf("after %v: %s with %d starts, want %s with %d", step.after, got, starts, step.want, step.starts)
		}
	}
}

// A server that takes PUT only is asked with PATCH once; an upgrade under a
// running kb-mcp is noticed.
func TestPutRemembered(t *testing.T) {
	has, asked := http.MethodPut, ""
	d := answering(func(r *http.Request) (int, string) {
		switch r.Method {
		case http.MethodGet:
			return 200, unstarted
		case has:
			asked += has + " "
			return 200, `{"code":0}`
		}
		asked += r.Method + " "
		return 200, `{"code":100,"message":"<MethodNotAllowed '405: Method Not Allowed'>"}`
	}).driver(t)
	name := "a.txt"
	for _, want := range []string{"PATCH PUT ", "PUT ", "PUT PATCH ", "PATCH "} {
		if want == "PUT PATCH " {
			has = http.MethodPatch
		}
		asked = ""
		if _, err := d.UpdateDocument(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d1"}, vendors.DocumentChange{Name: &name}); err != nil || asked != want {
			t.Errorf("asked %q, %v; want %q", asked, err, want)
		}
	}
}

// The Go back end is asked for the path that it lacks once.
func TestOwnSearchRemembered(t *testing.T) {
	asked := ""
	d := answering(func(r *http.Request) (int, string) {
		asked += strings.TrimPrefix(r.URL.Path, "/api/v1/") + " "
		if r.URL.Path == "/api/v1/retrieval" {
			return 404, `{"code":404,"message":"Not Found: /api/v1/retrieval"}`
		}
		return 200, `{"code":0,"data":{"chunks":[]}}`
	}).driver(t)
	for _, want := range []string{"retrieval datasets/kb/search ", "datasets/kb/search "} {
		asked = ""
		if _, err := d.Search(t.Context(), vendors.SearchQuery{KnowledgeBaseID: "kb", Query: "x", Limit: 5}); err != nil || asked != want {
			t.Errorf("asked %q, %v; want %q", asked, err, want)
		}
	}
}

// endless gives n bytes without having them.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	e.left -= n
	return int(n), nil
}

// A file of 200 MB passes without being held, once, and one over the bound is
// not opened.
func TestUploadStreams(t *testing.T) {
	const size = 200 << 20
	sent, opened := int64(0), 0
	d := answering(func(r *http.Request) (int, string) {
		if r.Method == http.MethodGet {
			return 200, `{"code":0,"data":{"docs":[],"total":0}}`
		}
		sent, _ = io.Copy(io.Discard, r.Body)
		return 200, `{"code":0,"data":[{"id":"n1","name":"big.pdf","run":"UNSTART","size":209715200}]}`
	}).driver(t)
	u := vendors.Upload{KnowledgeBaseID: "kb", Name: "big.pdf", File: &vendors.File{Size: size, Open: func() (io.ReadCloser, error) {
		opened++
		return io.NopCloser(&endless{size}), nil
	}}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	up, err := d.Upload(t.Context(), u)
	runtime.ReadMemStats(&after)
	if err != nil || up.Document.DocumentID != "n1" || sent < size || opened != 1 {
		t.Errorf("Upload = %+v, %v; %d bytes in %d files", up, err, sent, opened)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
	u.File.Size = maxUpload + 1
	if _, err := d.Upload(t.Context(), u); vendors.KindOf(err) != vendors.InvalidArgument || opened != 1 {
		t.Errorf("too large: %v, opened %d times", err, opened)
	}
}

// No write ever names nothing: RAGFlow takes an empty list for everything.
func TestNothingIsNotEverything(t *testing.T) {
	for _, generation := range []string{"current", "preview"} {
		d := open(t, map[string]string{"RAGFLOW_API_GENERATION": generation}, rest.Conn{Transport: answering(func(r *http.Request) (int, string) {
			if r.Method != http.MethodGet {
				t.Errorf("%s: %s %s", generation, r.Method, r.URL.Path)
			}
			return 200, `{"code":0,"data":{"docs":[{"id":"other","run":"1","progress":0.5}],"total":1}}`
		}), Limiter: ratelimit.New(ratelimit.Rate{}, nil)}).(*Driver)
		for _, ids := range [][]string{nil, {}, {"d1"}, {"d1", "d2", "d3"}} {
			for _, do := range []func() ([]vendors.Outcome, error){
				func() ([]vendors.Outcome, error) { return d.DeleteDocuments(t.Context(), "kb", ids) },
				func() ([]vendors.Outcome, error) { return d.StartIngestion(t.Context(), "kb", ids) },
				func() ([]vendors.Outcome, error) { return d.StopIngestion(t.Context(), "kb", ids) },
			} {
				out, err := do()
				if len(ids) == 0 && vendors.KindOf(err) != vendors.InvalidArgument || len(out) != len(ids) {
					t.Errorf("%s, %v: %v, %v", generation, ids, out, err)
				}
			}
		}
	}
}

// Many callers at once share the driver's memories.
func TestWritesTogether(t *testing.T) {
	d := answering(func(r *http.Request) (int, string) {
		switch r.Method {
		case http.MethodGet:
			return 200, unstarted
		case http.MethodPatch:
			return 200, `{"code":100,"message":"<MethodNotAllowed '405: Method Not Allowed'>"}`
		}
		return 200, `{"code":0}`
	}).driver(t)
	var wg sync.WaitGroup
	name := "a.txt"
	for range 16 {
		wg.Go(func() {
			_, err1 := d.StartIngestion(t.Context(), "kb", []string{"d1"})
			_, err2 := d.UpdateDocument(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d1"}, vendors.DocumentChange{Name: &name})
			_, err3 := d.DeleteDocuments(t.Context(), "kb", []string{"d1"})
			d.Instead()
			if err1 != nil || err2 != nil || err3 != nil {
				t.Error(err1, err2, err3)
			}
		})
	}
	wg.Wait()
}

func TestFailureHints(t *testing.T) {
	for message, want := range map[string]string{
		"[ERROR]Generate embedding error: 401":                   "embedding model",
		"Internal server error while chunking: PDF is encrypted": "password",
		"File size exceeds( <= 128Mb )":                          "split it",
		"[ERROR]Insert chunk error: full":                        "search engine",
		"RAGFlow gives no reason.":                               "start_ingestion again",
		"something new":                                          "Correct what the message names",
	} {
		if got := failureHint(message); !strings.Contains(got, want) {
			t.Errorf("hint for %q is %q", message, got)
		}
	}
}

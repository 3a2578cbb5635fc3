package ragflow

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// fake answers by path and remembers what was asked.
type fake struct {
	mu     sync.Mutex
	answer map[string]string // path to body; other paths are absent
	asked  []string
	fail   bool
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.URL.Path)
	if f.fail && r.URL.Path == "/api/v1/dataset" {
		return nil, io.ErrClosedPipe
	}
	body, ok := f.answer[r.URL.Path]
	if !ok {
		body = `{"data":null,"retcode":100,"retmsg":"<NotFound '404: Not Found'>"}`
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// take returns the paths asked since the last take, without their common head.
func (f *fake) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := strings.ReplaceAll(strings.Join(f.asked, " "), "/api/v1/", "")
	f.asked = nil
	return s
}

func (f *fake) driver(t *testing.T, generation string) *Driver {
	return open(t, map[string]string{"RAGFLOW_API_GENERATION": generation}, rest.Conn{
		Transport: f, Limiter: ratelimit.New(ratelimit.Rate{}, nil), Backoff: ratelimit.Backoff{Tries: 1},
	}).(*Driver)
}

const emptyList = `{"code":0,"data":[],"total_datasets":0}`

func list(d *Driver) error {
	_, err := d.ListKnowledgeBases(context.Background(), vendors.PageQuery{Page: 1, Size: 20})
	return err
}

// The generation is asked for once, by the first call that gets an answer.
func TestDetectOnce(t *testing.T) {
	f := &fake{answer: map[string]string{"/api/v1/dataset": emptyList}, fail: true}
	d := f.driver(t, "auto")
	if f.take() != "" {
		t.Error("New made a request")
	}
	if err := list(d); vendors.KindOf(err) != vendors.Unavailable || f.take() != "datasets dataset" {
		t.Errorf("a failed detection: %v", err)
	}
	f.fail = false
	for i, want := range []string{"datasets dataset dataset", "dataset", "dataset"} {
		if err := list(d); err != nil {
			t.Fatal(err)
		}
		if got := f.take(); got != want {
			t.Errorf("call %d asked %q, want %q", i+1, got, want)
		}
	}
	// The server is upgraded under a running kb-mcp: one call fails, the next looks again.
	f.answer = map[string]string{"/api/v1/datasets": emptyList}
	if err := list(d); vendors.KindOf(err) != vendors.Unsupported {
		t.Errorf("after the upgrade: %v", err)
	}
	f.take()
	if err := list(d); err != nil || f.take() != "datasets" {
		t.Errorf("the second call after the upgrade: %v", err)
	}
}

func TestDetectRefusals(t *testing.T) {
	const refused = `{"data":null,"retcode":401,"retmsg":"<Unauthorized '401: Unauthorized'>"}`
	const bad = `{"code":109,"data":false,"message":"Authentication error: API key is invalid!"}`
	tests := []struct {
		name, path, body string
		asked            string // by two calls
	}{
		{"a current server stays current", "/api/v1/datasets", bad, "datasets datasets"},
		{"a preview server stays a preview server", "/api/v1/dataset", refused, "datasets dataset dataset"},
	}
	for _, tt := range tests {
		f := &fake{answer: map[string]string{tt.path: tt.body}}
		d := f.driver(t, "auto")
		for range 2 {
			if err := list(d); vendors.KindOf(err) != vendors.Unauthenticated {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if got := f.take(); got != tt.asked {
			t.Errorf("%s: asked %q, want %q", tt.name, got, tt.asked)
		}
	}
}

// Many first calls at once look at the preview's path once.
func TestDetectTogether(t *testing.T) {
	f := &fake{answer: map[string]string{"/api/v1/dataset": emptyList}}
	d := f.driver(t, "auto")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := list(d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	probes := strings.Count(" "+f.take()+" ", " dataset ") - 20
	if probes > 1 {
		t.Errorf("%d probes for 20 calls", probes)
	}
}

func TestDetectCancelled(t *testing.T) {
	d := (&fake{}).driver(t, "auto")
	d.probing <- struct{}{} // somebody else is at it
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.detect(ctx); vendors.KindOf(err) != vendors.Timeout {
		t.Errorf("detect = %v", err)
	}
}

// A configured generation is believed: no probe, and no other path.
func TestConfigured(t *testing.T) {
	for generation, path := range map[string]string{"current": "datasets", "preview": "dataset"} {
		f := &fake{}
		d := f.driver(t, generation)
		if err := list(d); vendors.KindOf(err) != vendors.BadResponse || f.take() != path {
			t.Errorf("%s, first call: %v", generation, err)
		}
		f.answer = map[string]string{"/api/v1/" + path: emptyList}
		if err := list(d); err != nil {
			t.Errorf("%s: %v", generation, err)
		}
		if _, err := d.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: "kb", DocumentID: "d"}); vendors.KindOf(err) != vendors.Unsupported {
			t.Errorf("%s, a path absent later: %v", generation, err)
		}
	}
}

package ragflow

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

// open makes the driver of a case: an auto one unless the case says otherwise.
func open(t testing.TB, env map[string]string, conn rest.Conn) vendors.Driver {
	c := Config{APIKey: "SECRET", BaseURL: "http://vendor.test"}
	for name, value := range env {
		switch name {
		case "RAGFLOW_API_KEY":
			c.APIKey = value
		case "RAGFLOW_BASE_URL":
			c.BaseURL = value
		case "RAGFLOW_API_GENERATION":
			c.Generation = value
		default:
			t.Fatalf("unknown variable %s", name)
		}
	}
	if p := c.Problems(); len(p) > 0 {
		t.Fatalf("config: %v", p)
	}
	return New(c, conn)
}

func TestDriver(t *testing.T) { vendortest.Run(t, "../../testdata/ragflow", open) }

func TestProblems(t *testing.T) {
	const root = "http://127.0.0.1:9380"
	tests := []struct {
		name string
		c    Config
		want string // variables
	}{
		{"good", Config{APIKey: "ragflow-abc", BaseURL: root}, ""},
		{"the whole header", Config{APIKey: "Bearer ragflow-abc", BaseURL: root + "/", Generation: "CURRENT"}, ""},
		{"a login token", Config{APIKey: "IjAw.ZpRg.12oW", BaseURL: root, Generation: "preview"}, ""},
		{"nothing", Config{}, "RAGFLOW_API_KEY RAGFLOW_BASE_URL"},
		{"no server", Config{APIKey: "ragflow-abc"}, "RAGFLOW_BASE_URL"},
		{"no key", Config{BaseURL: root}, "RAGFLOW_API_KEY"},
		{"an empty header", Config{APIKey: "Bearer ", BaseURL: root}, "RAGFLOW_API_KEY"},
		{"two words", Config{APIKey: "ragflow abc", BaseURL: root}, "RAGFLOW_API_KEY"},
		{"an API key for the preview", Config{APIKey: "bearer ragflow-abc", BaseURL: root, Generation: "preview"}, "RAGFLOW_API_KEY"},
		{"all at once", Config{APIKey: "ключ", BaseURL: "ftp://x", Generation: "new"}, "RAGFLOW_API_KEY RAGFLOW_BASE_URL RAGFLOW_API_GENERATION"},
	}
	for _, tt := range tests {
		var got []string
		for _, p := range tt.c.Problems() {
			got = append(got, p.Variable)
			if key := tt.c.key(); key != "" && strings.Contains(p.Text, key) {
				t.Errorf("%s: %q shows the key", tt.name, p.Text)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: problems %v, want %q", tt.name, got, tt.want)
		}
	}
}

func TestBase(t *testing.T) {
	for in, want := range map[string]string{
		"http://h:9380":             "http://h:9380",
		"http://h:9380/":            "http://h:9380",
		"http://h/api/v1":           "http://h",
		"http://h/v1/api/":          "http://h",
		" https://h/v1 ":            "https://h",
		"https://h/rag/api/v1//":    "https://h/rag",
		"https://h/rag":             "https://h/rag",
		"https://h/my-api/v1thing/": "https://h/my-api/v1thing",
	} {
		if u := (Config{BaseURL: in}).base(); u == nil || u.String() != want {
			t.Errorf("base of %q is %v, want %s", in, u, want)
		}
	}
}

func TestAccount(t *testing.T) {
	a := Config{APIKey: "ragflow-abcdef", BaseURL: "http://h"}.Account()
	if b := (Config{APIKey: "Bearer ragflow-abcdef", BaseURL: "http://h/api/v1/"}).Account(); a != b {
		t.Errorf("one account is %q and %q", a, b)
	}
	if b := (Config{APIKey: "ragflow-abcdeg", BaseURL: "http://h"}).Account(); a == b || strings.Contains(a, "abcdef") {
		t.Errorf("account %q, of another key %q", a, b)
	}
}

// turn must find the last page whatever the total means.
func TestTurn(t *testing.T) {
	tests := []struct {
		name             string
		total            int64 // -1: absent
		page, size, rows int
		old              bool
		wantTotal        int // -1: not said
		wantMore         bool
	}{
		{"first of three", 250, 1, 100, 100, false, 250, true},
		{"last, short", 250, 3, 100, 50, false, 250, false},
		{"last, full", 200, 2, 100, 100, false, 200, false},
		{"one full page", 100, 1, 100, 100, false, 100, false},
		{"one full page of an old server", 100, 1, 100, 100, true, -1, true},
		{"second full page of an old server", 100, 2, 100, 100, true, -1, true},
		{"last page of an old server", 37, 3, 100, 37, true, -1, false},
		{"only page of an old server", 37, 1, 100, 37, true, 37, false},
		{"no total, full", -1, 1, 100, 100, false, -1, true},
		{"no total, short", -1, 1, 100, 99, false, -1, false},
		{"empty", 0, 1, 100, 0, false, 0, false},
		{"beyond the end", 150, 3, 100, 0, false, 150, false},
		{"page_size ignored", 30, 1, 20, 30, true, 30, false},
	}
	for _, tt := range tests {
		total, more := turn(rest.Num{Int: tt.total, Valid: tt.total >= 0}, tt.page, tt.size, tt.rows, tt.old)
		got := -1
		if total != nil {
			got = *total
		}
		if got != tt.wantTotal || more != tt.wantMore {
			t.Errorf("%s: total %d, more %v", tt.name, got, more)
		}
	}
}

// An id that would change the path is refused.
func TestPathIDs(t *testing.T) {
	d := New(Config{APIKey: "SECRET", BaseURL: "http://vendor.test"}, rest.Conn{})
	for _, id := range []string{"a/b", "a?b", "#"} {
		if err := d.CheckID("knowledge_base_id", id); vendors.KindOf(err) != vendors.InvalidArgument {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

// What was read before the limit ran out is given together with the error.
func TestProgressPartial(t *testing.T) {
	f := &fake{answer: map[string]string{"/api/v1/datasets/kb/documents": `{"code":0,"data":{"docs":[],"total":0}}`}}
	d := f.driver(t, "current")
	d.now.rc = rest.New(rest.Conn{Transport: second{f}, Backoff: ratelimit.Backoff{Tries: 1}, Limiter: ratelimit.New(ratelimit.Rate{}, nil)},
		rest.Dialect{Base: mustParse("http://vendor.test"), Decode: envelope.Decoder("")})
	ids := make([]string, 150)
	for i := range ids {
		ids[i] = fmt.Sprint("d", i)
	}
	f.answer["/api/v1/datasets/kb/documents"] = `{"code":0,"data":{"docs":[{"id":"d3","run":"DONE"}],"total":1}}`
	rep, err := d.Progress(t.Context(), vendors.ProgressQuery{KnowledgeBaseID: "kb", DocumentIDs: ids})
	if vendors.KindOf(err) != vendors.RateLimited || len(rep.Documents) != 1 || len(rep.Missing) != 0 {
		t.Errorf("Progress = %+v, %v", rep, err)
	}
}

// second lets one request pass and answers the others with 429.
type second struct{ f *fake }

func (s second) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.f.RoundTrip(r)
	if s.f.mu.Lock(); len(s.f.asked) > 1 {
		resp.StatusCode = http.StatusTooManyRequests
	}
	s.f.mu.Unlock()
	return resp, err
}

func mustParse(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

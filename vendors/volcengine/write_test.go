package volcengine

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"kb-mcp/ratelimit"
	"kb-mcp/tools"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/rest"
)

// The query's bound counts characters, not bytes.
func TestQueryLength(t *testing.T) {
	var asked []string
	d := answering(t, &asked, map[string]string{"collection/search_knowledge": `{"code":0,"data":{"result_list":[{"point_id":"p","content":"x"}]}}`})
	for n, want := range map[int]vendors.Kind{queryText.Most: "", queryText.Most + 1: vendors.InvalidArgument} {
		asked = nil
		_, err := d.Search(t.Context(), vendors.SearchQuery{KnowledgeBaseID: "kb-1", Query: strings.Repeat("问", n), Limit: 5})
		if (err != nil) != (want != "") || err != nil && vendors.KindOf(err) != want || len(asked) != map[bool]int{true: 1}[want == ""] {
			t.Errorf("%d characters: %v after %v", n, err, asked)
		}
	}
}

// An id for a new document is one that the platform takes, and never one of
// before.
func TestNewDocumentID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := newDocumentID()
		if seen[id] || !regexp.MustCompile(`^[A-Za-z][0-9a-f]{32}$`).MatchString(id) {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

func TestTypeOfName(t *testing.T) {
	for name, want := range map[string]string{
		"a.md": "markdown", "A.MARKDOWN": "markdown", "b.jpg": "jpeg", "b.JPEG": "jpeg", "c.faq.xlsx": "faq.xlsx", "faq.xlsx": "xlsx",
		"/x/report.pdf": "pdf", "v1.2 notes": "", "a.html": "", "": "", "pdf": "", "a.pdf.exe": "", "Ünï.TXT": "txt",
	} {
		if got := typeOfName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestPathOf(t *testing.T) {
	for address, want := range map[string]string{
		"https://h.example/a%20b.pdf?sig=1#x": "/a b.pdf", "http://h.example": "", "tos://bucket/k/ey.pdf": "/k/ey.pdf",
		"tos://bucket/": "refused", "tos:///key": "refused", "https:///a.pdf": "refused", "file:///etc/passwd": "refused",
		"https://h.example/a b.pdf": "refused", "https://h.example/%zz": "refused", "a.pdf": "refused", "//h.example/a.pdf": "refused",
		"HTTPS://h.example/a.pdf": "/a.pdf",
	} {
		got, err := pathOf(address)
		if err != nil {
			got = "refused"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

// A cancelled upload sends nothing more, and says that nobody knows.
func TestUploadCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sent := 0
	d := open(t, nil, rest.Conn{
		Limiter: ratelimit.New(ratelimit.Rate{}, nil), Backoff: ratelimit.Backoff{Tries: 1},
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			sent++
			cancel()
			return nil, r.Context().Err()
		}),
	}).(*Driver)
	_, err := d.Upload(ctx, vendors.Upload{KnowledgeBaseID: "kb-1", URL: "https://h.example/a.pdf"})
	if vendors.KindOf(err) != vendors.Timeout || !vendors.Unsure(err) || sent != 1 {
		t.Errorf("%d requests: %v", sent, err)
	}
}

// Uploads at the same time get different ids, and one add each.
func TestUploadsAtOnce(t *testing.T) {
	var mu sync.Mutex
	adds := map[string]int{}
	d := New(Config{BaseURL: "http://vendor.test", Project: "default", APIKey: "SECRET"}, rest.Conn{
		Limiter: ratelimit.New(ratelimit.Rate{}, nil),
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			var in struct {
				DocID string `json:"doc_id"`
			}
			err := json.NewDecoder(r.Body).Decode(&in)
			if strings.HasSuffix(r.URL.Path, "/add") {
				mu.Lock()
				adds[in.DocID]++
				mu.Unlock()
			}
			body := `{"code":0,"data":{"doc_id":"` + in.DocID + `","status":{"process_status":2}}}`
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: readCloser(body), Request: r}, err
		}),
	})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := d.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: "kb-1", URL: "https://h.example/a.pdf"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(adds) != 50 {
		t.Errorf("%d ids for 50 documents", len(adds))
	}
}

// What is unsupported has advice, and what works has none.
func TestInstead(t *testing.T) {
	d := New(good(), rest.Conn{})
	got := strings.Join(tools.Capabilities(connection.New("v", "volcengine", d)), " ")
	const want = "list_knowledge_bases list_documents get_document_info get_ingestion_progress search_knowledge_base list_chunks " +
		"create_knowledge_base update_knowledge_base delete_knowledge_base upload_document update_document delete_documents"
	if !containsAll(got, want) || len(d.Instead()) != 3 {
		t.Errorf("capabilities %s", got)
	}
	for tool := range d.Instead() {
		if strings.Contains(got, tool) {
			t.Errorf("%s both works and has advice", tool)
		}
	}
}

func containsAll(text, words string) bool {
	for w := range strings.FieldsSeq(words) {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

func readCloser(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

package volcengine

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/recent"
	"kb-mcp/vendors/rest"
)

// answering makes a driver whose platform answers by path, and notes the paths.
func answering(t *testing.T, asked *[]string, answers map[string]string) *Driver {
	return open(t, nil, rest.Conn{
		Limiter: ratelimit.New(ratelimit.Rate{}, nil), Backoff: ratelimit.Backoff{Tries: 1},
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			path := strings.TrimPrefix(r.URL.Path, "/api/knowledge/")
			*asked = append(*asked, path)
			status, body := http.StatusNotFound, "404 page not found"
			if a, ok := answers[path]; ok {
				status, body = http.StatusOK, a
			}
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}),
	}).(*Driver)
}

// A server without doc/v2/list is asked for it once; a server that fails
// otherwise is not taken for one.
func TestOldListRemembered(t *testing.T) {
	var asked []string
	answers := map[string]string{}
	d := answering(t, &asked, answers)
	first := vendors.PageQuery{KnowledgeBaseID: "kb-1", Page: 1, Size: 20}
	if _, err := d.ListDocuments(t.Context(), first); vendors.KindOf(err) != vendors.BadResponse {
		t.Errorf("neither path: %v", err)
	}
	answers["doc/list"] = `{"code":0,"data":{"doc_list":null}}`
	for range 2 {
		if _, err := d.ListDocuments(t.Context(), first); err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(asked, " "); got != "doc/v2/list doc/list doc/v2/list doc/list doc/list" {
		t.Errorf("asked %s", got)
	}
}

// A refused token is an old cursor; without a token it is the argument.
func TestStaleToken(t *testing.T) {
	var asked []string
	d := answering(t, &asked, map[string]string{"doc/v2/list": `{"code":1000003,"message":"next_token is not valid"}`})
	for token, want := range map[string]bool{"b3Bh": true, "": false} {
		_, err := d.ListDocuments(t.Context(), vendors.PageQuery{KnowledgeBaseID: "kb-1", Page: 1, Token: token, Size: 20})
		if hint := vendors.ReportOf(err).Hint; strings.Contains(hint, "cursor") != want {
			t.Errorf("token %q: %s", token, hint)
		}
	}
}

// What a platform may quote of a request opens nothing.
func TestWithoutKeys(t *testing.T) {
	for text, want := range map[string]string{
		"download failed: https://u:p@b.example/a.pdf?X-Tos-Signature=abc&x=1, retry": "download failed: https://b.example/a.pdf retry",
		"看 https://b.example/a.pdf?sig=1，重试":                                          "看 https://b.example/a.pdf，重试",
		`{"url":"https://b.example/a?k=v"}`:                                           `{"url":"https://b.example/a"}`,
		"got Signature=0c53, X-Date=2025":                                             "got [redacted], [redacted]",
		"nothing to hide":                                                             "nothing to hide",
	} {
		if got := rest.Text(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// The id of a name is asked for once, and again when its time is over or a
// knowledge base was not there.
func TestNamesRemembered(t *testing.T) { synctest.Test(t, namesRemembered) }

func namesRemembered(t *testing.T) {
	var asked []string
	answers := map[string]string{"collection/info": `{"code":0,"data":{"resource_id":"kb-1"}}`, "doc/info": `{"code":1000005,"message":"collection not exist"}`}
	d := answering(t, &asked, answers)
	for i, step := range []struct {
		do   func()
		want int
	}{
		{func() {}, 1},
		{func() {}, 1},
		{func() { time.Sleep(recent.Age) }, 2},
		{func() { d.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: "kb-1", DocumentID: "d"}) }, 3},
	} {
		step.do()
		for range 2 {
			if id, err := d.ResolveKnowledgeBase(t.Context(), "manuals"); id != "kb-1" || err != nil {
				t.Errorf("step %d: %q, %v", i, id, err)
			}
		}
		if n := strings.Count(strings.Join(asked, " "), "collection/info"); n != step.want {
			t.Errorf("step %d: looked up %d times, want %d", i, n, step.want)
		}
	}
}

package vendortest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/rest"
)

// Words are a platform's words for the state of a document.
type Words struct {
	KnowledgeBaseID, DocumentID string
	// Statuses is the driver's own table: a new word is tried without a change here.
	Statuses map[string]vendors.Status
	// Answer is the body of a 200 for any request that reads: of a knowledge base
	// with this one document, whatever filter was asked for, as older servers do.
	Answer func(path, body, word string) string
}

// EveryWord sends every word of a platform through list, every filter, detail,
// progress and the search for unfinished documents: all of them treat it as the
// status that the driver's table gives it.
func EveryWord(t *testing.T, w Words, open func(conn rest.Conn) vendors.Driver) {
	for word, status := range w.Statuses {
		t.Run(word, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { w.try(t, word, status, connection.New("conn", "p", open(w.conn(word)))) })
		})
	}
}

// conn answers every request with one word.
func (w Words) conn(word string) rest.Conn {
	return rest.Conn{
		Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{}, MaxBody: maxBody,
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			var body []byte
			if r.Body != nil {
				body, _ = io.ReadAll(r.Body)
				r.Body.Close()
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
				Body: io.NopCloser(strings.NewReader(w.Answer(r.URL.Path, string(body), word)))}, nil
		}),
	}
}

func (w Words) try(t *testing.T, word string, status vendors.Status, c *connection.Connection) {
	ctx := t.Context()
	for _, filter := range append(vendors.Statuses(), "") {
		list, err := c.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: w.KnowledgeBaseID, Status: filter, Limit: 20})
		if err != nil || (len(list.Documents) == 1) != (filter == status || filter == "") {
			t.Errorf("listed by status %q: %+v, %v", filter, list.Documents, err)
			continue
		}
		for _, d := range list.Documents {
			if d.Status != status || !strings.Contains(strings.ToLower(d.VendorStatus), strings.ToLower(word)) {
				t.Errorf("listed as %s (%q)", d.Status, d.VendorStatus)
			}
		}
	}
	if d, err := c.GetDocument(ctx, vendors.Ref{KnowledgeBaseID: w.KnowledgeBaseID, DocumentID: w.DocumentID}); err != nil || d.Status != status {
		t.Errorf("detail: %s, %v", d.Status, err)
	}
	byID, err := c.Progress(ctx, connection.ProgressRequest{KnowledgeBaseID: w.KnowledgeBaseID, DocumentIDs: []string{w.DocumentID}})
	if err != nil || byID.Summary.ByStatus[status] != 1 || byID.Summary.Done != status.Settled() {
		t.Errorf("progress: %+v, %v", byID.Summary, err)
	}
	whole, err := c.Progress(ctx, connection.ProgressRequest{KnowledgeBaseID: w.KnowledgeBaseID})
	if err != nil || whole.Summary.ByStatus[status] != 1 || (len(whole.Documents) == 1) != status.NeedsAttention() {
		t.Errorf("progress of the knowledge base: %+v, %v", whole.Summary, err)
	}
	found, err := c.Unfinished(ctx, w.KnowledgeBaseID)
	if err != nil || (len(found.Documents) == 1) == status.IsCompleted() || len(found.Incomplete) > 0 {
		t.Errorf("unfinished: %+v, %+v, %v", found.Documents, found.Incomplete, err)
	}
}

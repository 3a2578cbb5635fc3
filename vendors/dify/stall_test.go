package dify_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/dify"
	"kb-mcp/vendors/rest"
)

// stub answers every request.
type stub func(r *http.Request) (status int, body string)

// RoundTrip implements http.RoundTripper.
func (s stub) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := s(r)
	return &http.Response{
		StatusCode: status, Request: r, Header: http.Header{"X-Version": {"1.12.1"}, "Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// at makes the production driver at a stub.
func at(s stub) *connection.Connection {
	c := dify.Config{APIKey: "dataset-x", BaseURL: "http://vendor.test/v1"}
	return connection.New("conn", "dify", dify.New(c, rest.Conn{Transport: s, Limiter: ratelimit.New(ratelimit.Rate{}, nil)}))
}

const (
	kbID  = "d1bebc7e-0904-41cf-8031-7211ed29cfc6"
	docID = "a1990000-0000-4000-8000-000000000001"
)

// A document that was replaced keeps its created_at. The file's time says since
// when it waits (Dify 1.12.1, list and detail of a document uploaded again).
func TestReplacedDocumentIsNoStall(t *testing.T) {
	for _, tt := range []struct {
		name, status        string
		uploaded, updated   time.Duration // ago
		list, wantSuspicion bool
	}{
		{"uploaded just now, in the list", "waiting", time.Minute, 72 * time.Hour, true, false},
		{"uploaded just now, on its own", "waiting", time.Minute, 72 * time.Hour, false, false},
		{"changed just now", "waiting", 72 * time.Hour, time.Minute, false, false},
		{"waits for an hour", "waiting", time.Hour, 72 * time.Hour, true, true},
		{"at work for an hour", "indexing", time.Hour, 72 * time.Hour, true, false},
		{"at work for days", "indexing", 72 * time.Hour, 72 * time.Hour, true, true},
		{"at work for days, on its own", "indexing", 72 * time.Hour, 72 * time.Hour, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(30 * 24 * time.Hour) // behind the times of the document
				ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
				file := fmt.Sprintf(`{"upload_file":{"id":"f","name":"a.txt","size":5,"extension":"txt","created_at":%d.25}}`, ago(tt.uploaded))
				row := fmt.Sprintf(`"id":"%s","name":"a.txt","indexing_status":"%s","created_at":%d`, docID, tt.status, ago(72*time.Hour))
				v := at(func(r *http.Request) (int, string) {
					if strings.HasSuffix(r.URL.Path, "/documents") {
						return 200, `{"data":[{` + row + `,"data_source_info":{"upload_file_id":"f"},"data_source_detail_dict":` + file + `}],"total":1,"page":1,"limit":100,"has_more":false}`
					}
					return 200, `{` + row + fmt.Sprintf(`,"data_source_info":%s,"updated_at":%d}`, file, ago(tt.updated))
				})
				q := connection.ProgressRequest{KnowledgeBaseID: kbID}
				if !tt.list {
					q.DocumentIDs = []string{docID}
				}
				p, err := v.Progress(t.Context(), q)
				if err != nil || len(p.Documents) != 1 {
					t.Fatalf("%+v, %v", p, err)
				}
				stalled := p.Documents[0].Stalled
				if (stalled != nil) != tt.wantSuspicion {
					t.Errorf("stalled %+v", stalled)
				}
				if stalled != nil && strings.Contains(stalled.NextStep, "delete") {
					t.Errorf("the next step of a suspicion is %q", stalled.NextStep)
				}
			})
		})
	}
}

// A document that was paused while it waited is waiting in list and detail, and
// paused by its batch (Dify 1.12.1).
func TestPausedWhileWaiting(t *testing.T) {
	const batch = "20261129124532322839"
	row := `"id":"` + docID + `","name":"a.txt","indexing_status":"waiting","display_status":"queuing","created_at":1795955732`
	v := at(func(r *http.Request) (int, string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/indexing-status"):
			return 200, `{"data":[{"id":"` + docID + `","indexing_status":"paused","paused_at":1795955740}]}`
		case r.Method == http.MethodPost:
			return 200, `{"document":{` + row + `},"batch":"` + batch + `"}`
		case strings.Contains(r.URL.Path, "/documents/"):
			return 200, `{` + row + `}`
		}
		return 200, `{"id":"` + kbID + `","indexing_technique":"economy","document_count":3}`
	})
	ref := vendors.Ref{KnowledgeBaseID: kbID, DocumentID: docID}
	if doc := must[vendors.Document](t, "get")(v.GetDocument(t.Context(), ref)); doc.Status != vendors.Queued {
		t.Errorf("without its batch: %s", doc.Status)
	}
	must[connection.UploadResult](t, "upload")(v.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: kbID, Name: "a.txt", Text: "x"}))
	if doc := must[vendors.Document](t, "get")(v.GetDocument(t.Context(), ref)); doc.Status != vendors.Paused || doc.VendorStatus != "paused" {
		t.Errorf("with its batch: %+v", doc)
	}
}

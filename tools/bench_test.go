package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	mcpserver "github.com/mark3labs/mcp-go/server"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/dify"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
)

// canned answers every request with the same body.
type canned struct{ body []byte }

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
		ContentLength: int64(len(c.body)), Body: io.NopCloser(bytes.NewReader(c.body)),
	}, nil
}

// difyList is the sandbox's answer to a list of so many documents, and the id of
// their knowledge base.
func difyList(b *testing.B, rows int) (body []byte, kb string) {
	b.Helper()
	sb := sandbox.New(sandbox.Options{Documents: rows})
	kb = sb.KnowledgeBaseID(sandbox.Dify, sandbox.BulkName(sandbox.Dify))
	r := httptest.NewRequest(http.MethodGet, "/dify/v1/datasets/"+kb+fmt.Sprintf("/documents?page=1&limit=%d", rows), nil)
	r.Header.Set("Authorization", "Bearer "+sandbox.DifyKey)
	w := httptest.NewRecorder()
	sb.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatal(w.Body)
	}
	return w.Body.Bytes(), kb
}

// BenchmarkCall is a whole call of list_documents, from the client's line to the
// answer's, without sockets. A row of 100 is to be no dearer than one of 20.
func BenchmarkCall(b *testing.B) {
	for _, rows := range []int{20, 100} {
		for _, detail := range []string{"brief", "full"} {
			b.Run(fmt.Sprint(rows, " ", detail), func(b *testing.B) { call(b, rows, detail) })
		}
	}
}

func call(b *testing.B, rows int, detail string) {
	body, kb := difyList(b, rows)
	secrets := &rest.Secrets{}
	secrets.Add(sandbox.DifyKey, sandbox.CozeToken, sandbox.RAGFlowKey, sandbox.VolcengineAccessKey, sandbox.VolcengineSecretKey)
	rate, err := ratelimit.Parse("off")
	if err != nil {
		b.Fatal(err)
	}
	driver := dify.New(dify.Config{APIKey: sandbox.DifyKey, BaseURL: "http://127.0.0.1/v1"},
		rest.Conn{Transport: canned{body}, Limiter: ratelimit.New(rate, nil), Secrets: secrets})
	set := New([]*connection.Connection{connection.New("dify", "dify", driver)},
		Options{Clean: secrets.Clean, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	srv := mcpserver.NewMCPServer("bench", "1", mcpserver.WithToolCapabilities(false))
	srv.AddTools(set.ServerTools()...)
	line := json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_documents",` +
		`"arguments":{"vendor":"dify","knowledge_base_id":"` + kb + fmt.Sprintf(`","limit":%d,"detail":%q}}}`, rows, detail))
	b.ReportAllocs()
	for b.Loop() {
		answer, err := json.Marshal(srv.HandleMessage(b.Context(), line))
		if err != nil || len(answer) < 4000 {
			b.Fatal(err, string(answer))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}

// BenchmarkEncode is the JSON of a result with 20 rows that have every field.
func BenchmarkEncode(b *testing.B) {
	list := connection.DocumentList{Vendor: "dify", KnowledgeBaseID: "kb"}
	for i := range 20 {
		list.Documents = append(list.Documents, full(fmt.Sprint(i)))
	}
	b.ReportAllocs()
	for b.Loop() {
		if text, err := encode(list); err != nil || len(text) < 5000 {
			b.Fatal(err, len(text))
		}
	}
}

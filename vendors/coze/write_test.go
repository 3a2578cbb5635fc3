package coze_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/tools"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/coze"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
)

// TestFilesThatCannotBeSent: an empty file, one that cannot be opened, and one
// that became shorter are refused, and no document is made.
func TestFilesThatCannotBeSent(t *testing.T) {
	for name, file := range map[string]*vendors.File{
		"empty":   {Size: 0, Open: text("").Open},
		"no file": {Size: 3, Open: func() (io.ReadCloser, error) { return nil, errors.New("gone") }},
		"shorter": {Size: 4, Open: text("abc").Open},
	} {
		b := newBench(t, "/coze")
		kb := b.box.KnowledgeBaseID(sandbox.Coze, "Empty shelf")
		_, err := b.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: kb, Name: "a.txt", File: file})
		if vendors.KindOf(err) != vendors.InvalidArgument || b.box.Store(sandbox.Coze).Documents(kb).Len() != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGrownFile: a file that grew is sent as far as it was checked.
func TestGrownFile(t *testing.T) {
	benches(t, func(t *testing.T, b *bench, _ string) {
		kb := b.box.KnowledgeBaseID(sandbox.Coze, "Empty shelf")
		up, err := b.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: kb, Name: "a.txt", File: &vendors.File{Size: 3, Open: text("abcdef").Open}})
		if err != nil {
			t.Fatal(err)
		}
		if got := b.box.Store(sandbox.Coze).Document(up.Document.DocumentID).Text; got != "abc" {
			t.Errorf("sent %q", got)
		}
	})
}

// TestCancelledUpload: what was cancelled in the middle is unknown, and nothing
// is asked afterwards.
func TestCancelledUpload(t *testing.T) {
	benches(t, func(t *testing.T, b *bench, face string) {
		kb := b.create(t, "cancel")
		ctx, cancel := context.WithCancel(t.Context())
		asked, want := 0, 1
		if face == sandbox.FaceCozeStudio {
			want = 3 // the knowledge base and the file come first
		}
		b.lose = func(r *http.Request) bool {
			asked++
			if strings.HasSuffix(r.URL.Path, "/create") {
				cancel()
				return true
			}
			return false
		}
		_, err := b.Upload(ctx, vendors.Upload{KnowledgeBaseID: kb, Name: "a.txt", Text: "a"})
		if err == nil || !strings.Contains(vendors.ReportOf(err).Message, "It is unknown") || asked != want {
			t.Errorf("%v after %d requests", err, asked)
		}
	})
}

// TestCapabilities: what Coze cannot do is not offered, and says what to do.
func TestCapabilities(t *testing.T) {
	want := strings.Fields(`list_knowledge_bases list_documents get_document_info get_ingestion_progress
		create_knowledge_base update_knowledge_base delete_knowledge_base upload_document update_document delete_documents
		search_knowledge_base list_chunks`)
	benches(t, func(t *testing.T, b *bench, _ string) {
		got := tools.Capabilities(b.Connection)
		for _, tool := range want {
			if !slices.Contains(got, tool) {
				t.Errorf("%s is not offered", tool)
			}
		}
		for _, tool := range strings.Fields("start_ingestion stop_ingestion download_document") {
			if slices.Contains(got, tool) {
				t.Errorf("%s is offered", tool)
			}
		}
	})
}

// TestUnknownSpace: studio makes knowledge bases in a space that does not exist.
func TestUnknownSpace(t *testing.T) {
	srv := httptest.NewServer(sandbox.New(sandbox.Options{}))
	defer srv.Close()
	conn := rest.Conn{Transport: http.DefaultTransport, Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{}, Now: time.Now}
	for space, doubted := range map[string]bool{"7311219484398799999": true, sandbox.CozeSpaceID: false} {
		d := coze.New(coze.Config{Token: sandbox.CozeToken, APIBase: srv.URL + "/coze-studio", SpaceID: space, Dialect: "auto"}, conn)
		v := connection.New("live", "coze", d)
		if _, err := v.ListKnowledgeBases(t.Context(), connection.ListQuery{}); err != nil {
			t.Fatal(err)
		}
		told := slices.ContainsFunc(d.Diagnose(t.Context()), func(f vendors.Finding) bool {
			return f.Check == "space" && strings.Contains(f.Hint, "COZE_SPACE_ID")
		})
		kb, err := v.CreateKnowledgeBase(t.Context(), vendors.KnowledgeBaseChange{Name: new("new")})
		if err != nil {
			t.Fatal(err)
		}
		if noted := strings.Contains(strings.Join(kb.Notes, " "), "COZE_SPACE_ID"); told != doubted || noted != doubted {
			t.Errorf("space %s: doctor tells %v, the creation %v", space, told, noted)
		}
	}
}

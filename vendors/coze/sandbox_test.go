package coze_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/coze"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
)

const bulk = 10_000

// live is a sandbox behind a real socket, and connections to its faces.
type live struct {
	box  *sandbox.Sandbox
	base string
}

func start(t *testing.T, documents int) live {
	t.Helper()
	box := sandbox.New(sandbox.Options{Documents: documents})
	srv := httptest.NewServer(box)
	t.Cleanup(srv.Close)
	return live{box, srv.URL}
}

// connect opens a connection; change may alter the settings of the hosted face.
func (l live) connect(change func(*coze.Config)) *connection.Connection {
	c := coze.Config{Token: sandbox.CozeToken, APIBase: l.base + "/coze", SpaceID: sandbox.CozeSpaceID, Dialect: "auto"}
	if change != nil {
		change(&c)
	}
	conn := rest.Conn{Transport: http.DefaultTransport, Limiter: ratelimit.New(ratelimit.Rate{}, nil), Secrets: &rest.Secrets{}}
	return connection.New("live", "coze", coze.New(c, conn))
}

func (l live) studio(c *coze.Config) { c.APIBase = l.base + "/coze-studio" }

// faces runs a test against both dialects, which are to be detected.
func faces(t *testing.T, documents int, test func(t *testing.T, l live, v *connection.Connection, face string)) {
	l := start(t, documents)
	t.Run("hosted", func(t *testing.T) { test(t, l, l.connect(nil), sandbox.FaceCoze) })
	t.Run("studio", func(t *testing.T) { test(t, l, l.connect(l.studio), sandbox.FaceCozeStudio) })
}

func TestSandboxKnowledgeBases(t *testing.T) {
	faces(t, 0, func(t *testing.T, l live, v *connection.Connection, _ string) {
		names, cursor := map[string]bool{}, ""
		for {
			page, err := v.ListKnowledgeBases(t.Context(), connection.ListQuery{Limit: 2, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			for _, kb := range page.KnowledgeBases {
				if names[kb.KnowledgeBaseID] {
					t.Errorf("%s came twice", kb.Name)
				}
				names[kb.KnowledgeBaseID] = true
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		if want := len(l.box.Store(sandbox.Coze).KBs()); len(names) != want {
			t.Errorf("%d knowledge bases, want %d", len(names), want)
		}
	})
}

func TestSandboxSpaces(t *testing.T) {
	l := start(t, 0)
	v := l.connect(func(c *coze.Config) { c.SpaceID = "" })
	for range 2 { // the second time the spaces are remembered
		page, err := v.ListKnowledgeBases(t.Context(), connection.ListQuery{Limit: 100})
		if err != nil || len(page.KnowledgeBases) == 0 || page.Total == nil {
			t.Fatalf("%d knowledge bases, total %v: %v", len(page.KnowledgeBases), page.Total, err)
		}
	}
	if n := l.box.Requests(sandbox.FaceCoze); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
	v = l.connect(func(c *coze.Config) { l.studio(c); c.SpaceID = "" })
	if _, err := v.ListKnowledgeBases(t.Context(), connection.ListQuery{Limit: 1}); vendors.KindOf(err) != vendors.Unsupported {
		t.Errorf("studio without a space: %v", err)
	}
}

// documents pages through a knowledge base and fails when an id comes twice.
func documents(t *testing.T, v *connection.Connection, kb string) (ids []string) {
	t.Helper()
	seen, cursor := map[string]bool{}, ""
	for {
		page, err := v.ListDocuments(t.Context(), connection.ListQuery{KnowledgeBaseID: kb, Limit: 100, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Documents {
			if seen[d.DocumentID] {
				t.Fatalf("%s came twice", d.DocumentID)
			}
			seen[d.DocumentID] = true
			ids = append(ids, d.DocumentID)
			if strings.Contains(d.SourceURL, "?") {
				t.Errorf("source_url has a query: %s", d.SourceURL)
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			return ids
		}
	}
}

func TestSandboxDocuments(t *testing.T) {
	faces(t, bulk, func(t *testing.T, l live, v *connection.Connection, face string) {
		kb := l.box.KnowledgeBaseID(sandbox.Coze, sandbox.BulkName(sandbox.Coze))
		l.box.ResetRequests()
		ids := documents(t, v, kb)
		most := bulk / 100
		if face == sandbox.FaceCozeStudio {
			most *= 2 // each page has a failure, which may be tried again
		}
		if n := l.box.Requests(face); len(ids) != bulk || n > most {
			t.Errorf("%d documents with %d requests", len(ids), n)
		}

		l.box.ResetRequests()
		r, err := v.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: ids[5000:6000]})
		if err != nil || r.Summary.Total != 1000 || r.Summary.ByStatus[vendors.NotFound] > 0 || len(r.Remaining) > 0 {
			t.Errorf("progress of 1,000: %+v, %v", r.Summary, err)
		}
		want := 10
		if face == sandbox.FaceCozeStudio {
			want++ // the reasons of the failed ones
		}
		if n := l.box.Requests(face); n != want {
			t.Errorf("progress of 1,000 took %d requests, want %d", n, want)
		}
		for i, d := range r.Documents {
			if d.DocumentID != ids[5000+i] {
				t.Fatalf("document %d is %s, want %s", i, d.DocumentID, ids[5000+i])
			}
			if d.Status == vendors.Failed && d.Error.Message != "the file is damaged" {
				t.Errorf("a failed document says %q", d.Error.Message)
			}
		}

		l.box.ResetRequests()
		whole, err := v.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb})
		if err != nil || whole.Summary.Total != bulk || whole.Summary.Failed != bulk/97 {
			t.Errorf("whole knowledge base: %+v, %v", whole.Summary, err)
		}
		t.Logf("whole knowledge base: %d requests", l.box.Requests(face))
	})
}

func TestSandboxGet(t *testing.T) {
	faces(t, 0, func(t *testing.T, l live, v *connection.Connection, _ string) {
		for _, kb := range l.box.Store(sandbox.Coze).KBs() {
			for _, id := range documents(t, v, kb.ID) {
				d, err := v.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb.ID, DocumentID: id})
				if err != nil || d.DocumentID != id {
					t.Errorf("%s: got %q, %v", id, d.DocumentID, err)
				}
				if d.Status == vendors.Processing && d.ProgressPercent == nil {
					t.Errorf("%s is at work without a percentage", d.Name)
				}
				if d.Name == "扫描件-合同.pdf" && !strings.Contains(d.Error.Message, "失败") {
					t.Errorf("%s failed: %q", d.Name, d.Error.Message)
				}
			}
		}
	})
}

func TestSandboxUnknown(t *testing.T) {
	faces(t, 0, func(t *testing.T, l live, v *connection.Connection, _ string) {
		kb := l.box.KnowledgeBaseID(sandbox.Coze, "Engineering Notes")
		const nobody = "7999999999999999999"
		_, err := v.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb, DocumentID: nobody})
		if vendors.KindOf(err) != vendors.ErrNotFound {
			t.Errorf("unknown document: %v", err)
		}
		r, err := v.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: []string{nobody}})
		if err != nil || r.Documents[0].Status != vendors.NotFound {
			t.Errorf("progress of an unknown document: %+v, %v", r.Documents, err)
		}
		_, err = v.ListDocuments(t.Context(), connection.ListQuery{KnowledgeBaseID: nobody, Limit: 20})
		if vendors.KindOf(err) != vendors.ErrNotFound {
			t.Errorf("unknown knowledge base: %v", err)
		}
	})
}

func TestSandboxWrongKey(t *testing.T) {
	l := start(t, 0)
	kb := l.box.KnowledgeBaseID(sandbox.Coze, "Engineering Notes")
	ids := documents(t, l.connect(nil), kb)
	for token, want := range map[string]vendors.Kind{
		"pat_wrong": vendors.Unauthenticated, sandbox.CozeTokenNoScope: vendors.PermissionDenied,
	} {
		for _, onStudio := range []bool{false, true} {
			v := l.connect(func(c *coze.Config) {
				c.Token = token
				if onStudio {
					l.studio(c)
				}
			})
			_, err := v.ListDocuments(t.Context(), connection.ListQuery{KnowledgeBaseID: kb, Limit: 20})
			if vendors.KindOf(err) != want {
				t.Errorf("studio %v, list: %v, want %s", onStudio, err, want)
			}
			_, err = v.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: ids})
			if vendors.KindOf(err) != want {
				t.Errorf("studio %v, progress: %v, want %s", onStudio, err, want)
			}
		}
	}
}

// app is the JWT app of the sandbox.
func (l live) app(c *coze.Config) {
	c.Token, c.ClientID, c.PublicKeyID = "", sandbox.CozeClientID, sandbox.CozePublicKeyID
	c.PrivateKey = l.box.CozePrivateKey()
}

func TestSandboxApp(t *testing.T) {
	l := start(t, 0)
	kb := l.box.KnowledgeBaseID(sandbox.Coze, "Engineering Notes")
	list := func(change func(*coze.Config)) error {
		v := l.connect(func(c *coze.Config) { l.app(c); change(c) })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := v.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: kb, Limit: 20})
		return err
	}
	if err := list(func(*coze.Config) {}); err != nil {
		t.Error(err)
	}
	if n := l.box.Requests(sandbox.FaceCoze); n != 2 {
		t.Errorf("%d requests, want the exchange and the list", n)
	}
	if err := list(func(c *coze.Config) { c.AccountID = sandbox.CozeAccountID }); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*coze.Config){
		"another key":     func(c *coze.Config) { c.PrivateKey = pkcs8(t) },
		"another app":     func(c *coze.Config) { c.ClientID = "1" },
		"another key id":  func(c *coze.Config) { c.PublicKeyID = "k" },
		"another account": func(c *coze.Config) { c.AccountID = "1" },
	} {
		if err := list(change); vendors.KindOf(err) != vendors.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
}

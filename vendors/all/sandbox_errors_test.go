package all

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// operations are all calls that name a knowledge base and a document.
func (l live) operations(t *testing.T, kb, doc string) map[string]error {
	_, list := l.ListDocuments(t.Context(), connection.ListQuery{KnowledgeBaseID: kb, Limit: 20})
	_, filtered := l.ListDocuments(t.Context(), connection.ListQuery{KnowledgeBaseID: kb, Limit: 20, Status: vendors.Failed, NameContains: "a"})
	_, get := l.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb, DocumentID: doc})
	_, byIDs := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: []string{doc}})
	_, whole := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb})
	return map[string]error{"list_documents": list, "list_documents, filtered": filtered, "get_document_info": get, "progress by ids": byIDs, "progress of the whole": whole}
}

// fails checks an error as an agent reads it.
func fails(t *testing.T, what string, err error, kinds ...vendors.Kind) {
	t.Helper()
	r := vendors.ReportOf(err)
	if err == nil || !slices.Contains(kinds, r.Kind) || r.Hint == "" || r.Message == "" || r.Vendor == "" {
		t.Errorf("%s: %v (%+v), want %v", what, err, r, kinds)
	}
	text, _ := json.Marshal(r)
	if len(text) > 2000 {
		t.Errorf("%s: an error of %d bytes", what, len(text))
	}
	for _, secret := range []string{sandbox.CozeToken, sandbox.DifyKey, sandbox.RAGFlowKey, sandbox.RAGFlowToken, sandbox.VolcengineSecretKey, sandbox.VolcengineAPIKey, "wrong-0123456789"} {
		if strings.Contains(string(text)+err.Error(), secret) {
			t.Errorf("%s: a secret in %s", what, text)
		}
	}
}

// sample is a knowledge base and a document of it.
func (l live) sample(t *testing.T) (kb, doc string) {
	t.Helper()
	for _, k := range l.readable(t) {
		if all := l.documents(t, connection.ListQuery{KnowledgeBaseID: k.KnowledgeBaseID, Limit: 100}); len(all) > 0 {
			return k.KnowledgeBaseID, all[0].DocumentID
		}
	}
	t.Fatal("no document")
	return "", ""
}

// TestSandboxUnknown: what is not there is not_found, never an empty answer
// where the platform tells the two apart.
func TestSandboxUnknown(t *testing.T) {
	eachWay(t, func(t *testing.T, l live) {
		kb, doc := l.sample(t)
		for what, err := range l.operations(t, unknownID(kb), doc) {
			if err == nil && l.face == "coze-studio" {
				continue // its platform answers an unknown knowledge base like an empty one
			}
			if err == nil && strings.HasPrefix(l.face, "coze") && what == "progress by ids" {
				continue // process takes the document's id and ignores the knowledge base's
			}
			fails(t, "unknown knowledge base, "+what, err, vendors.ErrNotFound)
		}
		_, err := l.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb, DocumentID: unknownID(doc)})
		fails(t, "unknown document", err, vendors.ErrNotFound)
		res, err := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: []string{unknownID(doc)}})
		if err != nil || len(res.Documents) != 1 || res.Documents[0].Status != vendors.NotFound || !res.Summary.Done {
			t.Errorf("progress of an unknown document = %+v, %v", res, err)
		}
	})
}

// TestSandboxMalformed: ids that cannot be are refused or not found, whatever
// they would do to a URL, and never answered.
func TestSandboxMalformed(t *testing.T) {
	eachWay(t, func(t *testing.T, l live) {
		kb, doc := l.sample(t)
		for _, id := range []string{"", " ", ".", "..", "a b", "a\nb", strings.Repeat("7", 300), "\xff"} {
			for what, err := range l.operations(t, id, doc) {
				fails(t, "knowledge base "+id+", "+what, err, vendors.InvalidArgument)
			}
			_, err := l.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb, DocumentID: id})
			fails(t, "document "+id, err, vendors.InvalidArgument)
			_, err = l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: []string{id}})
			fails(t, "progress of "+id, err, vendors.InvalidArgument)
		}
		for _, id := range []string{"a/b", "../" + kb, kb + "/documents", kb + "?page=1", kb + "#", "%2F", "%2e%2e", "知识库", "-1", "0", "99999999999999999999999", "null", `"`, "{}", "kb-"} {
			for what, err := range l.operations(t, id, doc) {
				if err != nil || l.face != "coze-studio" {
					fails(t, "knowledge base "+id+", "+what, l.unlessIgnored(what, id, err), vendors.InvalidArgument, vendors.ErrNotFound)
				}
			}
			if _, err := l.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb, DocumentID: id}); true {
				fails(t, "document "+id, err, vendors.InvalidArgument, vendors.ErrNotFound)
			}
			res, err := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: []string{id}})
			if err != nil {
				fails(t, "progress of "+id, err, vendors.InvalidArgument, vendors.ErrNotFound)
			} else if res.Documents[0].Status != vendors.NotFound {
				t.Errorf("progress of %s = %+v", id, res.Documents)
			}
		}
	})
}

// unlessIgnored spares Coze's progress, which ignores the knowledge base.
func (l live) unlessIgnored(what, id string, err error) error {
	if err == nil && strings.HasPrefix(l.face, "coze") && what == "progress by ids" && (id == "0" || id == "-1") {
		return &vendors.Error{Vendor: "coze", Kind: vendors.ErrNotFound, Message: "ignored", Hint: "ignored"}
	}
	return err
}

// TestSandboxCredentials: a wrong credential and one without rights are told
// apart by each platform that tells.
func TestSandboxCredentials(t *testing.T) {
	sb, url := sandboxed(t, sandbox.Options{})
	const wrong = "wrong-0123456789"
	for way, tt := range map[string]struct {
		variables []string
		kinds     []vendors.Kind
	}{
		"coze":             {[]string{"COZE_API_TOKEN=pat_" + wrong}, []vendors.Kind{vendors.Unauthenticated}},
		"coze-studio":      {[]string{"COZE_API_TOKEN=pat_" + wrong}, []vendors.Kind{vendors.Unauthenticated}},
		"coze app":         {[]string{"COZE_JWT_OAUTH_PUBLIC_KEY_ID=" + wrong}, []vendors.Kind{vendors.Unauthenticated}},
		"dify":             {[]string{"DIFY_API_KEY=dataset-" + wrong}, []vendors.Kind{vendors.Unauthenticated}},
		"ragflow":          {[]string{"RAGFLOW_API_KEY=ragflow-" + wrong}, []vendors.Kind{vendors.Unauthenticated}},
		"ragflow-preview":  {[]string{"RAGFLOW_API_KEY=" + wrong}, []vendors.Kind{vendors.Unauthenticated}},
		"volcengine":       {[]string{"VOLCENGINE_SECRET_KEY=" + wrong}, []vendors.Kind{vendors.Unauthenticated}},
		"volcengine key":   {[]string{"VOLCENGINE_API_KEY=" + wrong}, []vendors.Kind{vendors.Unauthenticated}},
		"volcengine token": {[]string{"VOLCENGINE_SESSION_TOKEN=" + wrong}, []vendors.Kind{vendors.Unauthenticated}},
	} {
		t.Run(way, func(t *testing.T) {
			kb, doc := connect(t, sb, url, way).sample(t)
			l := connect(t, sb, url, way, tt.variables...)
			_, err := l.ListKnowledgeBases(t.Context(), connection.ListQuery{Limit: 20})
			fails(t, "list_knowledge_bases", err, tt.kinds...)
			for what, err := range l.operations(t, kb, doc) {
				fails(t, what, err, tt.kinds...)
			}
		})
	}
	for way, variable := range map[string]string{"coze": "COZE_API_TOKEN=" + sandbox.CozeTokenNoScope, "volcengine key": "VOLCENGINE_API_KEY=" + sandbox.VolcengineAPIKeyNoRights} {
		kb, doc := connect(t, sb, url, way).sample(t)
		for what, err := range connect(t, sb, url, way, variable).operations(t, kb, doc) {
			fails(t, way+" without rights, "+what, err, vendors.PermissionDenied)
		}
	}
}

// TestSandboxNoPlatform: nobody listens, or something that is not the platform
// answers.
func TestSandboxNoPlatform(t *testing.T) {
	sb, url := sandboxed(t, sandbox.Options{})
	const dead = "http://127.0.0.1:1" // a port that is given to nobody
	answer := func(status int, contentType, text string) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			io.WriteString(w, text)
		}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	page := "<!doctype html><html><title>nginx</title><h1>Welcome</h1></html>"
	odd := []vendors.Kind{vendors.BadResponse, vendors.VendorError, vendors.ErrNotFound, vendors.Unsupported}
	var calls sync.WaitGroup
	for what, tt := range map[string]struct {
		url   string
		kinds []vendors.Kind
	}{
		"a dead server":        {dead, []vendors.Kind{vendors.Unavailable}},
		"a gateway's 502":      {answer(502, "text/html", page), []vendors.Kind{vendors.Unavailable}},
		"a web page":           {answer(200, "text/html", page), []vendors.Kind{vendors.BadResponse}},
		"a web page with 404":  {answer(404, "text/html", page), odd},
		"a web page with 403":  {answer(403, "text/html", page), []vendors.Kind{vendors.PermissionDenied, vendors.BadResponse, vendors.Unauthenticated}},
		"nothing":              {answer(200, "application/json", ""), []vendors.Kind{vendors.BadResponse}},
		"an empty object":      {answer(200, "application/json", "{}"), odd},
		"null":                 {answer(200, "application/json", "null"), odd},
		"another API's answer": {answer(200, "application/json", `{"status":"ok","data":"x","code":"0"}`), odd},
	} {
		for way := range credentials(sb, url) {
			kb, doc := connect(t, sb, url, way).sample(t)
			l, name := connect(t, sb, tt.url, way), what+", "+way
			for op, call := range map[string]func() error{
				"list_knowledge_bases": func() error { _, err := l.ListKnowledgeBases(t.Context(), connection.ListQuery{Limit: 20}); return err },
				"list_documents": func() error {
					_, err := l.ListDocuments(t.Context(), connection.ListQuery{KnowledgeBaseID: kb, Limit: 20})
					return err
				},
				"get_document_info": func() error {
					_, err := l.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb, DocumentID: doc})
					return err
				},
				"progress": func() error {
					_, err := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: []string{doc}})
					return err
				},
			} {
				// At once, because a dead server is tried again after half a second and a second.
				calls.Go(func() { fails(t, name+", "+op, call(), tt.kinds...) })
			}
		}
	}
	calls.Wait()
}

package all

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// live is one connection to one face of a sandbox, made as in production.
type live struct {
	*connection.Connection
	sb   *sandbox.Sandbox
	face string
	base string
}

// platform is the face's side of the sandbox's store.
func (l live) platform() string { p, _, _ := strings.Cut(l.face, "-"); return p }

// credentials are the variables of every way to reach a face; off keeps the
// platform's rate out of the test.
func credentials(sb *sandbox.Sandbox, url string) map[string][]string {
	const volc = "VOLCENGINE_BASE_URL="
	return map[string][]string{
		"coze":            sandbox.Variables(url, sandbox.FaceCoze),
		"coze app":        sb.CozeAppVariables(url),
		"coze-studio":     sandbox.Variables(url, sandbox.FaceCozeStudio),
		"dify":            sandbox.Variables(url, sandbox.FaceDify),
		"ragflow":         sandbox.Variables(url, sandbox.FaceRAGFlow),
		"ragflow-preview": sandbox.Variables(url, sandbox.FaceRAGFlowPreview),
		"volcengine":      sandbox.Variables(url, sandbox.FaceVolcengine),
		"volcengine key":  {"VOLCENGINE_API_KEY=" + sandbox.VolcengineAPIKey, volc + url + "/volcengine"},
		"volcengine token": {"VOLCENGINE_ACCESS_KEY=" + sandbox.VolcengineAccessKey, "VOLCENGINE_SECRET_KEY=" + sandbox.VolcengineSecretKey,
			"VOLCENGINE_SESSION_TOKEN=" + sandbox.VolcengineSessionToken, volc + url + "/volcengine"},
	}
}

// connect connects to a sandbox in one of the ways of credentials.
func connect(t testing.TB, sb *sandbox.Sandbox, url, way string, more ...string) live {
	t.Helper()
	environ := append(credentials(sb, url)[way], "COZE_RATE_LIMIT=off", "DIFY_RATE_LIMIT=off", "RAGFLOW_RATE_LIMIT=off", "VOLCENGINE_RATE_LIMIT=off")
	face, _, _ := strings.Cut(way, " ")
	platform, _, _ := strings.Cut(face, "-")
	environ = append(environ, "KB_MCP_VENDORS="+platform)
	return live{Connection: one(t, append(environ, more...)...), sb: sb, face: face, base: url}
}

// sandboxed serves a sandbox whose clock stands still, so that two answers
// about one document can be compared.
func sandboxed(t testing.TB, o sandbox.Options) (*sandbox.Sandbox, string) {
	now := time.Now()
	o.Now = func() time.Time { return now }
	sb := sandbox.New(o)
	srv := httptest.NewServer(sb)
	t.Cleanup(srv.Close)
	return sb, srv.URL
}

// eachWay runs a test for every face and credential.
func eachWay(t *testing.T, test func(t *testing.T, l live)) {
	sb, url := sandboxed(t, sandbox.Options{})
	for _, way := range slices.Sorted(maps.Keys(credentials(sb, url))) {
		t.Run(way, func(t *testing.T) { test(t, connect(t, sb, url, way)) })
	}
}

// knowledgeBases pages through all of them.
func (l live) knowledgeBases(t testing.TB, q connection.ListQuery) (list []vendors.KnowledgeBase) {
	t.Helper()
	for {
		page, err := l.ListKnowledgeBases(t.Context(), q)
		if err != nil {
			t.Fatalf("list_knowledge_bases: %v", err)
		}
		list = append(list, page.KnowledgeBases...)
		if page.NextCursor == "" {
			return list
		}
		q.Cursor = page.NextCursor
	}
}

// readable are the knowledge bases that the platform lets be read: one of Dify
// is closed to the API, says so in the list, and refuses everything else.
func (l live) readable(t testing.TB) (list []vendors.KnowledgeBase) {
	t.Helper()
	for _, kb := range l.knowledgeBases(t, connection.ListQuery{Limit: 2}) {
		if l.platform() == "dify" && kb.Enabled != nil && !*kb.Enabled {
			_, err := l.ListDocuments(t.Context(), connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: 20})
			if vendors.KindOf(err) != vendors.PermissionDenied {
				t.Errorf("%s is closed: list_documents = %v", kb.Name, err)
			}
			continue
		}
		list = append(list, kb)
	}
	return list
}

// documents pages through all that match; between is called after each page.
func (l live) documents(t testing.TB, q connection.ListQuery, between ...func()) (list []vendors.Document) {
	t.Helper()
	for {
		page, err := l.ListDocuments(t.Context(), q)
		if err != nil {
			t.Fatalf("list_documents %+v: %v", q, err)
		}
		if len(page.Documents) > q.Limit {
			t.Errorf("%d documents, the limit was %d", len(page.Documents), q.Limit)
		}
		list = append(list, page.Documents...)
		if page.NextCursor == "" {
			return list
		}
		q.Cursor = page.NextCursor
		for _, f := range between {
			f()
		}
	}
}

// ids of documents, sorted; a repeated one is an error.
func ids(t testing.TB, list []vendors.Document) []string {
	t.Helper()
	var out []string
	for _, d := range list {
		out = append(out, d.DocumentID)
	}
	slices.Sort(out)
	if n := len(out) - len(slices.Compact(slices.Clone(out))); n > 0 {
		t.Errorf("%d documents came twice", n)
	}
	return out
}

// stored are the ids that the sandbox holds, sorted.
func (l live) stored(kb string) []string {
	out := []string{}
	docs := l.sb.Store(l.platform()).Documents(l.sb.KnowledgeBaseID(l.platform(), kb))
	for i := range docs.Len() {
		out = append(out, docs.At(i).ID)
	}
	slices.Sort(out)
	return out
}

// brief is what two answers about a document must agree in.
func brief(d vendors.Document) string {
	return fmt.Sprintln(d.DocumentID, d.Name, d.Status, d.VendorStatus, d.CreatedAt)
}

func TestSandboxLists(t *testing.T) {
	eachWay(t, func(t *testing.T, l live) {
		kbs := l.knowledgeBases(t, connection.ListQuery{Limit: 2})
		if again := l.knowledgeBases(t, connection.ListQuery{Limit: 100}); len(again) != len(kbs) || len(kbs) < 3 {
			t.Errorf("%d knowledge bases with limit 2, %d with 100", len(kbs), len(again))
		}
		total := 0
		for _, kb := range l.readable(t) {
			if kb.KnowledgeBaseID == "" || kb.Name == "" || kb.Vendor != l.platform() {
				t.Errorf("knowledge base %+v", kb)
			}
			if found := l.knowledgeBases(t, connection.ListQuery{Limit: 100, NameContains: strings.ToUpper(kb.Name)}); len(found) == 0 {
				t.Errorf("%q is not found by its name in capitals", kb.Name)
			}
			want := l.stored(kb.KnowledgeBaseID)
			for _, limit := range []int{1, 7, 100} {
				if got := ids(t, l.documents(t, connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: limit})); !slices.Equal(got, want) && len(got)+len(want) > 0 {
					t.Errorf("%s, limit %d: documents %v\nwant %v", kb.Name, limit, got, want)
				}
			}
			if kb.DocumentCount != nil && *kb.DocumentCount != int64(len(want)) {
				t.Errorf("%s counts %d documents, has %d", kb.Name, *kb.DocumentCount, len(want))
			}
			total += len(want)
		}
		if total < 15 {
			t.Errorf("only %d documents were seen", total)
		}
	})
}

// TestSandboxFilters: each filter agrees with the unfiltered list.
func TestSandboxFilters(t *testing.T) {
	eachWay(t, func(t *testing.T, l live) {
		for _, kb := range l.readable(t) {
			q := connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: 100}
			all := l.documents(t, q)
			for _, status := range vendors.Statuses() {
				for _, limit := range []int{3, 100} {
					q := connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: limit, Status: status}
					agrees(t, all, l.documents(t, q), func(d vendors.Document) bool { return d.Status == status })
				}
			}
			for _, part := range []string{".PDF", "A", "手册", "Ａ", "no such name", "%", "_", "*", "a b", `"`} {
				q := connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: 100, NameContains: part}
				agrees(t, all, l.documents(t, q), func(d vendors.Document) bool {
					return strings.Contains(strings.ToLower(d.Name), strings.ToLower(part))
				})
			}
			for _, d := range all {
				for _, name := range []string{strings.ToUpper(d.Name), strings.ToLower(d.Name)} {
					q := connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: 100, NameContains: name, Status: d.Status}
					if found := l.documents(t, q); !slices.Contains(ids(t, found), d.DocumentID) {
						t.Errorf("%s: %q (%s) is not found as %q", kb.Name, d.Name, d.Status, name)
					}
				}
			}
		}
	})
}

// agrees compares a filtered list with what the whole one says.
func agrees(t *testing.T, all, got []vendors.Document, match func(vendors.Document) bool) {
	t.Helper()
	var want, found []string
	for _, d := range all {
		if match(d) {
			want = append(want, brief(d))
		}
	}
	for _, d := range got {
		found = append(found, brief(d))
	}
	slices.Sort(want)
	slices.Sort(found)
	if !slices.Equal(found, want) {
		t.Errorf("filtered: %q\nwant %q", found, want)
	}
}

// TestSandboxDocuments: the list, the document and its progress tell one story.
func TestSandboxDocuments(t *testing.T) {
	eachWay(t, func(t *testing.T, l live) {
		for _, kb := range l.readable(t) {
			all := l.documents(t, connection.ListQuery{KnowledgeBaseID: kb.KnowledgeBaseID, Limit: 100})
			var wanted []string
			for _, d := range all {
				wanted = append(wanted, d.DocumentID)
				one, err := l.GetDocument(t.Context(), vendors.Ref{KnowledgeBaseID: kb.KnowledgeBaseID, DocumentID: d.DocumentID})
				if err != nil || brief(one) != brief(d) || one.Vendor != l.platform() || one.KnowledgeBaseID != kb.KnowledgeBaseID {
					t.Errorf("get_document_info = %v, %v\nlist: %v", brief(one), err, brief(d))
				}
			}
			l.whole(t, kb, all)
			if len(wanted) == 0 {
				continue
			}
			unknown := unknownID(wanted[0])
			asked := append([]string{unknown, wanted[0]}, wanted...)
			res, err := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb.KnowledgeBaseID, DocumentIDs: asked})
			if err != nil || len(res.Documents) != len(wanted)+1 || res.Documents[0].Status != vendors.NotFound || res.Documents[0].DocumentID != unknown {
				t.Fatalf("%s: progress by ids = %+v, %v", kb.Name, res.Documents, err)
			}
			for i, p := range res.Documents[1:] {
				if l.face == "coze-studio" && all[i].Status == vendors.Deleting && p.Status == vendors.NotFound {
					continue // its list still shows what its progress has forgotten
				}
				if p.DocumentID != wanted[i] || p.Status != all[i].Status || p.VendorStatus != all[i].VendorStatus || (p.Error == nil) != (p.Status != vendors.Failed) {
					t.Errorf("%s: progress %+v\nlist: %s", kb.Name, p, brief(all[i]))
				}
			}
		}
	})
}

// whole checks the progress of a whole knowledge base against its list.
func (l live) whole(t *testing.T, kb vendors.KnowledgeBase, all []vendors.Document) {
	t.Helper()
	res, err := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb.KnowledgeBaseID})
	if err != nil || res.NextCursor != "" || res.Summary.Total != len(all) {
		t.Fatalf("%s: progress of the whole = %+v, %v, want %d documents", kb.Name, res.Summary, err, len(all))
	}
	count, done := map[vendors.Status]int{}, true
	var want []string
	for _, d := range all {
		count[d.Status]++
		done = done && d.Status.Settled()
		if !d.Status.Settled() || d.Status.NeedsAction() || d.Status == vendors.Failed {
			want = append(want, d.DocumentID)
		}
	}
	var got []string
	for _, p := range res.Documents {
		got = append(got, p.DocumentID)
	}
	if !maps.Equal(res.Summary.ByStatus, count) || res.Summary.Done != done || !slices.Equal(got, want) {
		t.Errorf("%s: summary %+v of %v\nthe list has %v of %v", kb.Name, res.Summary, got, count, want)
	}
}

// unknownID is another id in the form of a known one.
func unknownID(id string) string {
	b := []byte(id)
	for i := len(b) - 1; i >= 0 && i > len(b)-8; i-- {
		if b[i] >= '0' && b[i] <= '9' {
			b[i] = '0' + (b[i]-'0'+7)%10
		}
	}
	return string(b)
}

package all

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"kb-mcp/tools"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// TestAgent: every request names its client, those for tokens and files too.
func TestAgent(t *testing.T) {
	sb, _ := sandboxed(t, sandbox.Options{})
	var mu sync.Mutex
	agents, paths := map[string]bool{}, map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		agents[r.Header.Get("User-Agent")], paths[r.URL.Path] = true, true
		mu.Unlock()
		sb.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	for _, way := range slices.Sorted(maps.Keys(credentials(sb, srv.URL))) {
		t.Run(way, func(t *testing.T) {
			face, _, _ := strings.Cut(way, " ")
			platform, _, _ := strings.Cut(face, "-")
			list, problems := Open(NewEnviron(append(credentials(sb, srv.URL)[way], "KB_MCP_VENDORS="+platform, strings.ToUpper(platform)+"_RATE_LIMIT=off")), Options{Version: "1.2.3"})
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			l := live{Connection: list[0], sb: sb, face: face, base: srv.URL}
			clear(agents)
			clear(paths)
			kb, _ := l.finished(t)
			l.Diagnose(t.Context())
			read := !slices.Contains(tools.Capabilities(l.Connection), "download_document")
			for _, doc := range l.documents(t, connection.ListQuery{KnowledgeBaseID: kb, Limit: 100}) {
				if d, err := l.Download(t.Context(), vendors.Ref{KnowledgeBaseID: kb, DocumentID: doc.DocumentID}); err == nil {
					_, err := io.Copy(io.Discard, d.Body)
					d.Body.Close()
					read = read || err == nil
				}
			}
			if !read {
				t.Error("no document could be downloaded")
			}
			if len(agents) != 1 || !agents["kb-mcp/1.2.3"] {
				t.Errorf("agents %v of %v", slices.Sorted(maps.Keys(agents)), slices.Sorted(maps.Keys(paths)))
			}
		})
	}
}

// TestFilesOfAnotherNetwork: a platform that is reached through a proxy cannot
// make kb-mcp read a file of this machine, and one of this machine can.
func TestFilesOfAnotherNetwork(t *testing.T) {
	secret := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "inside") }))
	t.Cleanup(secret.Close)
	platform := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"8a7b5c1e-0000-4000-8000-000000000001","name":"a.txt","url":%q}`, secret.URL+"/latest/meta-data")
	}))
	t.Cleanup(platform.Close)
	read := func(environ ...string) (string, error) {
		v := one(t, append(environ, "DIFY_API_KEY=dataset-0123456789", "DIFY_RATE_LIMIT=off")...)
		d, err := v.Download(context.Background(), vendors.Ref{KnowledgeBaseID: "8a7b5c1e-0000-4000-8000-000000000000", DocumentID: "8a7b5c1e-0000-4000-8000-000000000001"})
		if err != nil {
			return "", err
		}
		defer d.Body.Close()
		b, err := io.ReadAll(d.Body)
		return string(b), err
	}
	if text, err := read("DIFY_BASE_URL="+platform.URL+"/v1", "NO_PROXY=*"); err != nil || text != "inside" {
		t.Errorf("a platform of this machine: %q, %v", text, err)
	}
	text, err := read("DIFY_BASE_URL=http://dify.invalid/v1", "HTTP_PROXY="+platform.URL)
	if vendors.KindOf(err) != vendors.BadResponse || !strings.Contains(fmt.Sprint(err), "another network") || text != "" {
		t.Errorf("a platform elsewhere: %q, %v", text, err)
	}
}

package sandbox_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

func TestUnknownPathIsNotFound(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	for _, path := range []string{"/", "/v1/datasets", "/dify", "/dify/v2/datasets", "/cozex/v1/datasets"} {
		if r := d.Send("GET", path, ""); r.Status != 404 {
			t.Errorf("GET %s = %d, want 404", path, r.Status)
		}
	}
}

func TestSameOptionsSameBytes(t *testing.T) {
	calls := func(d *sandboxtest.Desk) (out string) {
		kb := d.S.KnowledgeBaseID(world.Dify, "产品手册")
		space := "?space_id=" + coze.SpaceID
		for range 2 {
			for _, r := range []sandboxtest.Reply{
				d.Send("GET", "/dify/v1/datasets?include_all=true", "", "Authorization: Bearer "+sandbox.DifyKey),
				d.Send("GET", "/dify/v1/datasets/"+kb+"/documents", "", "Authorization: Bearer "+sandbox.DifyKey),
				d.Send("GET", "/coze/v1/datasets"+space, "", "Authorization: Bearer "+sandbox.CozeToken),
				d.Send("GET", "/coze-studio/v1/datasets"+space, "", "Authorization: Bearer "+sandbox.CozeToken),
				d.Send("GET", "/coze/v1/unknown", "", "Authorization: Bearer "+sandbox.CozeToken),
			} {
				out += r.Text
			}
			d.Now = d.Now.Add(7 * time.Second)
		}
		return out
	}
	a, b := sandboxtest.NewDesk(t, sandbox.Options{Documents: 50}), sandboxtest.NewDesk(t, sandbox.Options{Documents: 50})
	if x, y := calls(a), calls(b); x != y || x == "" {
		t.Errorf("two sandboxes of equal options answer differently:\n%s\n%s", x, y)
	}
}

func TestCountersAndReset(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	d.Send("GET", "/dify/v1/datasets", "", "Authorization: Bearer "+sandbox.DifyKey)
	d.Send("GET", "/dify/v1/datasets", "")
	if got := d.S.Requests(sandbox.FaceDify); got != 2 {
		t.Errorf("Requests = %d, want 2", got)
	}
	if got := d.S.Requests(sandbox.FaceCoze); got != 0 {
		t.Errorf("Requests of another face = %d, want 0", got)
	}
	d.S.ResetRequests()
	if got := d.S.Requests(sandbox.FaceDify); got != 0 {
		t.Errorf("Requests after reset = %d, want 0", got)
	}
}

func TestAddAndRemove(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{Speed: 2})
	id, err := d.S.Add(world.Dify, "Empty shelf", "new.txt", world.Normal())
	if err != nil {
		t.Fatal(err)
	}
	doc := d.S.Store(world.Dify).Document(id)
	if end := doc.State(sandboxtest.Start().Add(5 * time.Second)); end.Phase != world.Completed {
		t.Errorf("at double speed ten seconds are not over after five: %+v", end)
	}
	if got := d.S.DocumentID(world.Dify, "new.txt"); got != id {
		t.Errorf("DocumentID = %q, want %q", got, id)
	}
	if !d.S.Remove(world.Dify, id) || d.S.Remove(world.Dify, id) || d.S.DocumentID(world.Dify, "new.txt") != "" {
		t.Error("Remove does not remove exactly once")
	}
	if _, err := d.S.Add(world.Dify, "no such base", "x", world.Normal()); err == nil {
		t.Error("Add to an unknown knowledge base succeeds")
	}
}

func TestServer(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.168.0.1:0", "example.com:80", "nonsense"} {
		if srv, err := sandbox.Start(t.Context(), addr, sandbox.Options{}); err == nil {
			srv.Close()
			t.Errorf("Start(%q) succeeds, want a refusal", addr)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	srv, err := sandbox.Start(ctx, "127.0.0.1:0", sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	environ := strings.Join(srv.Environ(), "\n")
	for _, want := range []string{
		"COZE_API_TOKEN=" + coze.Token, "COZE_API_BASE=http://" + srv.Addr() + "/coze", "COZE_SPACE_ID=",
		"DIFY_API_KEY=dataset-", "DIFY_BASE_URL=http://" + srv.Addr() + "/dify/v1",
		"RAGFLOW_API_KEY=ragflow-", "RAGFLOW_BASE_URL=http://" + srv.Addr() + "/ragflow",
		"VOLCENGINE_ACCESS_KEY=", "VOLCENGINE_SECRET_KEY=", "VOLCENGINE_BASE_URL=http://" + srv.Addr() + "/volcengine",
	} {
		if !strings.Contains(environ, want) {
			t.Errorf("Environ lacks %q:\n%s", want, environ)
		}
	}
	cancel()
	<-srv.Done()
	if err := srv.Close(); err != nil {
		t.Errorf("Close after the context ended: %v", err)
	}
}

func TestLatencyEndsWithTheClient(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{Latency: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", d.URL+"/dify/v1/datasets", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Error("an answer came before the latency was over")
	}
}

// Paging goes on undisturbed while documents come and go; the race detector
// watches.
func TestPagingWhileOthersWrite(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{Documents: 500})
	kb := d.S.KnowledgeBaseID(world.Dify, "Archive 档案库")
	done := make(chan struct{})
	go func() { // the test waits for done
		defer close(done)
		for range 200 {
			id, err := d.S.Add(world.Dify, kb, "late.txt", world.Normal())
			if err != nil {
				t.Error(err)
			}
			d.S.Store(world.Dify).Update(id, func(doc *world.Document) { doc.Hits++ })
			gone, _ := d.S.Add(world.Dify, "Empty shelf", "gone.txt", world.Normal())
			d.S.Remove(world.Dify, gone)
		}
	}()
	seen := map[string]bool{}
	for page := 1; page <= 8; page++ {
		d.Send("GET", fmt.Sprintf("/dify/v1/datasets/%s/documents?limit=100&page=%d", kb, page), "", "Authorization: Bearer "+sandbox.DifyKey).IDs("name", seen)
	}
	<-done
	for i := range 500 {
		if name := fmt.Sprintf("%05d.md", i+1); !seen[name] {
			t.Errorf("%s was there all the time and is on no page", name)
		}
	}
}

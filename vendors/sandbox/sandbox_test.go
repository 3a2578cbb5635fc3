package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/world"
)

// start is the moment at which the clock of every test desk begins.
var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// desk is a sandbox behind a real server, with a clock that the test moves.
type desk struct {
	t   *testing.T
	s   *Sandbox
	url string
	now time.Time
}

func newDesk(t *testing.T, o Options) *desk {
	d := &desk{t: t, now: start}
	o.Now = func() time.Time { return d.now }
	d.s = New(o)
	srv := httptest.NewServer(d.s)
	t.Cleanup(srv.Close)
	d.url = srv.URL
	return d
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	text   string
}

// object decodes the body; nil when it is not JSON.
func (r reply) object() (out map[string]any) {
	dec := json.NewDecoder(strings.NewReader(r.text))
	dec.UseNumber()
	dec.Decode(&out)
	return out
}

// ids adds the values of a string member, wherever it stands, to seen and says
// how many there were.
func (r reply) ids(member string, seen map[string]bool) int {
	found := strings.Split(r.text, `"`+member+`":"`)[1:]
	for _, f := range found {
		id, _, _ := strings.Cut(f, `"`)
		seen[id] = true
	}
	return len(found)
}

// at follows keys and indices into the decoded body.
func (r reply) at(path ...any) any {
	var v any = r.object()
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// rows is a list in the decoded body.
func (r reply) rows(path ...any) []map[string]any {
	list, _ := r.at(path...).([]any)
	out := make([]map[string]any, len(list))
	for i := range list {
		out[i] = list[i].(map[string]any)
	}
	return out
}

// send makes a request; "Name: value" pairs in headers.
func (d *desk) send(method, path, body string, headers ...string) reply {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return reply{status: resp.StatusCode, header: resp.Header, text: string(data)}
}

// rowOf is the row whose key is value; nil when there is none.
func rowOf(rows []map[string]any, key, value string) map[string]any {
	for _, row := range rows {
		if fmt.Sprint(row[key]) == value {
			return row
		}
	}
	return nil
}

func TestUnknownPathIsNotFound(t *testing.T) {
	d := newDesk(t, Options{})
	for _, path := range []string{"/", "/v1/datasets", "/dify", "/dify/v2/datasets", "/cozex/v1/datasets"} {
		if r := d.send("GET", path, ""); r.status != 404 {
			t.Errorf("GET %s = %d, want 404", path, r.status)
		}
	}
}

func TestSameOptionsSameBytes(t *testing.T) {
	calls := func(d *desk) (out string) {
		kb := d.s.KnowledgeBaseID(world.Dify, "产品手册")
		space := "?space_id=" + coze.SpaceID
		for range 2 {
			for _, r := range []reply{
				d.send("GET", "/dify/v1/datasets?include_all=true", "", difyAuth),
				d.send("GET", "/dify/v1/datasets/"+kb+"/documents", "", difyAuth),
				d.send("GET", "/coze/v1/datasets"+space, "", cozeAuth),
				d.send("GET", "/coze-studio/v1/datasets"+space, "", cozeAuth),
				d.send("GET", "/coze/v1/unknown", "", cozeAuth),
			} {
				out += r.text
			}
			d.now = d.now.Add(7 * time.Second)
		}
		return out
	}
	a, b := newDesk(t, Options{Documents: 50}), newDesk(t, Options{Documents: 50})
	if x, y := calls(a), calls(b); x != y || x == "" {
		t.Errorf("two sandboxes of equal options answer differently:\n%s\n%s", x, y)
	}
}

func TestCountersAndReset(t *testing.T) {
	d := newDesk(t, Options{})
	d.send("GET", "/dify/v1/datasets", "", difyAuth)
	d.send("GET", "/dify/v1/datasets", "")
	if got := d.s.Requests(FaceDify); got != 2 {
		t.Errorf("Requests = %d, want 2", got)
	}
	if got := d.s.Requests(FaceCoze); got != 0 {
		t.Errorf("Requests of another face = %d, want 0", got)
	}
	d.s.ResetRequests()
	if got := d.s.Requests(FaceDify); got != 0 {
		t.Errorf("Requests after reset = %d, want 0", got)
	}
}

func TestAddAndRemove(t *testing.T) {
	d := newDesk(t, Options{Speed: 2})
	id, err := d.s.Add(world.Dify, "Empty shelf", "new.txt", world.Normal())
	if err != nil {
		t.Fatal(err)
	}
	doc := d.s.Store(world.Dify).Document(id)
	if end := doc.State(start.Add(5 * time.Second)); end.Phase != world.Completed {
		t.Errorf("at double speed ten seconds are not over after five: %+v", end)
	}
	if got := d.s.DocumentID(world.Dify, "new.txt"); got != id {
		t.Errorf("DocumentID = %q, want %q", got, id)
	}
	if !d.s.Remove(world.Dify, id) || d.s.Remove(world.Dify, id) || d.s.DocumentID(world.Dify, "new.txt") != "" {
		t.Error("Remove does not remove exactly once")
	}
	if _, err := d.s.Add(world.Dify, "no such base", "x", world.Normal()); err == nil {
		t.Error("Add to an unknown knowledge base succeeds")
	}
}

func TestServer(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.168.0.1:0", "example.com:80", "nonsense"} {
		if srv, err := Start(t.Context(), addr, Options{}); err == nil {
			srv.Close()
			t.Errorf("Start(%q) succeeds, want a refusal", addr)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	srv, err := Start(ctx, "127.0.0.1:0", Options{})
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
	d := newDesk(t, Options{Latency: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", d.url+"/dify/v1/datasets", nil)
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
	d := newDesk(t, Options{Documents: 500})
	kb := d.s.KnowledgeBaseID(world.Dify, "Archive 档案库")
	done := make(chan struct{})
	go func() { // the test waits for done
		defer close(done)
		for range 200 {
			id, err := d.s.Add(world.Dify, kb, "late.txt", world.Normal())
			if err != nil {
				t.Error(err)
			}
			d.s.Store(world.Dify).Update(id, func(doc *world.Document) { doc.Hits++ })
			gone, _ := d.s.Add(world.Dify, "Empty shelf", "gone.txt", world.Normal())
			d.s.Remove(world.Dify, gone)
		}
	}()
	seen := map[string]bool{}
	for page := 1; page <= 8; page++ {
		d.dify(fmt.Sprintf("/datasets/%s/documents?limit=100&page=%d", kb, page)).ids("name", seen)
	}
	<-done
	for i := range 500 {
		if name := fmt.Sprintf("%05d.md", i+1); !seen[name] {
			t.Errorf("%s was there all the time and is on no page", name)
		}
	}
}

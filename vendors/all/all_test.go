package all

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open makes the connections of an environment that must have no problems.
func open(t testing.TB, environ ...string) []*connection.Connection {
	t.Helper()
	list, problems := Open(NewEnviron(environ), Options{})
	for _, p := range problems {
		t.Errorf("%s %s", p.Variable, p.Text)
	}
	if len(problems) > 0 {
		t.FailNow()
	}
	return list
}

// one makes the only connection of an environment.
func one(t testing.TB, environ ...string) *connection.Connection {
	t.Helper()
	list := open(t, environ...)
	if len(list) != 1 {
		t.Fatalf("%d connections, want 1", len(list))
	}
	return list[0]
}

// variables returns the variables of problems, in their order.
func variables(problems []rest.Problem) string {
	var names []string
	for _, p := range problems {
		names = append(names, p.Variable)
	}
	return strings.Join(names, " ")
}

// file writes a file for a test.
func file(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// server answers every request with an empty list of Dify, and counts.
type server struct {
	*httptest.Server
	requests chan *http.Request
}

func newDify(t testing.TB) server {
	d := server{requests: make(chan *http.Request, 1000)}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.requests <- r
		emptyDify(w, r)
	}))
	t.Cleanup(d.Close)
	return d
}

// asked is how many requests came since the last time.
func (d server) asked() (n int) {
	for {
		select {
		case <-d.requests:
			n++
		default:
			return n
		}
	}
}

func emptyDify(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"data":[],"has_more":false,"limit":20,"total":0,"page":1}`)
}

// ask makes one small request.
func ask(t testing.TB, v *connection.Connection, limit time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	_, err := v.ListKnowledgeBases(ctx, connection.ListQuery{Limit: 20})
	return err
}

const patience = 30 * time.Second

func TestConnections(t *testing.T) {
	const key = "dataset-0123456789"
	for _, tt := range []struct {
		name    string
		environ []string
		want    string // name=platform, in order
	}{
		{name: "nothing"},
		{name: "variables of others", environ: []string{"PATH=/bin", "HOME=/", "DIFYX_API_KEY=x", "OPENAI_API_KEY=x", "KB_MCP_LOG_LEVEL=debug"}},
		{name: "one platform", environ: []string{"DIFY_API_KEY=" + key}, want: "dify=dify"},
		{name: "all, in the order of the list", environ: []string{
			"VIKING_API_KEY=" + key, "RAGFLOW_API_KEY=" + key, "RAGFLOW_BASE_URL=http://127.0.0.1:9380", "DIFY_API_KEY=" + key, "COZE_API_TOKEN=pat_x"},
			want: "coze=coze dify=dify ragflow=ragflow volcengine=volcengine"},
		{name: "an empty variable is unset", environ: []string{"DIFY_API_KEY=" + key, "COZE_API_TOKEN=", "RAGFLOW_BASE_URL=  "}, want: "dify=dify"},
		{name: "an unexpanded variable is unset", environ: []string{"DIFY_API_KEY=" + key, "COZE_API_TOKEN=${COZE_API_TOKEN}"}, want: "dify=dify"},
		{name: "the last of a name counts", environ: []string{"DIFY_API_KEY=app-wrong", "DIFY_API_KEY=" + key}, want: "dify=dify"},
		{name: "pairs that are none", environ: []string{"DIFY_API_KEY=" + key, "NOVALUE", "=C:=C:\\"}, want: "dify=dify"},
		{name: "the list is complete", environ: []string{"DIFY_API_KEY=" + key, "COZE_API_TOKEN=pat_x", "KB_MCP_VENDORS=dify"}, want: "dify=dify"},
		{name: "the list has an order, spaces and loose commas", environ: []string{"DIFY_API_KEY=" + key, "COZE_API_TOKEN=pat_x", "KB_MCP_VENDORS= dify , ,coze,"}, want: "dify=dify coze=coze"},
		{name: "several of one platform", environ: []string{"STAGING_DIFY_API_KEY=" + key, "DIFY_API_KEY=" + key, "TEAM_2_DIFY_API_KEY=" + key,
			"KB_MCP_VENDORS=dify,staging=dify, team_2 = dify"}, want: "dify=dify staging=dify team_2=dify"},
		{name: "only a named one", environ: []string{"STAGING_DIFY_API_KEY=" + key, "KB_MCP_VENDORS=staging=dify"}, want: "staging=dify"},
		{name: "a name that is another platform's", environ: []string{"COZE_DIFY_API_KEY=" + key, "KB_MCP_VENDORS=coze=dify"}, want: "coze=dify"},
		{name: "a name that is its platform's", environ: []string{"DIFY_API_KEY=" + key, "KB_MCP_VENDORS=dify=dify"}, want: "dify=dify"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, v := range open(t, tt.environ...) {
				got = append(got, v.Name()+"="+v.Platform())
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("connections %q, want %q", s, tt.want)
			}
		})
	}
}

// TestPrefix: a named connection reads its own variables, the shared ones too,
// and none of the platform's.
func TestPrefix(t *testing.T) {
	first, second := newDify(t), newDify(t)
	list := open(t, "KB_MCP_VENDORS=dify,staging=dify",
		"DIFY_API_KEY=dataset-first", "DIFY_BASE_URL="+first.URL, "DIFY_RATE_LIMIT=1/day",
		"STAGING_DIFY_API_KEY=dataset-second", "STAGING_DIFY_BASE_URL="+second.URL, "STAGING_DIFY_RATE_LIMIT=off")
	for _, v := range list {
		if err := ask(t, v, patience); err != nil {
			t.Errorf("%s: %v", v.Name(), err)
		}
	}
	if r := <-first.requests; r.Header.Get("Authorization") != "Bearer dataset-first" {
		t.Errorf("dify sent %q", r.Header.Get("Authorization"))
	}
	if r := <-second.requests; r.Header.Get("Authorization") != "Bearer dataset-second" {
		t.Errorf("staging sent %q", r.Header.Get("Authorization"))
	}
	if err := ask(t, list[0], patience); vendors.KindOf(err) != vendors.RateLimited {
		t.Errorf("dify: %v", err)
	}
	if err := ask(t, list[1], patience); err != nil {
		t.Errorf("staging: %v", err)
	}
}

// TestOneLimiterPerAccount: two connections on one account share its rate.
func TestOneLimiterPerAccount(t *testing.T) {
	one, two := newDify(t), newDify(t)
	for _, tt := range []struct {
		name, key, base string
		shared          bool
	}{
		{"the same key and server", "dataset-first", one.URL + "/v1", true},
		{"the same server, written otherwise", "dataset-first", one.URL, true},
		{"another key", "dataset-second", one.URL + "/v1", false},
		{"another server", "dataset-first", two.URL + "/v1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := open(t, "KB_MCP_VENDORS=dify,b=dify",
				"DIFY_API_KEY=dataset-first", "DIFY_BASE_URL="+one.URL+"/v1/", "DIFY_RATE_LIMIT=1/day",
				"B_DIFY_API_KEY="+tt.key, "B_DIFY_BASE_URL="+tt.base, "B_DIFY_RATE_LIMIT=1/day")
			if err := ask(t, list[0], patience); err != nil {
				t.Fatal(err)
			}
			one.asked()
			err := ask(t, list[1], patience)
			if sent := one.asked() + two.asked(); (vendors.KindOf(err) == vendors.RateLimited && sent == 0) != tt.shared {
				t.Errorf("the other connection: %v, %d requests", err, sent)
			}
			if r := vendors.ReportOf(err); tt.shared && (r.RetryAfterSeconds < 80_000 || r.Vendor != "b") {
				t.Errorf("the agent reads %+v", r)
			}
		})
	}
}

func TestTimeoutVariable(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer srv.Close()
	err := ask(t, one(t, "DIFY_API_KEY=dataset-first", "DIFY_BASE_URL="+srv.URL, "DIFY_TIMEOUT=40ms"), patience)
	if vendors.KindOf(err) != vendors.Timeout || !strings.Contains(err.Error(), "40ms") {
		t.Errorf("got %v", err)
	}
}

// TestAnswersHoldNoSecret: a credential that a platform echoes does not leave
// the connection.
func TestAnswersHoldNoSecret(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"code":%q,"message":"bad %[1]s","status":400}`, r.Header.Get("Authorization"))
	}))
	defer srv.Close()
	err := ask(t, one(t, "DIFY_API_KEY_FILE="+file(t, "dataset-canary\n"), "DIFY_BASE_URL="+srv.URL), patience)
	text, _ := json.Marshal(vendors.ReportOf(err))
	if err == nil || strings.Contains(err.Error()+string(text), "canary") {
		t.Errorf("%v: %s", err, text)
	}
}

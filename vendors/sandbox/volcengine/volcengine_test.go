package volcengine_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/volcengine"
	"kb-mcp/vendors/sandbox/world"
)

// volcTest is a sandbox with a clock that moves by hand, and one collection
// "bench" of its own.
type volcTest struct {
	*sandbox.Sandbox
	t     *testing.T
	clock *time.Time
	kb    string
}

var volcNow = time.Date(2025, 1, 13, 7, 27, 42, 0, time.UTC)

func newVolcTest(t *testing.T, o sandbox.Options) volcTest {
	clock := volcNow
	o.Now = func() time.Time { return clock }
	s := sandbox.New(o)
	kb := s.Store(world.Volcengine).AddKB(world.KnowledgeBase{Name: "bench", Project: "default", Created: clock, Updated: clock})
	return volcTest{s, t, &clock, kb.ID}
}

func (vt volcTest) add(name string, p world.Plan) *world.Document {
	return vt.Store(world.Volcengine).Add(world.Document{
		KB: vt.kb, Name: name, Format: world.Suffix(name), Source: "web", Size: 14,
		Text: "One.\nTwo.", Created: *vt.clock, Updated: *vt.clock, Started: *vt.clock, Plan: p,
	})
}

// send posts body to a path behind /volcengine; auth changes the request last.
func (vt volcTest) send(path, body string, auth func(*http.Request)) (*httptest.ResponseRecorder, map[string]any) {
	vt.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/volcengine/api/knowledge/"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	auth(r)
	w := httptest.NewRecorder()
	vt.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		vt.t.Fatalf("POST %s %s: %v in %q", path, body, err, w.Body)
	}
	return w, out
}

func volcBearer(key string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
}

func pointID(d *world.Document, n int) string { return fmt.Sprint(d.ID, "-", n) }

// keyPair is a signing credential; Token is "" for a permanent one.
type keyPair struct{ AccessKey, SecretKey, Token string }

// volcSigned signs a request the way a client does, at the time now. Headers are
// signed in the order of their names.
func volcSigned(body string, key keyPair, now time.Time) func(*http.Request) {
	return func(r *http.Request) {
		sum := sha256.Sum256([]byte(body))
		date := now.UTC().Format("20060102T150405Z")
		r.Header.Set("X-Date", date)
		r.Header.Set("X-Content-Sha256", hex.EncodeToString(sum[:]))
		names := []string{"content-type", "host", "x-content-sha256", "x-date"}
		if key.Token != "" {
			r.Header.Set("X-Security-Token", key.Token)
			names = append(names, "x-security-token")
		}
		canonical := "POST\n" + r.URL.Path + "\n\n"
		for _, name := range names {
			value := r.Header.Get(name)
			if name == "host" {
				value = r.Host
			}
			canonical += name + ":" + value + "\n"
		}
		canonical += "\n" + strings.Join(names, ";") + "\n" + hex.EncodeToString(sum[:])
		sum = sha256.Sum256([]byte(canonical))
		scope := date[:8] + "/cn-beijing/air/request"
		mac := []byte(key.SecretKey)
		for _, part := range append(strings.Split(scope, "/"), strings.Join([]string{"HMAC-SHA256", date, scope, hex.EncodeToString(sum[:])}, "\n")) {
			h := hmac.New(sha256.New, mac)
			h.Write([]byte(part))
			mac = h.Sum(nil)
		}
		r.Header.Set("Authorization", "HMAC-SHA256 Credential="+key.AccessKey+"/"+scope+", SignedHeaders="+strings.Join(names, ";")+
			", Signature="+hex.EncodeToString(mac))
	}
}

// data posts with the API key and wants success.
func (vt volcTest) data(path, format string, args ...any) map[string]any {
	vt.t.Helper()
	w, out := vt.send(path, fmt.Sprintf(format, args...), volcBearer(volcengine.APIKey))
	data, ok := out["data"].(map[string]any)
	if w.Code != 200 || out["code"] != 0.0 || out["message"] != "success" || !ok {
		vt.t.Fatalf("POST %s: %d %s", path, w.Code, w.Body)
	}
	return data
}

func TestVolcengineCredentials(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	const body = `{"brief":true}`
	good := keyPair{volcengine.AccessKey, volcengine.SecretKey, ""}
	for _, tt := range []struct {
		name string
		auth func(*http.Request)
		want string
	}{
		{"pair", volcSigned(body, good, *vt.clock), "200 0"},
		{"second pair", volcSigned(body, keyPair{volcengine.AccessKey2, volcengine.SecretKey2, ""}, *vt.clock), "200 0"},
		{"temporary pair", volcSigned(body, keyPair{volcengine.AccessKey, volcengine.SecretKey, volcengine.SessionToken}, *vt.clock), "200 0"},
		{"14 minutes late", volcSigned(body, good, vt.clock.Add(-14*time.Minute)), "200 0"},
		{"16 minutes late", volcSigned(body, good, vt.clock.Add(-16*time.Minute)), "401 1000001"},
		{"wrong secret", volcSigned(body, keyPair{volcengine.AccessKey, "x", ""}, *vt.clock), "401 1000001"},
		{"wrong token", volcSigned(body, keyPair{volcengine.AccessKey, volcengine.SecretKey, "x"}, *vt.clock), "401 1000001"},
		{"other body", volcSigned(`{"brief":false}`, good, *vt.clock), "401 1000001"},
		{"API key", volcBearer(volcengine.APIKey), "200 0"},
		{"API key without rights", volcBearer(volcengine.APIKeyNoRights), "403 1000002"},
		{"unknown API key", volcBearer("nope"), "401 1000001"},
		{"nothing", func(*http.Request) {}, "401 1000001"},
	} {
		w, out := vt.send("collection/list", body, tt.auth)
		if got := fmt.Sprintf("%d %.0f", w.Code, out["code"]); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, w.Body, tt.want)
		}
		id := fmt.Sprint(out["request_id"])
		if !strings.HasPrefix(id, fmt.Sprintf("02%d", volcNow.UnixMilli())) || len(id) != 51 {
			t.Errorf("%s: request_id %s", tt.name, id)
		}
		if w.Header().Get("Date") != "Mon, 13 Jan 2025 07:27:42 GMT" {
			t.Errorf("%s: Date %s is not the sandbox's clock", tt.name, w.Header().Get("Date"))
		}
	}
}

func TestVolcengineRefusals(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	d := vt.add("a.txt", world.Plan{})
	vt.Store(world.Volcengine).AddKB(world.KnowledgeBase{Name: "elsewhere", Project: "other"})
	vt.add("b.txt", world.Plan{})
	token := vt.data("doc/v2/list", `{"collection_name":"bench","limit":1}`)["next_token"].(string)
	for _, tt := range []struct{ path, body, want string }{
		{"doc/info", `{`, "400 1000003 invalid request: body is not a JSON object"},
		{"doc/info", `null`, "400 1000003 invalid request: body is not a JSON object"},
		{"doc/info", `{"name":"bench","doc_id":"x"}`, "400 1000003 invalid request: collection_name is required"},
		{"collection/info", `{"collection_name":"bench"}`, "400 1000003 invalid request: name is required"},
		{"doc/info", `{"collection_name":"bench"}`, "400 1000003 invalid request: doc_id is required"},
		{"doc/info", `{"collection_name":"bench","doc_id":7}`, "400 1000003 invalid request: doc_id has the wrong type"},
		{"doc/info", `{"collection_name":"bench","doc_id":"x"}`, "400 1001001 doc not exist"},
		{"doc/info", `{"collection_name":"nope","doc_id":"x"}`, "400 1000005 collection not exist"},
		{"doc/info", `{"resource_id":"kb-nope","doc_id":"` + d.ID + `"}`, "400 1000005 collection not exist"},
		{"collection/info", `{"name":"elsewhere"}`, "400 1000005 collection not exist"},
		{"doc/list", `{"collection_name":"bench","offset":-1}`, "400 1000003 invalid request: offset or limit out of range"},
		{"doc/list", `{"collection_name":"bench","filter":[]}`, "400 1000003 invalid request: filter has the wrong type"},
		{"doc/v2/list", `{"collection_name":"bench","limit":101}`, "400 1000003 invalid request: limit must be between 1 and 100"},
		{"doc/v2/list", `{"collection_name":"bench","next_token":"x"}`, "400 1000003 invalid request: next_token is not valid"},
		{"doc/v2/list", `{"collection_name":"bench","next_token":"` + strings.ToLower(token) + `"}`, "400 1000003 invalid request: next_token is not valid"},
		{"doc/v2/list", `{"collection_name":"elsewhere","project":"other","next_token":"` + token + `"}`, "400 1000003 invalid request: next_token is not valid"},
	} {
		w, out := vt.send(tt.path, tt.body, volcBearer(volcengine.APIKey))
		if got := fmt.Sprintf("%d %.0f %s", w.Code, out["code"], out["message"]); got != tt.want || len(out) != 3 {
			t.Errorf("%s %s: %s, want %s", tt.path, tt.body, w.Body, tt.want)
		}
	}
	limited := newVolcTest(t, sandbox.Options{Quota: 1})
	limited.data("collection/list", `{}`)
	if w, out := limited.send("collection/list", `{}`, volcBearer(volcengine.APIKey)); w.Code != 429 || out["code"] != 1000029.0 {
		t.Errorf("over the quota: %s", w.Body)
	}
	for method, path := range map[string]string{http.MethodGet: "doc/info", http.MethodPost: "doc/nope"} {
		w := httptest.NewRecorder()
		vt.ServeHTTP(w, httptest.NewRequest(method, "/volcengine/api/knowledge/"+path, nil))
		if w.Code != 404 {
			t.Errorf("%s %s: %d", method, path, w.Code)
		}
	}
}

// Over a real socket the host has a port and the path its prefix; both are
// signed as they are sent.
func TestVolcengineSignedOverSocket(t *testing.T) {
	srv, err := sandbox.Start(t.Context(), "127.0.0.1:0", sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	const body = `{"name":"product_manual"}`
	r, err := http.NewRequest(http.MethodPost, "http://"+srv.Addr()+"/volcengine/api/knowledge/collection/info", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	volcSigned(body, keyPair{volcengine.AccessKey, volcengine.SecretKey, ""}, time.Now())(r)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("HTTP %d", resp.StatusCode)
	}
}

// The seed has to show every status, so that a demo and a test meet it.
func TestSeedCoversVolcengine(t *testing.T) {
	vt := newVolcTest(t, sandbox.Options{})
	seen := map[string]bool{}
	for range 12 {
		for _, kb := range vt.Store(world.Volcengine).KBs() {
			for _, row := range volcRows(vt.data("doc/v2/list", `{"resource_id":%q}`, kb.ID), "doc_list") {
				status := row["status"].(map[string]any)
				seen[fmt.Sprint(status["process_status"])] = true
				if code, ok := status["failed_code"]; ok {
					seen[fmt.Sprintf("failed_code %T", code)] = true
				}
			}
			if vt.data("collection/info", `{"resource_id":%q}`, kb.ID)["doc_num"] == nil {
				seen["no doc_num"] = true
			}
		}
		*vt.clock = vt.clock.Add(5 * time.Second)
	}
	for _, want := range []string{"0", "1", "2", "3", "4", "5", "6", "failed_code float64", "failed_code string", "no doc_num"} {
		if !seen[want] {
			t.Errorf("no document with %s", want)
		}
	}
}

package doctor

import (
	"bytes"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kb-mcp/cmd/kb-mcp/internal/settings"
	"kb-mcp/ratelimit/shared/redistest"
	"kb-mcp/vendors"
	"kb-mcp/vendors/sandbox"
)

// find returns the status of a check, and its message and hint in one text.
func (r Report) find(vendor, name string) (vendors.Health, string) {
	for _, c := range r.Checks {
		if c.Vendor == vendor && c.Check == name {
			return c.Status, c.Message + " " + c.Hint
		}
	}
	return "", ""
}

// diagnosis examines an environment, and holds the report to what every report
// promises.
func diagnosis(t *testing.T, environ []string) Report {
	t.Helper()
	conf, problems := settings.Read(environ, io.Discard, "0.0.0")
	r := Examine(t.Context(), conf, problems)
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("a value is in %s", &out)
	}
	for _, c := range r.Checks {
		if c.Message == "" || (c.Hint == "") != (c.Status == vendors.Healthy) {
			t.Errorf("%+v: a hint stands exactly where something is not ok", c)
		}
		if c.Status == vendors.Broken && r.OK {
			t.Errorf("%+v, and the report is ok", c)
		}
	}
	return r
}

// lines is a report as people read it.
func lines(t *testing.T, r Report) string {
	t.Helper()
	var out strings.Builder
	if err := r.WriteLines(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// started is a sandbox that ends with the test.
func started(t *testing.T, o sandbox.Options) *sandbox.Server {
	t.Helper()
	sb, err := sandbox.Start(t.Context(), "127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sb.Close() })
	return sb
}

func TestDoctorInTheSandbox(t *testing.T) {
	sb := started(t, sandbox.Options{})
	e := diagnosis(t, sb.Environ())
	for _, c := range e.Checks {
		if c.Status != vendors.Healthy && (c.Vendor != "dify" || c.Check != "api access") { // one is closed to the API
			t.Errorf("%+v", c)
		}
	}
	for _, v := range []string{"coze", "dify", "ragflow", "volcengine"} {
		for _, name := range []string{"connect", "answer", "credential", "permissions"} {
			if status, _ := e.find(v, name); status != vendors.Healthy {
				t.Errorf("%s %s: %q", v, name, status)
			}
		}
		if n := sb.Sandbox().Requests(v); n > 4 {
			t.Errorf("%s was asked %d times", v, n)
		}
	}
	for _, want := range []struct{ vendor, check, text string }{
		{"coze", "dialect", "Hosted"}, {"dify", "version", "Dify 1."}, {"ragflow", "generation", "current"},
		{"ragflow", "version", "RAGFlow v0."}, {"volcengine", "clock", "agrees"}, {"volcengine", "api", "v2"},
	} {
		if _, text := e.find(want.vendor, want.check); !strings.Contains(text, want.text) {
			t.Errorf("%+v: %q", want, text)
		}
	}
	text := lines(t, e)
	if n := strings.Count(text, "\nok "); n < 15 || strings.Count(text, "->") != 1 || !strings.HasSuffix(text, " 1 warnings, 0 failed\n") {
		t.Error(text)
	}
}

// The newest knowledge base may be closed to the API, as no fault of the
// connection (Dify 1.12.1).
func TestDoctorClosedKnowledgeBases(t *testing.T) {
	const open, shut = "d1bebc7e-0904-41cf-8031-7211ed29cfc6", "08a6bebc-0904-41cf-8031-7211ed29cfc6"
	for _, tt := range []struct {
		name, list string
		want       vendors.Health
	}{
		{"the newest is called closed", `{"id":"` + shut + `","name":"S","enable_api":false},{"id":"` + open + `","name":"O","enable_api":true}`, vendors.Healthy},
		{"an older server does not say it", `{"id":"` + shut + `","name":"S"},{"id":"` + open + `","name":"O"}`, vendors.Healthy},
		{"all are closed", `{"id":"` + shut + `","name":"S","enable_api":false}`, vendors.Broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Version", "1.12.1")
				switch {
				case strings.Contains(r.URL.Path, shut):
					w.WriteHeader(http.StatusForbidden)
					io.WriteString(w, `{"code":"forbidden","message":"Dataset api access is not enabled.","status":403}`)
				case strings.Contains(r.URL.Path, open):
					io.WriteString(w, `{"data":[],"has_more":false,"limit":1,"total":0,"page":1}`)
				default:
					io.WriteString(w, `{"data":[`+tt.list+`],"has_more":false,"limit":20,"total":2,"page":1}`)
				}
			})
			e := diagnosis(t, []string{"DIFY_API_KEY=dataset-x", "DIFY_BASE_URL=" + base + "/v1"})
			worst := vendors.Healthy
			for _, c := range e.Checks {
				if c.Check == "permissions" && c.Status == vendors.Broken {
					worst = vendors.Broken
				}
			}
			if worst != tt.want || e.OK != (tt.want == vendors.Healthy) {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestDoctorOtherFaces(t *testing.T) {
	t.Parallel()
	sb := started(t, sandbox.Options{})
	e := diagnosis(t, sandbox.Variables("http://"+sb.Addr(), sandbox.FaceCozeStudio, sandbox.FaceRAGFlowPreview))
	if _, text := e.find("coze", "dialect"); !strings.Contains(text, "coze-studio") {
		t.Errorf("%q", text)
	}
	if _, text := e.find("ragflow", "generation"); !strings.Contains(text, "preview") {
		t.Errorf("%q", text)
	}
	e = diagnosis(t, []string{"COZE_JWT_OAUTH_CLIENT_ID=" + sandbox.CozeClientID, "COZE_JWT_OAUTH_PUBLIC_KEY_ID=" + sandbox.CozePublicKeyID,
		"COZE_JWT_OAUTH_PRIVATE_KEY=" + sb.Sandbox().CozePrivateKey(), "COZE_API_BASE=http://" + sb.Addr() + "/coze"})
	if status, text := e.find("coze", "clock"); status != vendors.Healthy {
		t.Errorf("a JWT app: %q %q", status, text)
	}
}

func TestDoctorWrongCredentials(t *testing.T) {
	sb := started(t, sandbox.Options{})
	e := diagnosis(t, append(sb.Environ(), "COZE_API_TOKEN=pat_canary_wrong_token", "DIFY_API_KEY=dataset-canary-wrong-key",
		"RAGFLOW_API_KEY=ragflow-canary-wrong-key", "VOLCENGINE_SECRET_KEY=canary-wrong-secret"))
	for v, variable := range map[string]string{
		"coze": "COZE_API_TOKEN", "dify": "DIFY_API_KEY", "ragflow": "RAGFLOW_API_KEY", "volcengine": "VOLCENGINE",
	} {
		if status, text := e.find(v, "credential"); status != vendors.Broken || !strings.Contains(text, variable) {
			t.Errorf("%s: %q, %s", v, status, text)
		}
		if status, _ := e.find(v, "connect"); status != vendors.Healthy {
			t.Errorf("%s: connect is %q", v, status)
		}
	}
}

func TestDoctorMissingPermissions(t *testing.T) {
	sb := started(t, sandbox.Options{})
	e := diagnosis(t, append(sb.Environ(), "COZE_API_TOKEN="+sandbox.CozeTokenNoScope, "VOLCENGINE_API_KEY="+sandbox.VolcengineAPIKeyNoRights))
	for _, v := range []string{"coze", "volcengine"} {
		if status, _ := e.find(v, "permissions"); status != vendors.Broken {
			t.Errorf("%s: %q", v, status)
		}
		if status, _ := e.find(v, "credential"); status != vendors.Healthy {
			t.Errorf("%s: the credential itself is %q", v, status)
		}
	}
}

func TestDoctorConfiguration(t *testing.T) {
	e := diagnosis(t, []string{"COZE_API_TOKEN=canary token", "COZE_API_BASE=ftp://canary", "KB_MCP_LOG_FORMAT=canary", "KB_MCP_ALOW_WRITES=true", "DIFY_API_KEY=${KEY}"})
	text := ""
	for _, c := range e.Checks {
		if c.Check != "configuration" {
			t.Errorf("%+v", c)
		}
		text += string(c.Status) + " " + c.Message + "\n"
	}
	for _, want := range []string{"failed COZE_API_TOKEN", "failed COZE_API_BASE", "failed KB_MCP_LOG_FORMAT", "failed KB_MCP_ALOW_WRITES", "warning DIFY_API_KEY"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	e = diagnosis(t, nil)
	if status, text := e.find("", "configuration"); len(e.Checks) != 1 || status != vendors.Broken || !strings.Contains(text, "RAGFLOW_BASE_URL") || !strings.Contains(text, "--demo") {
		t.Errorf("nothing configured: %+v", e)
	}
	e = diagnosis(t, []string{"DIFY_API_KEY=app-x"})
	if text := lines(t, e); e.OK || !strings.Contains(text, "FAIL") || !strings.Contains(text, "-> ") {
		t.Error(text)
	}
}

// serve answers every request so.
func serve(t *testing.T, handler http.HandlerFunc) string {
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestDoctorNetwork(t *testing.T) {
	dead := "127.0.0.1:1"
	page := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>welcome") }
	secure := httptest.NewUnstartedServer(http.HandlerFunc(page))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that refuse its certificate
	secure.StartTLS()
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := serve(t, page)
	hanging := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	closed := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) })
	for _, tt := range []struct {
		name, base string
		environ    []string
		check      string
		hint       string
		healthy    string // a check before it
	}{
		{name: "a dead server", base: "http://" + dead, check: "connect", hint: "server is running"},
		{name: "no such host", base: "https://kb.invalid", check: "dns", hint: "kb.invalid"},
		{name: "a web page", base: plain, check: "answer", hint: "web page", healthy: "connect"},
		{name: "a certificate of nobody", base: secure.URL, check: "tls", hint: "KB_MCP_CA_FILE", healthy: "connect"},
		{name: "its authority known", base: secure.URL, environ: []string{"KB_MCP_CA_FILE=" + ca}, check: "answer", healthy: "tls"},
		{name: "no TLS there", base: strings.Replace(plain, "http:", "https:", 1), check: "tls", hint: "does not speak TLS"},
		{name: "no answer", base: hanging, environ: []string{"DIFY_TIMEOUT=300ms"}, check: "answer", hint: "_TIMEOUT", healthy: "connect"},
		{name: "a proxy that lets nobody through", base: "https://kb.invalid", environ: []string{"HTTPS_PROXY=" + closed}, check: "proxy", hint: "HTTPS_PROXY"},
		{name: "a dead proxy", base: "http://kb.invalid", environ: []string{"HTTP_PROXY=" + dead}, check: "proxy", hint: "HTTP_PROXY"},
		{name: "a proxy", base: "http://kb.invalid", environ: []string{"http_proxy=" + plain}, check: "answer", healthy: "proxy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			e := diagnosis(t, append(tt.environ, "DIFY_API_KEY=dataset-canary-0123456789", "DIFY_BASE_URL="+tt.base))
			if status, text := e.find("dify", tt.check); status != vendors.Broken || !strings.Contains(text, tt.hint) {
				t.Errorf("%+v", e.Checks)
			}
			if status, _ := e.find("dify", tt.healthy); tt.healthy != "" && status == vendors.Broken {
				t.Errorf("%s is broken: %+v", tt.healthy, e.Checks)
			}
			if took := time.Since(began); took > examineTime {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestDoctorClock is a platform whose clock says why the signature is refused.
func TestDoctorClock(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(20*time.Minute).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"code":1000001,"message":"unauthorized","request_id":"r-1"}`)
	})
	e := diagnosis(t, []string{"VOLCENGINE_ACCESS_KEY=canary-access", "VOLCENGINE_SECRET_KEY=canary-secret", "VOLCENGINE_BASE_URL=" + url})
	if status, text := e.find("volcengine", "clock"); status != vendors.Broken || !strings.Contains(text, "behind") {
		t.Errorf("%q, %s", status, text)
	}
	if status, _ := e.find("volcengine", "credential"); status != vendors.Broken {
		t.Errorf("the credential is %q", status)
	}
}

func TestDoctorRedis(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "canary-password")
	environ := append(started(t, sandbox.Options{}).Environ(), "KB_MCP_REDIS_URL=redis://:canary-password@"+server.Addr)
	if status, text := diagnosis(t, environ).find("", "redis"); status != vendors.Healthy || !strings.Contains(text, "share") {
		t.Errorf("%q %s", status, text)
	}
	wrong := append(environ, "KB_MCP_REDIS_URL=redis://:canary-wrong@"+server.Addr)
	if status, text := diagnosis(t, wrong).find("", "redis"); status != vendors.Broken || !strings.Contains(text, "WRONGPASS") {
		t.Errorf("a wrong password: %q %s", status, text)
	}
	server.Stop()
	if status, text := diagnosis(t, environ).find("", "redis"); status != vendors.Broken || !strings.Contains(text, "KB_MCP_REDIS_URL") {
		t.Errorf("no server: %q %s", status, text)
	}
}

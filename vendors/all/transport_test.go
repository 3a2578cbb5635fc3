package all

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// counted serves handler and counts the connections that it accepted.
func counted(t testing.TB, handler http.HandlerFunc) (url string, accepted *atomic.Int32) {
	accepted = new(atomic.Int32)
	srv := httptest.NewUnstartedServer(handler)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			accepted.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.URL, accepted
}

func reuse(t testing.TB, url string) *connection.Connection {
	return one(t, "DIFY_API_KEY=dataset-first", "DIFY_BASE_URL="+url, "DIFY_RATE_LIMIT=off")
}

// TestConnectionReuse: one caller needs one connection, and so do its errors;
// 64 callers need 64, and no more when they come again.
func TestConnectionReuse(t *testing.T) {
	t.Run("one by one", func(t *testing.T) {
		calls := 0
		url, accepted := counted(t, func(w http.ResponseWriter, r *http.Request) {
			if calls++; calls%2 == 0 {
				w.WriteHeader(http.StatusBadRequest)
			}
			emptyDify(w, r)
		})
		v := reuse(t, url)
		for range 200 {
			ask(t, v, patience)
		}
		if n := accepted.Load(); n != 1 || calls != 200 {
			t.Errorf("%d connections for %d calls", n, calls)
		}
	})
	t.Run("64 at once", func(t *testing.T) {
		var meeting atomic.Pointer[sync.WaitGroup]
		url, accepted := counted(t, func(w http.ResponseWriter, r *http.Request) {
			meeting.Load().Done() // nobody is answered before everybody has asked
			meeting.Load().Wait()
			emptyDify(w, r)
		})
		v := reuse(t, url)
		for round := range 4 {
			all := &sync.WaitGroup{}
			all.Add(64)
			meeting.Store(all)
			var callers sync.WaitGroup
			for i := range 64 { // different reads: equal ones would be one request
				callers.Go(func() {
					if _, err := v.ListKnowledgeBases(t.Context(), connection.ListQuery{Limit: i + 1}); err != nil {
						t.Error(err)
					}
				})
			}
			callers.Wait()
			if n := accepted.Load(); n != 64 {
				t.Fatalf("round %d: %d connections, want 64", round, n)
			}
		}
	})
}

// TestHugeHeader: an answer is bounded before its body, too.
func TestHugeHeader(t *testing.T) {
	url, _ := counted(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("a", 1<<20))
		emptyDify(w, r)
	})
	if err := ask(t, reuse(t, url), 300*time.Millisecond); err == nil || vendors.KindOf(err) == vendors.Internal {
		t.Errorf("got %v", err)
	}
}

// proxied is a proxy on loopback that answers plain requests itself, tunnels
// CONNECT to target, and notes what it was asked for.
func proxied(t testing.TB, target string) (address string, asked chan *http.Request) {
	asked = make(chan *http.Request, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		if r.Method != http.MethodConnect {
			emptyDify(w, r)
			return
		}
		there, err := net.Dial("tcp", target)
		if err != nil {
			t.Error(err)
			return
		}
		defer there.Close()
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer here.Close()
		io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(there, here) // ends with here
		io.Copy(here, there)
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://"), asked
}

// TestProxy: the proxy is the one of our environment, in all its spellings.
func TestProxy(t *testing.T) {
	address, asked := proxied(t, "")
	for _, variable := range []string{"HTTP_PROXY=http://", "http_proxy=http://", "HTTP_PROXY="} {
		v := one(t, "DIFY_API_KEY=dataset-first", "DIFY_BASE_URL=http://kb.example.invalid/v1", variable+address)
		if err := ask(t, v, patience); err != nil {
			t.Fatalf("%s: %v", variable, err)
		}
		if r := <-asked; !strings.HasPrefix(r.RequestURI, "http://kb.example.invalid/v1/datasets") || r.Header.Get("Authorization") != "Bearer dataset-first" {
			t.Errorf("%s: the proxy was asked for %s", variable, r.RequestURI)
		}
	}

	env := NewEnviron([]string{"DIFY_API_KEY=dataset-first", "DIFY_BASE_URL=http://kb.example.invalid/v1", "HTTP_PROXY=http://me:pass%20word@" + address})
	list, problems := Open(env, Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if err := ask(t, list[0], patience); err != nil {
		t.Fatal(err)
	}
	if r := <-asked; r.Header.Get("Proxy-Authorization") != "Basic bWU6cGFzcyB3b3Jk" {
		t.Errorf("Proxy-Authorization %q", r.Header.Get("Proxy-Authorization"))
	}
	if got := env.Secrets.Clean("a pass word, me:pass%20word@h"); strings.Contains(got, "word") {
		t.Errorf("Clean = %q", got)
	}
}

// TestProxyChoice: which requests use which proxy.
func TestProxyChoice(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://process.invalid") // the process's own does not count
	for _, tt := range []struct {
		environ []string
		url     string
		want    string
	}{
		{nil, "http://kb.example.invalid/", ""},
		{[]string{"HTTP_PROXY=http://p:3128"}, "http://kb.example.invalid/", "http://p:3128"},
		{[]string{"HTTP_PROXY=http://p:3128"}, "https://kb.example.invalid/", ""},
		{[]string{"HTTPS_PROXY=http://p:3128"}, "https://kb.example.invalid/", "http://p:3128"},
		{[]string{"HTTPS_PROXY=p:3128"}, "https://kb.example.invalid/", "http://p:3128"},
		{[]string{"https_proxy=socks5://p:1080"}, "https://kb.example.invalid/", "socks5://p:1080"},
		{[]string{"HTTPS_PROXY=http://upper", "https_proxy=http://lower"}, "https://kb.example.invalid/", "http://upper"},
		{[]string{"HTTP_PROXY=http://p:3128"}, "http://127.0.0.1:9380/", ""},
		{[]string{"HTTP_PROXY=http://p:3128"}, "http://localhost/", ""},
		{[]string{"HTTP_PROXY=http://p:3128"}, "http://[::1]/", ""},
		{[]string{"HTTP_PROXY=http://p:3128", "NO_PROXY=other.invalid, .example.invalid"}, "http://kb.example.invalid/", ""},
		{[]string{"HTTP_PROXY=http://p:3128", "NO_PROXY=kb.example.invalid:81"}, "http://kb.example.invalid/", "http://p:3128"},
		{[]string{"HTTP_PROXY=http://p:3128", "no_proxy=*"}, "http://kb.example.invalid/", ""},
		{[]string{"HTTP_PROXY=http://p:3128", "NO_PROXY=10.0.0.0/8"}, "http://10.1.2.3/", ""},
		{[]string{"HTTP_PROXY="}, "http://kb.example.invalid/", ""},
	} {
		tr, problems := transport(NewEnviron(tt.environ))
		if len(problems) > 0 {
			t.Errorf("%q: %v", tt.environ, problems)
			continue
		}
		r := httptest.NewRequest("GET", tt.url, nil)
		u, err := tr.Proxy(r)
		got := ""
		if u != nil {
			got = u.String()
		}
		if err != nil || got != tt.want {
			t.Errorf("%q: %s goes to proxy %q (%v), want %q", tt.environ, tt.url, got, err, tt.want)
		}
	}
}

func TestBadProxy(t *testing.T) {
	for _, value := range []string{"http://h:canary", "http://canary canary", "://canary", "http://", "h:canary"} {
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
			_, problems := Open(NewEnviron([]string{"DIFY_API_KEY=dataset-first", name + "=" + value}), Options{})
			if variables(problems) != name || strings.Contains(fmt.Sprint(problems), "canary") {
				t.Errorf("%s=%s: problems %v", name, value, problems)
			}
		}
	}
}

// secure is a TLS server whose certificate, for example.com and 127.0.0.1, is
// in a file; protocol tells how it was spoken to.
func secure(t testing.TB, http2 bool) (srv *httptest.Server, ca string, protocol chan string) {
	protocol = make(chan string, 100)
	srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol <- r.Proto
		emptyDify(w, r)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.EnableHTTP2 = http2
	srv.StartTLS()
	t.Cleanup(srv.Close)
	block := &pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}
	return srv, file(t, "# our own\n"+string(pem.EncodeToMemory(block))), protocol
}

// TestCAFile: a private certificate is accepted when its file is given, HTTP/2
// is not lost by it, and without the file the error says what to set.
func TestCAFile(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		srv, ca, protocol := secure(t, http2)
		v := one(t, "DIFY_API_KEY=dataset-first", "DIFY_BASE_URL="+srv.URL, "DIFY_RATE_LIMIT=off", "KB_MCP_CA_FILE="+ca)
		if err := ask(t, v, patience); err != nil {
			t.Fatal(err)
		}
		if got, want := <-protocol, map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2]; got != want {
			t.Errorf("spoke %s, want %s", got, want)
		}
		err := ask(t, one(t, "DIFY_API_KEY=dataset-first", "DIFY_BASE_URL="+srv.URL), patience)
		if r := vendors.ReportOf(err); r.Kind != vendors.Unavailable || !strings.Contains(r.Hint, "KB_MCP_CA_FILE") {
			t.Errorf("without the file the agent reads %+v", r)
		}
	}
}

// TestCAFileThroughProxy: HTTPS_PROXY tunnels, and the certificate is the
// platform's, not the proxy's.
func TestCAFileThroughProxy(t *testing.T) {
	srv, ca, protocol := secure(t, true)
	address, asked := proxied(t, srv.Listener.Addr().String())
	v := one(t, "DIFY_API_KEY=dataset-first", "DIFY_BASE_URL=https://example.com/v1", "HTTPS_PROXY=http://"+address, "KB_MCP_CA_FILE="+ca)
	if err := ask(t, v, patience); err != nil {
		t.Fatal(err)
	}
	if r := <-asked; r.Method != http.MethodConnect || r.Host != "example.com:443" || r.Header.Get("Authorization") != "" {
		t.Errorf("the proxy was asked to %s %s with %v", r.Method, r.Host, r.Header)
	}
	if got := <-protocol; got != "HTTP/2.0" {
		t.Errorf("spoke %s", got)
	}
}

func TestBadCAFile(t *testing.T) {
	for text, path := range map[string]string{
		"cannot be read":            "/nonexistent/canary",
		"without a PEM":             file(t, "canary"),
		"without a PEM certificate": file(t, ""),
	} {
		_, problems := Open(NewEnviron([]string{"DIFY_API_KEY=dataset-first", "KB_MCP_CA_FILE=" + path}), Options{})
		if variables(problems) != "KB_MCP_CA_FILE" || !strings.Contains(problems[0].Text, text) || strings.Contains(fmt.Sprint(problems), "canary") {
			t.Errorf("%s: problems %v", path, problems)
		}
	}
}

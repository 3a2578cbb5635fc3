package volcengine

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Made-up credentials and requests, with signatures computed by hand.
const (
	vectorHost = "api-knowledgebase.mlp.cn-beijing.volces.com"
	vectorBody = `{"collection_name":"test_collection_name","project":"default","doc_id":"test123"}`
	searchBody = `{"name":"知识库_demo","query":"退款政策","limit":3}`
	plainNames = "content-type;host;x-content-sha256;x-date"
)

func vectorSigner() signer {
	return signer{
		accessKey: "AKLTEXAMPLEACCESSKEYID", secretKey: "ZXhhbXBsZS1zZWNyZXQta2V5LW5vdC1yZWFs", region: "cn-beijing",
		now: func() time.Time { return time.Date(2025, 1, 13, 15, 27, 42, 999, time.FixedZone("CST", 8*3600)) },
	}
}

func vectorRequest(t *testing.T, url, body string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json") // not signed
	return r
}

func TestSignatureVectors(t *testing.T) {
	info := "/api/knowledge/doc/info"
	for _, tt := range []struct{ name, url, body, token, hash, names, signature string }{
		{"A", "https://" + vectorHost + info, vectorBody, "",
			"2db99d366dfd6e6ae95b85a6b5ad57c4e9e11ec0029feaf106eb05d5e2bd1778", plainNames,
			"0c534121e87a987415e32fc06cf526f89aad027ac12227d40f10b35a665d551c"},
		{"A with the port that counts as none", "https://" + vectorHost + ":443" + info, vectorBody, "",
			"2db99d366dfd6e6ae95b85a6b5ad57c4e9e11ec0029feaf106eb05d5e2bd1778", plainNames,
			"0c534121e87a987415e32fc06cf526f89aad027ac12227d40f10b35a665d551c"},
		{"B", "https://" + vectorHost + info, vectorBody, "STSTOKENEXAMPLE==",
			"2db99d366dfd6e6ae95b85a6b5ad57c4e9e11ec0029feaf106eb05d5e2bd1778", plainNames + ";x-security-token",
			"e24812c6e93d85b21375ac427985c682e97a4af84db3fb8afaf686b3ac5660ee"},
		{"C", "https://" + vectorHost + "/api/knowledge/collection/search_knowledge", searchBody, "",
			"d6f9b5ff91a2331ae22fbc3953798c7025f4152f4b52291f53a483976f7addfa", plainNames,
			"3299ff780489d03a6d603a0bd2bde2754940b28a81fa947e74e4a56f1fc85813"},
		{"D", "http://127.0.0.1:18080" + info, vectorBody, "",
			"2db99d366dfd6e6ae95b85a6b5ad57c4e9e11ec0029feaf106eb05d5e2bd1778", plainNames,
			"020b5d76e73a2f6e336da1da7ef826ceb99549828ce480bc0ed9f9a51b356c51"},
	} {
		s := vectorSigner()
		s.sessionToken = tt.token
		r := vectorRequest(t, tt.url, tt.body)
		if err := s.sign(r, []byte(tt.body)); err != nil {
			t.Fatal(err)
		}
		want := "HMAC-SHA256 Credential=AKLTEXAMPLEACCESSKEYID/20250113/cn-beijing/air/request, SignedHeaders=" +
			tt.names + ", Signature=" + tt.signature
		if got := r.Header.Get("Authorization"); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, want)
		}
		if got := r.Header.Get("X-Content-Sha256"); got != tt.hash {
			t.Errorf("%s: hash %s", tt.name, got)
		}
	}
}

// The intermediate steps of vector A.
func TestSignatureSteps(t *testing.T) {
	s := vectorSigner()
	r := vectorRequest(t, "https://"+vectorHost+"/api/knowledge/doc/info", vectorBody)
	if err := s.sign(r, []byte(vectorBody)); err != nil {
		t.Fatal(err)
	}
	canonical, _ := canonicalRequest(r)
	want := `POST
/api/knowledge/doc/info

content-type:application/json
host:` + vectorHost + `
x-content-sha256:2db99d366dfd6e6ae95b85a6b5ad57c4e9e11ec0029feaf106eb05d5e2bd1778
x-date:20250113T072742Z

` + plainNames + `
2db99d366dfd6e6ae95b85a6b5ad57c4e9e11ec0029feaf106eb05d5e2bd1778`
	if canonical != want {
		t.Errorf("canonical request:\n%s\nwant:\n%s", canonical, want)
	}
	if got := hexHash([]byte(canonical)); got != "873e65dbca01e49b22f8eda4b09b74588a6a57dbcfd28f8f6f6bb8f8603e8444" {
		t.Errorf("its hash: %s", got)
	}
	key := []byte(s.secretKey)
	for _, step := range []struct{ part, want string }{
		{"20250113", "9943c0c01162937ad3029ec158de03e2e6a5340ffb5b2a8ded326e74b5ff4178"},
		{"cn-beijing", "120454932b0d005113ec5639282358f2b23fb701b25bad741641f809b7b35a3a"},
		{"air", "c2cd8d80aba6b3ca36dd5361597601730afe30c9f8c795aded1feb429a174e88"},
		{"request", "fe8003dcdb1fcf9dd6e939194a6a53e4ef8fa6d9317633c9c11cb1c27e862a6c"},
	} {
		key = mac(key, step.part)
		if got := hex.EncodeToString(key); got != step.want {
			t.Errorf("key after %q: %s, want %s", step.part, got, step.want)
		}
	}
	if string(s.key("20250113")) != string(key) {
		t.Error("key derives another one")
	}
}

func TestHost(t *testing.T) {
	for url, want := range map[string]string{
		"https://h.example/x": "h.example", "https://h.example:443/x": "h.example", "http://h.example:80/x": "h.example",
		"http://h.example:8080/x": "h.example:8080", "http://[::1]:80/x": "[::1]", "http://[::1]:18080/x": "[::1]:18080",
		"http://h.example:1443/x": "h.example:1443",
	} {
		r := vectorRequest(t, url, "")
		if got := host(r); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
		r.Host = ""
		if got := host(r); got != want {
			t.Errorf("%s without Host: %s, want %s", url, got, want)
		}
	}
}

// A query and further headers of ours are signed too.
func TestCanonicalExtras(t *testing.T) {
	r := vectorRequest(t, "https://h.example?b=2&a=1%202", "")
	r.Header.Set("X-Trace", " t ")
	r.Header.Set("Content-Md5", "m")
	r.Header.Set("X-Content-Sha256", "h")
	got, _ := canonicalRequest(r)
	want := "POST\n/\na=1%202&b=2\ncontent-md5:m\ncontent-type:application/json\nhost:h.example\nx-content-sha256:h\nx-trace:t\n\n" +
		"content-md5;content-type;host;x-content-sha256;x-trace\nh"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Every try is signed again, over the bytes that are sent: the date moves.
func TestSignedPerTry(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var dates, signatures []string
	conn := rest.Conn{
		Limiter: ratelimit.New(ratelimit.Rate{}, nil), Backoff: ratelimit.Backoff{Tries: 2},
		Now: func() time.Time { now = now.Add(time.Second); return now },
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			if r.Header.Get("X-Content-Sha256") != hexHash(body) {
				t.Error("the body is not the one that was hashed")
			}
			dates = append(dates, r.Header.Get("X-Date"))
			signatures = append(signatures, r.Header.Get("Authorization"))
			return &http.Response{StatusCode: 502, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}),
	}
	c := good()
	_, err := New(c, conn).GetDocument(context.Background(), vendors.Ref{KnowledgeBaseID: "kb-1", DocumentID: "d"})
	if vendors.KindOf(err) != vendors.Unavailable {
		t.Error(err)
	}
	if len(dates) != 2 || dates[0] == dates[1] || signatures[0] == signatures[1] {
		t.Errorf("dates %v", dates)
	}
}

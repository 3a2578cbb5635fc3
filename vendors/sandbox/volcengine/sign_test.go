package volcengine

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Made-up credentials and requests, with signatures computed by hand.
const (
	vectorAK   = "AKLTEXAMPLEACCESSKEYID"
	vectorSK   = "ZXhhbXBsZS1zZWNyZXQta2V5LW5vdC1yZWFs"
	vectorSTS  = "STSTOKENEXAMPLE=="
	vectorHost = "api-knowledgebase.mlp.cn-beijing.volces.com"
	vectorBody = `{"collection_name":"test_collection_name","project":"default","doc_id":"test123"}`
	vectorHash = "2db99d366dfd6e6ae95b85a6b5ad57c4e9e11ec0029feaf106eb05d5e2bd1778"
	vectorA    = "0c534121e87a987415e32fc06cf526f89aad027ac12227d40f10b35a665d551c"
	plainNames = "content-type;host;x-content-sha256;x-date"
)

var vectorNow = time.Date(2025, 1, 13, 7, 27, 42, 0, time.UTC)

// vector is a signed request as it arrives.
type vector struct {
	host, path, body, hash, token, names, mac string
}

func (v vector) request() *http.Request {
	r := httptest.NewRequest(http.MethodPost, v.path, strings.NewReader(v.body))
	r.Host = v.host
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Date", "20250113T072742Z")
	r.Header.Set("X-Content-Sha256", v.hash)
	if v.token != "" {
		r.Header.Set("X-Security-Token", v.token)
	}
	r.Header.Set("Authorization", fmt.Sprintf(
		"HMAC-SHA256 Credential=%s/20250113/cn-beijing/air/request, SignedHeaders=%s, Signature=%s",
		vectorAK, v.names, v.mac))
	return r
}

func vectorOf(name string) vector {
	a := vector{vectorHost, "/api/knowledge/doc/info", vectorBody, vectorHash, "", plainNames, vectorA}
	switch name {
	case "B":
		a.token, a.names = vectorSTS, plainNames+";x-security-token"
		a.mac = "e24812c6e93d85b21375ac427985c682e97a4af84db3fb8afaf686b3ac5660ee"
	case "C":
		a.path = "/api/knowledge/collection/search_knowledge"
		a.body = `{"name":"知识库_demo","query":"退款政策","limit":3}`
		a.hash = "d6f9b5ff91a2331ae22fbc3953798c7025f4152f4b52291f53a483976f7addfa"
		a.mac = "3299ff780489d03a6d603a0bd2bde2754940b28a81fa947e74e4a56f1fc85813"
	case "D":
		a.host = "127.0.0.1:18080"
		a.mac = "020b5d76e73a2f6e336da1da7ef826ceb99549828ce480bc0ed9f9a51b356c51"
	}
	return a
}

func TestVolcSignatureVectors(t *testing.T) {
	for _, name := range []string{"A", "B", "C", "D"} {
		v := vectorOf(name)
		keys := []keyPair{{vectorAK, vectorSK, v.token}}
		if err := verify(v.request(), []byte(v.body), keys, vectorNow); err != nil {
			t.Errorf("vector %s refused: %v", name, err)
		}
	}
}

func TestVolcSignatureRefusals(t *testing.T) {
	tests := []struct {
		name   string
		vector string
		spoil  func(*http.Request, *[]byte, *time.Time)
		want   string
	}{
		{"no header", "A", func(r *http.Request, _ *[]byte, _ *time.Time) { r.Header.Del("Authorization") }, "scheme"},
		{"other body", "A", func(_ *http.Request, b *[]byte, _ *time.Time) { *b = append(*b, '\n') }, "body"},
		{"body and hash changed together", "A", func(r *http.Request, b *[]byte, _ *time.Time) {
			*b = nil
			r.Header.Set("X-Content-Sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
		}, "match"},
		{"charset added", "A", func(r *http.Request, _ *[]byte, _ *time.Time) {
			r.Header.Set("Content-Type", "application/json; charset=utf-8")
		}, "match"},
		{"other path", "A", func(r *http.Request, _ *[]byte, _ *time.Time) {
			r.RequestURI = "/volcengine/api/knowledge/doc/info"
		}, "match"},
		{"too old", "A", func(_ *http.Request, _ *[]byte, now *time.Time) { *now = now.Add(901 * time.Second) }, "clock"},
		{"from the future", "A", func(_ *http.Request, _ *[]byte, now *time.Time) { *now = now.Add(-901 * time.Second) }, "clock"},
		{"date not signed", "A", replaceAuth(plainNames, "content-type;host;x-content-sha256"), "x-date is not signed"},
		{"hash not signed", "A", replaceAuth(plainNames, "content-type;host;x-date"), "x-content-sha256 is not signed"},
		{"other service", "A", replaceAuth("/air/", "/vikingdb/"), "scope"},
		{"scope of another day", "A", replaceAuth("/20250113/", "/20250112/"), "another day"},
		{"other key", "A", replaceAuth(vectorAK, "AKLTOTHER"), "unknown"},
		{"token missing", "B", func(r *http.Request, _ *[]byte, _ *time.Time) { r.Header.Del("X-Security-Token") }, "session token"},
		{"token nobody gave", "A", func(r *http.Request, _ *[]byte, _ *time.Time) { r.Header.Set("X-Security-Token", "x") }, "session token"},
		{"token not signed", "B", replaceAuth(";x-security-token", ""), "not signed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := vectorOf(tt.vector)
			r, body, now := v.request(), []byte(v.body), vectorNow
			tt.spoil(r, &body, &now)
			err := verify(r, body, []keyPair{{vectorAK, vectorSK, v.token}}, now)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
		})
	}
}

func replaceAuth(old, with string) func(*http.Request, *[]byte, *time.Time) {
	return func(r *http.Request, _ *[]byte, _ *time.Time) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
	}
}

// The service takes any region in the scope and signatures without host.
func TestVolcSignatureLatitude(t *testing.T) {
	for _, tt := range []struct{ name, region, headers string }{
		{"another region", "cn-north-1", plainNames},
		{"no host", "cn-beijing", "content-type;x-content-sha256;x-date"},
		{"only the two required", "cn-beijing", "x-content-sha256;x-date"},
	} {
		v := vectorOf("A")
		r := v.request()
		sig := signature{accessKey: vectorAK, date: "20250113", region: tt.region,
			headers: strings.Split(tt.headers, ";")}
		v.mac = macOf(vectorSK, sig, stringToSign(r, sig, vectorHash))
		r.Header.Set("Authorization", "HMAC-SHA256 Credential="+vectorAK+"/"+sig.scope()+
			", SignedHeaders="+tt.headers+", Signature="+v.mac)
		if err := verify(r, []byte(v.body), []keyPair{{AccessKey: vectorAK, SecretKey: vectorSK}}, vectorNow); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

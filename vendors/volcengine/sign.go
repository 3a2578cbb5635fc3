package volcengine

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	algorithm = "HMAC-SHA256"
	service   = "air"

	signatureLife = 15 * time.Minute // how far X-Date may be from the platform's clock
)

// signer signs requests with a pair of keys as Volcengine's common rules say
// (volcengine.com/docs/6369/67269), for the service "air".
type signer struct {
	accessKey, secretKey, sessionToken, region string
	now                                        func() time.Time
}

// sign puts the signature headers on r. It is called for every try, because
// X-Date changes. Content-Type has to be set before and must not change
// afterwards.
func (s signer) sign(r *http.Request, body []byte) error {
	stamp := s.now().UTC().Format("20060102T150405Z")
	r.Header.Set("X-Date", stamp)
	r.Header.Set("X-Content-Sha256", hexHash(body))
	if s.sessionToken != "" {
		r.Header.Set("X-Security-Token", s.sessionToken)
	}
	canonical, names := canonicalRequest(r)
	day := stamp[:len("20060102")]
	scope := strings.Join([]string{day, s.region, service, "request"}, "/")
	text := strings.Join([]string{algorithm, stamp, scope, hexHash([]byte(canonical))}, "\n")
	r.Header.Set("Authorization", algorithm+" Credential="+s.accessKey+"/"+scope+
		", SignedHeaders="+names+", Signature="+hex.EncodeToString(mac(s.key(day), text)))
	return nil
}

// key derives the signing key of a day. The secret key is used as it is.
func (s signer) key(day string) []byte {
	key := []byte(s.secretKey)
	for _, part := range []string{day, s.region, service, "request"} {
		key = mac(key, part)
	}
	return key
}

// canonicalRequest is the text whose hash is signed, and the names of the
// signed headers. X-Content-Sha256 must be set.
func canonicalRequest(r *http.Request) (text, names string) {
	values := signedHeaders(r)
	order := slices.Sorted(maps.Keys(values))
	path := cmp.Or(r.URL.EscapedPath(), "/")
	var b strings.Builder
	// Encode sorts by key; only its "+" for a space is not RFC 3986.
	b.WriteString(r.Method + "\n" + path + "\n" + strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20") + "\n")
	for _, name := range order {
		b.WriteString(name + ":" + values[name] + "\n")
	}
	names = strings.Join(order, ";")
	b.WriteString("\n" + names + "\n" + r.Header.Get("X-Content-Sha256"))
	return b.String(), names
}

// signedHeaders returns the headers that are signed, by lower-case name.
func signedHeaders(r *http.Request) map[string]string {
	values := map[string]string{"host": host(r)}
	for name, v := range r.Header {
		low := strings.ToLower(name)
		if low == "content-type" || low == "content-md5" || strings.HasPrefix(low, "x-") {
			values[low] = strings.TrimSpace(strings.Join(v, ","))
		}
	}
	return values
}

// host is the Host header as the server counts it: without a port of 80 or
// 443, with any other. (net/http keeps Host out of the header map.)
func host(r *http.Request) string {
	h := cmp.Or(r.Host, r.URL.Host)
	return strings.TrimSuffix(strings.TrimSuffix(h, ":80"), ":443")
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

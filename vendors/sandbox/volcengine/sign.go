package volcengine

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	algorithm = "HMAC-SHA256"
	service   = "air"
	timestamp = "20060102T150405Z"
	// maxSkew is how far X-Date may be from the server's clock, by the common
	// rules of the vendor.
	maxSkew = 900 * time.Second
)

// keyPair is one signing credential. Token is the session token that has to
// accompany the pair; "" for a permanent key.
type keyPair struct {
	AccessKey, SecretKey, Token string
}

// signature is what an Authorization header of the signing scheme says.
type signature struct {
	accessKey, date, region string
	headers                 []string // the names of SignedHeaders, as sent
	mac                     string
}

// verify checks a request against one of keys. body is what came
// over the wire, byte for byte: a client that encodes again after hashing, or
// whose proxy rewrites the body, has to fail here.
//
// The code shares nothing with the driver's signer: a mistake made in both
// would cancel out.
func verify(r *http.Request, body []byte, keys []keyPair, now time.Time) error {
	sig, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	at := slices.IndexFunc(keys, func(k keyPair) bool {
		return k.AccessKey == sig.accessKey && k.Token == r.Header.Get("X-Security-Token")
	})
	if at < 0 {
		return errors.New("unknown access key, or not with this session token")
	}
	key := keys[at]
	if key.Token != "" && !slices.Contains(sig.headers, "x-security-token") {
		return errors.New("the session token is not signed")
	}
	for _, name := range []string{"x-date", "x-content-sha256"} {
		if !slices.Contains(sig.headers, name) {
			return errors.New(name + " is not signed")
		}
	}
	if err := checkDate(r.Header.Get("X-Date"), sig.date, now); err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	bodyHash := hex.EncodeToString(sum[:])
	if r.Header.Get("X-Content-Sha256") != bodyHash {
		return errors.New("the body is not the one that was hashed")
	}
	want := macOf(key.SecretKey, sig, stringToSign(r, sig, bodyHash))
	if subtle.ConstantTimeCompare([]byte(want), []byte(sig.mac)) != 1 {
		return errors.New("signature does not match")
	}
	return nil
}

// parseAuthorization reads
// "HMAC-SHA256 Credential=AK/date/region/air/request, SignedHeaders=a;b, Signature=hex".
// Any region passes: official samples sign cn-north-1 against the cn-beijing host.
func parseAuthorization(header string) (signature, error) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return signature{}, errors.New("not the " + algorithm + " scheme")
	}
	parts := make(map[string]string)
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || scope[2] == "" || scope[3] != service || scope[4] != "request" {
		return signature{}, errors.New("credential scope is not AK/date/region/" + service + "/request")
	}
	if parts["SignedHeaders"] == "" || parts["Signature"] == "" {
		return signature{}, errors.New("SignedHeaders or Signature missing")
	}
	return signature{
		accessKey: scope[0], date: scope[1], region: scope[2],
		headers: strings.Split(parts["SignedHeaders"], ";"),
		mac:     parts["Signature"],
	}, nil
}

func checkDate(stamp, scopeDate string, now time.Time) error {
	at, err := time.Parse(timestamp, stamp)
	if err != nil {
		return errors.New("X-Date is not YYYYMMDDTHHMMSSZ")
	}
	if stamp[:len("20060102")] != scopeDate {
		return errors.New("the scope has another day than X-Date")
	}
	if skew := now.Sub(at).Abs(); skew > maxSkew {
		return errors.New("X-Date is too far from the server's clock")
	}
	return nil
}

// stringToSign rebuilds the text from the header names the client lists,
// in its order: a client may sign more or fewer headers (without host, say).
func stringToSign(r *http.Request, sig signature, bodyHash string) string {
	path, query := target(r)
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n" + path + "\n" + query + "\n")
	for _, name := range sig.headers {
		canonical.WriteString(name + ":" + signedValue(r, name) + "\n")
	}
	canonical.WriteString("\n" + strings.Join(sig.headers, ";") + "\n" + bodyHash)
	sum := sha256.Sum256([]byte(canonical.String()))
	return strings.Join([]string{
		algorithm, r.Header.Get("X-Date"), sig.scope(), hex.EncodeToString(sum[:]),
	}, "\n")
}

func (s signature) scope() string {
	return s.date + "/" + s.region + "/" + service + "/request"
}

// target is the path and the canonical query as the client sent them. The
// request line is read, not r.URL, because the sandbox strips its own prefix
// from r.URL and the client signed with it.
func target(r *http.Request) (path, query string) {
	path, _, _ = strings.Cut(r.RequestURI, "?")
	if path == "" {
		path = r.URL.EscapedPath()
	}
	// Encode sorts by key; only its "+" for a space is not RFC 3986.
	return path, strings.ReplaceAll(url.Values(r.URL.Query()).Encode(), "+", "%20")
}

// signedValue is a signed header's value. The port of a host counts unless it
// is 80 or 443; net/http keeps Host out of the header map.
func signedValue(r *http.Request, name string) string {
	if name != "host" {
		return strings.TrimSpace(strings.Join(r.Header.Values(name), ","))
	}
	host := strings.TrimSuffix(r.Host, ":80")
	return strings.TrimSuffix(host, ":443")
}

func macOf(secret string, sig signature, text string) string {
	key := []byte(secret)
	for _, part := range []string{sig.date, sig.region, service, "request"} {
		key = hmacOf(key, part)
	}
	return hex.EncodeToString(hmacOf(key, text))
}

func hmacOf(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

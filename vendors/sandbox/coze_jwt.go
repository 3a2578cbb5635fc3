package sandbox

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// newCozeKey makes the key pair of the Coze JWT app.
func newCozeKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("sandbox: " + err.Error()) // the system's random numbers never fail
	}
	return key
}

// CozePrivateKey is the JWT app's private key as PKCS#8 PEM. Each sandbox has
// its own, made at the first use.
func (s *Sandbox) CozePrivateKey() string {
	der, err := x509.MarshalPKCS8PrivateKey(s.key())
	if err != nil {
		panic("sandbox: " + err.Error()) // an RSA key always marshals
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// CozeAppVariables is the native variables that point kb-mcp at the hosted
// Coze face of the sandbox at base with the JWT app instead of a token.
func (s *Sandbox) CozeAppVariables(base string) []string {
	return []string{
		"COZE_JWT_OAUTH_CLIENT_ID=" + CozeClientID,
		"COZE_JWT_OAUTH_PRIVATE_KEY=" + s.CozePrivateKey(),
		"COZE_JWT_OAUTH_PUBLIC_KEY_ID=" + CozePublicKeyID,
		"COZE_API_BASE=" + strings.TrimRight(base, "/") + "/coze",
		"COZE_SPACE_ID=" + CozeSpaceID,
	}
}

const (
	cozeGrant     = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	cozeTokenLife = 900
	cozeTokenMost = 86399
)

// cozeApp exchanges signed JWTs for access tokens. It checks them with its own
// code, so that a mistake in a signer is not answered by the same mistake.
type cozeApp struct {
	s *Sandbox

	mu     sync.Mutex
	seen   map[string]bool      // jti of every JWT that was good for a token
	tokens map[string]time.Time // access token to its expiry
}

func newCozeApp(s *Sandbox) *cozeApp {
	return &cozeApp{s: s, seen: map[string]bool{}, tokens: map[string]time.Time{}}
}

// cozeTokenPath recognises the two paths of the exchange; account is "" on the
// one without.
func cozeTokenPath(path string) (account string, ok bool) {
	if path == "/api/permission/oauth2/token" {
		return "", true
	}
	rest, ok := strings.CutPrefix(path, "/api/permission/oauth2/account/")
	if !ok {
		return "", false
	}
	account, ok = strings.CutSuffix(rest, "/token")
	return account, ok && account != "" && !strings.Contains(account, "/")
}

// valid reports whether token was given out here and has not expired.
func (a *cozeApp) valid(token string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	end, ok := a.tokens[token]
	return ok && a.s.now().Before(end)
}

// exchange answers the token endpoint, whose errors have a shape of their own.
func (a *cozeApp) exchange(w http.ResponseWriter, r *http.Request, account string) {
	token, end, code, why := a.grant(r, account)
	if code == "" {
		writeJSON(w, 200, object{"access_token": token, "expires_in": end.Unix(), "token_type": "Bearer"})
		return
	}
	status := http.StatusBadRequest
	if code == "invalid_client" {
		status = http.StatusUnauthorized
	}
	writeJSON(w, status, object{"error_code": code, "error_message": why, "error": ""})
}

// grant checks the request and gives out a token; otherwise code and why say
// what is wrong.
func (a *cozeApp) grant(r *http.Request, account string) (token string, end time.Time, code, why string) {
	data, _ := body(r)
	var in struct {
		Grant    string `json:"grant_type"`
		Duration int    `json:"duration_seconds"`
	}
	switch err := json.Unmarshal(data, &in); {
	case err != nil:
		return "", end, "invalid_request", "the body is not JSON"
	case in.Grant != cozeGrant:
		return "", end, "unsupported_grant_type", "unsupported grant type: " + in.Grant
	case in.Duration < 0 || in.Duration > cozeTokenMost:
		return "", end, "invalid_request", "duration_seconds must be between 0 and 86399"
	case account != "" && account != CozeAccountID:
		return "", end, "access_deny", "the app is not installed in this account"
	}
	signed, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", end, "invalid_request", "the JWT is missing"
	}
	claims, why := a.verify(signed, r.Host)
	if why != "" {
		return "", end, "invalid_client", why
	}
	if in.Duration == 0 {
		in.Duration = cozeTokenLife
	}
	end = a.s.now().Add(time.Duration(in.Duration) * time.Second)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen[claims.ID] {
		return "", end, "invalid_client", "the JWT was used before: its jti is known"
	}
	a.seen[claims.ID] = true
	sum := sha256.Sum256([]byte(signed))
	token = "czs_" + hex.EncodeToString(sum[:])
	a.tokens[token] = end
	return token, end, "", ""
}

// cozeClaims is the payload of the JWT.
type cozeClaims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"`
}

// verify checks signature, header and claims of a compact JWT that was sent to
// host; why is "" when all are right.
func (a *cozeApp) verify(signed, host string) (c cozeClaims, why string) {
	parts := strings.Split(signed, ".")
	if len(parts) != 3 {
		return c, "the JWT does not have three parts"
	}
	var head struct{ Alg, Typ, Kid string }
	if !jwtPart(parts[0], &head) || !jwtPart(parts[1], &c) {
		return c, "the JWT cannot be read"
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return c, "the JWT's signature cannot be read"
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	now := a.s.now().Unix()
	switch {
	case head.Alg != "RS256" || head.Typ != "JWT":
		return c, "the JWT's header must say RS256 and JWT"
	case head.Kid != CozePublicKeyID:
		return c, "the public key of this kid is not known"
	case rsa.VerifyPKCS1v15(&a.s.key().PublicKey, crypto.SHA256, sum[:], signature) != nil:
		return c, "the JWT's signature is wrong"
	case c.Issuer != CozeClientID:
		return c, "the app of this iss is not known"
	case c.Audience != host && c.Audience != hostName(host):
		return c, "aud is not this host"
	case c.Expires <= now || c.Issued > now+60 || c.Expires <= c.Issued:
		return c, "the JWT has expired or is not valid yet"
	case len(c.ID) < 32:
		return c, "jti has fewer than 32 characters"
	}
	return c, ""
}

// jwtPart decodes one base64url part of a JWT.
func jwtPart(text string, v any) bool {
	data, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && json.Unmarshal(data, v) == nil
}

// hostName is a host without its port.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

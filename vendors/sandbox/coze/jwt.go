package coze

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// NewKey makes the key pair of the Coze JWT app.
func NewKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("sandbox: " + err.Error()) // the system's random numbers never fail
	}
	return key
}

const (
	grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	tokenLife = 900
	tokenMost = 86399
)

// app exchanges signed JWTs for access tokens. It checks them with its own
// code, so that a mistake in a signer is not answered by the same mistake.
type app struct {
	s   *world.World
	key func() *rsa.PrivateKey

	mu     sync.Mutex
	seen   map[string]bool      // jti of every JWT that was good for a token
	tokens map[string]time.Time // access token to its expiry
}

func newApp(s *world.World, key func() *rsa.PrivateKey) *app {
	return &app{s: s, key: key, seen: map[string]bool{}, tokens: map[string]time.Time{}}
}

// valid reports whether token was given out here and has not expired.
func (a *app) valid(token string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	end, ok := a.tokens[token]
	return ok && a.s.Now().Before(end)
}

// exchange answers the token endpoint, whose errors have a shape of their own.
func (a *app) exchange(w http.ResponseWriter, r *http.Request) {
	token, end, code, why := a.grant(r, r.PathValue("account"))
	if code == "" {
		web.WriteJSON(w, 200, object{"access_token": token, "expires_in": end.Unix(), "token_type": "Bearer"})
		return
	}
	status := http.StatusBadRequest
	if code == "invalid_client" {
		status = http.StatusUnauthorized
	}
	web.WriteJSON(w, status, object{"error_code": code, "error_message": why, "error": ""})
}

// grant checks the request and gives out a token; otherwise code and why say
// what is wrong.
func (a *app) grant(r *http.Request, account string) (token string, end time.Time, code, why string) {
	data, _ := web.Body(r)
	var in struct {
		Grant    string `json:"grant_type"`
		Duration int    `json:"duration_seconds"`
	}
	switch err := json.Unmarshal(data, &in); {
	case err != nil:
		return "", end, "invalid_request", "the body is not JSON"
	case in.Grant != grantType:
		return "", end, "unsupported_grant_type", "unsupported grant type: " + in.Grant
	case in.Duration < 0 || in.Duration > tokenMost:
		return "", end, "invalid_request", "duration_seconds must be between 0 and 86399"
	case account != "" && account != AccountID:
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
		in.Duration = tokenLife
	}
	end = a.s.Now().Add(time.Duration(in.Duration) * time.Second)
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

// claims is the payload of the JWT.
type claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"`
}

// verify checks signature, header and claims of a compact JWT that was sent to
// host; why is "" when all are right.
func (a *app) verify(signed, host string) (c claims, why string) {
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
	now := a.s.Now().Unix()
	switch {
	case head.Alg != "RS256" || head.Typ != "JWT":
		return c, "the JWT's header must say RS256 and JWT"
	case head.Kid != PublicKeyID:
		return c, "the public key of this kid is not known"
	case rsa.VerifyPKCS1v15(&a.key().PublicKey, crypto.SHA256, sum[:], signature) != nil:
		return c, "the JWT's signature is wrong"
	case c.Issuer != ClientID:
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

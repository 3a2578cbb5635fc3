// Package oauth obtains the access tokens of a Coze app that signs JWTs.
package oauth

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// The exchange of a signed JWT for an access token, after the coze.cn page
// "OAuth JWT" (2025-12) and coze-dev/coze-go:auth.go@f47b4f2.
const (
	grantType   = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	tokenLife   = 900              // seconds asked for, the platform's default
	assertion   = 10 * time.Minute // how long a JWT holds; it is used at once, and once
	renewBefore = time.Minute
)

// Hint is what to do about credentials of an app that are refused.
const Hint = "Check COZE_JWT_OAUTH_CLIENT_ID, COZE_JWT_OAUTH_PRIVATE_KEY and COZE_JWT_OAUTH_PUBLIC_KEY_ID " +
	"(and COZE_ACCOUNT_ID, if set) against the app's page, that this machine's clock is right, and that COZE_API_BASE is the host of the app."

const rootHint = "Check COZE_API_BASE: it must be the root of the API, such as https://api.coze.cn."

// App is the app that tokens are requested for.
type App struct {
	ClientID, KeyID string
	PrivateKey      string // PEM
	AccountID       string // of accounts with several organisations; ""
}

// Tokens obtains and keeps the access token of an app. It is safe for concurrent
// use.
type Tokens struct {
	client   *rest.Client
	path     []string
	clientID string
	keyID    string
	audience string // host of the API base
	key      *rsa.PrivateKey
	now      func() time.Time
	secrets  *rest.Secrets

	turn chan struct{}         // held by the caller that makes an exchange
	last atomic.Pointer[grant] // the newest outcome
}

// grant is the outcome of an exchange.
type grant struct {
	token string
	until time.Time
	err   error
}

// New prepares the exchange at the API's root base; the first is made when a token
// is needed. The key is one that [ParseKey] reads.
func New(app App, base *url.URL, conn rest.Conn) *Tokens {
	key, _ := ParseKey(app.PrivateKey)
	t := &Tokens{
		path:     []string{"api", "permission", "oauth2", "token"},
		clientID: app.ClientID, keyID: app.KeyID, audience: base.Host, key: key,
		now: conn.Now, secrets: conn.Secrets, turn: make(chan struct{}, 1),
	}
	if app.AccountID != "" {
		t.path = []string{"api", "permission", "oauth2", "account", app.AccountID, "token"}
	}
	t.last.Store(&grant{})
	t.client = rest.New(conn, rest.Dialect{Base: base, Sign: t.sign, Decode: decodeGrant})
	return t
}

// ParseKey reads a PEM key, PKCS#8 or PKCS#1. An environment value often
// holds \n as two characters.
func ParseKey(pem string) (*rsa.PrivateKey, error) {
	return jwt.ParseRSAPrivateKeyFromPEM([]byte(strings.ReplaceAll(pem, `\n`, "\n")))
}

// Cached is the token obtained last, "" before the first.
func (t *Tokens) Cached() string { return t.last.Load().token }

// Get returns a token that is good for a while and is not the refused one.
// Callers that come together make one exchange, and share its failure too.
func (t *Tokens) Get(ctx context.Context, refused string) (string, error) {
	seen := t.last.Load()
	if t.good(seen, refused) {
		return seen.token, nil
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", &vendors.Error{Kind: vendors.Timeout, Message: "The call ended while it waited for an access token.", Err: ctx.Err()}
	}
	g := t.last.Load()
	if g != seen && g.err != nil || t.good(g, refused) {
		return g.token, g.err
	}
	g = t.exchange(ctx)
	if g.err == nil || !over(ctx) { // a caller that left has failed for itself only
		t.last.Store(g)
	}
	return g.token, g.err
}

// over reports whether a call has ended, or is ending at this moment: a context
// and those made from it do not end at once.
func over(ctx context.Context) bool {
	until, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(until)
}

// good reports whether a grant serves for the next minute.
func (t *Tokens) good(g *grant, refused string) bool {
	return g.err == nil && g.token != refused && t.now().Add(renewBefore).Before(g.until)
}

// exchange requests a new token.
func (t *Tokens) exchange(ctx context.Context) *grant {
	var out grantAnswer
	err := t.client.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: t.path,
		Body: map[string]any{"grant_type": grantType, "duration_seconds": tokenLife},
	}, &out)
	if err != nil {
		// Requests that wait for their turn still go with the token before.
		return &grant{token: t.Cached(), err: err}
	}
	t.secrets.AddTemporary(string(out.AccessToken))
	// expires_in is an absolute unix time, whatever its name says.
	return &grant{token: string(out.AccessToken), until: time.Unix(out.ExpiresIn.Int, 0)}
}

// sign puts a JWT on an exchange; a new one for every try, as each works once.
func (t *Tokens) sign(r *http.Request, _ []byte) error {
	id := make([]byte, 20)
	rand.Read(id) // never fails
	now := t.now()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": t.clientID, "aud": t.audience, "jti": hex.EncodeToString(id),
		"iat": now.Unix(), "exp": now.Add(assertion).Unix(),
	})
	token.Header["kid"] = t.keyID
	signed, err := token.SignedString(t.key)
	if err != nil {
		return &vendors.Error{Kind: vendors.Internal, Message: "The JWT could not be signed.", Err: err}
	}
	t.secrets.AddTemporary(signed)
	r.Header.Set("Authorization", "Bearer "+signed)
	return nil
}

// grantAnswer has no envelope; its errors come in two forms.
type grantAnswer struct {
	AccessToken  rest.Str `json:"access_token"`
	ExpiresIn    rest.Num `json:"expires_in"`
	ErrorCode    rest.Str `json:"error_code"`
	ErrorMessage rest.Str `json:"error_message"`
	Error        rest.Str `json:"error"`
	Description  rest.Str `json:"error_description"`
}

// decodeGrant judges the answer to an exchange.
func decodeGrant(a rest.Answer, out any) error {
	g := out.(*grantAnswer)
	malformed, mistyped := rest.Unmarshal(a, g)
	code, msg := cmp.Or(g.ErrorCode, g.Error), cmp.Or(g.ErrorMessage, g.Description)
	e := grantError(a, string(code))
	switch {
	case e != nil:
	case malformed != nil:
		e = malformed
	case mistyped != nil:
		e = mistyped
	case g.AccessToken == "" || !g.ExpiresIn.Valid:
		e = vendors.Errorf(vendors.BadResponse, "Coze granted access without a token.").WithHint(rootHint)
	default:
		return nil
	}
	e.VendorCode, e.VendorMessage, e.RequestID = rest.Text(string(code)), rest.Text(string(msg)), rest.Text(cmp.Or(a.Header.Get("X-Tt-Logid"), a.Header.Get("X-Log-ID")))
	return e
}

// grantError classifies a refused exchange, nil for none: every code but
// internal_error means that the app's settings are wrong.
func grantError(a rest.Answer, code string) *vendors.Error {
	if code == "" && a.Status < 400 {
		return nil
	}
	e := rest.ByStatus(a)
	switch {
	case e.Kind == vendors.RateLimited:
		e.After = time.Second
	case code == "internal_error", code == "" && e.Kind == vendors.Unavailable:
		e.Kind, e.Message = vendors.Unavailable, "Coze could not issue an access token for now."
	case code == "" && e.Kind == vendors.BadResponse:
		e.Message, e.Hint = "This server does not have the path of Coze's token exchange.", rootHint
	default:
		e.Kind, e.Message, e.Hint = vendors.Unauthenticated, "Coze refused to issue an access token for the JWT app.", Hint
	}
	return e
}

// Clock compares this machine's clock with that of the exchange, which refuses
// JWTs of another time; nothing when it cannot be asked.
func (t *Tokens) Clock(ctx context.Context, now time.Time) []vendors.Finding {
	answer, err := t.client.Stream(ctx, rest.Call{Method: http.MethodGet, Path: t.path}, func(int, http.Header) bool { return true })
	if err != nil {
		return nil
	}
	answer.Body.Close()
	return vendors.Clock(answer.Header.Get("Date"), now, assertion)
}

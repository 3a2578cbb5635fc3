package coze_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/coze"
	"kb-mcp/vendors/rest"
)

// platform answers exchanges and lists by functions, and counts them.
type platform struct {
	mu        sync.Mutex
	exchanges int
	lists     int
	jwts      []string
	exchange  func(n int) (status int, body string)
	refuse    map[string]bool // tokens
	broken    int             // so many lists fail
}

// RoundTrip implements http.RoundTripper. A list takes a second, an exchange a
// tenth of one.
func (p *platform) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	wait := time.Second
	exchanging := strings.HasPrefix(r.URL.Path, "/api/permission/oauth2/")
	if exchanging {
		wait /= 10
	}
	select {
	case <-time.After(wait):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	status, body := 200, `{"code":0,"document_infos":[],"total":0,"detail":{"logid":"x"}}`
	switch {
	case exchanging:
		p.exchanges++
		p.jwts = append(p.jwts, token)
		status, body = p.exchange(p.exchanges)
	case token == "" || p.refuse[token]:
		p.lists++
		status, body = 401, `{"code":700012006,"msg":"access token invalid"}`
	case p.broken > 0:
		p.broken--
		status, body = 500, `{}`
	default:
		p.lists++
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// granted is the answer to an exchange: token-<n>, good for life.
func granted(n int, life time.Duration) (int, string) {
	return 200, fmt.Sprintf(`{"access_token":"token-%d","expires_in":%d}`, n, time.Now().Add(life).Unix())
}

func (p *platform) vendor(t *testing.T) *connection.Connection {
	c := coze.Config{
		ClientID: "1139200000001", PrivateKey: pkcs1(t), PublicKeyID: "fingerprint",
		APIBase: "https://api.coze.com", Dialect: "auto",
	}
	return connection.New("v", "coze", coze.New(c, rest.Conn{Transport: p, Limiter: ratelimit.New(ratelimit.Rate{}, nil)}))
}

func list(ctx context.Context, v *connection.Connection) error {
	_, err := v.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: "1", Limit: 20})
	return err
}

// RS256 is deterministic, and no vector is published: the public half verifies.
func TestJWT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{exchange: func(n int) (int, string) {
			if n == 1 {
				return 500, `{"error_code":"internal_error","error_message":"again"}`
			}
			return granted(n, time.Hour)
		}}
		if err := list(t.Context(), p.vendor(t)); err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, text := range p.jwts {
			claims := jwt.MapClaims{}
			token, err := jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return &key(t).PublicKey, nil },
				jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience("api.coze.com"), jwt.WithIssuer("1139200000001"),
				jwt.WithExpirationRequired(), jwt.WithIssuedAt())
			if err != nil {
				t.Fatal(err)
			}
			if h := token.Header; h["kid"] != "fingerprint" || h["typ"] != "JWT" || h["alg"] != "RS256" || len(h) != 3 {
				t.Errorf("header %v", h)
			}
			id, _ := claims["jti"].(string)
			if len(id) < 32 || ids[id] {
				t.Errorf("jti %q is short or was used before", id)
			}
			ids[id] = true
			if len(claims) != 5 {
				t.Errorf("claims %v", claims)
			}
			if _, ok := claims["iss"].(string); !ok {
				t.Error("iss is no string")
			}
			if a, _ := json.Marshal(claims["aud"]); string(a) != `"api.coze.com"` {
				t.Errorf("aud is %s", a)
			}
		}
		if len(p.jwts) != 2 {
			t.Errorf("%d tries, want 2", len(p.jwts))
		}
	})
}

func TestOneExchangeForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{exchange: func(n int) (int, string) { return granted(n, 15*time.Minute) }}
		v := p.vendor(t)
		herd(t, 50, func() error { return list(t.Context(), v) })
		if p.exchanges != 1 || p.lists != 1 { // equal reads at once are one
			t.Errorf("%d exchanges, %d lists", p.exchanges, p.lists)
		}
		time.Sleep(13 * time.Minute)
		herd(t, 50, func() error { return list(t.Context(), v) })
		if p.exchanges != 1 {
			t.Errorf("%d exchanges before the last minute", p.exchanges)
		}
		time.Sleep(time.Minute + 10*time.Second)
		herd(t, 50, func() error { return list(t.Context(), v) })
		if p.exchanges != 2 {
			t.Errorf("%d exchanges in the last minute, want 2", p.exchanges)
		}
	})
}

func TestOneRenewalForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{exchange: func(n int) (int, string) { return granted(n, 15*time.Minute) }}
		v := p.vendor(t)
		if err := list(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		p.refuse = map[string]bool{"token-1": true}
		herd(t, 50, func() error { return list(t.Context(), v) })
		if p.exchanges != 2 {
			t.Errorf("%d exchanges, want 2", p.exchanges)
		}
	})
}

func TestSharedRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{exchange: func(int) (int, string) { return 401, `{"error_code":"invalid_client"}` }}
		v := p.vendor(t)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if err := list(t.Context(), v); vendors.KindOf(err) != vendors.Unauthenticated {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if p.exchanges != 1 || p.lists != 0 {
			t.Errorf("%d exchanges, %d lists", p.exchanges, p.lists)
		}
	})
}

// A caller that leaves takes neither the exchange nor its outcome from the
// others.
func TestLeaverOfExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{exchange: func(n int) (int, string) { return granted(n, time.Hour) }}
		v := p.vendor(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		first := make(chan error, 1)
		go func() { first <- list(ctx, v) }()
		synctest.Wait() // it is exchanging now
		second := make(chan error, 1)
		go func() { second <- list(t.Context(), v) }()
		var e *vendors.Error
		if err := <-first; !errors.As(err, &e) || e.Kind != vendors.Timeout {
			t.Errorf("the caller that left: %v", err)
		}
		if err := <-second; err != nil {
			t.Errorf("the caller that stayed: %v", err)
		}
	})
}

// A refused renewal leaves requests in flight the earlier token.
func TestRefusedRenewalKeepsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{exchange: func(n int) (int, string) {
			if n > 1 {
				return 401, `{"error_code":"access_deny"}`
			}
			return granted(n, 10*time.Minute)
		}}
		v := p.vendor(t)
		if err := list(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9*time.Minute - 2*time.Second) // the last second in which the token serves
		p.broken = 1
		early := make(chan error, 1)
		go func() { early <- list(t.Context(), v) }()
		time.Sleep(1100 * time.Millisecond) // the first try has failed, the second comes
		if err := list(t.Context(), v); vendors.KindOf(err) != vendors.Unauthenticated {
			t.Errorf("a renewal that was refused: %v", err)
		}
		if err := <-early; err != nil {
			t.Errorf("the request under way: %v", err)
		}
	})
}

// herd calls f n times at once; all must succeed.
func herd(t *testing.T, n int, f func() error) {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

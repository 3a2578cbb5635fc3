package coze_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/sandboxtest"
)

// exchange sends a JWT for these claims, signed by a library, not by us.
func exchangeJWT(d *sandboxtest.Desk, path string, claims jwt.MapClaims, kid, body string) sandboxtest.Reply {
	d.T.Helper()
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(d.S.CozePrivateKey()))
	if err != nil {
		d.T.Fatal(err)
	}
	tok := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	tok.Header["kid"] = kid
	signed, err := tok.SignedString(key)
	if err != nil {
		d.T.Fatal(err)
	}
	return d.Send("POST", "/coze/api/permission/oauth2"+path, body, "Authorization: Bearer "+signed, "Content-Type: application/json")
}

func TestJWTExchange(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	host := strings.TrimPrefix(d.URL, "http://")
	const grant = `{"grant_type":"urn:ietf:params:oauth:grant-type:jwt-bearer","duration_seconds":900}`
	n := 0
	good := func(changes jwt.MapClaims) jwt.MapClaims {
		n++
		c := jwt.MapClaims{
			"iss": coze.ClientID, "aud": host, "iat": d.Now.Unix(), "exp": d.Now.Add(10 * time.Minute).Unix(),
			"jti": fmt.Sprintf("%032d", n),
		}
		maps.Copy(c, changes)
		return c
	}
	tests := []struct {
		name, path string
		change     jwt.MapClaims
		kid, body  string
		want       string
	}{
		{"good", "/token", nil, coze.PublicKeyID, grant, ""},
		{"for an account", "/account/" + coze.AccountID + "/token", nil, coze.PublicKeyID, grant, ""},
		{"host without port", "/token", jwt.MapClaims{"aud": strings.Split(host, ":")[0]}, coze.PublicKeyID, grant, ""},
		{"another account", "/account/7/token", nil, coze.PublicKeyID, grant, "access_deny"},
		{"wrong kid", "/token", nil, "other", grant, "invalid_client"},
		{"wrong iss", "/token", jwt.MapClaims{"iss": "7"}, coze.PublicKeyID, grant, "invalid_client"},
		{"wrong aud", "/token", jwt.MapClaims{"aud": "api.coze.cn"}, coze.PublicKeyID, grant, "invalid_client"},
		{"expired", "/token", jwt.MapClaims{"exp": sandboxtest.Start().Unix() - 1}, coze.PublicKeyID, grant, "invalid_client"},
		{"short jti", "/token", jwt.MapClaims{"jti": "1"}, coze.PublicKeyID, grant, "invalid_client"},
		{"grant type", "/token", nil, coze.PublicKeyID, `{"grant_type":"password"}`, "unsupported_grant_type"},
		{"too long", "/token", nil, coze.PublicKeyID, strings.Replace(grant, "900", "86400", 1), "invalid_request"},
		{"not JSON", "/token", nil, coze.PublicKeyID, "x", "invalid_request"},
	}
	for _, tt := range tests {
		r := exchangeJWT(d, tt.path, good(tt.change), tt.kid, tt.body)
		code, _ := r.At("error_code").(string)
		if code != tt.want || (r.Status == 200) != (tt.want == "") || r.At("code") != nil {
			t.Errorf("%s: %d %s, want %q", tt.name, r.Status, r.Text, tt.want)
		}
	}

	claims := good(nil)
	r := exchangeJWT(d, "/token", claims, coze.PublicKeyID, grant)
	if got, want := fmt.Sprint(r.At("expires_in")), fmt.Sprint(d.Now.Unix()+900); got != want {
		t.Errorf("expires_in = %s, want the absolute time %s", got, want)
	}
	if r := exchangeJWT(d, "/token", claims, coze.PublicKeyID, grant); r.At("error_code") != "invalid_client" {
		t.Errorf("a JWT sent twice: %s", r.Text)
	}
	token, _ := r.At("access_token").(string)
	use := func() string {
		return fmt.Sprint(d.Send("GET", "/coze/v1/workspaces", "", "Authorization: Bearer "+token).At("code"))
	}
	if got := use(); got != "0" || !strings.HasPrefix(token, "czs_") {
		t.Errorf("the new token %q gives %s", token, got)
	}
	d.Now = d.Now.Add(15 * time.Minute)
	if got := use(); got != "700012006" {
		t.Errorf("the expired token gives %s", got)
	}
}

func TestJWTSignature(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	other := sandboxtest.NewDesk(t, sandbox.Options{})
	claims := jwt.MapClaims{
		"iss": coze.ClientID, "aud": strings.TrimPrefix(d.URL, "http://"), "iat": sandboxtest.Start().Unix(),
		"exp": sandboxtest.Start().Add(time.Minute).Unix(), "jti": strings.Repeat("j", 32),
	}
	other.URL = d.URL // signed with the other sandbox's key, sent to this one
	r := exchangeJWT(other, "/token", claims, coze.PublicKeyID, `{"grant_type":"urn:ietf:params:oauth:grant-type:jwt-bearer"}`)
	if r.At("error_code") != "invalid_client" || !strings.Contains(r.Text, "signature") {
		t.Errorf("a foreign signature: %d %s", r.Status, r.Text)
	}
	if vars := strings.Join(d.S.CozeAppVariables("http://x/"), "\n"); !strings.Contains(vars, "COZE_API_BASE=http://x/coze\n") {
		t.Errorf("CozeAppVariables = %s", vars)
	}
}

package sandbox

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"kb-mcp/vendors/sandbox/coze"
)

// exchange sends a JWT for these claims, signed by a library, not by us.
func (d *desk) exchange(path string, claims jwt.MapClaims, kid, body string) reply {
	d.t.Helper()
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(d.s.CozePrivateKey()))
	if err != nil {
		d.t.Fatal(err)
	}
	tok := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	tok.Header["kid"] = kid
	signed, err := tok.SignedString(key)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.send("POST", "/coze/api/permission/oauth2"+path, body, "Authorization: Bearer "+signed, "Content-Type: application/json")
}

func TestJWTExchange(t *testing.T) {
	d := newDesk(t, Options{})
	host := strings.TrimPrefix(d.url, "http://")
	const grant = `{"grant_type":"urn:ietf:params:oauth:grant-type:jwt-bearer","duration_seconds":900}`
	n := 0
	good := func(changes jwt.MapClaims) jwt.MapClaims {
		n++
		c := jwt.MapClaims{
			"iss": coze.ClientID, "aud": host, "iat": d.now.Unix(), "exp": d.now.Add(10 * time.Minute).Unix(),
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
		{"expired", "/token", jwt.MapClaims{"exp": start.Unix() - 1}, coze.PublicKeyID, grant, "invalid_client"},
		{"short jti", "/token", jwt.MapClaims{"jti": "1"}, coze.PublicKeyID, grant, "invalid_client"},
		{"grant type", "/token", nil, coze.PublicKeyID, `{"grant_type":"password"}`, "unsupported_grant_type"},
		{"too long", "/token", nil, coze.PublicKeyID, strings.Replace(grant, "900", "86400", 1), "invalid_request"},
		{"not JSON", "/token", nil, coze.PublicKeyID, "x", "invalid_request"},
	}
	for _, tt := range tests {
		r := d.exchange(tt.path, good(tt.change), tt.kid, tt.body)
		code, _ := r.at("error_code").(string)
		if code != tt.want || (r.status == 200) != (tt.want == "") || r.at("code") != nil {
			t.Errorf("%s: %d %s, want %q", tt.name, r.status, r.text, tt.want)
		}
	}

	claims := good(nil)
	r := d.exchange("/token", claims, coze.PublicKeyID, grant)
	if got, want := fmt.Sprint(r.at("expires_in")), fmt.Sprint(d.now.Unix()+900); got != want {
		t.Errorf("expires_in = %s, want the absolute time %s", got, want)
	}
	if r := d.exchange("/token", claims, coze.PublicKeyID, grant); r.at("error_code") != "invalid_client" {
		t.Errorf("a JWT sent twice: %s", r.text)
	}
	token, _ := r.at("access_token").(string)
	use := func() string {
		return fmt.Sprint(d.send("GET", "/coze/v1/workspaces", "", "Authorization: Bearer "+token).at("code"))
	}
	if got := use(); got != "0" || !strings.HasPrefix(token, "czs_") {
		t.Errorf("the new token %q gives %s", token, got)
	}
	d.now = d.now.Add(15 * time.Minute)
	if got := use(); got != "700012006" {
		t.Errorf("the expired token gives %s", got)
	}
}

func TestJWTSignature(t *testing.T) {
	d := newDesk(t, Options{})
	other := newDesk(t, Options{})
	claims := jwt.MapClaims{
		"iss": coze.ClientID, "aud": strings.TrimPrefix(d.url, "http://"), "iat": start.Unix(),
		"exp": start.Add(time.Minute).Unix(), "jti": strings.Repeat("j", 32),
	}
	other.url = d.url // signed with the other sandbox's key, sent to this one
	r := other.exchange("/token", claims, coze.PublicKeyID, `{"grant_type":"urn:ietf:params:oauth:grant-type:jwt-bearer"}`)
	if r.at("error_code") != "invalid_client" || !strings.Contains(r.text, "signature") {
		t.Errorf("a foreign signature: %d %s", r.status, r.text)
	}
	if vars := strings.Join(d.s.CozeAppVariables("http://x/"), "\n"); !strings.Contains(vars, "COZE_API_BASE=http://x/coze\n") {
		t.Errorf("CozeAppVariables = %s", vars)
	}
}

package coze_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"sync"
	"testing"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/coze"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

func TestDriver(t *testing.T) {
	vendortest.Run(t, "../../testdata/coze", open)
}

// open makes a driver on hosted Coze with the documented space, as far as a
// case does not say otherwise.
func open(t testing.TB, env map[string]string, conn rest.Conn) vendors.Driver {
	t.Helper()
	c := coze.Config{Token: "SECRET", APIBase: "http://vendor.test", SpaceID: "7311219484398790001", Dialect: "hosted"}
	for name, value := range env {
		switch name {
		case "COZE_API_TOKEN":
			c.Token = value
		case "COZE_JWT_OAUTH_CLIENT_ID":
			c.ClientID, c.PrivateKey = value, pkcs8(t)
		case "COZE_JWT_OAUTH_PUBLIC_KEY_ID":
			c.PublicKeyID = value
		case "COZE_API_BASE":
			c.APIBase = value
		case "COZE_SPACE_ID":
			c.SpaceID = value
		case "COZE_ACCOUNT_ID":
			c.AccountID = value
		case "COZE_DIALECT":
			c.Dialect = value
		default:
			t.Fatalf("no such variable: %s", name)
		}
	}
	if problems := c.Problems(); len(problems) > 0 {
		t.Fatalf("configuration: %v", problems)
	}
	return coze.New(c, conn)
}

// testKey is one key for all tests: making one takes a while.
var testKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func key(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func pkcs8(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key(t))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func pkcs1(t testing.TB) string {
	t.Helper()
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key(t))}))
}

func TestConfigProblems(t *testing.T) {
	good := coze.Config{Token: "pat_0", APIBase: "https://api.coze.cn", Dialect: "auto"}
	app := coze.Config{ClientID: "1", PrivateKey: pkcs8(t), PublicKeyID: "k", APIBase: "https://api.coze.com", Dialect: "auto"}
	with := func(c coze.Config, change func(*coze.Config)) coze.Config { change(&c); return c }
	tests := []struct {
		name   string
		config coze.Config
		want   string // the variables with problems, in order
	}{
		{"token", good, ""},
		{"app", app, ""},
		{"PKCS#1", with(app, func(c *coze.Config) { c.PrivateKey = pkcs1(t) }), ""},
		{"literal line ends", with(app, func(c *coze.Config) { c.PrivateKey = strings.ReplaceAll(c.PrivateKey, "\n", `\n`) }), ""},
		{"studio on plain HTTP", with(good, func(c *coze.Config) { c.APIBase, c.Dialect = "http://10.0.0.2:8888", "studio" }), ""},
		{"no dialect", with(good, func(c *coze.Config) { c.Dialect = "" }), ""},
		{"nothing", coze.Config{APIBase: "https://api.coze.cn"}, "COZE_API_TOKEN"},
		{"half an app", with(app, func(c *coze.Config) { c.ClientID, c.PublicKeyID = "", "" }), "COZE_JWT_OAUTH_CLIENT_ID COZE_JWT_OAUTH_PUBLIC_KEY_ID"},
		{"app without key", with(app, func(c *coze.Config) { c.PrivateKey = "" }), "COZE_JWT_OAUTH_PRIVATE_KEY"},
		{"no PEM", with(app, func(c *coze.Config) { c.PrivateKey = "nonsense" }), "COZE_JWT_OAUTH_PRIVATE_KEY"},
		{"a path", with(app, func(c *coze.Config) { c.PrivateKey = "/etc/key.pem" }), "COZE_JWT_OAUTH_PRIVATE_KEY"},
		{"app on studio", with(app, func(c *coze.Config) { c.Dialect = "studio" }), "COZE_API_TOKEN"},
		{"Bearer", with(good, func(c *coze.Config) { c.Token = "Bearer pat_0" }), "COZE_API_TOKEN"},
		{"line end", with(good, func(c *coze.Config) { c.Token = "pat_0\n" }), "COZE_API_TOKEN"},
		{"all at once", coze.Config{Token: "a b", APIBase: "ftp://x", SpaceID: "mine", AccountID: "-1", Dialect: "cloud"},
			"COZE_API_TOKEN COZE_API_BASE COZE_SPACE_ID COZE_ACCOUNT_ID COZE_DIALECT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range tt.config.Problems() {
				got = append(got, p.Variable)
				for _, value := range []string{"a b", "pat_0", "nonsense", "ftp://", "mine", "cloud", "/etc/"} {
					if strings.Contains(p.Text, value) {
						t.Errorf("%s shows a value: %s", p.Variable, p.Text)
					}
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("problems with %q, want %q", s, tt.want)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	a := coze.Config{Token: "pat_first", APIBase: "https://api.coze.cn"}
	b := coze.Config{Token: "pat_first", APIBase: "https://API.coze.cn/"}
	if a.Account() != b.Account() {
		t.Error("one account has two names")
	}
	if strings.Contains(a.Account(), "pat_first") {
		t.Error("the account's name holds the token")
	}
	others := []coze.Config{
		{Token: "pat_other", APIBase: a.APIBase},
		{Token: a.Token, APIBase: "https://api.coze.com"},
		{ClientID: "1", PublicKeyID: "k", APIBase: a.APIBase},
		{ClientID: "1", PublicKeyID: "k", AccountID: "2", APIBase: a.APIBase},
	}
	seen := map[string]bool{a.Account(): true}
	for _, c := range others {
		if seen[c.Account()] {
			t.Errorf("two accounts have the name %q", c.Account())
		}
		seen[c.Account()] = true
	}
}

func TestDefaultRate(t *testing.T) {
	if _, err := ratelimit.Parse(coze.Config{}.DefaultRate()); err != nil {
		t.Error(err)
	}
}

package volcengine

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

const cases = "../../testdata/volcengine"

func TestDriver(t *testing.T) { vendortest.Run(t, cases, open) }

// open makes the driver with an API key, unless env says otherwise.
func open(t testing.TB, env map[string]string, conn rest.Conn) vendors.Driver {
	c := Config{BaseURL: "http://vendor.test", Region: "cn-beijing", Project: "default", APIKey: "SECRET"}
	v := reflect.ValueOf(&c).Elem()
	for name, value := range env {
		set := false
		for i := range v.NumField() {
			if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("env"), ","); tag == name {
				v.Field(i).SetString(value)
				set = true
			}
		}
		if !set {
			t.Fatalf("no variable %s", name)
		}
	}
	d := New(c, conn)
	d.newID = func() string { return "d00112233445566778899aabbccddeeff" }
	return d
}

// good is a configuration without problems.
func good() Config {
	return Config{
		AccessKey: "AKLTEXAMPLE", SecretKey: "c2VjcmV0LWtleQ==", Region: "cn-beijing", Project: "default",
		BaseURL: "https://api-knowledgebase.mlp.cn-beijing.volces.com",
	}
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"a pair", func(*Config) {}, nil},
		{"a temporary pair", func(c *Config) { c.SessionToken = "STS==" }, nil},
		{"an API key", func(c *Config) { c.AccessKey, c.SecretKey, c.APIKey = "", "", "vk-1" }, nil},
		{"its alias", func(c *Config) { c.AccessKey, c.SecretKey, c.VikingAPIKey = "", "", "vk-1" }, nil},
		{"both", func(c *Config) { c.APIKey = "vk-1" }, nil},
		{"nothing", func(c *Config) { c.AccessKey, c.SecretKey = "", "" }, []string{"VOLCENGINE_API_KEY"}},
		{"no secret", func(c *Config) { c.SecretKey = "" }, []string{"VOLCENGINE_SECRET_KEY"}},
		{"no access key", func(c *Config) { c.AccessKey = "" }, []string{"VOLCENGINE_ACCESS_KEY"}},
		{"half a pair beside an API key", func(c *Config) { c.APIKey, c.SecretKey = "vk-1", "" }, []string{"VOLCENGINE_SECRET_KEY"}},
		{"a bearer", func(c *Config) { c.APIKey = "Bearer vk-1" }, []string{"VOLCENGINE_API_KEY"}},
		{"a line break", func(c *Config) { c.SecretKey += "\n" }, []string{"VOLCENGINE_SECRET_KEY"}},
		{"quotes", func(c *Config) { c.VikingAPIKey = `"vk-1"` }, []string{"VIKING_API_KEY"}},
		{"no URL", func(c *Config) { c.BaseURL = "cn-beijing" }, []string{"VOLCENGINE_BASE_URL"}},
		{"plain http", func(c *Config) { c.BaseURL = "http://api-knowledgebase.mlp.cn-beijing.volces.com" }, []string{"VOLCENGINE_BASE_URL"}},
		{"plain http to this machine", func(c *Config) { c.BaseURL = "http://127.0.0.1:18080/volcengine" }, nil},
		{"plain http to localhost", func(c *Config) { c.BaseURL = "http://localhost:18080" }, nil},
		{"plain http to IPv6", func(c *Config) { c.BaseURL = "http://[::1]:18080" }, nil},
		{"the host of 2024", func(c *Config) { c.BaseURL = "https://api-knowledgebase.ml_platform.cn-beijing.volces.com" }, []string{"VOLCENGINE_BASE_URL"}},
		{"a whole path", func(c *Config) { c.BaseURL += "/api/knowledge/" }, []string{"VOLCENGINE_BASE_URL"}},
		{"a region with a slash", func(c *Config) { c.Region = "cn/beijing" }, []string{"VOLCENGINE_REGION"}},
		{"an empty project", func(c *Config) { c.Project = " " }, []string{"VOLCENGINE_PROJECT"}},
		{"all at once", func(c *Config) { *c = Config{AccessKey: "a b", BaseURL: "x", Region: "X"} },
			[]string{"VOLCENGINE_SECRET_KEY", "VOLCENGINE_ACCESS_KEY", "VOLCENGINE_BASE_URL", "VOLCENGINE_REGION", "VOLCENGINE_PROJECT"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := good()
			tt.change(&c)
			var got []string
			for _, p := range c.Problems() {
				got = append(got, p.Variable)
				if strings.Contains(p.Text, "vk-1") || strings.Contains(p.Text, "c2VjcmV0") {
					t.Errorf("%s shows the value: %s", p.Variable, p.Text)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Connections on one account share a limiter; a key never shows.
func TestAccount(t *testing.T) {
	pair, key := good(), good()
	key.APIKey = "vk-one"
	alias := good()
	alias.VikingAPIKey = "vk-one"
	slash := good()
	slash.BaseURL, slash.Project = strings.ToUpper(slash.BaseURL)+"/", "other"
	elsewhere := good()
	elsewhere.BaseURL = "http://127.0.0.1:18080"
	if pair.Account() == key.Account() || pair.Account() == elsewhere.Account() {
		t.Error("different accounts share one limiter")
	}
	if key.Account() != alias.Account() || pair.Account() != slash.Account() {
		t.Error("one account has two limiters")
	}
	if strings.Contains(key.Account(), key.APIKey) {
		t.Error("the account shows the key")
	}
	if pair.DefaultRate() != "10/s" {
		t.Error(pair.DefaultRate())
	}
}

// The credentials and the alias are tagged, so that they can be files and
// stay out of every text.
func TestSecretTags(t *testing.T) {
	var got []string
	for i := range reflect.TypeFor[Config]().NumField() {
		if f := reflect.TypeFor[Config]().Field(i); f.Tag.Get("secret") == "true" {
			got = append(got, f.Tag.Get("env"))
		}
	}
	want := []string{"VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY", "VOLCENGINE_SESSION_TOKEN", "VOLCENGINE_API_KEY", "VIKING_API_KEY"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Every failure code explains itself; the words may change, what
// can be repeated may not.
func TestFailureCodes(t *testing.T) {
	for code, want := range map[string]string{
		"10001": "true", "10002": "true", "10003": "false", "10005": "false", "30001": "false", "35001": "false",
		"40004": "false", "35002": "false", "36007": "false", "35004": "false", "36005": "false", "36003": "false",
		"36004": "false", "36006": "false", "36008": "false", "45002": "false", "77777": "absent", "": "absent", "0": "absent",
	} {
		f := failure(code, "")
		got := "absent"
		if f.Retryable != nil {
			got = map[bool]string{true: "true", false: "false"}[*f.Retryable]
		}
		if got != want || f.Message == "" || f.Hint == "" {
			t.Errorf("%q: retryable %s, want %s: %+v", code, got, want, f)
		}
	}
}

// Every code of an API error that is known.
func TestErrorCodes(t *testing.T) {
	d := New(good(), rest.Conn{})
	for _, tt := range []struct {
		codes string
		kind  vendors.Kind
		now   bool // repeated within the call
		later bool // worth a later call
	}{
		{"1000001 1000015", vendors.Unauthenticated, false, false},
		{"1000002", vendors.PermissionDenied, false, false},
		{"1000003 1000016 1000017 1000018 1000019", vendors.InvalidArgument, false, false},
		{"1000004 1001002 1000006 1000007", vendors.Conflict, false, false},
		{"1000005 1001001 1000011 1002001", vendors.ErrNotFound, false, false},
		{"1000008 1000023", vendors.Conflict, false, true},
		{"1000029 300004", vendors.RateLimited, true, true},
		{"1001010 1000032 1000033", vendors.QuotaExhausted, false, false},
		{"1000024", vendors.Unsupported, false, false},
		{"1000021 1000022 1000028", vendors.Unavailable, true, true},
		{"1000010 1000013 1000014 1000020 1000025 1000030", vendors.Unavailable, false, false},
		{"1777777", vendors.VendorError, false, false},
	} {
		for code := range strings.FieldsSeq(tt.codes) {
			e := d.refusal(rest.Answer{Status: 200}, code, "words")
			if _, now := e.RetryIn(); e.Kind != tt.kind || now != tt.now || e.Retryable() != tt.later || e.VendorCode != code {
				t.Errorf("%s: %+v", code, e)
			}
		}
	}
}

func TestRules(t *testing.T) {
	vendortest.Rules(t, cases, rules(), func(a rest.Answer) (code, text string) {
		var h receipt
		rest.Unmarshal(a, &h)
		code, text, _ = h.said()
		return code, text
	})
}

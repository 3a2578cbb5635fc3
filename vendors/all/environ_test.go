package all

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kb-mcp/vendors/coze"
	difydriver "kb-mcp/vendors/dify"
	"kb-mcp/vendors/ragflow"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/volcengine"
)

// documented is the table of the README: each variable with its default, secrets
// with a star.
var documented = map[string]map[string]string{
	"coze": {
		"COZE_API_TOKEN*": "", "COZE_JWT_OAUTH_CLIENT_ID": "", "COZE_JWT_OAUTH_PRIVATE_KEY*": "", "COZE_JWT_OAUTH_PUBLIC_KEY_ID": "",
		"COZE_API_BASE": "https://api.coze.cn", "COZE_SPACE_ID": "", "COZE_ACCOUNT_ID": "", "COZE_DIALECT": "auto",
	},
	"dify":    {"DIFY_API_KEY*": "", "DIFY_BASE_URL": "https://api.dify.ai/v1"},
	"ragflow": {"RAGFLOW_API_KEY*": "", "RAGFLOW_BASE_URL": "", "RAGFLOW_API_GENERATION": "auto"},
	"volcengine": {
		"VOLCENGINE_ACCESS_KEY*": "", "VOLCENGINE_SECRET_KEY*": "", "VOLCENGINE_SESSION_TOKEN*": "", "VOLCENGINE_API_KEY*": "", "VIKING_API_KEY*": "",
		"VOLCENGINE_BASE_URL": "https://api-knowledgebase.mlp.cn-beijing.volces.com", "VOLCENGINE_REGION": "cn-beijing", "VOLCENGINE_PROJECT": "default",
	},
}

// configs are the settings that each platform reads.
func configs() map[string]any {
	return map[string]any{"coze": &coze.Config{}, "dify": &difydriver.Config{}, "ragflow": &ragflow.Config{}, "volcengine": &volcengine.Config{}}
}

// names lists the documented variables of a platform, with _FILE forms and the
// shared ones.
func names(platform string) (list, secrets []string) {
	for name := range documented[platform] {
		name, secret := strings.CutSuffix(name, "*")
		list = append(list, name)
		if secret {
			secrets = append(secrets, name)
			list = append(list, name+"_FILE")
		}
	}
	for _, name := range []string{"RATE_LIMIT", "SEARCH_RATE_LIMIT", "TIMEOUT"} {
		list = append(list, strings.ToUpper(platform)+"_"+name)
	}
	slices.Sort(list)
	slices.Sort(secrets)
	return list, secrets
}

// TestVariables: exactly the documented variables are known.
func TestVariables(t *testing.T) {
	var seen []string
	for _, p := range Platforms() {
		seen = append(seen, p.Name)
		want, secrets := names(p.Name)
		slices.Sort(p.Variables)
		if !slices.Equal(p.Variables, want) {
			t.Errorf("%s reads %v\nwant %v", p.Name, p.Variables, want)
		}
		for _, name := range secrets { // and each of them may be a file
			if !slices.Contains(p.Variables, name+"_FILE") {
				t.Errorf("%s does not know %s as a secret", p.Name, name)
			}
		}
		if !strings.Contains(p.Needs, strings.ToUpper(p.Name)+"_") {
			t.Errorf("%s needs %q", p.Name, p.Needs)
		}
	}
	if got := strings.Join(seen, " "); got != "coze dify ragflow volcengine" {
		t.Errorf("platforms %s", got)
	}
}

// TestLoad: each variable reaches its own field, with and without a prefix;
// unset and empty ones have the documented default.
func TestLoad(t *testing.T) {
	for platform := range documented {
		for _, prefix := range []string{"", "STAGING_"} {
			for _, mode := range []string{"set", "unset", "empty", "blank", "unexpanded"} {
				var environ, want []string
				for name, value := range documented[platform] {
					name, secret := strings.CutSuffix(name, "*")
					switch mode {
					case "set":
						value = "value of " + name
						environ = append(environ, prefix+name+"="+value)
					case "empty":
						environ = append(environ, prefix+name+"=")
					case "blank":
						environ = append(environ, prefix+name+"= \t ")
					case "unexpanded":
						environ = append(environ, prefix+name+"=${"+name+"}")
					}
					if secret && mode != "set" {
						environ = append(environ, prefix+name+"_FILE=")
					}
					want = append(want, value)
				}
				into := configs()[platform]
				problems := NewEnviron(environ).Load(prefix, into)
				if mode == "blank" || mode == "unexpanded" { // only a base URL must not be lost
					base := regexp.MustCompile("^" + strings.ToUpper(platform) + "_(BASE_URL|API_BASE)$")
					problems = slices.DeleteFunc(problems, func(p rest.Problem) bool { return base.MatchString(p.Variable) })
				}
				if len(problems) > 0 {
					t.Errorf("%s%s, %s: %v", prefix, platform, mode, problems)
				}
				var got []string
				v := reflect.ValueOf(into).Elem()
				for i := range v.NumField() {
					got = append(got, v.Field(i).String())
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%s%s, %s: fields %q, want %q", prefix, platform, mode, got, want)
				}
			}
		}
	}
}

// TestUnexpanded: what a host failed to fill in counts as unset and is named.
func TestUnexpanded(t *testing.T) {
	var environ, want []string
	for platform := range documented {
		list, _ := names(platform)
		for i, name := range list {
			for _, name := range []string{name, "STAGING_" + name} {
				environ = append(environ, name+"="+[]string{"${" + name + "}", "${user_config.api_key}", " $" + name + " ", "${}"}[i%4])
				want = append(want, name)
			}
		}
	}
	for _, name := range []string{"KB_MCP_VENDORS", "KB_MCP_CA_FILE", "KB_MCP_AUTH_TOKENS", "KB_MCP_REDIS_URL"} {
		environ = append(environ, name+"=${"+name+"}")
		want = append(want, name)
	}
	environ = append(environ, "PATH=${PATH}", "OTHER_KEY=${OTHER_KEY}", "KB_MCP_ADDR=a${b}", "KB_MCP_LOG_LEVEL=$5", "DIFYX_API_KEY=${X}")
	env := NewEnviron(environ)
	slices.Sort(want)
	if !slices.Equal(env.Unexpanded, want) {
		t.Errorf("Unexpanded = %v\nwant %v", env.Unexpanded, want)
	}
	for _, name := range want {
		if v := env.Get(name); v != "" {
			t.Errorf("%s = %q", name, v)
		}
	}
	if env.Get("KB_MCP_ADDR") != "a${b}" || env.Get("PATH") != "${PATH}" {
		t.Error("a variable that is not ours, or not wholly unexpanded, was dropped")
	}
	if list, problems := Open(env, Options{}); len(list) > 0 || len(problems) > 0 {
		t.Errorf("Open = %v, %v, want nothing configured", list, problems)
	}
}

func TestNames(t *testing.T) {
	env := NewEnviron([]string{"KB_MCP_B=1", "KB_MCP_A=1", "KB_MCP_EMPTY=", "OTHER=1"})
	if got := env.Names("KB_MCP_"); !slices.Equal(got, []string{"KB_MCP_A", "KB_MCP_B"}) {
		t.Errorf("Names = %v", got)
	}
}

// TestFiles: each secret may be given as a file, under any prefix; it is kept
// out of texts as if it had been given directly.
func TestFiles(t *testing.T) {
	for platform := range documented {
		_, secrets := names(platform)
		for _, name := range secrets {
			for _, prefix := range []string{"", "STAGING_"} {
				env := NewEnviron([]string{prefix + name + "_FILE=" + file(t, "\n canary-"+name+"\r\n"), prefix + name + "="})
				into := configs()[platform]
				for range 2 { // each connection of a platform loads
					if problems := env.Load(prefix, into); len(problems) > 0 {
						t.Errorf("%s: %v", prefix+name, problems)
					}
				}
				if got := fmt.Sprint(into); !strings.Contains(got, "canary-"+name) || strings.ContainsAny(got, "\r\n") {
					t.Errorf("%s: settings %q", prefix+name, got)
				}
				if got := env.Secrets.Clean("x canary-" + name + " y"); got != "x [redacted] y" {
					t.Errorf("%s: Clean = %q", prefix+name, got)
				}
			}
		}
	}
}

// TestPrivateKeyFile: a PEM file makes a connection of Coze's JWT app.
func TestPrivateKeyFile(t *testing.T) {
	pem := sandbox.New(sandbox.Options{}).CozePrivateKey()
	environ := []string{"COZE_JWT_OAUTH_CLIENT_ID=1", "COZE_JWT_OAUTH_PUBLIC_KEY_ID=2"}
	one(t, append(environ, "COZE_JWT_OAUTH_PRIVATE_KEY_FILE="+file(t, pem))...)
	one(t, append(environ, "COZE_JWT_OAUTH_PRIVATE_KEY="+pem)...)
	one(t, append(environ, "COZE_JWT_OAUTH_PRIVATE_KEY="+strings.ReplaceAll(pem, "\n", `\n`))...)
}

// TestListsOfSecrets: of tokens separated by commas each is one.
func TestListsOfSecrets(t *testing.T) {
	var s struct {
		Tokens string `env:"KB_MCP_AUTH_TOKENS" secret:"true"`
	}
	env := NewEnviron([]string{"KB_MCP_AUTH_TOKENS=token-one, token-two"})
	if problems := env.Load("", &s); len(problems) > 0 || s.Tokens != "token-one, token-two" {
		t.Errorf("Load = %v, %q", problems, s.Tokens)
	}
	if got := env.Secrets.Clean("a token-two b token-one"); got != "a [redacted] b [redacted]" {
		t.Errorf("Clean = %q", got)
	}
}

func TestBadFiles(t *testing.T) {
	for name, tt := range map[string]struct {
		environ []string
		want    string
		text    string
	}{
		"both":       {[]string{"DIFY_API_KEY=dataset-canary", "DIFY_API_KEY_FILE=" + file(t, "dataset-canary")}, "DIFY_API_KEY", "DIFY_API_KEY_FILE"},
		"absent":     {[]string{"DIFY_API_KEY_FILE=/nonexistent/canary"}, "DIFY_API_KEY_FILE", "cannot be read"},
		"a folder":   {[]string{"DIFY_API_KEY_FILE=" + os.TempDir()}, "DIFY_API_KEY_FILE", "cannot be read"},
		"empty":      {[]string{"DIFY_API_KEY_FILE=" + file(t, "")}, "DIFY_API_KEY_FILE", "empty"},
		"blank":      {[]string{"DIFY_API_KEY_FILE=" + file(t, " \n\n")}, "DIFY_API_KEY_FILE", "empty"},
		"too large":  {[]string{"DIFY_API_KEY_FILE=" + file(t, strings.Repeat("canary ", 1<<14))}, "DIFY_API_KEY_FILE", "too large"},
		"not unset":  {[]string{"DIFY_API_KEY=${X}", "DIFY_API_KEY_FILE=/nonexistent/canary"}, "DIFY_API_KEY_FILE", "cannot be read"},
		"and others": {[]string{"DIFY_API_KEY_FILE=/nonexistent/canary", "DIFY_BASE_URL=canary", "DIFY_TIMEOUT=canary"}, "DIFY_API_KEY_FILE DIFY_BASE_URL DIFY_TIMEOUT", "cannot be read"},
		"named": {[]string{"KB_MCP_VENDORS=b=dify", "B_DIFY_API_KEY=dataset-canary", "B_DIFY_API_KEY_FILE=/canary"}, "B_DIFY_API_KEY",
			"and B_DIFY_API_KEY_FILE are both set"},
	} {
		t.Run(name, func(t *testing.T) {
			list, problems := Open(NewEnviron(tt.environ), Options{})
			if got := variables(problems); got != tt.want || list != nil {
				t.Fatalf("problems of %q, want %q", got, tt.want)
			}
			if !strings.Contains(problems[0].Text, tt.text) || strings.Contains(fmt.Sprint(problems), "canary") {
				t.Errorf("problems %v", problems)
			}
		})
	}
}

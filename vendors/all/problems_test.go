package all

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestProblems(t *testing.T) {
	const key = "DIFY_API_KEY=dataset-0123456789"
	for _, tt := range []struct {
		name    string
		environ []string
		want    string // variables
		text    string // in the first problem
	}{
		{name: "coze without a credential", environ: []string{"COZE_SPACE_ID=1"}, want: "COZE_API_TOKEN"},
		{name: "half of a JWT app", environ: []string{"COZE_JWT_OAUTH_CLIENT_ID=1"}, want: "COZE_JWT_OAUTH_PRIVATE_KEY COZE_JWT_OAUTH_PUBLIC_KEY_ID"},
		{name: "a JWT app without its public key", environ: []string{"COZE_JWT_OAUTH_CLIENT_ID=1", "COZE_JWT_OAUTH_PRIVATE_KEY=canary"}, want: "COZE_JWT_OAUTH_PRIVATE_KEY COZE_JWT_OAUTH_PUBLIC_KEY_ID"},
		{name: "ragflow without its address", environ: []string{"RAGFLOW_API_KEY=ragflow-x"}, want: "RAGFLOW_BASE_URL"},
		{name: "ragflow without its key", environ: []string{"RAGFLOW_BASE_URL=http://127.0.0.1:9380"}, want: "RAGFLOW_API_KEY"},
		{name: "an access key without its secret", environ: []string{"VOLCENGINE_ACCESS_KEY=AKcanary"}, want: "VOLCENGINE_SECRET_KEY"},
		{name: "a secret without its access key", environ: []string{"VOLCENGINE_SECRET_KEY=canary"}, want: "VOLCENGINE_ACCESS_KEY"},
		{name: "a session token alone", environ: []string{"VOLCENGINE_SESSION_TOKEN=canary"}, want: "VOLCENGINE_API_KEY"},

		{name: "no URL", environ: []string{key, "DIFY_BASE_URL=canary.example/v1"}, want: "DIFY_BASE_URL", text: "http"},
		{name: "a URL with a password", environ: []string{key, "DIFY_BASE_URL=https://me:canary@h/v1"}, want: "DIFY_BASE_URL", text: "password"},
		{name: "a URL that cannot be parsed", environ: []string{key, "DIFY_BASE_URL=http://h:canary/"}, want: "DIFY_BASE_URL", text: "not a URL"},
		{name: "a duration without a unit", environ: []string{key, "DIFY_TIMEOUT=15"}, want: "DIFY_TIMEOUT", text: "15s"},
		{name: "no duration", environ: []string{key, "DIFY_TIMEOUT=canary"}, want: "DIFY_TIMEOUT"},
		{name: "a duration of nothing", environ: []string{key, "DIFY_TIMEOUT=0s"}, want: "DIFY_TIMEOUT"},
		{name: "a negative duration", environ: []string{key, "DIFY_TIMEOUT=-1s"}, want: "DIFY_TIMEOUT"},
		{name: "no rate", environ: []string{key, "DIFY_RATE_LIMIT=canary"}, want: "DIFY_RATE_LIMIT", text: "10/s"},
		{name: "a rate of nothing", environ: []string{key, "DIFY_RATE_LIMIT=0/s"}, want: "DIFY_RATE_LIMIT"},
		{name: "a rate with a loose comma", environ: []string{key, "DIFY_RATE_LIMIT=10/s,"}, want: "DIFY_RATE_LIMIT"},
		{name: "no rate of searches", environ: []string{key, "DIFY_SEARCH_RATE_LIMIT=10"}, want: "DIFY_SEARCH_RATE_LIMIT"},
		{name: "an unknown dialect", environ: []string{"COZE_API_TOKEN=pat_x", "COZE_DIALECT=canary"}, want: "COZE_DIALECT"},
		{name: "an unknown generation", environ: []string{"RAGFLOW_API_KEY=x", "RAGFLOW_BASE_URL=http://h", "RAGFLOW_API_GENERATION=canary"}, want: "RAGFLOW_API_GENERATION"},

		{name: "an unknown platform", environ: []string{key, "KB_MCP_VENDORS=dify,canary-1"}, want: "KB_MCP_VENDORS", text: "entry 2 names no platform; known are coze, dify, ragflow, volcengine"},
		{name: "an unknown platform by a name", environ: []string{key, "KB_MCP_VENDORS=staging=canary!"}, want: "KB_MCP_VENDORS", text: "entry 1"},
		{name: "a platform in capitals", environ: []string{key, "KB_MCP_VENDORS=Dify"}, want: "KB_MCP_VENDORS", text: `entry 1 names "Dify", which is not a platform; did you mean dify?`},
		{name: "a misspelt platform", environ: []string{key, "KB_MCP_VENDORS=dify,b=ragfow"}, want: "KB_MCP_VENDORS", text: `entry 2 names "ragfow", which is not a platform; did you mean ragflow?`},
		{name: "another platform", environ: []string{key, "KB_MCP_VENDORS=notion"}, want: "KB_MCP_VENDORS", text: `entry 1 names "notion", which is not a platform; known are`},
		{name: "a bad name", environ: []string{key, "KB_MCP_VENDORS=Canary-1=dify"}, want: "KB_MCP_VENDORS", text: "bad name"},
		{name: "a name that begins with a digit", environ: []string{key, "KB_MCP_VENDORS=2nd=dify"}, want: "KB_MCP_VENDORS", text: "bad name"},
		{name: "no name", environ: []string{key, "KB_MCP_VENDORS==dify"}, want: "KB_MCP_VENDORS", text: "bad name"},
		{name: "no platform", environ: []string{key, "KB_MCP_VENDORS=staging="}, want: "KB_MCP_VENDORS", text: "names no platform"},
		{name: "a name twice", environ: []string{key, "KB_MCP_VENDORS=dify,coze=dify,dify", "COZE_DIFY_API_KEY=dataset-x"}, want: "KB_MCP_VENDORS", text: "entry 3 has the name of an earlier one"},
		{name: "a name without credentials", environ: []string{key, "KB_MCP_VENDORS=dify,staging=dify"}, want: "STAGING_DIFY_API_KEY", text: "missing"},
		{name: "names without credentials", environ: []string{"KB_MCP_VENDORS=coze,dify,ragflow,volcengine"},
			want: "COZE_API_TOKEN DIFY_API_KEY RAGFLOW_API_KEY RAGFLOW_BASE_URL VOLCENGINE_API_KEY"},
		{name: "the other variable of a named connection", environ: []string{"KB_MCP_VENDORS=b=volcengine", "B_VOLCENGINE_ACCESS_KEY=AK"},
			want: "B_VOLCENGINE_SECRET_KEY", text: "B_VOLCENGINE_ACCESS_KEY is set"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, problems := Open(NewEnviron(tt.environ), Options{})
			if got := variables(problems); got != tt.want || list != nil {
				t.Fatalf("problems of %q, want %q: %v", got, tt.want, problems)
			}
			if !strings.Contains(problems[0].Text, tt.text) || strings.Contains(strings.ToLower(fmt.Sprint(problems)), "canary") {
				t.Errorf("problems %v", problems)
			}
		})
	}
}

// TestEverythingWrong: one start names everything, always in the same order,
// and shows nothing.
func TestEverythingWrong(t *testing.T) {
	environ := []string{
		"KB_MCP_VENDORS=coze,dify,ragflow,volcengine,b=volcengine,Canary=dify,canary-x,c=dify,c=coze",
		"KB_MCP_CA_FILE=/nonexistent/canary", "HTTPS_PROXY=http://me:canary@h:port", "http_proxy=h:canary",
		"COZE_JWT_OAUTH_CLIENT_ID=canary", "COZE_JWT_OAUTH_PRIVATE_KEY=canary", "COZE_API_BASE=canary", "COZE_SPACE_ID=canary",
		"COZE_ACCOUNT_ID=canary", "COZE_DIALECT=canary", "COZE_TIMEOUT=canary", "COZE_RATE_LIMIT=canary", "COZE_SEARCH_RATE_LIMIT=canary",
		"DIFY_API_KEY=app-canary", "DIFY_API_KEY_FILE=/canary", "DIFY_BASE_URL=https://canary@h", "DIFY_TIMEOUT=1canary", "DIFY_RATE_LIMIT=1/canary",
		"RAGFLOW_API_KEY_FILE=/nonexistent/canary", "RAGFLOW_BASE_URL=http://h?canary", "RAGFLOW_API_GENERATION=canary",
		"VOLCENGINE_ACCESS_KEY=canary canary", "VOLCENGINE_BASE_URL=http://canary.example", "VOLCENGINE_REGION=CANARY", "VOLCENGINE_SESSION_TOKEN=can ary",
		"B_VOLCENGINE_API_KEY=Bearer canary", "B_VOLCENGINE_TIMEOUT=canary", "C_DIFY_RATE_LIMIT=canary",
	}
	want := strings.Fields(`B_VOLCENGINE_API_KEY B_VOLCENGINE_TIMEOUT
		COZE_ACCOUNT_ID COZE_API_BASE COZE_DIALECT COZE_JWT_OAUTH_PRIVATE_KEY COZE_JWT_OAUTH_PUBLIC_KEY_ID COZE_RATE_LIMIT COZE_SEARCH_RATE_LIMIT COZE_SPACE_ID COZE_TIMEOUT
		C_DIFY_API_KEY C_DIFY_RATE_LIMIT DIFY_API_KEY DIFY_BASE_URL DIFY_RATE_LIMIT DIFY_TIMEOUT
		HTTPS_PROXY KB_MCP_CA_FILE KB_MCP_VENDORS KB_MCP_VENDORS KB_MCP_VENDORS
		RAGFLOW_API_GENERATION RAGFLOW_API_KEY_FILE RAGFLOW_BASE_URL
		VOLCENGINE_ACCESS_KEY VOLCENGINE_BASE_URL VOLCENGINE_REGION VOLCENGINE_SECRET_KEY VOLCENGINE_SESSION_TOKEN http_proxy`)
	slices.Sort(want)
	first := ""
	for range 20 {
		rand.Shuffle(len(environ), func(i, j int) { environ[i], environ[j] = environ[j], environ[i] })
		list, problems := Open(NewEnviron(environ), Options{})
		if got := variables(problems); got != strings.Join(want, " ") || list != nil {
			t.Fatalf("problems of %s\nwant        %s", got, strings.Join(want, " "))
		}
		text := fmt.Sprint(problems)
		if first == "" {
			first = text
		}
		if text != first {
			t.Fatalf("another order or text:\n%s\n%s", text, first)
		}
		if low := strings.ToLower(text); strings.Contains(low, "canary") || strings.Contains(low, "can ary") {
			t.Fatalf("a value shows in %s", text)
		}
		for _, p := range problems {
			if p.Text == "" || strings.ContainsAny(p.Text, "\r\n") {
				t.Errorf("%s has the text %q", p.Variable, p.Text)
			}
		}
	}
}

// TestNoValueShows: a canary in every variable there is, alone and all at once,
// shows in no problem.
func TestNoValueShows(t *testing.T) {
	var all []string
	for platform := range documented {
		list, _ := names(platform)
		all = append(all, list...)
	}
	all = append(all, "KB_MCP_VENDORS", "KB_MCP_CA_FILE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
	check := func(environ ...string) {
		t.Helper()
		_, problems := Open(NewEnviron(environ), Options{})
		if text := strings.ToLower(fmt.Sprint(problems)); strings.Contains(text, "canary") {
			t.Errorf("%q: %s", environ, text)
		}
	}
	for _, value := range []string{"canary-7", "http://me:canary@h/", "http://h:canary", "canary canary", "-canary/%zz", "10/canary", "dify=canary-7", "канarейка-canary", "\"canary\"\x01", "\"canary-7\"", "'canary 7'"} {
		var everything []string
		for _, name := range all {
			everything = append(everything, name+"="+value)
			check(name + "=" + value)
			check("KB_MCP_VENDORS=b=coze,b2=dify", "B_"+name+"="+value, "B2_"+name+"="+value)
		}
		check(everything...)
	}
}

// TestIdleVariables: a limit or a base URL alone makes no connection and stops
// nothing, so that settings may be shared between programs; it is reported.
func TestIdleVariables(t *testing.T) {
	env := NewEnviron([]string{"RAGFLOW_API_KEY=ragflow-x", "RAGFLOW_BASE_URL=http://127.0.0.1:9380", "DIFY_BASE_URL=http://127.0.0.1/v1", "COZE_RATE_LIMIT=off", "COZE_API_BASE="})
	open, problems := Open(env, Options{})
	if len(problems) > 0 || len(open) != 1 || open[0].Name() != "ragflow" {
		t.Errorf("%d connections, problems %v", len(open), problems)
	}
	if got := strings.Join(env.Idle, " "); got != "COZE_RATE_LIMIT DIFY_BASE_URL" {
		t.Errorf("idle: %s", got)
	}
}

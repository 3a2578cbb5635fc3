package all

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestMisspelt: a variable whose name is close to one of ours stops the start,
// and the message names the right one; one of another program does not.
func TestMisspelt(t *testing.T) {
	const dify, ragflow = "DIFY_API_KEY=dataset-0123456789", "RAGFLOW_API_KEY=ragflow-x"
	for _, tt := range []struct {
		environ []string
		want    string // "VARIABLE>MEANT ..."
	}{
		{[]string{"DIFY_APIKEY=canary"}, "DIFY_APIKEY>DIFY_API_KEY"},
		{[]string{"DIFY_KEY=canary"}, "DIFY_KEY>DIFY_API_KEY"},
		{[]string{"DIFY_API_KYE=canary"}, "DIFY_API_KYE>DIFY_API_KEY"},
		{[]string{"dify_api_key=canary"}, "dify_api_key>DIFY_API_KEY"},
		{[]string{"DIFY_DATASET_API_KEY=canary"}, "DIFY_DATASET_API_KEY>DIFY_API_KEY"},
		{[]string{"COZE_TOKEN=canary"}, "COZE_TOKEN>COZE_API_TOKEN"},
		{[]string{"COZE_API_KEY=canary"}, "COZE_API_KEY>COZE_API_TOKEN"},
		{[]string{"COZE_API_TOKEN=pat_x", "COZE_BASE_URL=canary"}, "COZE_BASE_URL>COZE_API_BASE"},
		{[]string{"COZE_API_TOKEN=pat_x", "COZE_SPACEID=1"}, "COZE_SPACEID>COZE_SPACE_ID"},
		{[]string{"RAGFLOW_TOKEN=canary"}, "RAGFLOW_TOKEN>RAGFLOW_API_KEY"},
		{[]string{"VOLCENGINE_ACCESSKEY=canary"}, "VOLCENGINE_ACCESSKEY>VOLCENGINE_ACCESS_KEY"},
		{[]string{"VOLCENGINE_TOKEN=canary"}, "VOLCENGINE_TOKEN>VOLCENGINE_API_KEY"},
		{[]string{dify, "DIFY_URL=canary"}, "DIFY_URL>DIFY_BASE_URL"},
		{[]string{dify, "DIFY_API_URL=canary"}, "DIFY_API_URL>DIFY_BASE_URL"},
		{[]string{dify, "DIFY_BASEURL=canary"}, "DIFY_BASEURL>DIFY_BASE_URL"},
		{[]string{dify, "DIFY_RATELIMIT=1/s", "DIFY_TIME_OUT=1s"}, "DIFY_RATELIMIT>DIFY_RATE_LIMIT DIFY_TIME_OUT>DIFY_TIMEOUT"},
		{[]string{dify, "DIFY_API_KEY_FIEL=/canary"}, "DIFY_API_KEY_FIEL>DIFY_API_KEY_FILE"},
		{[]string{"KB_MCP_VENDORS=staging=dify", "STAGING_DIFY_API_KEY=dataset-x", "STAGING_DIFY_BASE_ULR=canary"}, "STAGING_DIFY_BASE_ULR>STAGING_DIFY_BASE_URL"},

		// of other programs
		{[]string{dify, "DIFY_URL=http://h", "DIFY_BASE_URL=http://127.0.0.1/v1", "DIFY_KEY=x", "DIFY_TOKEN=x"}, ""}, // ours is there
		{[]string{dify, "DIFY_PORT=80", "DIFY_BIND_ADDRESS=0.0.0.0", "DIFY_VERSION=1", "DIFY_HOME=/x", "DIFY_INNER_API_KEY_FOR_PLUGIN=x"}, ""},
		{[]string{dify, "RAGFLOW_IMAGE=x", "RAGFLOW_VERSION=1", "COZE_BOT_ID=7", "COZE_WORKFLOW_ID=1", "VOLCENGINE_MODEL=x", "RAGFLOW_URL=http://h"}, ""},
		{[]string{dify, "DIFY_SERVICE_HOST=10.0.0.1", "DIFY_SERVICE_PORT=80", "DIFY_PORT=tcp://10.0.0.1:80", "DIFY_PORT_80_TCP=tcp://x", "DIFY_API_PORT=tcp://x", "DIFY_API_SERVICE_PORT_HTTP=1"}, ""},
		{[]string{"KB_MCP_VENDORS=ragflow", ragflow, "RAGFLOW_BASE_URL=http://127.0.0.1", "DIFY_APIKEY=x"}, ""}, // not asked for
		{[]string{dify, "STAGING_DIFY_APIKEY=x", "MY_DIFY_KEY=x"}, ""},
	} {
		_, problems := Open(NewEnviron(tt.environ), Options{})
		var got []string
		for _, p := range problems {
			if _, meant, ok := strings.Cut(p.Text, "did you mean "); ok {
				got = append(got, p.Variable+">"+strings.TrimSuffix(meant, "?"))
			}
			if strings.Contains(p.Text, "canary") {
				t.Errorf("%v: a value shows in %v", tt.environ, p)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != tt.want || tt.want == "" && len(problems) > 0 {
			t.Errorf("%v: %v\nwant %s", tt.environ, problems, tt.want)
		}
	}
}

// TestAround: what files, copying and line ends of Windows leave around a value
// makes no difference, in any variable, nor in a file.
func TestAround(t *testing.T) {
	const bom = "\uFEFF"
	plain := []string{"KB_MCP_VENDORS=coze,dify,ragflow,volcengine", "COZE_API_TOKEN=pat_x", "COZE_API_BASE=https://api.coze.com", "COZE_SPACE_ID=7311219484398790001",
		"COZE_DIALECT=hosted", "COZE_TIMEOUT=20s", "COZE_RATE_LIMIT=2/s", "DIFY_API_KEY=dataset-x", "DIFY_BASE_URL=http://127.0.0.1/v1", "DIFY_SEARCH_RATE_LIMIT=off",
		"RAGFLOW_API_KEY=ragflow-x", "RAGFLOW_BASE_URL=http://127.0.0.1:9380", "RAGFLOW_API_GENERATION=current", "VOLCENGINE_ACCESS_KEY=AKLTx",
		"VOLCENGINE_SECRET_KEY=abc==", "VOLCENGINE_REGION=cn-beijing", "VOLCENGINE_PROJECT=default", "HTTPS_PROXY=http://127.0.0.1:1"}
	for _, around := range [][2]string{{"", "\r"}, {" ", " "}, {"\t", "\t\r\n"}, {bom, ""}, {bom + " ", "\u00a0\r"}, {"\n", "\n\n"}} {
		var environ []string
		for _, pair := range plain {
			name, value, _ := strings.Cut(pair, "=")
			environ = append(environ, name+"="+around[0]+value+around[1])
		}
		environ[1] = bom + environ[1] // the file's first line
		environ = append(environ, "DIFY_TIMEOUT=\r", "COZE_ACCOUNT_ID="+around[1])
		env := NewEnviron(environ)
		if _, problems := Open(env, Options{}); len(problems) > 0 {
			t.Errorf("%q: %v", around, problems)
		}
		for _, pair := range plain {
			if name, value, _ := strings.Cut(pair, "="); env.Get(name) != value {
				t.Errorf("%s = %q", name, env.Get(name))
			}
		}
		one(t, "DIFY_API_KEY_FILE="+file(t, around[0]+"dataset-x"+around[1])+around[1])
	}
	if _, problems := Open(NewEnviron([]string{"DIFY_API_KEY=dataset-x", "DIFY_BASE_URL=\r"}), Options{}); len(problems) > 0 {
		t.Errorf("an empty line of a file with \\r\\n: %v", problems)
	}
}

// TestQuotes: a value in quotes is a problem that says so, and the only one.
func TestQuotes(t *testing.T) {
	var all []string
	for platform := range documented {
		list, _ := names(platform)
		all = append(all, list...)
	}
	for _, name := range all {
		for _, format := range []string{`"%s"`, "'%s'", "`%s`", "“%s”", `" %s "`, `"%.0s"`} {
			environ := []string{name + "=" + fmt.Sprintf(format, "canary-0123456789")}
			for platform := range documented {
				if strings.HasPrefix(name, strings.ToUpper(platform)) || platform == "volcengine" && strings.HasPrefix(name, "VIKING") {
					environ = append(environ, "KB_MCP_VENDORS="+platform)
				}
			}
			_, problems := Open(NewEnviron(environ), Options{})
			said := 0
			for _, p := range problems {
				if p.Variable == name || p.Variable+"_FILE" == name && p.Variable == strings.TrimSuffix(name, "_FILE") {
					said++
				}
				if p.Variable == name && !strings.Contains(p.Text, "quotes") || strings.Contains(p.Text, "canary") {
					t.Errorf("%v: %v", environ, p)
				}
			}
			if said != 1 {
				t.Errorf("%v: %d problems of it: %v", environ, said, problems)
			}
		}
	}
	_, problems := Open(NewEnviron([]string{`VOLCENGINE_ACCESS_KEY="AK"`, `VOLCENGINE_SECRET_KEY="SK"`, `RAGFLOW_API_KEY='x'`}), Options{})
	if got := variables(problems); got != "RAGFLOW_API_KEY RAGFLOW_BASE_URL VOLCENGINE_ACCESS_KEY VOLCENGINE_SECRET_KEY" {
		t.Errorf("what is missing besides, and only that: %v", problems)
	}
	for text, want := range map[string]string{`"dataset-x"`: "quotes", "${DIFY_API_KEY}": "${NAME}", "'": "", `"`: ""} {
		_, problems := Open(NewEnviron([]string{"DIFY_API_KEY_FILE=" + file(t, text)}), Options{})
		if want != "" && (len(problems) != 1 || problems[0].Variable != "DIFY_API_KEY_FILE" || !strings.Contains(problems[0].Text, want)) {
			t.Errorf("a file with %s: %v", text, problems)
		}
	}
	if _, problems := Open(NewEnviron([]string{"DIFY_API_KEY=dataset-x", `HTTPS_PROXY="http://127.0.0.1:1"`}), Options{}); len(problems) != 1 || !strings.Contains(problems[0].Text, "quotes") {
		t.Errorf("a proxy: %v", problems)
	}
}

// TestABaseURLIsNeverLost: a lost base URL does not become the public cloud.
func TestABaseURLIsNeverLost(t *testing.T) {
	keys := map[string]string{"COZE_API_BASE": "COZE_API_TOKEN=pat_x", "DIFY_BASE_URL": "DIFY_API_KEY=dataset-x", "RAGFLOW_BASE_URL": "RAGFLOW_API_KEY=x", "VOLCENGINE_BASE_URL": "VOLCENGINE_API_KEY=x"}
	for name, key := range keys {
		for _, value := range []string{"${" + name + "}", "$" + name, "%" + name + "%", "$(" + name + ")", "${input:url}", " ${X} \r", "  ", "\t", "http://${HOST}:80/v1", "https://$(HOST)/v1", ","} {
			_, problems := Open(NewEnviron([]string{key, name + "=" + value}), Options{})
			if len(problems) != 1 || problems[0].Variable != name {
				t.Errorf("%s=%s: %v", name, value, problems)
			}
			platform := strings.ToLower(strings.Split(name, "_")[0])
			stem := "B_"
			_, problems = Open(NewEnviron([]string{"KB_MCP_VENDORS=b=" + platform, stem + key, stem + name + "=" + value}), Options{})
			if len(problems) != 1 || problems[0].Variable != stem+name {
				t.Errorf("%s=%s: %v", stem+name, value, problems)
			}
			if name == "RAGFLOW_BASE_URL" {
				continue
			}
			env := NewEnviron([]string{name + "=" + value}) // no credential, so no connection to lose
			if open, problems := Open(env, Options{}); len(open) > 0 || len(problems) > 0 {
				t.Errorf("%s=%s alone: %v", name, value, problems)
			}
		}
	}
}

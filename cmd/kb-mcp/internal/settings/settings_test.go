package settings

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const difyKey = "DIFY_API_KEY=dataset-0123456789"

// TestSettings: each line is a start that is refused because of that variable,
// with these words; or one that is not.
func TestSettings(t *testing.T) {
	dir := t.TempDir()
	file := func(content string) string {
		path := filepath.Join(dir, "f"+strings.Map(func(r rune) rune {
			if r < '0' || r > 'z' {
				return '_'
			}
			return r
		}, content))
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct{ variable, value, want string }{
		// What protects never becomes nothing.
		{"KB_MCP_AUTH_TOKENS", "${KB_TOKEN}", "not expanded"},
		{"KB_MCP_AUTH_TOKENS", "$KB_TOKEN", "not expanded"},
		{"KB_MCP_AUTH_TOKENS", "%KB_TOKEN%", "not expanded"},
		{"KB_MCP_AUTH_TOKENS", "canary-0123456789,${KB_TOKEN}", "not expanded"},
		{"KB_MCP_AUTH_TOKENS", " , ,", "holds nothing"},
		{"KB_MCP_AUTH_TOKENS", ",", "holds nothing"},
		{"KB_MCP_AUTH_TOKENS", "  ", "holds nothing"},
		{"KB_MCP_AUTH_TOKENS", `"canary-0123456789"`, "quotes"},
		{"KB_MCP_AUTH_TOKENS", `canary-0123456789,'canary-2'`, "quotes"},
		{"KB_MCP_AUTH_TOKENS", "Bearer canary-0123456789", "Bearer"},
		{"KB_MCP_AUTH_TOKENS_FILE", "${TOKENS}", "not expanded"},
		{"KB_MCP_AUTH_TOKENS_FILE", file(" \n"), "empty"},
		{"KB_MCP_AUTH_TOKENS_FILE", file(","), "holds nothing"},
		{"KB_MCP_AUTH_TOKENS_FILE", file("${KB_TOKEN}"), "${NAME}"},
		{"KB_MCP_ALLOWED_HOSTS", "${HOSTS}", "not expanded"},
		{"KB_MCP_ALLOWED_HOSTS", ",", "holds nothing"},
		{"KB_MCP_ALLOWED_HOSTS", "https://kb.example.com", "give the host alone: kb.example.com"},
		{"KB_MCP_ALLOWED_HOSTS", "kb.example.com/mcp", "not a host"},
		{"KB_MCP_ALLOWED_HOSTS", "*.example.com", "wildcards"},
		{"KB_MCP_ALLOWED_HOSTS", "kb.example.com:port", "port"},
		{"KB_MCP_ALLOWED_ORIGINS", "${ORIGINS}", "not expanded"},
		{"KB_MCP_ALLOWED_ORIGINS", " ,", "holds nothing"},
		{"KB_MCP_ALLOWED_ORIGINS", "*", "an origin is"},
		{"KB_MCP_UPLOAD_ROOTS", "${HOME}/docs", "not expanded"},
		{"KB_MCP_UPLOAD_ROOTS", ":", "holds nothing"},
		{"KB_MCP_UPLOAD_ROOTS", "docs", "absolute"},
		{"KB_MCP_UPLOAD_ROOTS", "/nonexistent/docs", "does not exist"},
		{"KB_MCP_UPLOAD_ROOTS", "'" + dir + "'", "quotes"},
		{"KB_MCP_UPLOAD_ROOTS", dir + ":\"" + dir + "\"", "quotes"},

		// Each by its name.
		{"KB_MCP_ADDR", "8080", "127.0.0.1:8080"},
		{"KB_MCP_ADDR", "9000", "127.0.0.1:9000"},
		{"KB_MCP_ADDR", "localhost", "HOST:PORT"},
		{"KB_MCP_ADDR", "127.0.0.1:http", "HOST:PORT"},
		{"KB_MCP_ADDR", "127.0.0.1:99999", "HOST:PORT"},
		{"KB_MCP_ALLOW_WRITES", "yes please", "true or false"},
		{"KB_MCP_TOOLS", "list_document", "did you mean list_documents?"},
		{"KB_MCP_TOOLS", "list_documents,nothing_like_it", "is not a tool"},
		{"KB_MCP_TOOLS", "${TOOLS}", "not expanded"},
		{"KB_MCP_TOOLS", ",", "holds nothing"},
		{"KB_MCP_TOOLS", "upload_document", "leave no tool"},
		{"KB_MCP_EXCLUDE_TOOLS", "search", "is not a tool"},
		{"KB_MCP_MAX_DOWNLOAD", "many", "256MiB"},
		{"KB_MCP_MAX_DOWNLOAD", "0", "256MiB"},
		{"KB_MCP_MAX_DOWNLOAD", "-1", "256MiB"},
		{"KB_MCP_MAX_DOWNLOAD", "9999999999GiB", "256MiB"},
		{"KB_MCP_VENDORS", "Dify", "did you mean dify?"},
		{"KB_MCP_VENDORS", `"dify"`, "quotes"},
		{"KB_MCP_LOG_LEVEL", "'debug'", "quotes"},

		// What nobody reads.
		{"KB_MCP_CONFIRM", "requre", "must be auto, require or off; did you mean require?"},
		{"KB_MCP_CONFIRM", "true", "did you mean require?"},
		{"KB_MCP_CONFIRM", "false", "did you mean off?"},
		{"KB_MCP_CONFIRMATION", "off", "did you mean KB_MCP_CONFIRM?"},
		{"KB_MCP_CONFIRM", "require", ""},
		{"KB_MCP_ALOW_WRITES", "true", "did you mean KB_MCP_ALLOW_WRITES?"},
		{"KB_MCP_AUTH_TOKEN", "canary", "did you mean KB_MCP_AUTH_TOKENS?"},
		{"KB_MCP_TOKENS", "canary", "did you mean KB_MCP_AUTH_TOKENS?"},
		{"KB_MCP_PORT", "8080", "did you mean KB_MCP_ADDR?"},
		{"KB_MCP_READ_ONLY", "true", "did you mean KB_MCP_ALLOW_WRITES?"},
		{"KB_MCP_OAUTH_ISSUER", "https://canary", "not a variable of this version"},
		{"KB_MCP_AUDIT_FILE", "/canary", "not a variable of this version"},
		{"KB_MCP_CONFIG", "/canary", "not a variable of this version"},

		// What is fine.
		{"KB_MCP_AUTH_TOKENS", "", ""},
		{"KB_MCP_AUTH_TOKENS", "\r", ""}, // an empty line of a file from Windows
		{"KB_MCP_AUTH_TOKENS", " canary-0123456789 ,\tcanary-9876543210\r", ""},
		{"KB_MCP_AUTH_TOKENS_FILE", file("\uFEFFcanary-0123456789\r\ncanary-9876543210\r\n"), ""},
		{"KB_MCP_ALLOWED_HOSTS", " kb.example.com, kb.example.com:8443,[::1]:80,::1, 10.0.0.1\r", ""},
		{"KB_MCP_ALLOWED_ORIGINS", "https://app.example.com , http://localhost:3000", ""},
		{"KB_MCP_UPLOAD_ROOTS", " " + dir + " : " + dir + ":\r", ""},
		{"KB_MCP_TOOLS", "list_vendors, list_documents", ""},
		{"KB_MCP_EXCLUDE_TOOLS", "search_knowledge_base", ""},
		{"KB_MCP_MAX_DOWNLOAD", "1GiB", ""},
		{"KB_MCP_MAX_DOWNLOAD", " 500 mb\r", ""},
		{"KB_MCP_MAX_DOWNLOAD", "1000000", ""},
		{"KB_MCP_LOG_LEVEL", "debug\r", ""},
		{"KB_MCP_ALLOW_WRITES", "true\r\n", ""},
		{"KB_MCP_ADDR", ":8080", ""}, // stdio does not listen
		{"KB_MCP_VENDORS", "${VENDORS}", ""},
		{"KB_MCP_SERVICE_HOST", "10.0.0.1", ""}, // Kubernetes, for a service named kb-mcp
		{"KB_MCP_SERVICE_PORT", "80", ""},
		{"KB_MCP_SERVICE_PORT_HTTP", "80", ""},
		{"KB_MCP_PORT", "tcp://10.0.0.1:80", ""},
		{"KB_MCP_PORT_80_TCP_ADDR", "10.0.0.1", ""},
	} {
		var log strings.Builder
		_, err := Open([]string{difyKey, tt.variable + "=" + tt.value}, &log, "0.0.0")
		switch {
		case tt.want == "":
			if err != nil {
				t.Errorf("%s=%q: %v", tt.variable, tt.value, err)
			}
		case err == nil:
			t.Errorf("%s=%q starts\n%s", tt.variable, tt.value, log.String())
		default:
			line := lineWith(err.Error(), tt.variable)
			if !strings.Contains(line, tt.want) || strings.Contains(err.Error(), "canary") || strings.Count(err.Error(), "\n") != 1 {
				t.Errorf("%s=%q: %v\nwant %q", tt.variable, tt.value, err, tt.want)
			}
		}
	}
}

// lineWith is the first line that begins with a variable, or its plain form.
func lineWith(text, variable string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "  - "+strings.TrimSuffix(variable, "_FILE")) {
			return line
		}
	}
	return ""
}

// TestNearlyAVariable: one message has all of them, and nothing is configured
// behind their back.
func TestNearlyAVariable(t *testing.T) {
	_, err := Open([]string{"DIFY_KEY=canary", "RAGFLOW_APIKEY=canary", "KB_MCP_VENDOR=canary", "DIFY_BASE_URL=${X}"}, io.Discard, "0.0.0")
	if err == nil {
		t.Fatal("it starts")
	}
	for _, want := range []string{"DIFY_KEY is not a variable of kb-mcp; did you mean DIFY_API_KEY?", "RAGFLOW_APIKEY is not a variable of kb-mcp; did you mean RAGFLOW_API_KEY?", "did you mean KB_MCP_VENDORS?"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

func TestBytesOf(t *testing.T) {
	for text, want := range map[string]int64{"256MiB": 256 << 20, "1gib": 1 << 30, "10 KB": 10_000, "7": 7, "7B": 7, "3MB": 3_000_000, "": 0, "MiB": 0, "1.5MiB": 0, "1e3": 0, "0MiB": 0, "8388608TiB": 0} {
		if got, err := bytesOf(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
}

func TestList(t *testing.T) {
	if got := List(" a, b ,,\r\nc\n"); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("%q", got)
	}
}

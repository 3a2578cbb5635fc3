package main

import (
	"strings"
	"testing"
)

// TestHTTPSettings: where it listens and for whom is judged with the rest, and
// by the name under which it was given.
func TestHTTPSettings(t *testing.T) {
	const short, long = "KB_MCP_AUTH_TOKENS=canary", "KB_MCP_AUTH_TOKENS=canary-0123456789"
	for _, tt := range []struct {
		environ, args []string
		want          []string
	}{
		{[]string{"KB_MCP_ADDR=8080", "KB_MCP_LOG_LEVEL=loud"}, nil, []string{"KB_MCP_ADDR", "KB_MCP_LOG_LEVEL"}},
		{nil, []string{"--addr", "8080"}, []string{"--addr is not an address"}},
		{[]string{"KB_MCP_LOG_LEVEL=loud"}, []string{"--addr", "0.0.0.0:0"}, []string{"--addr", "KB_MCP_AUTH_TOKENS", "KB_MCP_LOG_LEVEL"}},
		{[]string{"KB_MCP_ADDR=0.0.0.0:0"}, nil, []string{"KB_MCP_ADDR is", "KB_MCP_AUTH_TOKENS"}},
		{[]string{"KB_MCP_ADDR=0.0.0.0:0", short}, nil, []string{"KB_MCP_ADDR is", "16 characters"}},
		{[]string{short}, []string{"--addr", ":0"}, []string{"--addr is", "16 characters"}},
		{[]string{long + ",canary"}, []string{"--addr", ":0"}, []string{"16 characters"}},
		{[]string{"KB_MCP_ADDR=nonsense", long}, []string{"--addr", ":0"}, []string{"KB_MCP_ADDR"}},
		{[]string{"KB_MCP_AUTH_TOKENS=,"}, []string{"--addr", "127.0.0.1:0"}, []string{"KB_MCP_AUTH_TOKENS is set and holds nothing"}},
	} {
		_, _, err := try(t, append([]string{"DIFY_API_KEY=dataset-0123456789"}, tt.environ...), append([]string{"http"}, tt.args...)...)
		if err == nil {
			t.Fatalf("%v %v starts", tt.environ, tt.args)
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v %v: %v\nwant %q", tt.environ, tt.args, err, want)
			}
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%v shows a token", err)
		}
	}
}

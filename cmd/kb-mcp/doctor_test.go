package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kb-mcp/cmd/kb-mcp/internal/doctor"
	"kb-mcp/vendors/sandbox"
)

// started is a sandbox that ends with the test.
func started(t *testing.T, o sandbox.Options) *sandbox.Server {
	t.Helper()
	sb, err := sandbox.Start(t.Context(), "127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sb.Close() })
	return sb
}

// TestDoctorSays ok and ends with 0, or neither.
func TestDoctorSays(t *testing.T) {
	sb := started(t, sandbox.Options{})
	for _, tt := range []struct {
		environ []string
		ok      bool
	}{{sb.Environ(), true}, {nil, false}, {append(sb.Environ(), "DIFY_API_KEY=dataset-canary-wrong-key"), false}} {
		out, stderr, err := try(t, tt.environ, "doctor", "--json")
		var r doctor.Report
		if jerr := json.Unmarshal([]byte(out), &r); jerr != nil {
			t.Fatalf("%v in %s", jerr, out)
		}
		if r.OK != tt.ok || (err == nil) != tt.ok || stderr != "" || strings.Contains(out, "canary") {
			t.Errorf("ok %v, error %v, stderr %q\n%s", r.OK, err, stderr, out)
		}
		if err != nil && (!errors.Is(err, errReported) || exitCode(err) != 1) {
			t.Errorf("error %v with exit code %d", err, exitCode(err))
		}
	}
	lines, _, err := try(t, nil, "doctor", "--demo")
	if err != nil || !strings.HasSuffix(lines, " 1 warnings, 0 failed\n") {
		t.Errorf("%v\n%s", err, lines)
	}
}

// TestDoctorKeepsSecrets is of platforms that give back what they are sent, in
// the statuses that are not tried again.
func TestDoctorKeepsSecrets(t *testing.T) {
	for _, status := range []int{200, 400, 401, 403} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			url := echo(t, status)
			out, stderr, _ := try(t, []string{
				"COZE_API_TOKEN=canary-coze-token", "COZE_API_BASE=" + url, "COZE_SPACE_ID=7", "DIFY_API_KEY=canary-dify-key", "DIFY_BASE_URL=" + url,
				"RAGFLOW_API_KEY=canary-ragflow-key", "RAGFLOW_BASE_URL=" + url, "VOLCENGINE_ACCESS_KEY=canary-access-key",
				"VOLCENGINE_SECRET_KEY=canary-secret-key", "VOLCENGINE_BASE_URL=" + url, "KB_MCP_LOG_LEVEL=debug",
			}, "doctor")
			if i := strings.Index(out+stderr, "canary-"); i >= 0 {
				t.Errorf("a secret came out: …%s…", (out + stderr)[max(0, i-100):min(len(out+stderr), i+40)])
			}
		})
	}
}

func TestDoctorProcess(t *testing.T) {
	for want, args := range map[int][]string{0: {"doctor", "--demo"}, 1: {"doctor"}} {
		p := launch(t, nil, args...)
		p.ended()
		if code := p.cmd.ProcessState.ExitCode(); code != want || p.stderr.String() != "" {
			t.Errorf("%v: exit code %d, stderr %q", args, code, p.stderr)
		}
	}
}

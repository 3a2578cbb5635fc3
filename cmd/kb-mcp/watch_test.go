package main

import (
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/tally"
)

// added puts a document into a sandbox's first knowledge base of one platform.
func added(t *testing.T, sb *sandbox.Server, platform, name string, plan sandbox.Plan) (kb, id string) {
	t.Helper()
	kb = sb.Sandbox().Store(platform).KBs()[0].ID
	id, err := sb.Sandbox().Add(platform, kb, name, plan)
	if err != nil {
		t.Fatal(err)
	}
	return kb, id
}

func TestWatchGivenDocuments(t *testing.T) {
	sb := started(t, sandbox.Options{Speed: 4})
	for _, platform := range []string{"coze", "dify", "ragflow", "volcengine"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			kb, good := added(t, sb, platform, "good.pdf", sandbox.Normal())
			_, bad := added(t, sb, platform, "bad.pdf", sandbox.Failing("10003", "no text"))
			out, log, err := try(t, sb.Environ(), "watch", "--vendor", platform, "--kb", kb, "--document", good, "--document", bad, "--document", good)
			if !errors.Is(err, errReported) || exitCode(err) != 1 || log != "" {
				t.Errorf("%v, stderr %q", err, log)
			}
			for _, want := range []string{"good.pdf: completed, 100%\n", "bad.pdf: failed: ", "\n2 documents: 1 completed, 1 failed.\n"} {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
}

func TestWatchWholeKnowledgeBase(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of waiting")
	}
	t.Parallel()
	sb := started(t, sandbox.Options{Speed: 1000})
	kb := sb.Sandbox().KnowledgeBaseID("dify", "产品手册") // holds failed and paused documents
	if _, err := sb.Sandbox().Add("dify", kb, "new.pdf", sandbox.Normal()); err != nil {
		t.Fatal(err)
	}
	out, _, err := try(t, sb.Environ(), "watch", "--vendor", "dify", "--kb", kb, "--json", "--timeout", "40s")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last struct {
		Summary tally.Summary
		Hint    string
	}
	if jerr := json.Unmarshal([]byte(lines[len(lines)-1]), &last); jerr != nil {
		t.Fatalf("%v in %s", jerr, out)
	}
	s := last.Summary
	if !errors.Is(err, errReported) || !s.Done || s.Failed == 0 || s.ByStatus[vendors.Completed]+s.Failed+s.NeedsAction != s.Total || last.Hint == "" {
		t.Errorf("%v, %+v", err, last)
	}
	for _, line := range lines[:len(lines)-1] {
		var p connection.Progress
		if err := json.Unmarshal([]byte(line), &p); err != nil || p.DocumentID == "" || p.Status == "" {
			t.Errorf("%v in %s", err, line)
		}
	}
}

// TestWatchPaused ends at once, and says what to do.
func TestWatchPaused(t *testing.T) {
	sb := started(t, sandbox.Options{Speed: 1000})
	kb, id := added(t, sb, "dify", "paused.pdf", sandbox.Normal().Stopped(5*time.Second, sandbox.Paused))
	time.Sleep(10 * time.Millisecond)
	out, _, err := try(t, sb.Environ(), "watch", "--vendor", "dify", "--kb", kb, "--document", id)
	if exitCode(err) != 1 || !errors.Is(err, errReported) || !strings.Contains(out, "Resume what is paused") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestWatchTimesOut also counts the requests: one look in three seconds.
func TestWatchTimesOut(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of waiting")
	}
	t.Parallel()
	sb := started(t, sandbox.Options{Speed: 0.01})
	kb, id := added(t, sb, "ragflow", "slow.pdf", sandbox.Normal())
	sb.Sandbox().ResetRequests()
	out, _, err := try(t, sb.Environ(), "watch", "--vendor", "ragflow", "--kb", kb, "--document", id, "--timeout", "4s", "--json")
	if exitCode(err) != exitTimedOut || !errors.Is(err, errReported) || !strings.Contains(out, `"timed_out":true`) || strings.Contains(out, `"done":true`) {
		t.Errorf("%v\n%s", err, out)
	}
	if n := sb.Sandbox().Requests("ragflow"); n > 2 {
		t.Errorf("%d requests in 4 seconds", n)
	}
}

func TestWatchCannotRead(t *testing.T) {
	sb := started(t, sandbox.Options{})
	kb := sb.Sandbox().Store("dify").KBs()[0].ID
	for name, tt := range map[string]struct {
		environ []string
		args    []string
		want    string
	}{
		"no such knowledge base": {args: []string{"--vendor", "dify", "--kb", "426b81d0-3121-45a3-aeba-000000000000"}, want: "does not exist"},
		"no such connection":     {args: []string{"--vendor", "difi", "--kb", kb}, want: "coze, dify, ragflow, volcengine"},
		"none named":             {args: []string{"--kb", kb}, want: "--vendor"},
		"no knowledge base":      {args: []string{"--vendor", "dify"}, want: "--kb"},
		"no time":                {args: []string{"--vendor", "dify", "--kb", kb, "--timeout", "0s"}, want: "--timeout"},
		"a wrong key":            {environ: []string{"DIFY_API_KEY=dataset-canary-wrong"}, args: []string{"--vendor", "dify", "--kb", kb}, want: "DIFY_API_KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := try(t, append(sb.Environ(), tt.environ...), append([]string{"watch"}, tt.args...)...)
			if err == nil || exitCode(err) != 1 || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error()+out, "canary") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	_, log, err := try(t, sb.Environ(), "watch", "--json", "--vendor", "dify", "--kb", "426b81d0-3121-45a3-aeba-000000000000")
	var e struct{ Error vendors.ErrorReport }
	if !errors.Is(err, errReported) || json.Unmarshal([]byte(log), &e) != nil || e.Error.Kind != vendors.ErrNotFound {
		t.Errorf("%v, %s", err, log)
	}
}

func TestWatchProcess(t *testing.T) {
	t.Parallel()
	sb := started(t, sandbox.Options{})
	kb, done := added(t, sb, "dify", "done.pdf", sandbox.Immediate(sandbox.Completed))
	_, failed := added(t, sb, "dify", "failed.pdf", sandbox.Immediate(sandbox.Failed))
	_, slow := added(t, sb, "dify", "slow.pdf", sandbox.Plan{Stages: []sandbox.Stage{{Phase: sandbox.Queued, For: time.Hour}}})
	watch := []string{"watch", "--vendor", "dify", "--kb", kb, "--document"}
	for want, args := range map[int][]string{0: {done}, 1: {failed}, exitTimedOut: {slow, "--timeout", "1s"}} {
		p := launch(t, sb.Environ(), append(watch, args...)...)
		p.ended()
		if code := p.cmd.ProcessState.ExitCode(); code != want || p.stderr.String() != "" {
			t.Errorf("%v: exit code %d, stderr %q", args, code, p.stderr)
		}
	}
	p := launch(t, sb.Environ(), append(watch, slow)...)
	select { // its first line
	case <-p.lines:
	case <-time.After(patience):
		t.Fatal("it shows nothing")
	}
	p.cmd.Process.Signal(syscall.SIGINT)
	p.ended()
	if code := p.cmd.ProcessState.ExitCode(); code != exitInterrupted || p.stderr.String() != "" {
		t.Errorf("interrupted: exit code %d, stderr %q", code, p.stderr)
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// reportCase is one file of testdata/reports: what people reported in public
// of a platform or a host, as a fake platform and command lines, and what is
// right.
type reportCase struct {
	Why    string
	Right  string
	Source []string
	Env    map[string]string // ${FAKE} is the platform's root, ${TMP} a folder of the test
	Files  map[string]string // below ${TMP}
	HTTP   []reportRule      // the first that fits answers
	Stdin  []json.RawMessage // lines; {"asked": re} and {"answered": re} wait for the platform or stdout
	Steps  []reportStep
}

// reportRule is one answer of the fake platform.
type reportRule struct {
	Method     string
	Path       string            // a regular expression over the whole path
	Query      map[string]string // what the query must have
	QueryLacks []string          `json:"query_lacks"`
	BodyHas    string            `json:"body_has"`
	Times      *int
	Delay      float64 `json:"delay_s"`
	Status     int
	Headers    map[string]string
	JSON       json.RawMessage
	Raw        string
}

// reportStep is one command line and what it must print. Stdout and Stderr are
// JSON that the output must have: objects by their keys, lists by their
// elements, null for what must be absent, "~re" for a pattern over a value's
// text. Rows follows next_cursor to its end and counts.
type reportStep struct {
	Args   []string
	Exit   *int
	Stdout json.RawMessage
	Stderr json.RawMessage
	Has    []string // patterns over everything printed
	Lacks  []string
	Asked  []string // patterns over the requests that the platform got in this step
	Rows   map[string]int
}

func TestReports(t *testing.T) {
	files, err := filepath.Glob("../../testdata/reports/*.json")
	if err != nil || len(files) < 24 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c reportCase
			dec := json.NewDecoder(bytes.NewReader(b))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&c); err != nil {
				t.Fatal(err)
			}
			if wrong := c.play(t); len(wrong) > 0 {
				t.Errorf("%s\nright: %s\n%s", c.Why, c.Right, strings.Join(wrong, "\n"))
			}
		})
	}
}

// play runs the steps and says what is wrong.
func (c *reportCase) play(t *testing.T) (wrong []string) {
	fake := &reportPlatform{rules: c.HTTP, left: make([]int, len(c.HTTP)), news: make(chan struct{}, 1)}
	srv := httptest.NewUnstartedServer(fake)
	fake.root = "http://" + srv.Listener.Addr().String() // before any request
	srv.Start()
	defer srv.Close()
	tmp := t.TempDir()
	fill := strings.NewReplacer("${FAKE}", srv.URL, "${TMP}", tmp).Replace
	for name, text := range c.Files {
		path := filepath.Join(tmp, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	environ := []string{asMain + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + tmp}
	for name, value := range c.Env {
		environ = append(environ, name+"="+fill(value))
	}
	for i, s := range c.Steps {
		args := make([]string, len(s.Args))
		for j, a := range s.Args {
			args[j] = fill(a)
		}
		r := &reportRun{environ: environ, dir: tmp, stdin: c.Stdin, fake: fake}
		r.run(t, args)
		for _, text := range append(s.check(r), s.follow(t, r, args)...) {
			wrong = append(wrong, fmt.Sprintf("step %d: %s", i, text))
		}
		for _, pattern := range s.Asked {
			if !regexp.MustCompile(pattern).MatchString(fake.asked()) {
				wrong = append(wrong, fmt.Sprintf("step %d: the platform was not asked for %s", i, pattern))
			}
		}
		fake.forget()
	}
	return wrong
}

// reportRun is one command line that has run.
type reportRun struct {
	environ        []string
	dir            string
	stdin          []json.RawMessage
	fake           *reportPlatform
	stdout, stderr safeBuffer
	exit           int
}

func (r *reportRun) run(t *testing.T, args []string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = r.environ, r.dir, io.MultiWriter(&r.stdout, r.fake), &r.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, line := range r.stdin {
		r.send(ctx, in, line)
	}
	in.Close()
	if cmd.Wait() != nil && ctx.Err() != nil {
		t.Errorf("%v did not end", args)
	}
	r.exit = cmd.ProcessState.ExitCode()
}

// send writes a line, or waits for what a line is about.
func (r *reportRun) send(ctx context.Context, in io.Writer, line json.RawMessage) {
	var wait struct{ Asked, Answered string }
	var text string
	if json.Unmarshal(line, &text) == nil {
		io.WriteString(in, text+"\n")
		return
	}
	if json.Unmarshal(line, &wait) != nil || wait.Asked+wait.Answered == "" {
		var one bytes.Buffer
		if err := json.Compact(&one, line); err != nil {
			panic(err) // it was decoded as JSON
		}
		io.WriteString(in, one.String()+"\n")
		return
	}
	asked, answered := regexp.MustCompile(wait.Asked), regexp.MustCompile(wait.Answered)
	for !asked.MatchString(r.fake.asked()) || !answered.MatchString(r.stdout.String()) {
		select {
		case <-r.fake.news:
		case <-ctx.Done():
			return
		case <-time.After(patience):
			return // what is missing fails the step
		}
	}
}

// check compares the output with what the step wants.
func (s reportStep) check(r *reportRun) (wrong []string) {
	all := r.stdout.String() + "\n" + r.stderr.String()
	if s.Exit != nil && *s.Exit != r.exit {
		wrong = append(wrong, fmt.Sprintf("exit %d, want %d: %s", r.exit, *s.Exit, all))
	}
	for _, x := range []struct {
		want json.RawMessage
		got  string
		name string
	}{{s.Stdout, r.stdout.String(), "stdout"}, {s.Stderr, r.stderr.String(), "stderr"}} {
		if x.want == nil {
			continue
		}
		var want, got any
		if err := json.Unmarshal(x.want, &want); err != nil {
			return []string{err.Error()}
		}
		if err := json.Unmarshal([]byte(x.got), &got); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s is not JSON: %s", x.name, all))
			continue
		}
		wrong = append(wrong, holds(x.name, want, got)...)
	}
	for _, pattern := range s.Has {
		if !regexp.MustCompile(pattern).MatchString(all) {
			wrong = append(wrong, fmt.Sprintf("nothing like %s in %s", pattern, all))
		}
	}
	for _, pattern := range s.Lacks {
		if found := regexp.MustCompile(pattern).FindString(all); found != "" {
			wrong = append(wrong, fmt.Sprintf("%q in %s", found, all))
		}
	}
	return wrong
}

// holds compares a value with what it must have.
func holds(at string, want, got any) (wrong []string) {
	text, _ := json.Marshal(got)
	switch want := want.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %s", at, text)}
		}
		for key, value := range want {
			if g, has := m[key]; value == nil && has || value != nil && !has {
				wrong = append(wrong, fmt.Sprintf("%s.%s: has it %v, in %s", at, key, has, text))
			} else if has {
				wrong = append(wrong, holds(at+"."+key, value, g)...)
			}
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return []string{fmt.Sprintf("%s is %s, want %d elements", at, text, len(want))}
		}
		for i := range want {
			wrong = append(wrong, holds(fmt.Sprintf("%s[%d]", at, i), want[i], list[i])...)
		}
	default:
		pattern, ok := want.(string)
		if ok && strings.HasPrefix(pattern, "~") {
			if !regexp.MustCompile(pattern[1:]).Match(text) {
				return []string{fmt.Sprintf("%s is %s, want %s", at, text, pattern)}
			}
		} else if got != want {
			return []string{fmt.Sprintf("%s is %s, want %v", at, text, want)}
		}
	}
	return wrong
}

// follow goes on by next_cursor and counts the rows.
func (s reportStep) follow(t *testing.T, r *reportRun, args []string) (wrong []string) {
	for key, want := range s.Rows {
		rows := 0
		for page := 0; ; page++ {
			var out map[string]any
			if json.Unmarshal([]byte(r.stdout.String()), &out) != nil || page > 20 {
				return []string{fmt.Sprintf("page %d after %d rows: %s %s", page, rows, r.stdout.String(), r.stderr.String())}
			}
			list, _ := out[key].([]any)
			rows += len(list)
			cursor, more := out["next_cursor"].(string)
			if !more {
				break
			}
			var asked map[string]any
			if err := json.Unmarshal([]byte(args[len(args)-1]), &asked); err != nil {
				t.Fatal(err)
			}
			asked["cursor"] = cursor
			next, err := json.Marshal(asked)
			if err != nil {
				t.Fatal(err)
			}
			r = &reportRun{environ: r.environ, dir: r.dir, fake: r.fake}
			r.run(t, append(args[:len(args)-1:len(args)-1], string(next)))
		}
		if rows != want {
			wrong = append(wrong, fmt.Sprintf("%d %s, want %d", rows, key, want))
		}
	}
	return wrong
}

// reportPlatform answers by the rules of a case.
type reportPlatform struct {
	rules []reportRule
	root  string

	mu   sync.Mutex
	left []int // how often a rule has answered
	log  []string
	news chan struct{} // told that something was asked or answered
}

// Write is told what the process prints, so that a waiting reader looks again.
func (p *reportPlatform) Write(b []byte) (int, error) {
	select {
	case p.news <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (p *reportPlatform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	rule := p.pick(r, string(body))
	if rule == nil {
		http.NotFound(w, r)
		return
	}
	select {
	case <-time.After(time.Duration(rule.Delay * float64(time.Second))):
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "application/json")
	for name, value := range rule.Headers {
		w.Header().Set(name, value)
	}
	if rule.Status != 0 {
		w.WriteHeader(rule.Status)
	}
	out := rule.Raw
	if rule.JSON != nil {
		out = string(rule.JSON)
	}
	io.WriteString(w, strings.ReplaceAll(out, "${FAKE}", p.root))
}

// pick notes a request and finds the rule that answers it.
func (p *reportPlatform) pick(r *http.Request, body string) *reportRule {
	defer p.Write(nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, r.Method+" "+r.URL.String()+" "+body)
	for i := range p.rules {
		if rule := &p.rules[i]; rule.fits(r, body) && (rule.Times == nil || p.left[i] < *rule.Times) {
			p.left[i]++
			return rule
		}
	}
	return nil
}

func (rule reportRule) fits(r *http.Request, body string) bool {
	query := r.URL.Query()
	for name, value := range rule.Query {
		if query.Get(name) != value {
			return false
		}
	}
	for _, name := range rule.QueryLacks {
		if query.Has(name) {
			return false
		}
	}
	path := rule.Path == "" || regexp.MustCompile("^(?:"+rule.Path+")$").MatchString(r.URL.Path)
	return path && (rule.Method == "" || rule.Method == r.Method) && strings.Contains(body, rule.BodyHas)
}

func (p *reportPlatform) asked() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log, "\n")
}

func (p *reportPlatform) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = nil
}

package replay_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kb-mcp/vendors/sandbox"
)

// exchange is one recorded request and what the real server answered.
type exchange struct {
	Server string // the file, without .jsonl
	Line   int    // in it, from 1
	Method string
	Path   string
	Query  string
	Auth   string // whose credential, in the recorder's words
	Setup  string // how the server was set up, where the recorder says
	Type   string // the request's content type
	Body   json.RawMessage
	Status int
	Answer any // decoded JSON, or the text as a string
}

// id names the exchange as testdata/recorded/exceptions.txt does.
func (x exchange) id() string { return fmt.Sprintf("%s:%d", x.Server, x.Line) }

// player plays one exchange: it makes a sandbox in the state that the exchange
// shows and gives the request to send to it. A nil request means that the
// exchange cannot be played, which exceptions.txt then has to explain.
type player func(t *testing.T, x exchange) (*sandbox.Sandbox, *http.Request)

// minAgreeing is the share of a server's playable exchanges that must agree.
const minAgreeing = 0.90

// replay plays every exchange of testdata/recorded/SERVER.jsonl and holds the
// sandbox's answer against the real one: status, codes, keys and JSON types.
func replay(t *testing.T, server string, play player) {
	t.Helper()
	excepted := exceptions(t, server)
	playable, agreeing := 0, 0
	for _, x := range exchanges(t, server) {
		reason, except := excepted[x.id()]
		delete(excepted, x.id())
		if except && strings.HasPrefix(reason, "unplayable ") {
			continue
		}
		sb, req := play(t, x)
		if req == nil {
			t.Errorf("%s (%s %s) is not played, and exceptions.txt does not say why", x.id(), x.Method, x.Path)
			continue
		}
		playable++
		w := httptest.NewRecorder()
		sb.ServeHTTP(w, req)
		diff := x.against(w.Code, w.Body.Bytes())
		switch {
		case len(diff) == 0:
			agreeing++
			if except {
				t.Errorf("%s agrees; take it out of exceptions.txt", x.id())
			}
		case !except:
			t.Logf("%s %s %s?%s differs:\n\t%s", x.id(), x.Method, x.Path, x.Query, strings.Join(diff, "\n\t"))
		}
	}
	for id := range excepted {
		t.Errorf("exceptions.txt has %s, which is not recorded", id)
	}
	t.Logf("%s: %d playable, %d agreeing (%.1f %%)", server, playable, agreeing, 100*float64(agreeing)/float64(max(playable, 1)))
	if float64(agreeing) < minAgreeing*float64(playable) || playable == 0 {
		t.Errorf("%s: %d of %d playable exchanges agree, want at least %.0f %%", server, agreeing, playable, 100*minAgreeing)
	}
}

// against lists how the sandbox's answer differs from the recorded one.
func (x exchange) against(status int, body []byte) []string {
	var diff []string
	if status != x.Status {
		diff = append(diff, fmt.Sprintf("status %d, recorded %d", status, x.Status))
	}
	var got any
	if err := json.Unmarshal(body, &got); err != nil {
		got = string(body)
	}
	if want, ok := x.Answer.(string); ok {
		if text, same := got.(string); !same || (want == "") != (text == "") {
			diff = append(diff, fmt.Sprintf("body %.80s, recorded the text %.80q", body, want))
		}
		return diff
	}
	return append(diff, compareAnswers("", x.Answer, got)...)
}

// compareAnswers compares keys and JSON types, and the values of codes. null
// stands for a value of any type. Lists are compared by what their elements
// have together, and one of them empty differs from one that is not.
func compareAnswers(path string, want, got any) []string {
	if want == nil || got == nil {
		return nil
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %T, recorded an object", path, got)}
		}
		return compareObjects(path, w, g)
	case []any:
		g, ok := got.([]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %T, recorded a list", path, got)}
		}
		if (len(w) == 0) != (len(g) == 0) {
			return []string{fmt.Sprintf("%s has %d elements, recorded %d", path, len(g), len(w))}
		}
		if len(w) == 0 {
			return nil
		}
		return compareAnswers(path+"[]", merged(w), merged(g))
	}
	if fmt.Sprintf("%T", want) != fmt.Sprintf("%T", got) {
		return []string{fmt.Sprintf("%s is %T, recorded %T", path, got, want)}
	}
	if isCode(path) && want != got {
		return []string{fmt.Sprintf("%s is %v, recorded %v", path, got, want)}
	}
	return nil
}

func compareObjects(path string, want, got map[string]any) (diff []string) {
	for k, v := range want {
		g, ok := got[k]
		if !ok {
			diff = append(diff, path+"."+k+" is missing")
			continue
		}
		diff = append(diff, compareAnswers(path+"."+k, v, g)...)
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			diff = append(diff, path+"."+k+" is not in the recording")
		}
	}
	return diff
}

// isCode reports whether a member's value, and not only its type, must agree.
func isCode(path string) bool { return path == ".code" || strings.HasSuffix(path, ".StatusCode") }

// merged is what the elements of a list have together: for objects every key
// with its first value that is not null, for others the first element.
func merged(list []any) any {
	all := map[string]any{}
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			return list[0]
		}
		for k, v := range m {
			if all[k] == nil {
				all[k] = v
			}
		}
	}
	return all
}

// exchanges reads a server's recording, whatever names its recorder used.
func exchanges(t *testing.T, server string) []exchange {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "testdata", "recorded", server+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	var out []exchange
	for n := 1; lines.Scan(); n++ {
		x, err := readExchange(lines.Bytes())
		if err != nil {
			t.Fatalf("%s:%d: %v", server, n, err)
		}
		x.Server, x.Line = server, n
		out = append(out, x)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func readExchange(line []byte) (exchange, error) {
	var r struct {
		Method, Path, Query string
		Auth, Key, Setup    string
		Status              int
		RequestType         string          `json:"request_type"`
		ContentType         string          `json:"content_type"`
		ResponseType        *string         `json:"response_type"`
		Request             json.RawMessage `json:"request"`
		RequestBody         json.RawMessage `json:"request_body"`
		Response            json.RawMessage `json:"response"`
		ResponseBody        json.RawMessage `json:"response_body"`
		Body                json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return exchange{}, err
	}
	x := exchange{Method: r.Method, Path: r.Path, Query: r.Query, Auth: r.Auth + r.Key, Setup: r.Setup, Status: r.Status, Type: r.RequestType}
	if x.Type == "" && r.ResponseType != nil { // else content_type is the answer's
		x.Type = r.ContentType
	}
	for _, b := range []json.RawMessage{r.Request, r.RequestBody} {
		if len(b) > 0 && !bytes.Equal(b, []byte("null")) {
			x.Body = b
		}
	}
	for _, b := range []json.RawMessage{r.Response, r.ResponseBody, r.Body} {
		if len(b) == 0 {
			continue
		}
		if err := json.Unmarshal(b, &x.Answer); err != nil {
			return x, err
		}
		var inner any
		if text, ok := x.Answer.(string); ok && json.Unmarshal([]byte(text), &inner) == nil {
			x.Answer = inner
		}
	}
	return x, nil
}

// exceptions reads the lines of exceptions.txt that are about a server: id to
// verdict and reason.
func exceptions(t *testing.T, server string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "recorded", "exceptions.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, _ := strings.Cut(line, " ")
		name, number, _ := strings.Cut(id, ":")
		verdict, why, _ := strings.Cut(reason, " ")
		if _, err := strconv.Atoi(number); err != nil || why == "" || verdict != "unplayable" && verdict != "differs" {
			t.Fatalf("exceptions.txt: %q is not SERVER:LINE unplayable|differs REASON", line)
		}
		if name == server {
			out[id] = reason
		}
	}
	return out
}

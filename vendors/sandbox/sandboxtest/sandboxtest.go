// Package sandboxtest asks a sandbox as the tests of its faces do.
package sandboxtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
)

// Start is the moment at which the clock of every [Desk] begins.
func Start() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) }

// Desk is a sandbox behind a real server, with a clock that the test moves.
type Desk struct {
	T   *testing.T
	S   *sandbox.Sandbox
	URL string
	Now time.Time
}

// NewDesk serves a sandbox until the test ends.
func NewDesk(t *testing.T, o sandbox.Options) *Desk {
	d := &Desk{T: t, Now: Start()}
	o.Now = func() time.Time { return d.Now }
	d.S = sandbox.New(o)
	srv := httptest.NewServer(d.S)
	t.Cleanup(srv.Close)
	d.URL = srv.URL
	return d
}

// Reply is an answer.
type Reply struct {
	Status int
	Header http.Header
	Text   string
}

// Object decodes the body; nil when it is not JSON.
func (r Reply) Object() (out map[string]any) {
	dec := json.NewDecoder(strings.NewReader(r.Text))
	dec.UseNumber()
	dec.Decode(&out)
	return out
}

// IDs adds the values of a string member, wherever it stands, to seen and says
// how many there were.
func (r Reply) IDs(member string, seen map[string]bool) int {
	found := strings.Split(r.Text, `"`+member+`":"`)[1:]
	for _, f := range found {
		id, _, _ := strings.Cut(f, `"`)
		seen[id] = true
	}
	return len(found)
}

// At follows keys and indices into the decoded body.
func (r Reply) At(path ...any) any {
	var v any = r.Object()
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// Rows is a list in the decoded body.
func (r Reply) Rows(path ...any) []map[string]any {
	list, _ := r.At(path...).([]any)
	out := make([]map[string]any, len(list))
	for i := range list {
		out[i] = list[i].(map[string]any)
	}
	return out
}

// Send makes a request; "Name: value" pairs in headers.
func (d *Desk) Send(method, path, body string, headers ...string) Reply {
	d.T.Helper()
	req, err := http.NewRequestWithContext(d.T.Context(), method, d.URL+path, strings.NewReader(body))
	if err != nil {
		d.T.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.T.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		d.T.Fatal(err)
	}
	return Reply{Status: resp.StatusCode, Header: resp.Header, Text: string(data)}
}

// RowOf is the row whose key is value; nil when there is none.
func RowOf(rows []map[string]any, key, value string) map[string]any {
	for _, row := range rows {
		if fmt.Sprint(row[key]) == value {
			return row
		}
	}
	return nil
}

// ShapeDiff lists where got has other keys or JSON types than want. A null on
// either side says nothing about the type; free-form objects are not entered.
func ShapeDiff(at string, want, got any) []string {
	if want == nil || got == nil {
		return nil
	}
	if reflect.TypeOf(want) != reflect.TypeOf(got) {
		return []string{fmt.Sprintf("%s: want %T, got %T", at, want, got)}
	}
	var out []string
	switch w := want.(type) {
	case map[string]any:
		g := got.(map[string]any)
		for key, value := range w {
			if _, ok := g[key]; !ok {
				out = append(out, at+"."+key+": missing")
			} else if key != "meta_fields" && key != "parser_config" {
				out = append(out, ShapeDiff(at+"."+key, value, g[key])...)
			}
		}
		for key := range g {
			if _, ok := w[key]; !ok {
				out = append(out, at+"."+key+": not in the recording")
			}
		}
	case []any:
		if g := got.([]any); len(w) > 0 && len(g) > 0 {
			out = append(out, ShapeDiff(at+"[]", w[0], g[0])...)
		} else if len(w) > 0 {
			out = append(out, at+": empty")
		}
	}
	slices.Sort(out)
	return out
}

package vendortest

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"kb-mcp/vendors/rest"
)

// Rules checks a platform's table of errors against the cases of dir: an answer
// of some case hits every rule, so that none is dead or hidden behind another,
// and no rule that names texts fits an answer of another platform's cases. said
// returns the code and text of an answer as the driver reads them.
func Rules(t *testing.T, dir string, rules []rest.Rule, said func(rest.Answer) (code, text string)) {
	hit := make([]bool, len(rules))
	for _, a := range answersIn(t, dir) {
		code, text := said(a)
		if i := rest.Find(rules, a.Status, code, text); i >= 0 {
			hit[i] = true
		}
	}
	for i, r := range rules {
		if !hit[i] {
			t.Errorf("no case has an answer for rule %d: %+v", i, r)
		}
	}
	others, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range others {
		if other == filepath.Clean(dir) || !isPlatform(filepath.Base(other)) {
			continue
		}
		for _, a := range answersIn(t, other) {
			code, text := said(a)
			if i := rest.Find(rules, a.Status, code, text); i >= 0 && len(rules[i].Texts) > 0 && text != "" {
				t.Errorf("rule %d (%v) fits an answer of %s: %d %s %q", i, rules[i].Texts, filepath.Base(other), a.Status, code, text)
			}
		}
	}
}

// isPlatform reports whether a folder of testdata holds cases of a platform.
func isPlatform(name string) bool {
	return name != "tools" && name != "recorded" && name != "reports" && !strings.Contains(name, ".")
}

// answersIn returns the answers of all cases of a folder.
func answersIn(t testing.TB, dir string) (list []rest.Answer) {
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") || strings.HasSuffix(path, "skip.json") {
			return err
		}
		c, _ := load(t, path)
		for _, x := range c.HTTP {
			if x.Response.Fault == "" {
				list = append(list, x.Response.answer())
			}
		}
		return nil
	})
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %d answers, %v", dir, len(list), err)
	}
	return list
}

// answer is the response as a driver's Decode gets it.
func (r Response) answer() rest.Answer {
	a := rest.Answer{Status: r.Status, Header: http.Header{}, Body: []byte(r.Text)}
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	if len(r.Body) > 0 {
		a.Body = json.RawMessage(r.Body)
	}
	for k, v := range r.Headers {
		a.Header.Set(k, v)
	}
	return a
}

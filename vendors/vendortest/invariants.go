package vendortest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors"
)

// Invariants checks what is true of every successful answer.
func Invariants(t testing.TB, b []byte) {
	t.Helper()
	noSecret(t, b)
	if n := utf8.RuneCount(b); n > 20_000 {
		t.Errorf("the answer has %d characters", n)
	}
	walk(t, "", decode(t, b))
}

// walk visits every value of an answer.
func walk(t testing.TB, path string, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil:
		if !strings.Contains(path, "metadata") {
			t.Errorf("%s is null", path)
		}
	case []any:
		for _, x := range v {
			walk(t, path+"[]", x)
		}
	case map[string]any:
		if _, ok := v["vendor_status"]; ok {
			document(t, v)
		}
		for k, x := range v {
			if k == "metadata" {
				continue // the platform's users' own
			}
			if s, ok := x.(string); ok && strings.HasSuffix(k, "_at") {
				if _, err := time.Parse(time.RFC3339, s); err != nil || !strings.HasSuffix(s, "Z") {
					t.Errorf("%s.%s is %q, not RFC 3339 in UTC", path, k, s)
				}
			}
			walk(t, path+"."+k, x)
		}
	}
}

// document checks a Document or Progress.
func document(t testing.TB, d map[string]any) {
	t.Helper()
	id, _ := d["document_id"].(string)
	status, _ := d["status"].(string)
	known := false
	for _, s := range vendors.Statuses() {
		known = known || string(s) == status
	}
	if id == "" || !known {
		t.Errorf("document %q has status %q", id, status)
	}
	if _, ok := d["error"]; ok != (ok && vendors.Status(status).IsFailed()) {
		t.Errorf("document %s is %s and has an error", id, status)
	}
	p, has := d["progress_percent"].(json.Number)
	n, _ := p.Int64()
	switch s := vendors.Status(status); {
	case s.IsCompleted():
		if !has || n != 100 {
			t.Errorf("document %s is completed at %v", id, d["progress_percent"])
		}
	case s.Working():
		if has && (n < 0 || n > 99) {
			t.Errorf("document %s is %s at %v", id, status, n)
		}
	default:
		if has {
			t.Errorf("document %s is %s and has a percentage", id, status)
		}
	}
}

// secretShapes find credentials by their looks. (VOLCENGINE_SECRET_KEY is a name.)
var secretShapes = regexp.MustCompile(`(?:^|[^_])SECRET(?:[^_]|$)|Bearer [^\s[]\S{5,}|(?i:x-expires=|x-signature=|X-Tos-|Signature=)|pat_[0-9A-Za-z]{8}|sat_[0-9A-Za-z]{8}|-----BEGIN`)

// noSecret fails when text holds a credential.
func noSecret(t testing.TB, text []byte) {
	t.Helper()
	if m := secretShapes.Find(text); m != nil {
		t.Errorf("a secret (%q) in %s", m, bytes.TrimSpace(text))
	}
}

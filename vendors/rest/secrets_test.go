package rest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"kb-mcp/vendors"
)

func logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// TestClean: a secret goes in each form in which it may be echoed.
func TestClean(t *testing.T) {
	pem := "-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----"
	s := &Secrets{}
	s.Add(secret, pem, "short", "key-123456", "key-123456-longer", "")
	quoted, _ := json.Marshal(secret)
	var plain strings.Builder // JSON as most platforms write it, without Go's care for HTML
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	enc.Encode(secret)
	for name, text := range map[string]string{
		"bare":                         "x" + secret + "y",
		"twice":                        secret + secret,
		"JSON":                         "x" + string(quoted) + "y",
		"JSON, no HTML care":           "x" + plain.String() + "y",
		"query":                        "https://h/?key=" + url.QueryEscape(secret) + "&a=b",
		"path":                         "https://h/" + url.PathEscape(secret) + "/b",
		"private key":                  "x" + pem + "y",
		"one that begins like another": "a key-123456-longer b",
		"the shorter of the two":       "a key-123456 b",
	} {
		got := s.Clean(text)
		for _, part := range []string{"dataset", "cr", "0123456789", "MIIE", "kqhk", "123456", "longer"} {
			if strings.Contains(got, part) {
				t.Errorf("%s: %q left of %q", name, got, text)
				break
			}
		}
		if !strings.Contains(got, "[redacted]") {
			t.Errorf("%s: Clean = %q", name, got)
		}
	}
	for _, text := range []string{"", "nothing of it", "a short word", "dataset"} {
		if got := s.Clean(text); got != text {
			t.Errorf("Clean(%q) = %q", text, got)
		}
	}
	for name, s := range map[string]*Secrets{"nil": nil, "zero": {}} {
		if got := s.Clean(secret); got != secret {
			t.Errorf("%s: Clean = %q", name, got)
		}
	}
}

// TestCleanCodes: a key is taken out however it is encoded, and its greater part
// where somebody has cut it.
func TestCleanCodes(t *testing.T) {
	const key = "dataset-Ab3+/x&<9Zq7TgHn2"
	s := &Secrets{}
	s.Add(key)
	s.AddTemporary("eyJhbGciOi.eyJpc3MiOiI.c2lnbmF0dXJl")
	x := hex.EncodeToString([]byte(key))
	percent := ""
	for i := range key {
		percent += "%" + x[2*i:2*i+2]
	}
	texts := map[string]string{
		"hex": x, "HEX": strings.ToUpper(x), "percent": percent, "PERCENT": strings.ToUpper(percent), "entities": html.EscapeString(key),
		"without its prefix": strings.TrimPrefix(key, "dataset-"), "cut": `{"message":"` + key[:len(key)-1] + `…","code":1}`,
		"split by a line end": key[:9] + "\n" + key[9:], "split by zero width": key[:12] + "\u200b" + key[12:14] + "\u2060" + key[14:],
		"hex, wrapped":     x[:20] + "\r\n" + x[20:],
		"assertion's head": `{"error":"eyJhbGciOi"}`, "assertion's claims": "x eyJpc3MiOiI", "assertion's signature": "c2lnbmF0dXJl",
	}
	for _, before := range []string{"", "a", "ab", "user:"} {
		texts["base64 "+before] = base64.StdEncoding.EncodeToString([]byte(before + key + "z"))
		texts["base64url "+before] = base64.URLEncoding.EncodeToString([]byte(before + key))
	}
	for name, text := range texts {
		if got := s.Clean("a " + text + " b"); !strings.Contains(got, redacted) || len(got) > len(redacted)+34 {
			t.Errorf("%s: %q of %q", name, got, text)
		}
	}
	for _, text := range []string{`{"Signature":"s3cr3t","a":1}`, `{\"Signature\": \"s3cr3t\"}`, `Signature=s3cr3t`} {
		if got := Text(text) + Unsigned(text); strings.Contains(got, "s3cr3t") {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// TestCleanBeforeTheCut: wherever a key stands in a platform's words, no part of it
// is shown.
func TestCleanBeforeTheCut(t *testing.T) {
	s := &Secrets{}
	s.Add(secret)
	for before := maxText - len(secret) - 5; before < maxText+5; before++ {
		text := strings.Repeat("x", before) + secret + strings.Repeat("y", 100)
		c := client(t, "http://h", Conn{Secrets: s}, nil)
		e := c.clean(&vendors.Error{VendorMessage: text, VendorCode: text[before-maxCode+20:]}, Answer{})
		for n := range len(secret) - minSecret {
			if part := secret[:minSecret+n]; strings.Contains(e.VendorMessage+e.VendorCode, part) {
				t.Fatalf("%d characters before it: %q", before, part)
			}
		}
	}
}

// TestTemporary: of short-lived tokens the newest are remembered, and lasting
// secrets are never forgotten.
func TestTemporary(t *testing.T) {
	s := &Secrets{}
	s.Add("Bearer "+secret, "Bearer ")
	for i := range 10 * keepTemporary {
		token := fmt.Sprintf("token-%04d", i)
		s.AddTemporary(token)
		if got := s.Clean(token + " " + secret + " Bearer x"); got != "[redacted] [redacted] Bearer x" {
			t.Fatalf("Clean = %q", got)
		}
	}
	if n := len(s.temporary); n != keepTemporary {
		t.Errorf("%d temporary secrets are kept", n)
	}
	var none *Secrets
	none.Add(secret)
	none.AddTemporary(secret)
}

func TestSecretsAreSafeForConcurrentUse(t *testing.T) {
	s := &Secrets{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				s.Add(secret)
				if got := s.Clean(secret); got != "[redacted]" {
					t.Errorf("Clean = %q", got)
				}
			}
		})
	}
	wg.Wait()
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		"  plain  ":                     "plain",
		"two\r\n\r\nlines\tand a tab":   "two lines and a tab",
		"bell\a escape\x1b[31m nul\x00": "bell escape [31m nul",
		"中文\u3000空格\u2028行":             "中文 空格 行",
		"bad \xff\xfe bytes":            "bad \uFFFD bytes",
		"\u0085next line":               "next line",
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
	for _, long := range []string{strings.Repeat("a", 10_000), strings.Repeat("知", 10_000), strings.Repeat("a ", 10_000)} {
		checkText(t, Text(long))
		if !strings.HasSuffix(Text(long), "…") {
			t.Errorf("a text of %d bytes was not marked as cut", len(long))
		}
	}
}

// checkText: one line of valid UTF-8, capped, the same when cleaned again.
func checkText(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) || len(s) > maxText+len("…") {
		t.Errorf("%d bytes, valid: %v", len(s), utf8.ValidString(s))
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) && r != ' ' }) {
		t.Errorf("%q holds a control character", s)
	}
	if strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ") || strings.Contains(s, "  ") {
		t.Errorf("%q holds loose spaces", s)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\nb", "\xff", "\u2028", strings.Repeat("知", 500), "a" + strings.Repeat("é", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkText(t, Text(s)) })
}

// FuzzClean: a secret is never left, in whatever text and in whatever form it
// may be echoed.
func FuzzClean(f *testing.F) {
	f.Add("top-secret", "a top-secret text", "second")
	f.Add("aaaaaaa", "aaaaaaaaaaaaa", "aaaaaaaa")
	f.Add("se\"cret/+", `se\"cret/+ se%22cret%2F%2B`, "cret/+")
	f.Fuzz(func(t *testing.T, secret, text, other string) {
		s := &Secrets{}
		s.Add(secret, other)
		for _, text := range []string{text, text + secret, secret + text, text + url.QueryEscape(secret) + text} {
			got := s.Clean(text)
			for _, form := range []string{secret, url.QueryEscape(secret)} {
				left := func(part string) bool { return strings.Contains(part, form) }
				if len(secret) >= minSecret && slices.ContainsFunc(strings.Split(got, redacted), left) {
					t.Errorf("Clean(%q) = %q, with the secrets %q and %q", text, got, secret, other)
				}
			}
		}
	})
}

func TestPublicURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://example.com/a/b.pdf":                      "https://example.com/a/b.pdf",
		" https://example.com/a ":                          "https://example.com/a",
		"https://example.com/a?X-Tos-Signature=s&b=1#frag": "https://example.com/a",
		"https://example.com/a?":                           "https://example.com/a",
		"https://me:password@example.com:8443/a":           "https://example.com:8443/a",
		"https://me@example.com/":                          "https://example.com/",
		"https://medium.com/@me/post":                      "https://medium.com/@me/post",
		"https://example.com/%E4%B8%AD%2F?x":               "https://example.com/%E4%B8%AD%2F",
		"tos://bucket/key?sign=1":                          "tos://bucket/key",
		"":                                                 "",
		"a.pdf":                                            "",
		"/a/b":                                             "",
		"//example.com/a":                                  "",
		"file:///etc/passwd":                               "",
		"https:me:password@example.com":                    "",
		"mailto:me@example.com?subject=x":                  "",
		"http://[::1":                                      "",
		"http://me:pass word@h/":                           "",
		"data:text/plain,secret":                           "",
	} {
		if got := PublicURL(in); got != want {
			t.Errorf("PublicURL(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPublicURL(f *testing.F) {
	for _, s := range []string{"https://u:p@h/a?b#c", "http:u:p@h?x", "//u@h", "https://h/%3F?x", "https://h/a;b=c", "a:b@c:d//e?f", "https://h?%zz", "http://u:p@[::1]:80?x#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := PublicURL(s)
		if got == "" {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.User != nil || u.Host == "" || u.Opaque != "" || strings.ContainsAny(got, "?#") || strings.Contains(u.Host, "@") {
			t.Errorf("PublicURL(%q) = %q (%v)", s, got, err)
		}
		if again := PublicURL(got); again != got {
			t.Errorf("PublicURL(%q) = %q, and of that %q", s, got, again)
		}
	})
}

// TestMayBeSplit holds the quick look against what it stands for.
func TestMayBeSplit(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if text := "a" + string(r) + "年b"; mayBeSplit(text) != strings.ContainsFunc(text, splits) {
			t.Fatalf("%U", r)
		}
	}
	for _, text := range []string{"", "\xe3", "\xee\x80", "\xff", "a\xe5\n"} {
		mayBeSplit(text) // broken UTF-8 ends, too
	}
}

package rest

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// minSecret is the length from which a secret is taken out of texts: shorter
// ones would mangle them, and no platform issues such.
const minSecret = 6

// keepTemporary is how many short-lived tokens are remembered: one replaces
// another every quarter of an hour, and only the newest can still be echoed.
const keepTemporary = 64

// Secrets takes credentials out of every text that leaves the process. A
// platform may echo a request in an error, a document or a header; this is the
// net below all other care. The zero value is ready to use; nil keeps nothing.
type Secrets struct {
	mu        sync.RWMutex
	lasting   [][]string // the forms of each
	temporary [][]string
	forms     []string // all, longest first: a secret may begin like another
	replacer  *strings.Replacer
}

// Add makes values secret for good.
func (s *Secrets) Add(values ...string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		s.lasting = append(s.lasting, forms(strings.TrimPrefix(v, "Bearer ")))
	}
	s.build()
}

// AddTemporary makes a short-lived token secret.
func (s *Secrets) AddTemporary(token string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.temporary = append(s.temporary, forms(token)); len(s.temporary) > keepTemporary {
		s.temporary = s.temporary[1:]
	}
	s.build()
}

// build prepares Clean for the forms in which a value may be echoed.
func (s *Secrets) build() {
	s.forms = nil
	for _, forms := range slices.Concat(s.lasting, s.temporary) {
		s.forms = append(s.forms, forms...)
	}
	s.forms = slices.DeleteFunc(s.forms, func(form string) bool { return len(form) < minSecret })
	slices.SortFunc(s.forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	s.forms = slices.Compact(s.forms)
	pairs := make([]string, 0, 2*len(s.forms))
	for _, form := range s.forms {
		pairs = append(pairs, form, redacted)
	}
	s.replacer = strings.NewReplacer(pairs...)
}

const redacted = "[redacted]"

// forms are the ways to write a value: as it is, in one line as [Text] does, in
// JSON with and without Go's care for HTML, in a URL.
func forms(v string) []string {
	return []string{v, strings.Join(strings.Fields(v), " "), inJSON(v, true), inJSON(v, false), url.QueryEscape(v), url.PathEscape(v)}
}

// inJSON is a text as it stands between the quotes of a JSON string.
func inJSON(v string, escapeHTML bool) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(escapeHTML)
	_ = enc.Encode(v) // a string always encodes
	line := b.String()
	return line[1 : len(line)-len("\"\n")]
}

// Clean returns text without secrets.
func (s *Secrets) Clean(text string) string {
	if s == nil {
		return text
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	// Nearly no text holds a secret. Looking for each form is quicker than the
	// replacer, which goes through a text byte by byte and copies it twice.
	if slices.ContainsFunc(s.forms, func(form string) bool { return strings.Contains(text, form) }) {
		text = s.replacer.Replace(text)
	}
	return s.cut(text)
}

// cut takes out the first part of a secret in which [Text] has cut.
func (s *Secrets) cut(text string) string {
	kept, ok := strings.CutSuffix(text, "…")
	if !ok {
		return text
	}
	for _, form := range s.forms {
		for n := min(len(form)-1, len(kept)); n >= minSecret; n-- {
			if strings.HasSuffix(kept, form[:n]) {
				return kept[:len(kept)-n] + redacted + "…"
			}
		}
	}
	return text
}

// maxText caps a platform's words in bytes: an error holds two such texts at
// most, and its whole JSON stays under 2 KB.
const maxText = 600

// A pre-signed link has credentials in its user, query or fragment, and a word
// about a signature may quote one.
var (
	link      = regexp.MustCompile(`(?i)((?:https?|tos)://)(?:[^\s/?#@"'<>]+@)?([^\s?#"'<>]+)(?:[?#][!#-&(-;=?-~]*)?`)
	parameter = regexp.MustCompile(`(?i)\b(?:x-[a-z0-9-]+|signature|credential)=[^\s,"']*`)
)

// Unsigned takes signatures out of a text that may quote a request: they are
// made anew for each, so that [Secrets] does not know them.
func Unsigned(s string) string {
	if !strings.Contains(s, "ignature=") && !strings.Contains(s, "redential=") {
		return s
	}
	return parameter.ReplaceAllString(s, redacted)
}

// Text makes a platform's words fit to show: one line, no control characters,
// links without what may open them, capped. They may quote other people's
// input.
func Text(s string) string {
	if strings.Contains(s, "://") || strings.Contains(s, "=") {
		s = parameter.ReplaceAllString(link.ReplaceAllString(s, "$1$2"), redacted)
	}
	if !oneWord(s) {
		s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r)
		}), " ")
	}
	return shorten(s, maxText)
}

// oneWord reports whether s is printable ASCII without blanks, as the states are
// that each row of a list has.
func oneWord(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= unicode.MaxASCII })
}

// shorten cuts s to at most n bytes between two characters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// PublicURL returns a URL without user, query and fragment, which may hold
// credentials; "" for what is no absolute URL.
func PublicURL(s string) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme == "" || u.Host == "" { // "https:user:password@host" has no host
		return ""
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment, u.ForceQuery = nil, "", "", "", false
	return u.String()
}

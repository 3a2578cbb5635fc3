package rest

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// minSecret is the length from which a secret is taken out of texts: shorter
// ones would mangle them, and no platform issues any.
const minSecret = 6

// keepTemporary is how many short-lived tokens are remembered: one replaces
// another every quarter of an hour, and only the newest can still be echoed.
const keepTemporary = 64

// Secrets takes credentials out of every text that leaves the process. A
// platform may echo a request in an error, a document or a header; this is the
// last line of defense. The zero value is ready to use; nil keeps nothing.
type Secrets struct {
	mu        sync.RWMutex
	lasting   [][]string // the forms of each
	temporary [][]string
	forms     []string // all, longest first: a secret may begin like another
	sieve     sieve    // of forms
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
		v = strings.TrimPrefix(v, "Bearer ")
		s.lasting = append(s.lasting, append(forms(v), codes(v)...))
		if short := strings.TrimPrefix(v, "dataset-"); short != v { // a Dify key is known without it, too
			s.lasting = append(s.lasting, append(forms(short), codes(short)...))
		}
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
	all := forms(token)
	if parts := strings.Split(token, "."); len(parts) == 3 { // a JWT, each part of which may be quoted alone
		all = append(all, parts...)
	}
	if s.temporary = append(s.temporary, all); len(s.temporary) > keepTemporary {
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
	s.sieve = sieveOf(s.forms)
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

// codes are the ways to encode a value whole: hexadecimal, base64 at each of the
// three places in which it may stand in a longer text, every byte as %xx, and
// HTML's entities.
func codes(v string) []string {
	if len(v) < minSecret {
		return nil
	}
	x := hex.EncodeToString([]byte(v))
	percent := "%" + strings.Join(strings.Split(regexp.MustCompile("..").ReplaceAllString(x, "$0 "), " ")[:len(v)], "%")
	list := []string{x, strings.ToUpper(x), percent, strings.ToUpper(percent), html.EscapeString(v)}
	for before := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte("\x00\x00"[:before] + v))
		// Its first and last characters depend on what stands before and behind.
		text = text[(8*before+5)/6 : (before+len(v))*8/6]
		list = append(list, text, strings.NewReplacer("+", "-", "/", "_").Replace(text))
	}
	return list
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
	// Nearly no text holds a secret, and the replacer copies it twice.
	if s.sieve.catches(text) && slices.ContainsFunc(s.forms, func(form string) bool { return strings.Contains(text, form) }) {
		text = s.replacer.Replace(text)
	}
	return s.cut(s.split(text))
}

// splits reports whether a character may stand inside a secret that was wrapped
// or hidden: line ends, tabs, and invisible characters.
func splits(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// mayBeSplit is ContainsFunc(text, splits), quick for what texts are made of:
// every answer passes here whole. No such character lies in U+3000 to U+EFFF,
// where Chinese, Japanese and Korean are, whose lead bytes are 0xe3 to 0xee.
func mayBeSplit(text string) bool {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c >= ' ' && c < 0x7f:
			i++
		case c >= 0xe3 && c <= 0xee:
			i += 3
		default:
			r, size := utf8.DecodeRuneInString(text[i:])
			if splits(r) {
				return true
			}
			i += size
		}
	}
	return false
}

// split takes out secrets with such characters inside.
func (s *Secrets) split(text string) string {
	if !mayBeSplit(text) {
		return text
	}
	whole := make([]byte, 0, len(text)) // text without them
	at := make([]int, 0, len(text))     // where each byte of whole stands in text
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		for k := i; k < i+size && !splits(r); k++ {
			whole, at = append(whole, text[k]), append(at, k)
		}
		i += size
	}
	var found [][2]int // in text: from, to
	for _, form := range s.forms {
		for from := 0; ; {
			i := bytes.Index(whole[from:], []byte(form))
			if i < 0 {
				break
			}
			last := from + i + len(form) - 1
			found = append(found, [2]int{at[from+i], at[last] + 1})
			from = last + 1
		}
	}
	return without(text, found)
}

// without replaces spans of a text, which may overlap, each by one mark.
func without(text string, spans [][2]int) string {
	slices.SortFunc(spans, func(a, b [2]int) int { return cmp.Compare(a[0], b[0]) })
	var out strings.Builder
	done := 0
	for _, s := range spans {
		if s[0] >= done {
			out.WriteString(text[done:s[0]] + redacted)
		}
		done = max(done, s[1])
	}
	return out.String() + text[done:]
}

// maxCuts is how many cuts a text may have that are looked at.
const maxCuts = 1000

// cut removes the first parts of shortened secrets: an ellipsis follows them,
// at the end of the text or of a part of it.
func (s *Secrets) cut(text string) string {
	if !strings.Contains(text, "…") { // SplitN makes room for the most parts
		return text
	}
	parts := strings.SplitN(text, "…", maxCuts)
	for i, kept := range parts[:len(parts)-1] {
		parts[i] = s.withoutStart(kept)
	}
	return strings.Join(parts, "…")
}

// withoutStart cuts the beginning of a secret off the end of a text.
func (s *Secrets) withoutStart(kept string) string {
	for _, form := range s.forms {
		for n := min(len(form)-1, len(kept)); n >= minSecret; n-- {
			if kept[len(kept)-1] == form[n-1] && strings.HasSuffix(kept, form[:n]) {
				return kept[:len(kept)-n] + redacted
			}
		}
	}
	return kept
}

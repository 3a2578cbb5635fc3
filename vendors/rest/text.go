package rest

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText caps a platform's text in bytes: an error holds two such texts at
// most, and its whole JSON stays under 2 KB.
const maxText = 600

// A pre-signed link has credentials in its user, query or fragment, and a word
// about a signature may quote one.
var (
	link      = regexp.MustCompile(`(?i)((?:https?|tos)://)(?:[^\s/?#@"'<>]+@)?([^\s?#"'<>]+)(?:[?#][!#-&(-;=?-~]*)?`)
	parameter = regexp.MustCompile(`(?i)\b(?:x-[a-z0-9-]+|signature|credential)(?:=[^\s,"']*|\\?"\s*:\s*\\?"[^"\\]*)`)
)

// Unsigned takes signatures out of a text that may quote a request: they are
// new for each, so that [Secrets] does not know them.
func Unsigned(s string) string {
	if !strings.Contains(s, "ignature") && !strings.Contains(s, "redential") {
		return s
	}
	return parameter.ReplaceAllString(s, redacted)
}

// Text makes a platform's text fit to show: one line, no control characters,
// links without what may open them, capped. They may quote other people's
// input.
func Text(s string) string {
	if strings.Contains(s, "://") || strings.Contains(s, "=") || strings.Contains(s, `":`) || strings.Contains(s, `" :`) {
		s = parameter.ReplaceAllString(link.ReplaceAllString(s, "$1$2"), redacted)
	}
	if !oneWord(s) {
		s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r)
		}), " ")
	}
	return shorten(s, maxText)
}

// oneWord reports whether s is printable ASCII without spaces, as the states
// are that each row of a list has.
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
// credentials; "" if s is not an absolute URL.
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

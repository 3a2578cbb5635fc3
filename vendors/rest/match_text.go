package rest

import (
	"strings"
	"unicode"
)

// Words is a platform's text in the form in which texts are compared: in lower
// case, without quotes, and with one space for all other punctuation. Platforms
// change a comma or a backquote from one release to the next, which must not
// change what a text means to us.
type Words string

// WordsOf returns the words of a text.
func WordsOf(text string) Words {
	var b strings.Builder
	b.Grow(len(text))
	gap := false
	for _, r := range text {
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		case !strings.ContainsRune("'\"`’‘“”´", r): // "can't" is one word
			gap = true
		}
	}
	return Words(b.String())
}

// Have reports whether the words hold those of a pattern, in their order; *
// stands for anything between them.
func (w Words) Have(pattern string) bool {
	left := string(w)
	for part := range strings.SplitSeq(pattern, "*") {
		_, after, ok := strings.Cut(left, string(WordsOf(part)))
		if !ok {
			return false
		}
		left = after
	}
	return true
}

// HaveAny reports whether the words hold one of the patterns.
func (w Words) HaveAny(patterns ...string) bool {
	for _, p := range patterns {
		if w.Have(p) {
			return true
		}
	}
	return false
}

// Package visible makes text of platforms and their users fit to show: it
// removes characters that a person does not see but an agent would read.
package visible

import (
	"strings"
	"unicode"
)

// Text returns a text of a document as it may be shown: without the characters
// that are invisible or change the direction of others, which carry
// instructions past the eye of a person, and without the controls that a
// terminal obeys. Line ends (as \n) and tabs stay. Joiners and variation
// selectors stay where a script or an emoji needs them.
func Text(s string) string {
	shown, _ := Filter(s, false)
	return shown
}

// Line is [Text] for a single line: a name or an error's message.
func Line(s string) string {
	shown, _ := Filter(s, true)
	return shown
}

// shortLength is how many characters [Short] keeps.
const shortLength = 60

// Short is [Line] for a word of a caller in a message: its first 60 characters.
func Short(s string) string {
	s = Line(s)
	if r := []rune(s); len(r) > shortLength {
		return string(r[:shortLength]) + "…"
	}
	return s
}

// Filter also reports whether anything was removed; a different form of line
// end does not count.
func Filter(s string, line bool) (shown string, removed bool) {
	if !strings.ContainsFunc(s, func(r rune) bool {
		return (r < ' ' || r > '~') && (hidden(r) || isBreak(r) && (line || r != '\n') || r == '\t' && line)
	}) {
		return s, false
	}
	in := []rune(s)
	out := make([]rune, 0, len(in))
	for i, r := range in {
		switch {
		case isBreak(r):
			if r == '\r' && i+1 < len(in) && in[i+1] == '\n' {
				continue // the \n says it
			}
			if r = '\n'; line {
				r = ' '
			}
			out = append(out, r)
		case r == '\t' && line:
			out = append(out, ' ')
		case !hidden(r) || serves(in, i):
			out = append(out, r)
		default:
			removed = true
		}
	}
	return string(out), removed
}

// isBreak reports whether a character ends a line.
func isBreak(r rune) bool { return r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' }

// hidden reports whether a character is invisible, changes the direction of
// others, or controls a terminal.
func hidden(r rune) bool {
	switch {
	case r < 0x7f:
		return r < ' ' && r != '\t' && r != '\n' && r != '\r'
	case r < 0xa0, r == 0xad:
		return true
	case r < 0x34f, r >= 0x2010 && r < 0x202a, r >= 0x2030 && r < 0x2060, r >= 0x2070 && r < 0x3164, r > 0x3164 && r < 0xd800:
		return false // nearly every text
	case unicode.Is(unicode.Cf, r):
		return !unicode.Is(unicode.Prepended_Concatenation_Mark, r) // these are seen
	}
	return unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
	textStyle = '\ufe0e'
	emoji     = '\ufe0f'
	keycap    = '\u20e3'
	// viramas end a word with a joiner behind them.
	viramas = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u17d2"
)

// serves reports whether a hidden character does what it is for: it joins
// letters of a script that is written so, or parts of one emoji.
func serves(in []rune, i int) bool {
	at := func(i int) rune {
		if i < 0 || i >= len(in) {
			return 0
		}
		return in[i]
	}
	before, after := at(i-1), at(i+1)
	switch r := in[i]; {
	case r == joiner && pictured(after):
		return pictured(before) || before == emoji && pictured(at(i-2))
	case r == joiner || r == nonJoiner:
		return joined(before) && (joined(after) || strings.ContainsRune(viramas, before))
	case r == textStyle || r == emoji:
		return pictured(before) || after == keycap && (before == '#' || before == '*' || before >= '0' && before <= '9')
	case r >= 0x180b && r <= 0x180f:
		return unicode.Is(unicode.Mongolian, before) && !hidden(before)
	}
	return false
}

// joined reports whether a letter or mark is of a script that is written with
// joiners. Between others they are seen by no one.
func joined(r rune) bool {
	return !hidden(r) && unicode.In(r, unicode.L, unicode.M) && unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Nko,
		unicode.Mongolian, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil,
		unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan)
}

// pictured reports whether a character can be an emoji: most are symbols.
func pictured(r rune) bool {
	return unicode.Is(unicode.So, r) || r >= 0x2190 && unicode.Is(unicode.Sm, r) ||
		r >= 0x1f3fb && r <= 0x1f3ff || strings.ContainsRune("‼⁉ℹ〰", r)
}

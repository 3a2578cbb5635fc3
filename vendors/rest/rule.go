package rest

import (
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
)

// Rule is a row of a platform's table of errors. It fits an answer that matches
// every field below that is set, from Codes to Texts.
type Rule struct {
	Codes    []string // the platform's codes, one of them; "105*" is every code that begins so
	Statuses []int    // HTTP statuses, one of them; 5 is every status from 500 on
	// Texts are patterns, one of which the platform's text holds: as [Words]
	// compares them, "*" for anything between two parts, and at the beginning of
	// the text only after "^".
	Texts []string

	Kind    vendors.Kind
	Message string        // one sentence for a person; "" for that of the HTTP status
	Hint    string        // what to do next; "" for the kind's usual hint
	Retry   vendors.Retry // where it is not as the kind usually is
	After   time.Duration // how long to wait at least, where the answer does not say
	Mark    error         // what the driver tests with errors.Is
}

// Judge returns the error of the first rule that fits an answer with the
// platform's code and text; nil when none does. The driver fills in VendorCode
// and VendorMessage itself, because platforms put foreign text into both.
func Judge(rules []Rule, a Answer, code, text string) *vendors.Error {
	i := Find(rules, a.Status, code, text)
	if i < 0 {
		return nil
	}
	e := rules[i].Error()
	e.HTTPStatus = a.Status
	if e.Message == "" {
		e.Message = ByStatus(a).Message
	}
	return e
}

// Find returns the index of the first rule that fits; -1 when none does.
func Find(rules []Rule, status int, code, text string) int {
	words := WordsOf(text)
	return slices.IndexFunc(rules, func(r Rule) bool { return r.fits(status, code, words) })
}

// Error is a new error as the rule words it.
func (r Rule) Error() *vendors.Error {
	return &vendors.Error{Kind: r.Kind, Message: r.Message, Hint: r.Hint, Retry: r.Retry, After: r.After, Err: r.Mark}
}

func (r Rule) fits(status int, code string, words Words) bool {
	has := func(c string) bool {
		prefix, open := strings.CutSuffix(c, "*")
		return c == code || open && strings.HasPrefix(code, prefix)
	}
	return (len(r.Codes) == 0 || slices.ContainsFunc(r.Codes, has)) &&
		(len(r.Statuses) == 0 || slices.Contains(r.Statuses, status) || status >= 500 && slices.Contains(r.Statuses, 5)) &&
		(len(r.Texts) == 0 || slices.ContainsFunc(r.Texts, words.holds))
}

// holds is Have, with "^" for the beginning.
func (w Words) holds(pattern string) bool {
	rest, begins := strings.CutPrefix(pattern, "^")
	if !begins {
		return w.Have(pattern)
	}
	first, _, _ := strings.Cut(rest, "*")
	return strings.HasPrefix(string(w), string(WordsOf(first))) && w.Have(rest)
}

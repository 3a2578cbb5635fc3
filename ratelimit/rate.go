// Package ratelimit keeps the requests to a platform within the platform's
// limits. A [Limiter] lets callers through at a [Rate], first come, first
// served; [Transport] makes every HTTP try pay one turn; [Do] repeats what may
// succeed when it is repeated. Limiters of several processes keep to one rate
// together through an [Account]. It knows nothing of platforms: an error itself
// says whether it may be repeated.
package ratelimit

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxN bounds the number of a term: a limiter remembers that many grants.
const maxN = 100_000

// Rate is how much a platform allows: no window of a term's length ever holds
// more than the term's number. The zero value is no limit.
type Rate struct {
	terms []Term // by window, each window once
}

// Term is one limit of a rate: N in any Window.
type Term struct {
	N      int
	Window time.Duration
}

// Parse reads "10/s", "8/min,3000/day" or "off". The units are second, minute,
// hour and day, also in the plural or as s, sec, m, min, h, d; case and spaces
// do not matter. A unit may occur once.
func Parse(s string) (Rate, error) {
	if strings.EqualFold(strings.TrimSpace(s), "off") {
		return Rate{}, nil
	}
	var r Rate
	for text := range strings.SplitSeq(s, ",") {
		t, why := parseTerm(text)
		if why == "" && slices.ContainsFunc(r.terms, func(o Term) bool { return o.Window == t.Window }) {
			why = "a unit may occur only once"
		}
		if why != "" {
			return Rate{}, fmt.Errorf(`rate %q: %s; write it like "10/s", "8/min,3000/day" or "off"`, s, why)
		}
		r.terms = append(r.terms, t)
	}
	slices.SortFunc(r.terms, func(a, b Term) int { return cmp.Compare(a.Window, b.Window) })
	return r, nil
}

// parseTerm reads one "N/unit", or returns why it is not one.
func parseTerm(s string) (t Term, why string) {
	number, unit, ok := strings.Cut(s, "/")
	if !ok {
		return Term{}, "it is not a number, a slash and a unit"
	}
	n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 32)
	if err != nil || n < 1 || n > maxN {
		return Term{}, fmt.Sprintf("the number must be a whole one from 1 to %d", maxN)
	}
	window := windowOf(strings.ToLower(strings.TrimSpace(unit)))
	if window == 0 {
		return Term{}, "the unit must be s, min, hour or day"
	}
	return Term{N: int(n), Window: window}, ""
}

// windowOf is the length of a unit, 0 for an unknown one.
func windowOf(unit string) time.Duration {
	switch unit {
	case "s", "sec", "secs", "second", "seconds":
		return time.Second
	case "m", "min", "mins", "minute", "minutes":
		return time.Minute
	case "h", "hour", "hours":
		return time.Hour
	case "d", "day", "days":
		return 24 * time.Hour
	}
	return 0
}

// String is the rate as Parse reads it, shortest window first.
func (r Rate) String() string {
	if r.Off() {
		return "off"
	}
	texts := make([]string, len(r.terms))
	for i, t := range r.terms {
		texts[i] = strconv.Itoa(t.N) + "/" + t.Unit()
	}
	return strings.Join(texts, ",")
}

// Unit is the name of the window: s, min, hour or day.
func (t Term) Unit() string {
	switch t.Window {
	case time.Second:
		return "s"
	case time.Minute:
		return "min"
	case time.Hour:
		return "hour"
	}
	return "day"
}

// Off reports whether the rate limits nothing.
func (r Rate) Off() bool { return len(r.terms) == 0 }

// Terms is the limits that hold together, shortest window first.
func (r Rate) Terms() []Term { return slices.Clone(r.terms) }

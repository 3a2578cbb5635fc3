package visible

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// metadataDepth is how deep metadata may be nested. The JSON readers of hosts
// give up at some depth (Python's at 1,000), and with it the whole answer.
const metadataDepth = 32

// maxWhole is up to where a double holds every whole number.
const maxWhole = 1 << 53

// Metadata is metadata as it can be shown: as it is, or a copy where a
// part must be shown otherwise.
func Metadata(m map[string]any) map[string]any {
	if Fits(m, metadataDepth) {
		return m
	}
	return fitted(m, metadataDepth).(map[string]any)
}

// Fits reports whether a value of metadata can be shown as it is.
func Fits(v any, depth int) bool {
	switch v := v.(type) {
	case string:
		return Text(v) == v
	case json.Number:
		return exact(v.String())
	case int64:
		return v <= maxWhole && v >= -maxWhole
	case uint64:
		return v <= maxWhole
	case map[string]any:
		for key, x := range v {
			if depth == 0 || Line(key) != key || !Fits(x, depth-1) {
				return false
			}
		}
	case []any:
		for _, x := range v {
			if depth == 0 || !Fits(x, depth-1) {
				return false
			}
		}
	}
	return true
}

// fitted is a copy that fits: a number that a double cannot hold is its text, a
// text is what can be seen of it, and what is nested too deep is null.
func fitted(v any, depth int) any {
	switch v := v.(type) {
	case string:
		return Text(v)
	case json.Number:
		if !exact(v.String()) {
			return v.String()
		}
	case int64:
		if !Fits(v, depth) {
			return strconv.FormatInt(v, 10)
		}
	case uint64:
		if !Fits(v, depth) {
			return strconv.FormatUint(v, 10)
		}
	case map[string]any:
		if depth == 0 {
			return nil
		}
		m := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			name := Line(key)
			if _, taken := v[name]; taken && name != key {
				name = strconv.QuoteToASCII(key) // two that look the same stay two
			}
			if _, taken := m[name]; taken {
				name = strconv.QuoteToASCII(key)
			}
			m[name] = fitted(v[key], depth-1)
		}
		return m
	case []any:
		if depth == 0 {
			return nil
		}
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = fitted(x, depth-1)
		}
		return list
	}
	return v
}

// exact reports whether a number is the same one after a double has held it.
// Hosts in JavaScript read every number into a double.
func exact(text string) bool {
	if !strings.ContainsAny(text, ".eE") {
		n, err := strconv.ParseInt(text, 10, 64)
		return err == nil && n <= maxWhole && n >= -maxWhole
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return false
	}
	digits, exponent, ok := decimal(text)
	if !ok {
		return false
	}
	held, heldExponent, _ := decimal(strconv.FormatFloat(f, 'e', -1, 64))
	return digits == held && exponent == heldExponent
}

// decimal is a number's digits without zeros around them, and the exponent of
// the first; zero has none.
func decimal(text string) (digits string, exponent int, ok bool) {
	text = strings.TrimLeft(text, "+-")
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.Atoi(text[i+1:])
		if err != nil {
			return "", 0, false
		}
		text, exponent = text[:i], e
	}
	whole, fraction, _ := strings.Cut(text, ".")
	exponent += len(whole) - 1
	all := whole + fraction
	digits = strings.TrimLeft(all, "0")
	exponent -= len(all) - len(digits)
	if digits = strings.TrimRight(digits, "0"); digits == "" {
		return "", 0, true
	}
	return digits, exponent, true
}

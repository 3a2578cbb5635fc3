package rest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"kb-mcp/vendors"
)

// Bounds of an answer's JSON. Its bytes are bounded as they are read; a few bytes
// can make a large struct, though: without these, 8 KB of zipped "{},{},{}" took
// gigabytes.
const (
	maxNesting    = 64      // objects and lists in one another
	maxMembers    = 10_000  // of one list or object
	maxContainers = 100_000 // objects and lists in all
	maxValues     = 500_000 // values in all
	// Of JSON in a text, of which an answer can have one in each row.
	maxTextContainers = 1000
	maxTextValues     = 2000
	// An answer may have so many times the rows that were asked for, and
	// fewRows in any case: some servers have a minimum page size.
	moreRows = 10
	fewRows  = 100
)

// withinBounds reports whether the JSON of an answer is within the bounds. It
// does not judge whether it is JSON at all.
func withinBounds(b []byte) bool { return within(b, maxContainers, maxValues) }

func within(b []byte, mostContainers, mostValues int) bool {
	var members [maxNesting]int
	depth, containers, values := 0, 0, 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = stringEnd(b, i); i < 0 {
				return true // not JSON
			}
		case '{', '[':
			if depth == maxNesting || containers == mostContainers {
				return false
			}
			members[depth], depth, containers = 1, depth+1, containers+1
		case '}', ']':
			if depth == 0 {
				return true // not JSON
			}
			depth--
		case ',':
			if depth == 0 {
				return true // not JSON
			}
			members[depth-1]++
			values++
			if members[depth-1] > maxMembers || values > mostValues {
				return false
			}
		}
	}
	return true
}

// stringEnd is where the string ends that begins at a quote; -1 for nowhere.
func stringEnd(b []byte, quote int) int {
	for i := quote; ; {
		next := bytes.IndexByte(b[i+1:], '"')
		if next < 0 {
			return -1
		}
		i += next + 1
		if b[i-1] != '\\' {
			return i
		}
		before := i - 2
		for before > quote && b[before] == '\\' {
			before--
		}
		if (i-1-before)%2 == 0 {
			return i
		}
	}
}

// Parse decodes JSON that is a text in a row of an answer, within narrower
// bounds. Numbers keep all their digits.
func Parse(text string, v any) error {
	if !within([]byte(text), maxTextContainers, maxTextValues) {
		return errOutOfBounds()
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	return dec.Decode(v)
}

func errOutOfBounds() *vendors.Error {
	return vendors.Errorf(vendors.BadResponse, "The platform's answer holds far more than can have been asked for.").
		WithHint("Look at the proxy between kb-mcp and the platform, and check this connection's base URL.")
}

// lists visits the lists of what an answer is decoded into, except those in
// rows.
func lists(v reflect.Value, visit func(list reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			lists(v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			lists(v.Field(i), visit)
		}
	case reflect.Slice:
		switch v.Type().Elem().Kind() {
		case reflect.Struct, reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
			visit(v)
		}
	}
}

// reserve gives the lists that v has yet to get room for n rows: the decoder
// would double it from one row on.
func reserve(v any, n int) {
	if n == 0 {
		return
	}
	lists(reflect.ValueOf(v), func(list reflect.Value) {
		if list.CanSet() && list.IsNil() {
			list.Set(reflect.MakeSlice(list.Type(), 0, min(n, fewRows)))
		}
	})
}

// unreserve drops the room of lists that the answer does not mention, and
// returns the length of the longest of the others.
func unreserve(v any) (most int) {
	lists(reflect.ValueOf(v), func(list reflect.Value) {
		if list.CanSet() && list.Len() == 0 && list.Cap() > 0 {
			list.SetZero()
		}
		most = max(most, list.Len())
	})
	return most
}

package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"strconv"
)

// Args is the members of a JSON request body, not decoded yet: the faces are
// as strict about types as their platforms.
type Args map[string]json.RawMessage

// ErrNotGiven is the error of a member that is missing or null.
var ErrNotGiven = errors.New("not given")

// ParseArgs reads a body that must be one JSON object; an empty body has no
// members.
func ParseArgs(data []byte) (Args, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return Args{}, nil
	}
	var a Args
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, err
	}
	return a, nil
}

// Has reports whether a member is there and not null.
func (a Args) Has(key string) bool {
	raw, ok := a[key]
	return ok && string(raw) != "null"
}

// member decodes a member.
func member[T any](a Args, key string) (v T, err error) {
	if !a.Has(key) {
		return v, ErrNotGiven
	}
	err = json.Unmarshal(a[key], &v)
	return v, err
}

// Text is a member that must be a string.
func (a Args) Text(key string) (string, error) { return member[string](a, key) }

// Str is a member that should be a string; "" when it is none.
func (a Args) Str(key string) string {
	s, _ := a.Text(key)
	return s
}

// Texts is a member that must be an array of strings.
func (a Args) Texts(key string) ([]string, error) { return member[[]string](a, key) }

// ID is a member that is an id: a string, or a number whose digits are kept.
func (a Args) ID(key string) (string, error) {
	raw, err := member[json.RawMessage](a, key)
	if err != nil {
		return "", err
	}
	return ParseID(raw)
}

// IDs is a member that is an array of ids.
func (a Args) IDs(key string) ([]string, error) {
	list, err := member[[]json.RawMessage](a, key)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(list))
	for i, raw := range list {
		if out[i], err = ParseID(raw); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ParseID reads an id, as [Args.ID] does.
func ParseID(raw json.RawMessage) (string, error) {
	var n json.Number
	if err := json.Unmarshal(raw, &n); err == nil && Digits(n.String()) {
		return n.String(), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// Int is a member that must be an integer; def when it is absent.
func (a Args) Int(key string, def int) (int, error) {
	if !a.Has(key) {
		return def, nil
	}
	return member[int](a, key)
}

// QueryInt is a query parameter that must be an integer; def when it is absent.
func QueryInt(q url.Values, key string, def int) (int, error) {
	if !q.Has(key) {
		return def, nil
	}
	return strconv.Atoi(q.Get(key))
}

// Digits reports whether s is a decimal number without sign.
func Digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// Window is at most size entries from offset on (none past the end); a negative
// size is all of them.
func Window[T any](all []T, offset, size int) []T {
	if offset < 0 || offset > len(all) {
		offset = len(all)
	}
	if rest := len(all) - offset; size < 0 || size > rest {
		size = rest
	}
	return all[offset : offset+size]
}

// Rows is what row makes of a list; never nil.
func Rows[T any](list []T, row func(T) map[string]any) []map[string]any {
	rows := make([]map[string]any, len(list))
	for i, one := range list {
		rows[i] = row(one)
	}
	return rows
}

// Multiply is a*b for a page's offset, or the largest number when that is too
// large.
func Multiply(a, b int) int {
	if a > 0 && b > math.MaxInt/a {
		return math.MaxInt
	}
	return a * b
}

// Objects is a member that may be an array of Objects; others are left out.
func (a Args) Objects(key string) []Args {
	var list []Args
	if json.Unmarshal(a[key], &list) != nil {
		return nil
	}
	return list
}

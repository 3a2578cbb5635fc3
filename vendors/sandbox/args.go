package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"strconv"
)

// args is the members of a JSON request body, not decoded yet: the faces are
// as strict about types as their platforms.
type args map[string]json.RawMessage

var errNotGiven = errors.New("not given")

// parseArgs reads a body that must be one JSON object; an empty body has no
// members.
func parseArgs(data []byte) (args, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return args{}, nil
	}
	var a args
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, err
	}
	return a, nil
}

// has reports whether a member is there and not null.
func (a args) has(key string) bool {
	raw, ok := a[key]
	return ok && string(raw) != "null"
}

// text is a member that must be a string.
func (a args) text(key string) (string, error) {
	if !a.has(key) {
		return "", errNotGiven
	}
	var s string
	err := json.Unmarshal(a[key], &s)
	return s, err
}

// texts is a member that must be an array of strings.
func (a args) texts(key string) ([]string, error) {
	if !a.has(key) {
		return nil, errNotGiven
	}
	var list []string
	err := json.Unmarshal(a[key], &list)
	return list, err
}

// id is a member that is an id: a string, or a number whose digits are kept.
func (a args) id(key string) (string, error) {
	if !a.has(key) {
		return "", errNotGiven
	}
	return idOf(a[key])
}

// ids is a member that is an array of ids.
func (a args) ids(key string) ([]string, error) {
	if !a.has(key) {
		return nil, errNotGiven
	}
	var list []json.RawMessage
	if err := json.Unmarshal(a[key], &list); err != nil {
		return nil, err
	}
	out := make([]string, len(list))
	for i, raw := range list {
		id, err := idOf(raw)
		if err != nil {
			return nil, err
		}
		out[i] = id
	}
	return out, nil
}

func idOf(raw json.RawMessage) (string, error) {
	var n json.Number
	if err := json.Unmarshal(raw, &n); err == nil && digits(n.String()) {
		return n.String(), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// integer is a member that must be an integer; def when it is absent.
func (a args) integer(key string, def int) (int, error) {
	if !a.has(key) {
		return def, nil
	}
	var n int
	err := json.Unmarshal(a[key], &n)
	return n, err
}

// queryInt is a query parameter that must be an integer; def when it is absent.
func queryInt(q url.Values, key string, def int) (int, error) {
	if !q.Has(key) {
		return def, nil
	}
	return strconv.Atoi(q.Get(key))
}

// digits reports whether s is a decimal number without sign.
func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// span is the part of n rows that a page covers, as indices.
func span(n, offset, size int) (from, to int) {
	if offset < 0 || offset > n {
		offset = n
	}
	if size < 0 || size > n-offset {
		size = n - offset
	}
	return offset, offset + size
}

// multiply is a*b for a page's offset, or the largest number when that is too
// large.
func multiply(a, b int) int {
	if a > 0 && b > math.MaxInt/a {
		return math.MaxInt
	}
	return a * b
}

// objects is a member that may be an array of objects; others are left out.
func (a args) objects(key string) []args {
	var list []args
	if json.Unmarshal(a[key], &list) != nil {
		return nil
	}
	return list
}

package coze

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
)

// Studio binds JSON by another library than this: its words are like these, and
// its positions are left out.

// bound is the members of a request's body. What cannot be bound is refused.
type bound struct {
	args
	asText bool // refusals are text: so on the calls under /open_api but create
}

// bind reads a body; an absent one has no members.
func bind(r *http.Request, asText bool) bound {
	data, _ := web.Body(r)
	a, err := web.ParseArgs(data)
	b := bound{a, asText}
	if err != nil {
		b.refuse(fmt.Sprintf("bind body failed, err=%q", "Syntax error at index 1: "+err.Error()))
	}
	return b
}

func (b bound) refuse(msg string) {
	if b.asText {
		panic(studioAnswer{status: 400, text: msg})
	}
	panic(studioNotBound(msg))
}

// studioNotBound answers a body or parameter of the wrong type.
func studioNotBound(msg string) studioAnswer { return studioError(400, 400, msg) }

// id is an id, which comes as a JSON string of digits; "0" when absent.
func (b bound) id(key string) string {
	if !b.Has(key) {
		return "0"
	}
	text, err := b.Text(key)
	if _, wrong := strconv.ParseInt(text, 10, 64); err != nil || wrong != nil {
		b.refuse(fmt.Sprintf("bind body failed, err=%q", "Syntax error at "+key+": invalid char"))
	}
	return text
}

// read decodes a member into v when it is there.
func (b bound) read(key string, v any) bound {
	if !b.Has(key) || json.Unmarshal(b.args[key], v) == nil {
		return b
	}
	want := strings.TrimPrefix(fmt.Sprintf("%T", v), "*")
	if strings.HasPrefix(string(b.args[key]), "[") { // it is about an element
		want = strings.TrimPrefix(want, "[]")
	}
	b.refuse(fmt.Sprintf("bind body failed, err=Mismatch type %s with value %s %q", want, studioValue(b.args[key]), "at "+key+": mismatched type with value"))
	return b
}

// studioValue is what a JSON value is called.
func studioValue(raw json.RawMessage) string {
	switch text := strings.TrimLeft(string(raw), "[ "); {
	case strings.HasPrefix(text, `"`):
		return "string"
	case strings.HasPrefix(text, "{"):
		return "object"
	case strings.HasPrefix(text, "t"), strings.HasPrefix(text, "f"):
		return "bool"
	}
	return "number"
}

// studioInts reads parameters that must be integers, 0 when absent or empty.
func studioInts(q url.Values, keys ...string) map[string]int {
	values := map[string]int{}
	for _, key := range keys {
		if text := q.Get(key); text != "" {
			values[key] = studioInt(text)
		}
	}
	return values
}

func studioInt(text string) int {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		why := "invalid syntax"
		if web.Digits(text) {
			why = "value out of range"
		}
		panic(studioNotBound(fmt.Sprintf("unable to decode '%s' as int64: strconv.ParseInt: parsing %q: %s", text, text, why)))
	}
	return int(n)
}

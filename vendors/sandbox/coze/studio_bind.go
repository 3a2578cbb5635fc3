package coze

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
)

// Studio binds JSON by another library than this: its words are like these, and
// its positions are left out.

func studioNoInt(text string) string {
	why := "invalid syntax"
	if web.Digits(text) {
		why = "value out of range"
	}
	return fmt.Sprintf("unable to decode '%s' as int64: strconv.ParseInt: parsing %q: %s", text, text, why)
}

// studioArgs reads a body; an absent one has no members. problem is studio's
// word on one that is no object.
func studioArgs(data []byte) (a args, problem string) {
	a, err := web.ParseArgs(data)
	if err != nil {
		return nil, fmt.Sprintf("bind body failed, err=%q", "Syntax error at index 1: "+err.Error())
	}
	return a, ""
}

// studioID is an id, which comes as a JSON string of digits; "0" when absent.
func studioID(a args, key string) (id, problem string) {
	if !a.Has(key) {
		return "0", ""
	}
	text, err := a.Text(key)
	if _, wrong := strconv.ParseInt(text, 10, 64); err != nil || wrong != nil {
		return "", fmt.Sprintf("bind body failed, err=%q", "Syntax error at "+key+": invalid char")
	}
	return text, ""
}

// studioBound decodes a member into v when it is there.
func studioBound(a args, key string, v any) (problem string) {
	if !a.Has(key) {
		return ""
	}
	if err := json.Unmarshal(a[key], v); err != nil {
		want := strings.TrimPrefix(fmt.Sprintf("%T", v), "*")
		if strings.HasPrefix(string(a[key]), "[") { // it is about an element
			want = strings.TrimPrefix(want, "[]")
		}
		return fmt.Sprintf("bind body failed, err=Mismatch type %s with value %s %q", want, studioValue(a[key]), "at "+key+": mismatched type with value")
	}
	return ""
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

package tools

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decodeArgs fills the struct that into points to, and gives all that is wrong
// with args. Nothing goes through json.Unmarshal's key matching, which ignores
// case.
func decodeArgs(params []param, args map[string]json.RawMessage, into any) (wrong []problem) {
	v := reflect.ValueOf(into).Elem()
	known := 0
	for _, p := range params {
		given, ok := args[p.name]
		if ok {
			known++
		}
		raw := p.meant(bytes.TrimSpace(given))
		switch absent := p.absent(raw); {
		case absent && p.required:
			wrong = append(wrong, p.missing())
		case absent && p.kind == reflect.Int:
			v.Field(p.index).SetInt(int64(p.standard))
		case !absent && !p.decode(raw, v.Field(p.index)):
			wrong = append(wrong, p.refuse(given))
		}
	}
	if known == len(args) {
		return wrong
	}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if !slices.ContainsFunc(params, func(p param) bool { return p.name == name }) {
			wrong = append(wrong, unknownArgument(params, name))
		}
	}
	return wrong
}

// absent reports whether an argument is not given. Hosts with strict schemas
// send null, "" or [] for an optional argument about which they have nothing to
// say.
func (p param) absent(raw []byte) bool {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return true
	}
	return !p.required && (string(raw) == `""` || raw[0] == '[' && len(bytes.TrimSpace(raw[1:])) == 1)
}

// meant is a value in the form of its argument's type. Hosts and small models
// send lists, objects, booleans and numbers as JSON text; the text of anything
// else stays what it is. One id alone is a list of one.
func (p param) meant(raw []byte) []byte {
	if p.kind == reflect.String || len(raw) < 3 || raw[0] != '"' {
		return raw
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return raw
	}
	text = strings.TrimSpace(text)
	inner := []byte(text)
	switch p.kind {
	case reflect.Bool:
		inner = []byte(strings.ToLower(text)) // Python's True and False
	case reflect.Slice:
		if text != "null" && !strings.ContainsAny(text, "[]{},\" \t\n") {
			return slices.Concat([]byte("["), raw, []byte("]"))
		}
	}
	if !json.Valid(inner) || inner[0] == '"' {
		return raw
	}
	return inner
}

// decode reads one value; false when it is not of the argument's type, or out of
// its range.
func (p param) decode(raw []byte, into reflect.Value) bool {
	switch p.kind {
	case reflect.Int:
		n, ok := integer(raw)
		if !ok || n < p.min || n > p.max {
			return false
		}
		into.SetInt(int64(n))
	case reflect.Slice:
		return p.decodeList(raw, into)
	case reflect.Bool:
		var b bool
		if json.Unmarshal(raw, &b) != nil {
			return false
		}
		into.Set(reflect.ValueOf(&b))
	case reflect.Map:
		var m map[string]any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if dec.Decode(&m) != nil {
			return false
		}
		into.Set(reflect.ValueOf(m))
	default:
		return p.decodeText(raw, into)
	}
	return true
}

func (p param) decodeList(raw []byte, into reflect.Value) bool {
	var list []*string
	if json.Unmarshal(raw, &list) != nil || slices.Contains(list, nil) || len(list) < p.min || len(list) > p.max {
		return false
	}
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = *s
	}
	into.Set(reflect.ValueOf(texts))
	return true
}

func (p param) decodeText(raw []byte, into reflect.Value) bool {
	var s string
	if json.Unmarshal(raw, &s) != nil || p.max > 0 && len([]rune(s)) > p.max {
		return false
	}
	if s == "" || p.enum != nil && !slices.Contains(p.enum, s) {
		return false
	}
	if p.pointer {
		into.Set(reflect.ValueOf(&s))
	} else {
		into.SetString(s)
	}
	return true
}

// integer reads 20 and 20.0.
func integer(raw []byte) (int, bool) {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<31 {
		return 0, false
	}
	return int(f), true
}

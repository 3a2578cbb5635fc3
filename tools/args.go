package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/vendors"
)

// A tool's arguments are a struct; its tags are the one table from which both
// the input schema and the strict decoder are made, once per tool:
//
//	Limit int `arg:"limit" min:"1" max:"100" default:"20"`
//
// Tags: arg (name), required, min and max (integers; items of a list; a string
// takes at most max characters), default, enum (a list known by name). What an
// argument means is said in argDocs, because it means the same in every tool.

// param is one argument.
type param struct {
	name     string
	index    int          // in the struct
	kind     reflect.Kind // of the value, also behind a pointer
	pointer  bool         // "" and false are values, too
	required bool
	min, max int // 0, 0: unbounded
	standard int // default of an integer
	enum     []string
}

// paramsOf reads the tags of an argument struct. Its panics are mistakes in
// this package, which every test would meet.
func paramsOf[A any]() []param {
	t := reflect.TypeFor[A]()
	var list []param
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		p := param{name: tag.Get("arg"), index: i, kind: t.Field(i).Type.Kind(), required: tag.Get("required") != ""}
		if p.kind == reflect.Pointer {
			p.kind, p.pointer = t.Field(i).Type.Elem().Kind(), true
		}
		p.min, p.max, p.standard = tagInt(tag, "min"), tagInt(tag, "max"), tagInt(tag, "default")
		switch tag.Get("enum") {
		case "status":
			for _, s := range vendors.Statuses() {
				p.enum = append(p.enum, string(s))
			}
		}
		if argDocs[p.name] == "" {
			panic("tools: no description of argument " + p.name)
		}
		list = append(list, p)
	}
	return list
}

func tagInt(tag reflect.StructTag, name string) int {
	s := tag.Get(name)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("tools: tag " + name + " is " + s)
	}
	return n
}

// decodeArgs fills the struct that into points to. Unknown names are refused
// with the nearest known one; null counts as absent, because hosts with strict
// schemas send it for optional arguments. Nothing goes through
// json.Unmarshal's key matching, which ignores case.
func decodeArgs(params []param, args map[string]json.RawMessage, into any) error {
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if !slices.ContainsFunc(params, func(p param) bool { return p.name == name }) {
			return unknownArgument(params, name)
		}
	}
	v := reflect.ValueOf(into).Elem()
	for _, p := range params {
		raw := bytes.TrimSpace(args[p.name])
		absent := len(raw) == 0 || bytes.Equal(raw, []byte("null"))
		switch {
		case absent && p.required:
			return invalid("`%s` is missing.", p.name).WithHint("Required: " + p.allowed() + ".")
		case absent && p.kind == reflect.Int:
			v.Field(p.index).SetInt(int64(p.standard))
		case !absent:
			if err := p.decode(raw, v.Field(p.index)); err != nil {
				return err
			}
		}
	}
	return nil
}

// decode reads one value.
func (p param) decode(raw []byte, into reflect.Value) error {
	switch p.kind {
	case reflect.Int:
		n, ok := integer(raw)
		if !ok || n < p.min || n > p.max {
			return p.refuse(raw)
		}
		into.SetInt(int64(n))
	case reflect.Slice:
		var list []*string
		if json.Unmarshal(raw, &list) != nil || slices.Contains(list, nil) || len(list) < p.min || len(list) > p.max {
			return p.refuse(raw)
		}
		texts := make([]string, len(list))
		for i, s := range list {
			texts[i] = *s
		}
		into.Set(reflect.ValueOf(texts))
	case reflect.Bool:
		var b bool
		if json.Unmarshal(raw, &b) != nil {
			return p.refuse(raw)
		}
		into.Set(reflect.ValueOf(&b))
	case reflect.Map:
		var m map[string]any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if dec.Decode(&m) != nil {
			return p.refuse(raw)
		}
		into.Set(reflect.ValueOf(m))
	default:
		var s string
		if json.Unmarshal(raw, &s) != nil || p.max > 0 && len([]rune(s)) > p.max {
			return p.refuse(raw)
		}
		if s == "" && p.required || s != "" && p.enum != nil && !slices.Contains(p.enum, s) {
			return p.refuse(raw)
		}
		if p.pointer {
			into.Set(reflect.ValueOf(&s))
		} else {
			into.SetString(s)
		}
	}
	return nil
}

// integer reads 20, 20.0 and "20".
func integer(raw []byte) (int, bool) {
	text := string(raw)
	if len(raw) > 1 && raw[0] == '"' {
		text = string(raw[1 : len(raw)-1])
		n, err := strconv.Atoi(text)
		return n, err == nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<31 {
		return 0, false
	}
	return int(f), true
}

// refuse says what was wrong with a value and what is allowed.
func (p param) refuse(raw []byte) error {
	hint := "Allowed: " + p.allowed() + "."
	var text string
	var texts []string
	id := strings.HasSuffix(strings.TrimSuffix(p.name, "s"), "_id")
	if id && json.Unmarshal(raw, &text) != nil && json.Unmarshal(raw, &texts) != nil {
		hint += " Ids are strings: write them in quotes, a number may already have lost digits."
	}
	return invalid("`%s` is %s.", p.name, describe(raw)).WithHint(hint)
}

// describe shows a value as the caller wrote it; of a long list, its length.
func describe(raw []byte) string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && (len(list) == 0 || len(raw) > 200) {
		return fmt.Sprintf("a list of %d", len(list))
	}
	var packed bytes.Buffer
	if json.Compact(&packed, raw) != nil {
		return cut(string(raw))
	}
	return cut(packed.String())
}

// allowed says what an argument may be.
func (p param) allowed() string {
	switch {
	case p.enum != nil:
		return "one of " + strings.Join(p.enum, ", ")
	case p.kind == reflect.Int:
		return fmt.Sprintf("an integer from %d to %d", p.min, p.max)
	case p.kind == reflect.Slice:
		return fmt.Sprintf("a list of %d to %d strings", p.min, p.max)
	case p.kind == reflect.Bool:
		return "true or false"
	case p.kind == reflect.Map:
		return "an object"
	case p.max > 0:
		if p.pointer {
			return fmt.Sprintf("a string of at most %d characters", p.max)
		}
		return fmt.Sprintf("a string of at most %d characters that is not empty", p.max)
	}
	return "a string that is not empty"
}

// cut shortens what a caller sent, for an error text.
func cut(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

func invalid(format string, args ...any) *vendors.Error {
	return vendors.Errorf(vendors.InvalidArgument, format, args...)
}

func unknownArgument(params []param, name string) error {
	names := make([]string, len(params))
	best, distance := "", 4
	for i, p := range params {
		names[i] = p.name
		if d := editDistance(strings.ToLower(name), p.name); d < distance {
			best, distance = p.name, d
		}
	}
	hint := "This tool takes no arguments."
	if len(names) > 0 {
		hint = "Known arguments: " + strings.Join(names, ", ") + "."
	}
	if best != "" {
		hint = fmt.Sprintf("Did you mean `%s`? ", best) + hint
	}
	return invalid("`%s` is not an argument of this tool.", cut(name)).WithHint(hint)
}

// editDistance is Levenshtein's, on bytes: argument names are ASCII.
func editDistance(a, b string) int {
	a = a[:min(len(a), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

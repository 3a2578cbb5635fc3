package volcengine

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// field is one entry of a document's metadata.
type field struct {
	Name  string `json:"field_name"`
	Type  string `json:"field_type"`
	Value any    `json:"field_value"`
}

// fieldsOf reads the list of fields that comes as JSON inside a string (as JSON
// itself where a server does not quote it); false when it is unreadable.
func fieldsOf(raw json.RawMessage) ([]field, bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 {
		return nil, true
	}
	var list []struct {
		Name  string   `json:"field_name"`
		Type  rest.Str `json:"field_type"`
		Value any      `json:"field_value"`
	}
	if rest.Parse(string(raw), &list) != nil {
		return nil, false
	}
	fields := make([]field, 0, len(list))
	for _, f := range list {
		if f.Name != "" {
			fields = append(fields, field{f.Name, string(f.Type), f.Value})
		}
	}
	return fields, true
}

// metadata is a document's fields by name, and its labels under "labels" unless
// a field has that name; nil when there are none or they cannot be read.
func metadata(meta, labels json.RawMessage) map[string]any {
	values := map[string]any{}
	var marks map[string]any
	if rest.Parse(string(labels), &marks) == nil && len(marks) > 0 {
		values["labels"] = marks
	}
	fields, _ := fieldsOf(meta)
	for _, f := range fields {
		values[f.Name] = f.Value
	}
	if len(values) == 0 {
		return nil
	}
	return values
}

// merged is the fields of a document with change applied. Whether update_meta
// keeps what it is not sent is not documented, so everything is sent. A field
// keeps the type it has; a new one gets that of its value.
func merged(have []field, change map[string]any) []field {
	out := make([]field, 0, len(have)+len(change))
	known := map[string]bool{}
	for _, f := range have {
		if v, ok := change[f.Name]; ok {
			f.Value = v
		}
		if f.Type == "" {
			f.Type = typeOf(f.Value)
		}
		f.Value = typed(f)
		out, known[f.Name] = append(out, f), true
	}
	for _, name := range slices.Sorted(maps.Keys(change)) {
		if !known[name] {
			out = append(out, field{name, typeOf(change[name]), change[name]})
		}
	}
	return out
}

// typed is a field's value as its type wants it: the platform gives some
// numbers as text and takes them as numbers only.
func typed(f field) any {
	text, ok := f.Value.(string)
	if !ok || f.Type != "int64" && f.Type != "float32" || !json.Valid([]byte(text)) {
		return f.Value
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return f.Value
	}
	return json.Number(text)
}

// maxFieldName is the platform's bound, in characters.
const maxFieldName = 128

// checkMetadata refuses what the platform cannot hold.
func checkMetadata(change map[string]any) error {
	if len(change) == 0 {
		return vendors.Errorf(vendors.InvalidArgument, "`metadata` is empty.").WithHint("Give the fields to set; the others stay as they are.")
	}
	for _, name := range slices.Sorted(maps.Keys(change)) {
		switch {
		case name == "" || name == "doc_id" || utf8.RuneCountInString(name) > maxFieldName:
			return vendors.Errorf(vendors.InvalidArgument, "`metadata` has a field whose name Volcengine does not accept.").
				WithHint("A field's name has 1 to 128 characters and is not \"doc_id\".")
		case change[name] == nil:
			return vendors.Errorf(vendors.InvalidArgument, "A field of `metadata` is null, and Volcengine has no call that removes a field.").
				WithHint("Set the field to another value, such as an empty text.")
		case typeOf(change[name]) == "":
			return vendors.Errorf(vendors.InvalidArgument, "A field of `metadata` has a value that Volcengine does not accept.").
				WithHint("A value is a text, a number, true or false, or a list of texts.")
		}
	}
	return nil
}

// typeOf is the platform's name for the type of a value; "" when it has none.
func typeOf(v any) string {
	switch v := v.(type) {
	case string:
		return "string"
	case bool:
		return "bool"
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return "int64"
		}
		return "float32"
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return "int64"
		}
		return "float32"
	case []any:
		if slices.ContainsFunc(v, func(x any) bool { _, ok := x.(string); return !ok }) {
			return ""
		}
		return "list<string>"
	}
	return ""
}

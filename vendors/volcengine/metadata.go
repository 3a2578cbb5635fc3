package volcengine

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// field is one entry of a document's metadata.
type field struct {
	Name  rest.Str `json:"field_name"`
	Type  rest.Str `json:"field_type"`
	Value any      `json:"field_value"`
}

// meta is a document's metadata: a list of fields that comes as JSON inside a
// string, or as JSON itself where a server does not quote it.
type meta struct {
	fields     []field
	unreadable bool
}

// UnmarshalJSON implements json.Unmarshaler. It does not fail: metadata that
// cannot be read must not hide a document.
func (m *meta) UnmarshalJSON(b []byte) error {
	*m = meta{}
	var text string
	if json.Unmarshal(b, &text) == nil {
		b = []byte(text)
	}
	if b = bytes.TrimSpace(b); len(b) > 0 {
		m.unreadable = rest.Parse(string(b), &m.fields) != nil
	}
	m.fields = slices.DeleteFunc(m.fields, func(f field) bool { return m.unreadable || f.Name == "" })
	return nil
}

// values are the fields by name; nil when there are none.
func (m meta) values() map[string]any {
	if len(m.fields) == 0 {
		return nil
	}
	values := make(map[string]any, len(m.fields))
	for _, f := range m.fields {
		values[string(f.Name)] = f.Value
	}
	return values
}

// with is the fields with a change applied. Whether update_meta keeps what it is
// not sent is not documented, so everything is sent. A field keeps the type that
// it has; a new one gets that of its value.
func (m meta) with(change map[string]any) []field {
	out := make([]field, 0, len(m.fields)+len(change))
	change = maps.Clone(change)
	for _, f := range m.fields {
		if v, ok := change[string(f.Name)]; ok {
			f.Value = v
			delete(change, string(f.Name))
		}
		if f.Type == "" {
			f.Type = typeOf(f.Value)
		}
		out = append(out, f.typed())
	}
	for _, name := range slices.Sorted(maps.Keys(change)) {
		out = append(out, field{rest.Str(name), typeOf(change[name]), change[name]})
	}
	return out
}

// shows reports whether the metadata has the fields that were set.
func (m meta) shows(set []field) bool {
	have := m.values()
	return !slices.ContainsFunc(set, func(f field) bool {
		return !reflect.DeepEqual(plain(f.Value), plain(field{f.Name, f.Type, have[string(f.Name)]}.typed().Value))
	})
}

// plain is a value as it is compared: 1.0 is 1.
func plain(v any) (plain any) {
	b, err := json.Marshal(v)
	if err != nil || json.Unmarshal(b, &plain) != nil {
		return err
	}
	return plain
}

// typed is a field with its value as the type wants it: the platform gives some
// numbers as text and accepts them as numbers only.
func (f field) typed() field {
	text, ok := f.Value.(string)
	if _, err := strconv.ParseFloat(text, 64); ok && err == nil && (f.Type == "int64" || f.Type == "float32") && json.Valid([]byte(text)) {
		f.Value = json.Number(text)
	}
	return f
}

// typeOf is the platform's name for the type of a value; "" when it has none.
func typeOf(v any) rest.Str {
	switch v := v.(type) {
	case string:
		return "string"
	case bool:
		return "bool"
	case json.Number, float64:
		b, _ := json.Marshal(v)
		if _, err := strconv.ParseInt(string(b), 10, 64); err == nil {
			return "int64"
		}
		return "float32"
	case []any:
		if !slices.ContainsFunc(v, func(x any) bool { return typeOf(x) != "string" }) {
			return "list<string>"
		}
	}
	return ""
}

// maxFieldName is the platform's bound, in characters.
const maxFieldName = 128

// checkMetadata refuses what the platform cannot hold.
func checkMetadata(change map[string]any) error {
	if change != nil && len(change) == 0 {
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

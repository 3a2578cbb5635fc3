package volcengine

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/world"
)

// gone is the outcome of a deletion: the next request that meets the
// document removes it.
const gone world.Phase = "gone"

// deletionTime is how long a deleted document is still shown, with status 5.
const deletionTime = 3 * time.Second

// inCollection finds the document that a request names.
func (f *face) inCollection(in input) (*world.KnowledgeBase, *world.Document) {
	kb := f.collection(in, "collection_name")
	id := in.required("doc_id")
	d := f.s.Document(id)
	if d == nil || d.KB != kb.ID {
		panic(&failure{400, 1001001, "doc not exist"})
	}
	return kb, d
}

// deleteDocument only begins a deletion; the lists show the document for some
// seconds.
func (f *face) deleteDocument(in input) object {
	_, d := f.inCollection(in)
	if d.Plan.Outcome == gone {
		return nil // already on its way
	}
	now := f.s.Now()
	f.s.Update(d.ID, func(d *world.Document) {
		d.Updated, d.Started = now, now
		d.Plan = world.Plan{Stages: []world.Stage{{Phase: world.Deleting, For: deletionTime}}, Outcome: gone}.Sped(f.s.Speed())
	})
	return nil
}

// sweep removes the documents of a collection whose deletion is over.
func (f *face) sweep(kb string) {
	docs := f.s.Documents(kb)
	for d := range docs.All() {
		if d.Plan.Outcome == gone && f.s.State(d).Phase == gone {
			f.s.Remove(d.ID)
		}
	}
}

// renameDocument answers with the name it has given.
func (f *face) renameDocument(in input) object {
	_, d := f.inCollection(in)
	name := in.required("doc_name")
	if utf8.RuneCountInString(name) > 255 || strings.ContainsAny(name, `<>:"/\|?*`) {
		panic(invalid("doc_name is not valid"))
	}
	f.s.Update(d.ID, func(d *world.Document) { d.Name, d.Updated = name, f.s.Now() })
	return object{"doc_id": d.ID, "doc_name": name}
}

// field is one entry of "meta", or of the fields of an index.
type field struct {
	Name    string `json:"field_name"`
	Type    string `json:"field_type"`
	Value   any    `json:"field_value"`
	Default any    `json:"default_val"`
}

// updateMeta replaces the document's fields by those given: a client that sends
// a part only loses the rest, which the platform does not rule out.
func (f *face) updateMeta(in input) object {
	_, d := f.inCollection(in)
	fields := in.meta("meta")
	f.s.Update(d.ID, func(d *world.Document) { d.Metadata, d.Updated = fields, f.s.Now() })
	return nil
}

// meta reads the fields under a key: an array, or the same array as JSON inside
// a string.
func (in input) meta(key string) []world.Field {
	if !in.has(key) {
		panic(invalid("%s is required", key))
	}
	raw := in[key]
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	var list []field
	if json.Unmarshal(raw, &list) != nil {
		panic(invalid("%s is not a list of fields", key))
	}
	fields := make([]world.Field, 0, len(list))
	for _, x := range list {
		if x.Name == "" || x.Name == "doc_id" || !x.fits() {
			panic(invalid("%s: field %q does not fit its type %q", key, x.Name, x.Type))
		}
		fields = append(fields, world.Field{Name: x.Name, Type: x.Type, Value: x.Value})
	}
	return fields
}

// fits reports whether a value is of its field's type.
func (x field) fits() bool {
	switch x.Type {
	case "string":
		_, ok := x.Value.(string)
		return ok
	case "bool":
		_, ok := x.Value.(bool)
		return ok
	case "int64", "float32":
		n, ok := x.Value.(float64)
		return ok && (x.Type == "float32" || n == float64(int64(n)))
	case "list<string>":
		list, ok := x.Value.([]any)
		return ok && !slices.ContainsFunc(list, func(v any) bool { _, ok := v.(string); return !ok })
	}
	return false
}

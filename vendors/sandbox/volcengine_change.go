package sandbox

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// volcGone is the outcome of a deletion: the next request that meets the
// document removes it.
const volcGone Phase = "gone"

// volcDeletion is how long a deleted document is still shown, with status 5.
const volcDeletion = 3 * time.Second

// inCollection finds the document that a request names.
func (f *volcFace) inCollection(in volcInput) (*KnowledgeBase, *Document, *volcFailure) {
	kb, wrong := f.collection(in, "collection_name")
	if wrong != nil {
		return nil, nil, wrong
	}
	id, wrong := in.required("doc_id")
	if wrong != nil {
		return nil, nil, wrong
	}
	d := f.s.store.Document(Volcengine, id)
	if d == nil || d.KB != kb.ID {
		return nil, nil, volcNoDocument()
	}
	return kb, d, nil
}

// deleteDocument only begins a deletion; the lists show the document for some
// seconds.
func (f *volcFace) deleteDocument(in volcInput) (object, *volcFailure) {
	_, d, wrong := f.inCollection(in)
	if wrong != nil {
		return nil, wrong
	}
	if d.Plan.Outcome == volcGone {
		return nil, nil // already on its way
	}
	now := f.s.now()
	f.s.store.Update(Volcengine, d.ID, func(d *Document) {
		d.Updated, d.Started = now, now
		d.Plan = Plan{Stages: []Stage{{Phase: Deleting, For: volcDeletion}}, Outcome: volcGone}.sped(f.s.opts.Speed)
	})
	return nil, nil
}

// sweep removes the documents of a collection whose deletion is over.
func (f *volcFace) sweep(kb string) {
	docs := f.s.store.Documents(Volcengine, kb)
	for i := range docs.Len() {
		if d := docs.At(i); d.Plan.Outcome == volcGone && f.s.state(d).Phase == volcGone {
			f.s.store.Remove(Volcengine, d.ID)
		}
	}
}

// renameDocument answers with the name it has given.
func (f *volcFace) renameDocument(in volcInput) (object, *volcFailure) {
	_, d, wrong := f.inCollection(in)
	if wrong != nil {
		return nil, wrong
	}
	name, wrong := in.required("doc_name")
	if wrong != nil {
		return nil, wrong
	}
	if utf8.RuneCountInString(name) > 255 || strings.ContainsAny(name, `<>:"/\|?*`) {
		return nil, volcInvalid("doc_name is not valid")
	}
	f.s.store.Update(Volcengine, d.ID, func(d *Document) { d.Name, d.Updated = name, f.s.now() })
	return object{"doc_id": d.ID, "doc_name": name}, nil
}

// volcField is one entry of "meta", or of the fields of an index.
type volcField struct {
	Name    string `json:"field_name"`
	Type    string `json:"field_type"`
	Value   any    `json:"field_value"`
	Default any    `json:"default_val"`
}

// updateMeta replaces the document's fields by those given: a client that sends
// a part only loses the rest, which the platform does not rule out.
func (f *volcFace) updateMeta(in volcInput) (object, *volcFailure) {
	_, d, wrong := f.inCollection(in)
	if wrong != nil {
		return nil, wrong
	}
	fields, wrong := in.meta("meta")
	if wrong != nil {
		return nil, wrong
	}
	f.s.store.Update(Volcengine, d.ID, func(d *Document) { d.Metadata, d.Updated = fields, f.s.now() })
	return nil, nil
}

// meta reads the fields under a key: an array, or the same array as JSON inside
// a string.
func (in volcInput) meta(key string) ([]Field, *volcFailure) {
	if !in.has(key) {
		return nil, volcInvalid("%s is required", key)
	}
	raw := in[key]
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	var list []volcField
	if json.Unmarshal(raw, &list) != nil {
		return nil, volcInvalid("%s is not a list of fields", key)
	}
	fields := make([]Field, 0, len(list))
	for _, x := range list {
		if x.Name == "" || x.Name == "doc_id" || !x.fits() {
			return nil, volcInvalid("%s: field %q does not fit its type %q", key, x.Name, x.Type)
		}
		fields = append(fields, Field{x.Name, x.Type, x.Value})
	}
	return fields, nil
}

// fits reports whether a value is of its field's type.
func (x volcField) fits() bool {
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

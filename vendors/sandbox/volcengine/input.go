package volcengine

import (
	"bytes"
	"cmp"
	"encoding/json"

	"kb-mcp/vendors/sandbox/world"
)

// input is a request's JSON object. Keys are taken exactly as they are
// spelt, and keys that nobody asks for are ignored: a misspelt filter is no
// filter, and its answer has code 0.
type input map[string]json.RawMessage

func parseInput(raw []byte) input {
	var in input
	if err := json.Unmarshal(raw, &in); err != nil || in == nil {
		panic(invalid("body is not a JSON object"))
	}
	return in
}

// has reports whether key was sent with a value other than null.
func (in input) has(key string) bool {
	raw, ok := in[key]
	return ok && !bytes.Equal(raw, []byte("null"))
}

// read decodes one key into v, which stays as it is when the key is not there.
// It gives the object, for more of them.
func (in input) read(key string, v any) input {
	if in.has(key) && json.Unmarshal(in[key], v) != nil {
		panic(invalid("%s has the wrong type", key))
	}
	return in
}

// object is an object inside the request; without members when it is not there.
func (in input) object(key string) (out input) {
	in.read(key, &out)
	return out
}

// required reads a text that must not be missing or empty.
func (in input) required(key string) (text string) {
	if in.read(key, &text); text == "" {
		panic(invalid("%s is required", key))
	}
	return text
}

// collection finds the knowledge base that a request names: by resource_id, or
// by name and project. The name's key is "name" on collection/* and
// "collection_name" elsewhere.
func (f *face) collection(in input, nameKey string) *world.KnowledgeBase {
	var id, project string
	in.read("resource_id", &id).read("project", &project)
	if id != "" {
		return f.swept(f.s.KB(id))
	}
	name := in.required(nameKey)
	return f.swept(f.named(name, cmp.Or(project, defaultProject)))
}

// swept is a collection without the documents whose deletion is over.
func (f *face) swept(kb *world.KnowledgeBase) *world.KnowledgeBase {
	if kb == nil {
		panic(&failure{400, 1000005, "collection not exist"})
	}
	f.sweep(kb.ID)
	return kb
}

// named finds a collection by its name; nil when there is none.
func (f *face) named(name, project string) *world.KnowledgeBase {
	for _, kb := range f.s.KBs() {
		if kb.Name == name && projectOf(kb) == project {
			return kb
		}
	}
	return nil
}

// defaultProject is meant when no project is named, except in
// collection/list.
const defaultProject = "default"

func projectOf(kb *world.KnowledgeBase) string {
	return cmp.Or(kb.Project, defaultProject)
}

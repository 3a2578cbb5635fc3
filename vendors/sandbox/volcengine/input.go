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

func parseInput(raw []byte) (input, *failure) {
	var in input
	if err := json.Unmarshal(raw, &in); err != nil || in == nil {
		return nil, invalid("body is not a JSON object")
	}
	return in, nil
}

// has reports whether key was sent with a value other than null.
func (in input) has(key string) bool {
	raw, ok := in[key]
	return ok && !bytes.Equal(raw, []byte("null"))
}

// read decodes one key into v, which stays as it is when the key is not there.
func (in input) read(key string, v any) *failure {
	if !in.has(key) {
		return nil
	}
	if err := json.Unmarshal(in[key], v); err != nil {
		return invalid("%s has the wrong type", key)
	}
	return nil
}

// required reads a text that must not be missing or empty.
func (in input) required(key string) (string, *failure) {
	var text string
	if wrong := in.read(key, &text); wrong != nil {
		return "", wrong
	}
	if text == "" {
		return "", invalid("%s is required", key)
	}
	return text, nil
}

// collection finds the knowledge base that a request names: by resource_id, or
// by name and project. The name's key is "name" on collection/* and
// "collection_name" elsewhere.
func (f *face) collection(in input, nameKey string) (*world.KnowledgeBase, *failure) {
	var id, project string
	if wrong := cmp.Or(in.read("resource_id", &id), in.read("project", &project)); wrong != nil {
		return nil, wrong
	}
	if id != "" {
		return f.swept(f.s.KB(world.Volcengine, id))
	}
	name, wrong := in.required(nameKey)
	if wrong != nil {
		return nil, wrong
	}
	return f.swept(f.named(name, cmp.Or(project, defaultProject)))
}

// swept is a collection without the documents whose deletion is over.
func (f *face) swept(kb *world.KnowledgeBase) (*world.KnowledgeBase, *failure) {
	if kb == nil {
		return nil, noCollection()
	}
	f.sweep(kb.ID)
	return kb, nil
}

// named finds a collection by its name; nil when there is none.
func (f *face) named(name, project string) *world.KnowledgeBase {
	for _, kb := range f.s.KBs(world.Volcengine) {
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

package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
)

// volcInput is a request's JSON object. Keys are taken exactly as they are
// spelt, and keys that nobody asks for are ignored: a misspelt filter is no
// filter, and its answer has code 0.
type volcInput map[string]json.RawMessage

func parseVolcInput(raw []byte) (volcInput, *volcFailure) {
	var in volcInput
	if err := json.Unmarshal(raw, &in); err != nil || in == nil {
		return nil, volcInvalid("body is not a JSON object")
	}
	return in, nil
}

// has reports whether key was sent with a value other than null.
func (in volcInput) has(key string) bool {
	raw, ok := in[key]
	return ok && !bytes.Equal(raw, []byte("null"))
}

// read decodes one key into v, which stays as it is when the key is not there.
func (in volcInput) read(key string, v any) *volcFailure {
	if !in.has(key) {
		return nil
	}
	if err := json.Unmarshal(in[key], v); err != nil {
		return volcInvalid("%s has the wrong type", key)
	}
	return nil
}

// required reads a text that must not be missing or empty.
func (in volcInput) required(key string) (string, *volcFailure) {
	var text string
	if wrong := in.read(key, &text); wrong != nil {
		return "", wrong
	}
	if text == "" {
		return "", volcInvalid("%s is required", key)
	}
	return text, nil
}

// collection finds the knowledge base that a request names: by resource_id, or
// by name and project. The name's key is "name" on collection/* and
// "collection_name" elsewhere.
func (f *volcFace) collection(in volcInput, nameKey string) (*KnowledgeBase, *volcFailure) {
	var id, project string
	if wrong := cmp.Or(in.read("resource_id", &id), in.read("project", &project)); wrong != nil {
		return nil, wrong
	}
	if id != "" {
		return f.swept(f.s.store.KB(Volcengine, id))
	}
	name, wrong := in.required(nameKey)
	if wrong != nil {
		return nil, wrong
	}
	return f.swept(f.named(name, cmp.Or(project, volcDefaultProject)))
}

// swept is a collection without the documents whose deletion is over.
func (f *volcFace) swept(kb *KnowledgeBase) (*KnowledgeBase, *volcFailure) {
	if kb == nil {
		return nil, volcNoCollection()
	}
	f.sweep(kb.ID)
	return kb, nil
}

// named finds a collection by its name; nil when there is none.
func (f *volcFace) named(name, project string) *KnowledgeBase {
	for _, kb := range f.s.store.KBs(Volcengine) {
		if kb.Name == name && volcProject(kb) == project {
			return kb
		}
	}
	return nil
}

// volcDefaultProject is meant when no project is named, except in
// collection/list.
const volcDefaultProject = "default"

func volcProject(kb *KnowledgeBase) string {
	return cmp.Or(kb.Project, volcDefaultProject)
}

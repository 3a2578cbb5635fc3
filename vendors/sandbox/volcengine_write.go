package sandbox

import (
	"cmp"
	"regexp"
	"time"
	"unicode/utf8"
)

// volcIndexTime is how long the index of a new collection is built; searching
// it before is refused. The platform takes minutes.
const volcIndexTime = 5 * time.Second

var volcCollectionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// createCollection makes a collection; its index is built some seconds later.
func (f *volcFace) createCollection(in volcInput) (object, *volcFailure) {
	name, wrong := in.required("name")
	if wrong != nil {
		return nil, wrong
	}
	project, description, dataType, version := "", "", "unstructured_data", 4
	index, config, fields := volcInput{}, volcInput{}, []volcField{}
	wrong = cmp.Or(in.read("project", &project), in.read("description", &description),
		in.read("data_type", &dataType), in.read("version", &version),
		in.read("index", &index), index.read("index_config", &config), config.read("fields", &fields))
	switch {
	case wrong != nil:
		return nil, wrong
	case !volcCollectionName.MatchString(name):
		return nil, volcInvalid("name must match ^[A-Za-z][A-Za-z0-9_]*$ and have at most 64 characters")
	case utf8.RuneCountInString(description) > 65535:
		return nil, volcInvalid("description is too long")
	case dataType != "unstructured_data" && dataType != "structured_data":
		return nil, volcInvalid("data_type is not supported")
	case version != 2 && version != 4:
		return nil, volcInvalid("version is not supported")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	project = cmp.Or(project, volcDefaultProject)
	if f.named(name, project) != nil {
		return nil, &volcFailure{400, 1000004, "collection exist"}
	}
	kb := KnowledgeBase{Platform: Volcengine, Name: name, Project: project, Description: description, Created: f.s.now(), Updated: f.s.now()}
	if dataType == "structured_data" {
		kb.Kind = "table"
	}
	for _, x := range fields {
		kb.Fields = append(kb.Fields, Field{Name: x.Name, Type: x.Type, Value: x.Default})
	}
	return object{"resource_id": f.s.store.AddKB(kb).ID}, nil
}

// updateCollection changes the description; nothing else can be.
func (f *volcFace) updateCollection(in volcInput) (object, *volcFailure) {
	kb, wrong := f.collection(in, "name")
	if wrong != nil {
		return nil, wrong
	}
	description := kb.Description
	if wrong := in.read("description", &description); wrong != nil {
		return nil, wrong
	}
	f.s.store.UpdateKB(Volcengine, kb.ID, func(kb *KnowledgeBase) {
		kb.Description, kb.Updated = description, f.s.now()
	})
	return nil, nil
}

func (f *volcFace) deleteCollection(in volcInput) (object, *volcFailure) {
	kb, wrong := f.collection(in, "name")
	if wrong != nil {
		return nil, wrong
	}
	f.s.store.RemoveKB(Volcengine, kb.ID)
	return nil, nil
}

// The states of an index.
const (
	volcIndexBuilding = 0
	volcIndexBuilt    = 1
)

// indexStatus is the state of a collection's index: built some seconds after
// the collection is made, unless a test says otherwise.
func (f *volcFace) indexStatus(kb *KnowledgeBase) int {
	wait := time.Duration(float64(volcIndexTime) / f.s.opts.Speed)
	switch {
	case kb.Index != 0:
		return kb.Index
	case f.s.now().Before(kb.Created.Add(wait)):
		return volcIndexBuilding
	}
	return volcIndexBuilt
}

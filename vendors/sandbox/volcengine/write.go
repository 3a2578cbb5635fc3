package volcengine

import (
	"cmp"
	"regexp"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/world"
)

// indexTime is how long the index of a new collection is built; searching
// it before is refused. The platform takes minutes.
const indexTime = 5 * time.Second

var collectionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// createCollection makes a collection; its index is built some seconds later.
func (f *face) createCollection(in input) (object, *failure) {
	name, wrong := in.required("name")
	if wrong != nil {
		return nil, wrong
	}
	project, description, dataType, version := "", "", "unstructured_data", 4
	index, config, fields := input{}, input{}, []field{}
	wrong = cmp.Or(in.read("project", &project), in.read("description", &description),
		in.read("data_type", &dataType), in.read("version", &version),
		in.read("index", &index), index.read("index_config", &config), config.read("fields", &fields))
	switch {
	case wrong != nil:
		return nil, wrong
	case !collectionName.MatchString(name):
		return nil, invalid("name must match ^[A-Za-z][A-Za-z0-9_]*$ and have at most 64 characters")
	case utf8.RuneCountInString(description) > 65535:
		return nil, invalid("description is too long")
	case dataType != "unstructured_data" && dataType != "structured_data":
		return nil, invalid("data_type is not supported")
	case version != 2 && version != 4:
		return nil, invalid("version is not supported")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	project = cmp.Or(project, defaultProject)
	if f.named(name, project) != nil {
		return nil, &failure{400, 1000004, "collection exist"}
	}
	kb := world.KnowledgeBase{Platform: world.Volcengine, Name: name, Project: project, Description: description, Created: f.s.Now(), Updated: f.s.Now()}
	if dataType == "structured_data" {
		kb.Kind = "table"
	}
	for _, x := range fields {
		kb.Fields = append(kb.Fields, world.Field{Name: x.Name, Type: x.Type, Value: x.Default})
	}
	return object{"resource_id": f.s.AddKB(kb).ID}, nil
}

// updateCollection changes the description; nothing else can be.
func (f *face) updateCollection(in input) (object, *failure) {
	kb, wrong := f.collection(in, "name")
	if wrong != nil {
		return nil, wrong
	}
	description := kb.Description
	if wrong := in.read("description", &description); wrong != nil {
		return nil, wrong
	}
	f.s.UpdateKB(world.Volcengine, kb.ID, func(kb *world.KnowledgeBase) {
		kb.Description, kb.Updated = description, f.s.Now()
	})
	return nil, nil
}

func (f *face) deleteCollection(in input) (object, *failure) {
	kb, wrong := f.collection(in, "name")
	if wrong != nil {
		return nil, wrong
	}
	f.s.RemoveKB(world.Volcengine, kb.ID)
	return nil, nil
}

// The states of an index.
const (
	indexBuilding = 0
	indexBuilt    = 1
)

// indexStatus is the state of a collection's index: built some seconds after
// the collection is made, unless a test says otherwise.
func (f *face) indexStatus(kb *world.KnowledgeBase) int {
	wait := time.Duration(float64(indexTime) / f.s.Speed())
	switch {
	case kb.Index != 0:
		return kb.Index
	case f.s.Now().Before(kb.Created.Add(wait)):
		return indexBuilding
	}
	return indexBuilt
}

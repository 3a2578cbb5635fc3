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
func (f *face) createCollection(in input) object {
	name := in.required("name")
	project, description, dataType, version := "", "", "unstructured_data", 4
	var fields []field
	in.read("project", &project).read("description", &description).read("data_type", &dataType).read("version", &version)
	in.object("index").object("index_config").read("fields", &fields)
	switch {
	case !collectionName.MatchString(name):
		panic(invalid("name must match ^[A-Za-z][A-Za-z0-9_]*$ and have at most 64 characters"))
	case utf8.RuneCountInString(description) > 65535:
		panic(invalid("description is too long"))
	case dataType != "unstructured_data" && dataType != "structured_data":
		panic(invalid("data_type is not supported"))
	case version != 2 && version != 4:
		panic(invalid("version is not supported"))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	project = cmp.Or(project, defaultProject)
	if f.named(name, project) != nil {
		panic(&failure{400, 1000004, "collection exist"})
	}
	kb := world.KnowledgeBase{Name: name, Project: project, Description: description, Created: f.s.Now(), Updated: f.s.Now()}
	if dataType == "structured_data" {
		kb.Kind = "table"
	}
	for _, x := range fields {
		kb.Fields = append(kb.Fields, world.Field{Name: x.Name, Type: x.Type, Value: x.Default})
	}
	return object{"resource_id": f.s.AddKB(kb).ID}
}

// updateCollection changes the description; nothing else can be.
func (f *face) updateCollection(in input) object {
	kb := f.collection(in, "name")
	description := kb.Description
	in.read("description", &description)
	f.s.UpdateKB(kb.ID, func(kb *world.KnowledgeBase) {
		kb.Description, kb.Updated = description, f.s.Now()
	})
	return nil
}

func (f *face) deleteCollection(in input) object {
	kb := f.collection(in, "name")
	f.s.RemoveKB(kb.ID)
	return nil
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

package coze

import (
	"net/http"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// kbName reads a knowledge base's name and description; a description that
// is left out is empty.
func kbName(a args) (name, description string) {
	name, err := a.Text("name")
	if err != nil || name == "" || utf8.RuneCountInString(name) > mostName {
		panic(badField("name"))
	}
	description, err = a.Text("description")
	if err != nil && err != web.ErrNotGiven {
		panic(badField("description"))
	}
	return name, description
}

// createKB answers POST /v1/datasets. Tables are not possible.
func (c *hosted) createKB(r *http.Request) object {
	a := argsOf(r)
	name, description := kbName(a)
	format, err := a.Int("format_type", -1)
	if err != nil || format != 0 && format != 2 {
		panic(badField("format_type"))
	}
	switch space, err := a.ID("space_id"); {
	case err != nil:
		panic(badField("space_id"))
	case space != SpaceID:
		panic(notFound())
	}
	kb := c.s.AddKB(c.s.newKB(name, description, format))
	return object{"data": object{"dataset_id": kb.ID}}
}

func (s *tables) newKB(name, description string, format int) world.KnowledgeBase {
	return world.KnowledgeBase{
		Name: name, Description: description, Kind: []string{"text", "table", "image"}[format],
		Created: s.Now(), Updated: s.Now(),
	}
}

// updateKB answers PUT /v1/datasets/{id}, which overwrites all.
func (c *hosted) updateKB(r *http.Request) object {
	id := r.PathValue("id")
	a := argsOf(r)
	name, description := kbName(a)
	if !c.s.rename(id, name, description) {
		panic(notFound())
	}
	return nil
}

func (s *tables) rename(id, name, description string) bool {
	return s.UpdateKB(id, func(kb *world.KnowledgeBase) {
		kb.Name, kb.Description, kb.Updated = name, description, s.Now()
	})
}

// deleteKB answers DELETE /v1/datasets/{id}: all files go with it.
func (c *hosted) deleteKB(r *http.Request) object {
	if !c.s.RemoveKB(r.PathValue("id")) {
		panic(notFound())
	}
	return nil
}

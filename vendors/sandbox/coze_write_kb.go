package sandbox

import (
	"net/http"
	"unicode/utf8"
)

// cozeKBName reads a knowledge base's name and description; a description that
// is left out is empty.
func cozeKBName(a args) (name, description string, no *cozeRefusal) {
	name, err := a.text("name")
	if err != nil || name == "" || utf8.RuneCountInString(name) > cozeMostName {
		return "", "", cozeBadField("name")
	}
	description, err = a.text("description")
	if err != nil && err != errNotGiven {
		return "", "", cozeBadField("description")
	}
	return name, description, nil
}

// createKB answers POST /v1/datasets. Tables are not possible.
func (c *cozeFace) createKB(r *http.Request) (object, *cozeRefusal) {
	a, no := cozeArgs(r)
	if no != nil {
		return nil, no
	}
	name, description, no := cozeKBName(a)
	if no != nil {
		return nil, no
	}
	format, err := a.integer("format_type", -1)
	if err != nil || format != 0 && format != 2 {
		return nil, cozeBadField("format_type")
	}
	switch space, err := a.id("space_id"); {
	case err != nil:
		return nil, cozeBadField("space_id")
	case space != CozeSpaceID:
		return nil, cozeNotFound()
	}
	kb := c.s.store.AddKB(cozeNewKB(c.s, name, description, format))
	return object{"data": object{"dataset_id": kb.ID}}, nil
}

func cozeNewKB(s *Sandbox, name, description string, format int) KnowledgeBase {
	return KnowledgeBase{
		Platform: Coze, Name: name, Description: description, Kind: []string{"text", "table", "image"}[format],
		Created: s.now(), Updated: s.now(),
	}
}

// updateKB answers PUT /v1/datasets/{id}, which overwrites all.
func (c *cozeFace) updateKB(r *http.Request, id string) (object, *cozeRefusal) {
	a, no := cozeArgs(r)
	if no != nil {
		return nil, no
	}
	name, description, no := cozeKBName(a)
	if no != nil {
		return nil, no
	}
	if !cozeRename(c.s, id, name, description) {
		return nil, cozeNotFound()
	}
	return nil, nil
}

func cozeRename(s *Sandbox, id, name, description string) bool {
	return s.store.UpdateKB(Coze, id, func(kb *KnowledgeBase) {
		kb.Name, kb.Description, kb.Updated = name, description, s.now()
	})
}

// deleteKB answers DELETE /v1/datasets/{id}: all files go with it.
func (c *cozeFace) deleteKB(id string) (object, *cozeRefusal) {
	if !c.s.store.RemoveKB(Coze, id) {
		return nil, cozeNotFound()
	}
	return nil, nil
}

package dify

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Dify's limits in characters.
const (
	maxKBName      = 40
	maxDescription = 400
)

// kbBody is what to set of a knowledge base; what is left out stays, but for an
// external one, whose update names its source every time.
type kbBody struct {
	Name          *string `json:"name,omitempty"`
	Description   *string `json:"description,omitempty"`
	ExternalID    string  `json:"external_knowledge_id,omitempty"`
	ExternalAPIID string  `json:"external_knowledge_api_id,omitempty"`
}

// CreateKnowledgeBase implements [vendors.KnowledgeBaseCreator]. It has no
// indexing technique before its first document.
func (d *Driver) CreateKnowledgeBase(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	if draft.Name == nil {
		return vendors.KnowledgeBase{}, vendors.Errorf(vendors.InvalidArgument, "`name` is missing.")
	}
	if err := checkKB(draft); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	during := open()
	var out dataset
	err := d.client.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"datasets"}, Body: kbBody{Name: draft.Name, Description: draft.Description}, Write: rest.Once,
	}, &out)
	switch {
	case vendors.Unsure(err):
		return d.findKB(ctx, *draft.Name, during, err)
	case err != nil:
		return vendors.KnowledgeBase{}, err
	}
	return out.normal(), nil
}

// findKB tells what became of a creation whose answer was lost. Names are
// unique in a workspace.
func (d *Driver) findKB(ctx context.Context, name string, during window, lost error) (vendors.KnowledgeBase, error) {
	query := paging(1, pageSize)
	query.Set("include_all", "true")
	if !strings.Contains(name, `\`) { // SQL's escape character
		query.Set("keyword", name)
	}
	var out page[dataset]
	err := d.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: []string{"datasets"}, Query: query, Rows: pageSize}, &out)
	for i := range out.Data {
		if err != nil || string(out.Data[i].Name) != name || out.Data[i].ID == "" {
			continue
		}
		if !during.holds(out.Data[i].CreatedAt, d.clock(out.date)) {
			return vendors.KnowledgeBase{}, nameTaken.Error()
		}
		return out.Data[i].normal(), nil
	}
	return vendors.KnowledgeBase{}, lost
}

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater].
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	err := checkID("knowledge_base_id", id)
	if err == nil {
		err = checkKB(change)
	}
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	d.memory.forget(id)
	body := kbBody{Name: change.Name, Description: change.Description}
	var out dataset
	err = d.patch(ctx, id, body, &out)
	if errors.Is(err, errWantsSource) {
		var now dataset
		err = d.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: []string{"datasets", id}}, &now)
		if err == nil {
			body.ExternalID, body.ExternalAPIID = string(now.External.ID), string(now.External.APIID)
			err = d.patch(ctx, id, body, &out)
		}
	}
	switch {
	case err != nil:
		return vendors.KnowledgeBase{}, err
	case change.Name != nil && string(out.Name) != *change.Name, change.Description != nil && string(out.Description) != *change.Description:
		return vendors.KnowledgeBase{}, vendors.NotShown("Dify", "the knowledge base")
	}
	return out.normal(), nil
}

// patch changes a knowledge base.
func (d *Driver) patch(ctx context.Context, id string, body kbBody, out *dataset) error {
	return d.client.Do(ctx, rest.Call{Method: http.MethodPatch, Path: []string{"datasets", id}, Body: body}, out)
}

// DeleteKnowledgeBase implements [vendors.KnowledgeBaseDeleter].
func (d *Driver) DeleteKnowledgeBase(ctx context.Context, id string) error {
	if err := checkID("knowledge_base_id", id); err != nil {
		return err
	}
	d.memory.forget(id)
	return d.remove(ctx, errNoKnowledgeBase, "datasets", id)
}

func checkKB(c vendors.KnowledgeBaseChange) error {
	if c.Name != nil {
		n := utf8.RuneCountInString(*c.Name)
		switch {
		case strings.TrimSpace(*c.Name) == "":
			return vendors.Errorf(vendors.InvalidArgument, "`name` is blank.")
		case n > maxKBName:
			return vendors.Errorf(vendors.InvalidArgument, "`name` has %d characters; Dify allows %d for a knowledge base.", n, maxKBName)
		}
	}
	if c.Description != nil {
		if n := utf8.RuneCountInString(*c.Description); n > maxDescription {
			return vendors.Errorf(vendors.InvalidArgument, "`description` has %d characters; Dify allows %d.", n, maxDescription)
		}
	}
	return nil
}

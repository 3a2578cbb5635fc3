package ragflow

import (
	"context"
	"encoding/json"
	"net/http"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// datasetBody is what a knowledge base is made of; what is not given is left
// out, and v0.19 and newer refuse any other key.
type datasetBody struct {
	Name        *string `json:"name,omitempty"`
	Description *string `json:"description,omitempty"`
}

// idsBody names what to delete. Typed, because servers up to v0.24 take a body
// without `ids` for everything.
type idsBody struct {
	IDs []string `json:"ids"`
}

func (c currentAPI) create(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	var out answer[dataset]
	err := c.rc.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: c.path(), Body: datasetBody(draft), Write: rest.Once,
	}, &out)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	kb := out.payload().normal()
	if kb.KnowledgeBaseID == "" {
		return vendors.KnowledgeBase{}, noPayload()
	}
	if draft.Description == nil || *draft.Description == kb.Description {
		return kb, nil
	}
	// The Go back end forgets the description.
	full, err := c.update(ctx, kb.KnowledgeBaseID, vendors.KnowledgeBaseChange{Description: draft.Description})
	if err != nil {
		return kb, described(err, kb.KnowledgeBaseID)
	}
	return full, nil
}

// update sends what is given and reads the knowledge base again: some versions
// answer with nothing but a code.
func (c currentAPI) update(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	var out ack
	err := c.rc.Do(ctx, rest.Call{
		Method: http.MethodPut, Path: c.path(id), Body: datasetBody(change),
	}, &out)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	return c.knowledgeBase(ctx, id)
}

// remove names exactly one id: without any, old servers delete every knowledge
// base of the account.
func (c currentAPI) remove(ctx context.Context, id string) error {
	var out ack
	err := c.rc.Do(ctx, rest.Call{
		Method: http.MethodDelete, Path: c.path(), Body: idsBody{IDs: []string{id}}, Write: rest.Once,
	}, &out)
	if err != nil {
		return err
	}
	var done struct { // since v0.25; the Go back end lists them
		Count   rest.Num   `json:"success_count"`
		Deleted *[]rest.ID `json:"deleted"`
	}
	if len(out.Data) > 0 && json.Unmarshal(out.Data, &done) == nil &&
		(done.Count.Valid && done.Count.Int == 0 || done.Deleted != nil && len(*done.Deleted) == 0) {
		e := vendors.Errorf(vendors.VendorError, "RAGFlow says success but has deleted no knowledge base.")
		e.VendorCode, e.VendorMessage = out.code(), out.text()
		return e
	}
	return nil
}

// create takes the name alone; a description is set afterwards.
// (ragflow_api.md@v0.10.0 calls the key dataset_name, which the server refuses.)
func (p previewAPI) create(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	var out answer[struct {
		ID   rest.ID  `json:"dataset_id"`
		Name rest.Str `json:"dataset_name"`
	}]
	err := p.rc.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: p.path(), Body: datasetBody{Name: draft.Name}, Write: rest.Once,
	}, &out)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	made := out.payload()
	if made.ID == "" {
		return vendors.KnowledgeBase{}, noPayload()
	}
	kb := vendors.KnowledgeBase{KnowledgeBaseID: string(made.ID), Name: string(made.Name)}
	if draft.Description == nil || *draft.Description == "" {
		return kb, nil
	}
	full, err := p.update(ctx, kb.KnowledgeBaseID, vendors.KnowledgeBaseChange{Description: draft.Description})
	if err != nil {
		return kb, described(err, kb.KnowledgeBaseID)
	}
	return full, nil
}

// described is the error of a knowledge base that was created without its
// description. It must not be taken for one that was not created.
func described(err error, id string) error {
	e := vendors.Errorf(vendors.Conflict, "The knowledge base was created with the id %s, but its description could not be set.", id).
		WithHint("Do not create it again: set the description with update_knowledge_base.")
	e.Err, e.Effect = err, vendors.SomeEffect
	return e
}

// update sends name and description only: the server would overwrite its own
// columns with other keys.
func (p previewAPI) update(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	var out ack
	err := p.rc.Do(ctx, rest.Call{
		Method: http.MethodPut, Path: p.path(id), Body: datasetBody(change),
	}, &out)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	var w dataset
	if json.Unmarshal(out.Data, &w) == nil && string(w.ID) == id {
		return w.normal(), nil
	}
	return p.knowledgeBase(ctx, id)
}

func (p previewAPI) remove(ctx context.Context, id string) error {
	return p.rc.Do(ctx, rest.Call{Method: http.MethodDelete, Path: p.path(id), Write: rest.Once}, &ack{})
}

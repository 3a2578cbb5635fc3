package coze

import (
	"context"
	"net/http"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// CreateKnowledgeBase implements [vendors.KnowledgeBaseCreator]: one for text.
// After a lost answer it looks for the name.
func (d *Driver) CreateKnowledgeBase(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	if draft.Name == nil {
		draft.Name = new(string)
	}
	if err := checkName(draft.Name, mostName); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	space, err := d.writeSpace(ctx)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	body := createDataset{Name: *draft.Name, SpaceID: space}
	if draft.Description != nil {
		body.Description = *draft.Description
	}
	began := d.now()
	var out datasetAnswer
	err = d.call(ctx, rest.Call{Method: http.MethodPost, Path: []string{"v1", "datasets"}, Body: body, Write: rest.Once}, &out)
	if vendors.Unsure(err) {
		return d.lookForDataset(ctx, err, body, began)
	}
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	return vendors.KnowledgeBase{KnowledgeBaseID: out.id(), Name: body.Name, Description: body.Description}, nil
}

// writeSpace is the space that something new is to be made in.
func (d *Driver) writeSpace(ctx context.Context) (string, error) {
	if d.space != "" {
		return d.space, nil
	}
	ids, err := d.spaceIDs(ctx)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", vendors.Errorf(vendors.ErrNotFound, "The credential of this connection sees no space.").
			WithHint("Give it the permission listWorkspace, or set COZE_SPACE_ID to the number after /space/ in the address of the space's page.")
	case len(ids) > 1:
		return "", vendors.Errorf(vendors.InvalidArgument, "The credential sees %d spaces, and COZE_SPACE_ID does not say which one is meant.", len(ids)).
			WithHint("The owner of this connection must set COZE_SPACE_ID to the number after /space/ in the address of the space's page, and restart kb-mcp.")
	}
	return ids[0], nil
}

// lookForDataset looks for a knowledge base whose create was not answered.
func (d *Driver) lookForDataset(ctx context.Context, lost error, body createDataset, began time.Time) (vendors.KnowledgeBase, error) {
	var found []dataset
	r, err := d.datasets(ctx, body.SpaceID, 1, mostDatasets, body.Name)
	for _, w := range r.List {
		if w.ID != "" && string(w.Name) == body.Name && d.since(began, w.CreateTime) {
			found = append(found, w)
		}
	}
	if err == nil && len(found) == 0 && vendors.KindOf(lost) == vendors.VendorError { // refused, in a code that nobody knows
		lost = vendors.NothingDone(lost)
	}
	if err != nil || len(found) != 1 {
		return vendors.KnowledgeBase{}, lost
	}
	return found[0].normal(), nil
}

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater]. The platform's
// call overwrites everything, so what is to stay is read and sent again. The
// icon cannot be: a row shows it in another form than the one to send.
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	err := checkIDs("knowledge_base_id", id)
	if err == nil {
		err = checkName(change.Name, mostName)
	}
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	kb, err := d.dataset(ctx, id)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	if change.Name != nil {
		kb.Name = *change.Name
	}
	if change.Description != nil {
		kb.Description = *change.Description
	}
	err = d.call(ctx, rest.Call{
		Method: http.MethodPut, Path: []string{"v1", "datasets", id},
		Body: updateDataset{Name: kb.Name, Description: kb.Description},
	}, new(datasetUpdated))
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	d.log.InfoContext(ctx, "a knowledge base was overwritten: an icon of its own is reset", "knowledge_base_id", id)
	kb.UpdatedAt = time.Time{} // not told
	return kb, nil
}

// mostSearched bounds the spaces that are looked through for one knowledge base.
const mostSearched = 20

// dataset finds a knowledge base in the lists of the spaces: there is no call
// for one.
func (d *Driver) dataset(ctx context.Context, id string) (vendors.KnowledgeBase, error) {
	spaces, err := []string{d.space}, error(nil)
	if d.space == "" {
		spaces, err = d.spaceIDs(ctx)
	}
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	for _, space := range spaces[:min(len(spaces), mostSearched)] {
		kb, err := d.datasetIn(ctx, space, id)
		kind := vendors.KindOf(err)
		visited := len(spaces) > 1 && (kind == vendors.PermissionDenied || kind == vendors.ErrNotFound)
		switch {
		case kb != nil:
			return *kb, nil
		case err != nil && !visited:
			return vendors.KnowledgeBase{}, err
		}
	}
	return vendors.KnowledgeBase{}, vendors.Errorf(vendors.ErrNotFound, "The knowledge base does not exist or is not accessible with this credential; nothing was changed.").
		WithHint("Take the id from list_knowledge_bases; for one of another space set COZE_SPACE_ID to that space. " + d.origin())
}

// datasetIn finds a knowledge base in one space; nil when it is not there.
func (d *Driver) datasetIn(ctx context.Context, space, id string) (*vendors.KnowledgeBase, error) {
	for page := 1; page <= 10; page++ {
		r, err := d.datasets(ctx, space, page, mostDatasets, "")
		if err != nil {
			return nil, err
		}
		for _, w := range r.List {
			if string(w.ID) == id && !w.foreign() {
				kb := w.normal()
				return &kb, nil
			}
		}
		if len(r.List) == 0 || !more(page, mostDatasets, len(r.List), r.Total) {
			return nil, nil
		}
	}
	return nil, nil
}

// DeleteKnowledgeBase implements [vendors.KnowledgeBaseDeleter]. A lost answer
// is asked for once more, which deletes nothing else.
func (d *Driver) DeleteKnowledgeBase(ctx context.Context, id string) error {
	if err := checkIDs("knowledge_base_id", id); err != nil {
		return err
	}
	err := d.deleteDataset(ctx, id)
	if !vendors.Unsure(err) {
		return err
	}
	switch again := d.deleteDataset(ctx, id); {
	case again == nil:
		return nil
	case vendors.KindOf(again) == vendors.ErrNotFound:
		return vendors.Errorf(vendors.ErrNotFound, "The knowledge base is not there (any more): the first try, whose answer was lost, may have deleted it, or it did not exist before.").
			WithHint("list_knowledge_bases shows what there is; nothing is left to be deleted under this id.")
	}
	return err
}

func (d *Driver) deleteDataset(ctx context.Context, id string) error {
	return d.call(ctx, rest.Call{Method: http.MethodDelete, Path: []string{"v1", "datasets", id}, Write: rest.Once}, new(datasetDeleted))
}

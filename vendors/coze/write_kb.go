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
	if err := d.checkBaseName(draft.Name); err != nil {
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
	kb := vendors.KnowledgeBase{KnowledgeBaseID: out.id(), Name: body.Name, Description: body.Description}
	kb.Notes = d.spaceNotes(ctx, space, kb.KnowledgeBaseID)
	return kb, nil
}

// spaceNotes doubts a space in which there is nothing but what was just made:
// studio makes knowledge bases in spaces that do not exist, where nobody sees
// them in the web page.
func (d *Driver) spaceNotes(ctx context.Context, space, made string) []string {
	if !d.speech.isStudio() {
		return nil
	}
	r, err := d.datasets(ctx, space, 1, d.kbPage, "")
	if err != nil || len(r.List) > 1 || r.Total.Int > 1 || len(r.List) == 1 && string(r.List[0].ID) != made {
		return nil
	}
	return []string{"It is the only knowledge base of its space. A coze-studio server also makes them in spaces that do not exist: compare COZE_SPACE_ID with the number after /space/ in the address of the space's page, unless the space is new."}
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
	r, err := d.datasets(ctx, body.SpaceID, 1, d.kbPage, body.Name)
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
	return found[0].normal(d.speech.isStudio()), nil
}

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater]. The platform's
// call overwrites everything, so what is to stay is read and sent again. The
// icon cannot be on hosted Coze: a row shows it in another form than the one to
// send. Studio keeps it.
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	err := checkIDs("knowledge_base_id", id)
	if err == nil {
		err = d.checkBaseName(change.Name)
	}
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	row, err := d.lookup(ctx, id)
	switch {
	case err != nil:
		return vendors.KnowledgeBase{}, err
	case row == nil:
		return vendors.KnowledgeBase{}, vendors.Errorf(vendors.ErrNotFound, "The knowledge base does not exist or is not accessible with this credential; nothing was changed.").
			WithHint("Take the id from list_knowledge_bases; for one of another space set COZE_SPACE_ID to that space. " + d.origin())
	case row.readOnly():
		return vendors.KnowledgeBase{}, notOwner()
	}
	kb, before := row.normal(d.speech.isStudio()), row.normal(d.speech.isStudio())
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
	if !d.speech.isStudio() {
		d.log.InfoContext(ctx, "a knowledge base was overwritten: an icon of its own is reset", "knowledge_base_id", id)
	}
	kb.UpdatedAt = time.Time{} // not told
	return d.changed(ctx, kb, before)
}

// readOnly reports whether the platform says that writes will be refused.
func (w dataset) readOnly() bool { return w.CanEdit.Valid && !w.CanEdit.Set }

func notOwner() error {
	return vendors.Errorf(vendors.PermissionDenied, "Coze says that this credential may not edit this knowledge base (can_edit is false); nothing was changed.").
		WithHint("Only its owner can change it: use a token of the owner, or a knowledge base of this account.")
}

// changed reads a knowledge base again after a change: a success that changed
// nothing is none. Where it cannot be found, it is what was sent.
func (d *Driver) changed(ctx context.Context, kb, before vendors.KnowledgeBase) (vendors.KnowledgeBase, error) {
	base, _ := d.bases.get(kb.KnowledgeBaseID)
	row, err := d.onPage(ctx, base.space, 1, kb.Name, kb.KnowledgeBaseID)
	if err != nil || row == nil {
		return kb, nil
	}
	now := row.normal(d.speech.isStudio())
	same := now.Name == before.Name && now.Description == before.Description
	if same && (kb.Name != before.Name || kb.Description != before.Description) {
		return vendors.KnowledgeBase{}, vendors.NotShown("Coze", "the knowledge base")
	}
	return now, nil
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

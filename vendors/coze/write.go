package coze

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/rest"
)

// Instead implements [vendors.Adviser]: what neither dialect has.
func (d *Driver) Instead() map[string]string {
	return map[string]string{
		"start_ingestion":   "On Coze ingestion starts by itself after upload_document; to redo it, upload the document again and delete the old one.",
		"stop_ingestion":    "Coze cannot stop ingestion; delete_documents removes the document.",
		"download_document": "Coze does not serve the original file; take it from where it was uploaded from.",
	}
}

// The longest names, in characters: hosted Coze's of a knowledge base, and
// studio's of everything, whose columns take no more.
const (
	mostHosted = 100
	mostStudio = 150
)

// baseName is what the platform accepts as a knowledge base's name.
func (d *Driver) baseName() write.Text {
	if d.dialect.is() == hosted {
		return write.Text{Platform: "Coze", Most: mostHosted}
	}
	return write.Text{Platform: "Coze", Most: mostStudio}
}

// documentName is what the platform accepts as a document's name.
func (d *Driver) documentName() write.Text {
	if d.studio() {
		return write.Text{Platform: "Coze", Most: mostStudio}
	}
	return write.Text{Platform: "Coze"}
}

// CreateKnowledgeBase implements [vendors.KnowledgeBaseCreator]: one for text.
func (d *Driver) CreateKnowledgeBase(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	kb := vendors.KnowledgeBase{Name: *draft.Name}
	if draft.Description != nil {
		kb.Description = *draft.Description
	}
	if err := d.baseName().Check("name", kb.Name); err != nil {
		return kb, err
	}
	space, err := d.writeSpace(ctx)
	if err != nil {
		return kb, err
	}
	window := write.Open()
	kb, found, err := write.Create(ctx, func(ctx context.Context) (vendors.KnowledgeBase, error) {
		out, err := do[created](ctx, d, createDataset, rest.Call{Body: datasetDraft{Name: kb.Name, SpaceID: space, Description: kb.Description}})
		kb.KnowledgeBaseID = string(out.ID)
		return kb, err
	}, func(ctx context.Context) (found []vendors.KnowledgeBase, err error) {
		r, err := d.datasets(ctx, space, 1, d.kbPage, kb.Name)
		for _, w := range r.List {
			if w.ID != "" && string(w.Name) == kb.Name && window.Holds(vendors.Seconds(w.CreateTime.Int), d.now()) {
				found = append(found, w.normal(d.studio()))
			}
		}
		return found, err
	})
	if err == nil && !found && d.studio() {
		kb.Notes = d.spaceNotes(ctx, space, kb.KnowledgeBaseID)
	}
	return kb, err
}

// datasetDraft is a new knowledge base. format_type 0 is text; tables are not
// possible there.
type datasetDraft struct {
	Name        string `json:"name"`
	SpaceID     string `json:"space_id"`
	FormatType  int    `json:"format_type"`
	Description string `json:"description,omitempty"`
}

// spaceNotes warns about a space that holds nothing but the new knowledge base:
// studio makes knowledge bases in spaces that do not exist, where the web page
// does not show them.
func (d *Driver) spaceNotes(ctx context.Context, space, made string) []string {
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

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater]. The platform's
// call overwrites everything, so what is to stay is read and sent again. The
// icon cannot be on hosted Coze: a row shows it in another form than the one to
// send. Studio keeps it.
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	if change.Name != nil {
		if err := d.baseName().Check("name", *change.Name); err != nil {
			return vendors.KnowledgeBase{}, err
		}
	}
	row, err := d.lookup(ctx, id)
	switch {
	case err != nil:
		return vendors.KnowledgeBase{}, err
	case row == nil:
		return vendors.KnowledgeBase{}, d.noBase()
	case row.readOnly():
		return vendors.KnowledgeBase{}, notOwner()
	}
	kb := row.normal(d.studio())
	if change.Name != nil {
		kb.Name = *change.Name
	}
	if change.Description != nil {
		kb.Description = *change.Description
	}
	_, err = do[nothing](ctx, d, updateDataset, rest.Call{Body: map[string]string{"name": kb.Name, "description": kb.Description}}, id)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	if !d.studio() {
		d.log.InfoContext(ctx, "a knowledge base was overwritten: its icon is reset", "knowledge_base_id", id)
	}
	base, _ := d.bases.Get(id)
	r, err := d.datasets(ctx, base.space, 1, d.kbPage, kb.Name)
	if row = r.find(id); err != nil || row == nil { // then it is what was sent
		kb.UpdatedAt = time.Time{} // not known
		return kb, nil
	}
	return row.normal(d.studio()), nil
}

func notOwner() error {
	return vendors.Errorf(vendors.PermissionDenied, "Coze says that this credential may not edit this knowledge base (can_edit is false); nothing was changed.").
		WithHint("Only its owner can change it: use a token of the owner, or a knowledge base of this account.")
}

// DeleteKnowledgeBase implements [vendors.KnowledgeBaseDeleter].
func (d *Driver) DeleteKnowledgeBase(ctx context.Context, id string) error {
	return write.Again(func() error {
		_, err := do[nothing](ctx, d, deleteDataset, rest.Call{}, id)
		return err
	}, func(err error) bool { return vendors.KindOf(err) == vendors.ErrNotFound })
}

// DeleteDocuments implements [vendors.DocumentDeleter]. The platform's call
// neither names a knowledge base nor says what became of each id, and studio
// goes through the ids one after the other. There, where calls cost nothing, a
// success is looked at.
func (d *Driver) DeleteDocuments(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	out, err := write.Documents{
		Send: func(ctx context.Context, docs []vendors.Document) (map[string]error, error) {
			return nil, d.deleteDocuments(ctx, write.IDs(docs))
		},
		Batch: batchSize, Done: vendors.Done,
		Read:      func(ctx context.Context, ids []string) (vendors.Report, error) { return d.members(ctx, kb, ids) },
		ReadFirst: true, Needs: write.Deletable, Prove: d.dialect.is() != hosted, Midway: true,
	}.Run(ctx, ids)
	there := func(o vendors.Outcome) bool { return o.Result != vendors.Absent }
	if err != nil || slices.ContainsFunc(out, there) {
		return out, err
	}
	if err := d.CheckKnowledgeBase(ctx, kb); err != nil {
		return nil, err
	}
	return out, nil
}

func (d *Driver) deleteDocuments(ctx context.Context, ids []string) error {
	_, err := do[nothing](ctx, d, deleteDocument, rest.Call{Body: documentIDs{ids}})
	return err
}

// UpdateDocument implements [vendors.DocumentUpdater]: the name, or an image's
// caption. The call does not say to which knowledge base the document must
// belong, and clears what is left out, so that the document's row is read
// first.
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	if err := checkDocumentChange(change); err != nil {
		return vendors.Document{}, err
	}
	row, err := d.row(ctx, ref)
	switch {
	case err != nil:
		return vendors.Document{}, err
	case change.Metadata != nil:
		return d.setCaption(ctx, ref, row, change.Metadata[captionKey].(string))
	}
	body, err := d.renaming(row, *change.Name)
	if err == nil {
		_, err = do[nothing](ctx, d, updateDocument, rest.Call{Body: body})
	}
	if err != nil {
		return vendors.Document{}, err
	}
	doc, err := d.GetDocument(ctx, ref)
	if err != nil {
		d.log.WarnContext(ctx, "a renamed document could not be read again", "document_id", ref.DocumentID, "error", err)
		doc = row.normal(d.studio())
		doc.Name, doc.UpdatedAt = *change.Name, time.Time{} // the time is not known
	}
	return doc, nil
}

func checkDocumentChange(change vendors.DocumentChange) error {
	caption, isText := change.Metadata[captionKey].(string)
	switch {
	case change.Enabled != nil:
		return vendors.Errorf(vendors.Unsupported, "Coze cannot switch a document on or off through its API; nothing was changed.").
			WithHint("Pass `name` alone; documents are switched in Coze's web page.")
	case change.Metadata == nil:
		return write.Text{Platform: "Coze"}.Check("name", *change.Name)
	case change.Name != nil:
		return vendors.Errorf(vendors.Unsupported, "Coze changes a name and a caption in separate calls; nothing was changed.").
			WithHint("Pass `name` and `metadata` in two calls.")
	case !isText || len(change.Metadata) != 1:
		return vendors.Errorf(vendors.Unsupported, "Coze documents have no metadata except an image's caption; nothing was changed.").
			WithHint("Pass `name`, or for an image `metadata` with `caption` alone, a text.")
	}
	return write.Text{Platform: "Coze", Blank: true}.Check("caption", caption)
}

// updateRequest is the body of POST /open_api/knowledge/document/update, which
// clears what is left out: studio drops the columns of a table that are not
// named, and hosted Coze documents "no refresh" as the default of update_rule.
type updateRequest struct {
	DocumentID   string          `json:"document_id"`
	DocumentName string          `json:"document_name"`
	TableMeta    json.RawMessage `json:"table_meta,omitempty"`
	UpdateRule   *updateRule     `json:"update_rule,omitempty"`
}

// updateRule is when hosted Coze fetches a web page again.
type updateRule struct {
	UpdateType     int64 `json:"update_type"`
	UpdateInterval int64 `json:"update_interval"`
}

// renaming returns the request that changes a document's name and nothing else,
// or an error that says why there is none.
func (d *Driver) renaming(row document, name string) (updateRequest, error) {
	body := updateRequest{DocumentID: string(row.ID), DocumentName: name}
	if err := d.documentName().Check("name", name); err != nil {
		return body, err
	}
	columns, isList := bytes.CutPrefix(bytes.TrimSpace(row.TableMeta), []byte("["))
	switch {
	case row.isText() || row.isImage():
	case d.studio() && isList && !bytes.HasPrefix(bytes.TrimSpace(columns), []byte("]")):
		body.TableMeta = row.TableMeta
	case d.studio():
		return body, vendors.Errorf(vendors.Unsupported, "This document may be a table, and its columns are not known: coze-studio deletes those that a rename does not name. Nothing was changed.").
			WithHint("Rename it in the web page of the coze-studio server.")
	default:
		return body, vendors.Errorf(vendors.Unsupported, "This document is, or may be, a table, and hosted Coze does not document what a rename does to a table's columns (coze-studio deletes those that it does not name). Nothing was changed.").
			WithHint("Rename it in Coze's web page.")
	}
	if row.refreshes() {
		body.UpdateRule = &updateRule{row.UpdateType.Int, row.UpdateInterval.Int}
	}
	return body, nil
}

// setCaption changes an image's caption, and reads it again.
func (d *Driver) setCaption(ctx context.Context, ref vendors.Ref, row document, caption string) (vendors.Document, error) {
	switch {
	case !row.isImage():
		return vendors.Document{}, vendors.Errorf(vendors.Unsupported, "Coze documents have no metadata except an image's caption, and this is not an image; nothing was changed.").
			WithHint("Pass `name` alone.")
	case d.studio():
		return vendors.Document{}, vendors.Errorf(vendors.Unsupported, "A coze-studio server does not open captions to API tokens; nothing was changed.").
			WithHint("Change the caption in the server's web page.")
	}
	_, err := do[nothing](ctx, d, updateImage, rest.Call{Body: map[string]string{"caption": caption}}, ref.KnowledgeBaseID, ref.DocumentID)
	if err != nil {
		return vendors.Document{}, err
	}
	doc := d.withCaption(ctx, ref, row.normal(false))
	if now, ok := doc.Metadata[captionKey].(string); ok && now != caption {
		return vendors.Document{}, vendors.NotShown("the image")
	}
	doc.Metadata = map[string]any{captionKey: caption}
	return doc, nil
}

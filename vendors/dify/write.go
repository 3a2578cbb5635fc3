package dify

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/rest"
)

// kbBody is a change of a knowledge base; what is left out stays. An update of
// an external one names its source every time.
type kbBody struct {
	Name          *string `json:"name,omitempty"`
	Description   *string `json:"description,omitempty"`
	ExternalID    string  `json:"external_knowledge_id,omitempty"`
	ExternalAPIID string  `json:"external_knowledge_api_id,omitempty"`
}

// checkKB refuses what Dify would refuse.
func checkKB(c vendors.KnowledgeBaseChange) error {
	if c.Name != nil {
		if err := (write.Text{Platform: "Dify", Most: 40}).Check("name", *c.Name); err != nil {
			return err
		}
	}
	if c.Description != nil {
		return write.Text{Platform: "Dify", Most: 400, Blank: true}.Check("description", *c.Description)
	}
	return nil
}

// CreateKnowledgeBase implements [vendors.KnowledgeBaseCreator]. It has no
// indexing technique before its first document.
func (d *Driver) CreateKnowledgeBase(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	if err := checkKB(draft); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	during := write.Open()
	made, _, err := write.Create(ctx, func(ctx context.Context) (out dataset, err error) {
		err = d.client.Do(ctx, rest.Call{
			Method: http.MethodPost, Path: []string{"datasets"}, Body: kbBody{Name: draft.Name, Description: draft.Description}, Write: rest.Once,
		}, &out)
		return out, err
	}, func(ctx context.Context) ([]dataset, error) { return d.findKB(ctx, *draft.Name, during) })
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	return made.normal(), nil
}

// findKB finds the knowledge base of a name that was made in a window. Names are
// unique in a workspace: where an older one has it, none was made.
func (d *Driver) findKB(ctx context.Context, name string, during write.Window) (found []dataset, err error) {
	query := paging(1, pageSize)
	if !strings.Contains(name, `\`) { // SQL's escape character
		query.Set("keyword", name)
	}
	out, err := d.datasets(ctx, query)
	if err != nil {
		return nil, err
	}
	for _, w := range out.Data {
		switch {
		case string(w.Name) != name || w.ID == "":
		case during.Holds(vendors.Seconds(w.CreatedAt.Int), d.clock(out.date)):
			return []dataset{w}, nil
		default:
			err = write.Refused{Why: nameTaken.Error()}
		}
	}
	return nil, err
}

// clock is the server's time in an answer, or ours when it does not say.
func (d *Driver) clock(date time.Time) time.Time {
	if date.IsZero() {
		return d.now()
	}
	return date
}

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater].
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	if err := checkKB(change); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	d.forget(id)
	body := kbBody{Name: change.Name, Description: change.Description}
	var out dataset
	err := d.patch(ctx, id, body, &out)
	if errors.Is(err, errWantsSource) {
		var now *dataset
		if now, err = get[dataset](ctx, d, nil, id); err == nil {
			body.ExternalID, body.ExternalAPIID = string(now.External.ID), string(now.External.APIID)
			err = d.patch(ctx, id, body, &out)
		}
	}
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	return out.normal(), nil
}

// patch changes a knowledge base.
func (d *Driver) patch(ctx context.Context, id string, body kbBody, out *dataset) error {
	return d.client.Do(ctx, rest.Call{Method: http.MethodPatch, Path: []string{"datasets", id}, Body: body}, out)
}

// DeleteKnowledgeBase implements [vendors.KnowledgeBaseDeleter].
func (d *Driver) DeleteKnowledgeBase(ctx context.Context, id string) error {
	d.forget(id)
	return write.Again(func() error { return d.remove(ctx, "datasets", id) }, isMarked(errNoKnowledgeBase))
}

// DeleteDocuments implements [vendors.DocumentDeleter]. Dify deletes one document
// of the knowledge base that is named, also while it is ingested, but not an
// archived one.
func (d *Driver) DeleteDocuments(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	d.forget(kb) // it may be empty soon
	return write.Documents{
		Send: func(ctx context.Context, docs []vendors.Document) (map[string]error, error) {
			d.uploads.Forget(strings.ToLower(docs[0].DocumentID))
			return nil, d.remove(ctx, "datasets", kb, "documents", docs[0].DocumentID)
		},
		Batch: 1, Done: vendors.Done, Absent: isMarked(errNoDocument), Again: true,
	}.Run(ctx, ids)
}

// isMarked recognizes errors with a mark.
func isMarked(mark error) func(error) bool {
	return func(err error) bool { return errors.Is(err, mark) }
}

// remove deletes at a path.
func (d *Driver) remove(ctx context.Context, path ...string) error {
	return d.client.Do(ctx, rest.Call{Method: http.MethodDelete, Path: path, Write: rest.Once}, &nothing{})
}

// UpdateDocument implements [vendors.DocumentUpdater]. Only the switch for
// searches can be set: a new name always re-indexes the document from a text
// that must be given with it, and metadata needs fields that a person defines.
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	switch {
	case change.Name != nil:
		return vendors.Document{}, vendors.Errorf(vendors.Unsupported, "Dify's API cannot rename a document without ingesting it again; nothing was changed.").
			WithHint("Rename it in the Dify console, or upload its content under the new name with upload_document and delete the old document.")
	case change.Metadata != nil:
		return vendors.Document{}, vendors.Errorf(vendors.Unsupported, "kb-mcp cannot set the metadata of a Dify document; nothing was changed.").
			WithHint("Set metadata in the Dify console.")
	}
	refusal := d.enable(ctx, ref, *change.Enabled)
	if refusal != nil && vendors.KindOf(refusal) != vendors.Conflict {
		return vendors.Document{}, refusal
	}
	doc, err := d.GetDocument(ctx, ref) // Dify silently skips unknown ids
	done := err == nil && doc.Enabled != nil && *doc.Enabled == *change.Enabled
	switch {
	case done && errors.Is(refusal, errBusy): // an earlier try of this call may have done it
		return doc, nil
	case refusal != nil:
		return vendors.Document{}, stateRefusal(refusal, doc)
	case err != nil && vendors.KindOf(err) != vendors.ErrNotFound:
		return vendors.Document{}, vendors.NotReadBack(err, "The change was accepted")
	}
	return doc, err
}

// stateRefusal says which state of a document the refusal to switch it comes
// from. Dify gives the same words to one that is locked for minutes after a change
// and to one that stays as it is.
func stateRefusal(refusal error, doc vendors.Document) error {
	lasting := func(message, hint string) error {
		return vendors.Amended(refusal, func(e *vendors.Error) { e.Message, e.Hint, e.Retry = message, hint, vendors.Never })
	}
	switch {
	case doc.Archived != nil && *doc.Archived:
		return lasting("The document is archived; searches do not find it, and `enabled` cannot be changed.", "Un-archive it in the Dify console first.")
	case doc.Status == vendors.Failed:
		return lasting("The document's ingestion failed, so `enabled` cannot be changed.",
			"Its `error` says why (get_document_info). Uploading the content again under the same name replaces it.")
	case doc.Status == vendors.Paused:
		return lasting("The document is paused, so `enabled` cannot be changed.", "Resume it in the Dify console and wait until it is completed.")
	}
	return refusal
}

// enable switches one document on or off for searches.
func (d *Driver) enable(ctx context.Context, ref vendors.Ref, on bool) error {
	action := "disable"
	if on {
		action = "enable"
	}
	return d.client.Do(ctx, rest.Call{
		Method: http.MethodPatch, Path: []string{"datasets", ref.KnowledgeBaseID, "documents", "status", action},
		Body: map[string][]string{"document_ids": {ref.DocumentID}},
	}, &resultAnswer{})
}

// resultAnswer is the answer to a change of status.
type resultAnswer struct {
	Result rest.Str `json:"result"`
}

// accept implements payload.
func (r *resultAnswer) accept(http.Header) bool { return r.Result == "success" }

// nothing is the answer of a delete: 204 without a body or, from 1.4 to 1.12,
// 200 with the body 204.
type nothing struct{}

func (*nothing) is(a rest.Answer) bool {
	return a.Status == http.StatusNoContent || a.Status == http.StatusOK && string(bytes.TrimSpace(a.Body)) == "204"
}

// accept implements payload: anything else is not an answer to a delete.
func (*nothing) accept(http.Header) bool { return false }

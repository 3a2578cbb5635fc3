package dify

import (
	"context"
	"errors"
	"net/http"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// UpdateDocument implements [vendors.DocumentUpdater]. Only the switch for
// searches can be set: a new name always re-indexes the document from a text
// that must be given with it, and metadata needs fields that a person defines.
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	if err := checkRef(ref); err != nil {
		return vendors.Document{}, err
	}
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
	doc, err := d.GetDocument(ctx, ref) // Dify skips unknown ids without a word
	shown := err == nil && (doc.Enabled == nil || *doc.Enabled == *change.Enabled)
	switch {
	case errors.Is(refusal, errBusy) && err == nil && doc.Enabled != nil && shown: // an earlier try of this call may have done it
		return doc, nil
	case refusal != nil:
		return vendors.Document{}, stateRefusal(refusal, doc)
	case err == nil && !shown:
		return vendors.Document{}, vendors.NotShown("Dify", "the document")
	case err != nil && vendors.KindOf(err) != vendors.ErrNotFound:
		return vendors.Document{}, vendors.NotReadBack(err, "The change was accepted")
	}
	return doc, err
}

// stateRefusal says which state of a document the refusal to switch it comes
// from. Dify gives the same words to one that is locked for minutes after a change
// and to one that stays as it is.
func stateRefusal(refusal error, doc vendors.Document) error {
	switch {
	case doc.Archived != nil && *doc.Archived:
		return of(refusal, "The document is archived; searches do not find it, and `enabled` cannot be changed.",
			"Un-archive it in the Dify console first.")
	case doc.Status == vendors.Failed:
		return of(refusal, "The document's ingestion failed, so `enabled` cannot be changed.",
			"Its `error` says why (get_document_info). Uploading the content again under the same name replaces it.")
	case doc.Status == vendors.Paused:
		return of(refusal, "The document is paused, so `enabled` cannot be changed.", "Resume it in the Dify console and wait until it is completed.")
	}
	return refusal
}

// of is a refusal that lasts, in other words.
func of(refusal error, message, hint string) error {
	c := copied(refusal)
	c.Message, c.Hint, c.Retry = message, hint, vendors.Never
	return c
}

// enable switches one document on or off for searches.
func (d *Driver) enable(ctx context.Context, ref vendors.Ref, on bool) error {
	action := "disable"
	if on {
		action = "enable"
	}
	var out resultAnswer
	return d.client.Do(ctx, rest.Call{
		Method: http.MethodPatch, Path: []string{"datasets", ref.KnowledgeBaseID, "documents", "status", action},
		Body: map[string][]string{"document_ids": {ref.DocumentID}},
	}, &out)
}

// resultAnswer is the answer to a change of status.
type resultAnswer struct {
	Result rest.Str `json:"result"`
}

// accept implements payload.
func (r *resultAnswer) accept(http.Header) bool { return r.Result == "success" }

package dify

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// revision replaces the content of a document. Without the document's own form
// Dify takes the plain one, and refuses or resets another; without a rule the
// document keeps its own.
type revision struct {
	Name string   `json:"name,omitempty"`
	Text string   `json:"text,omitempty"`
	Form rest.Str `json:"doc_form,omitempty"`
}

// Replace implements [vendors.Replacer] with update-by-text and update-by-file.
func (d *Driver) Replace(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	old, err := get[document](ctx, d, nil, u.KnowledgeBaseID, "documents", u.DocumentID)
	if err != nil {
		return vendors.Uploaded{}, err
	}
	before := old.normal()
	if u.Name == "" {
		u.Name = before.Name
	}
	if err := d.checkUpload(u); err != nil {
		return vendors.Uploaded{}, err
	}
	if !before.Status.IsCompleted() || before.Enabled != nil && !*before.Enabled || before.Archived != nil && *before.Archived {
		return vendors.Uploaded{}, vendors.Errorf(vendors.Conflict, "Dify replaces only documents that are completed, enabled and not archived; this one is %s.", standing(before)).
			WithHint("Wait until it is completed (wait_for_ingestion), or enable it with update_document.")
	}
	var out created
	if err := d.client.Do(ctx, revise(u, old.Form), &out); err != nil {
		return vendors.Uploaded{}, fileRefused(err, u)
	}
	doc := out.normal()
	if batchForm.MatchString(string(out.Batch)) {
		d.uploads.Put(strings.ToLower(doc.DocumentID), uploaded{string(out.Batch), doc.Name})
	}
	return vendors.Uploaded{Document: doc, BatchID: string(out.Batch), Notes: []string{
		"The content was replaced: the document keeps its id and is ingested again; chunks that were edited by hand are gone.",
	}}, nil
}

// standing says why a document cannot be replaced.
func standing(d vendors.Document) string {
	switch {
	case !d.Status.IsCompleted():
		return string(d.Status)
	case d.Archived != nil && *d.Archived:
		return "archived"
	}
	return "disabled"
}

// revise is the request that replaces a document's content.
func revise(u vendors.Upload, form rest.Str) rest.Call {
	call := rest.Call{
		Method: http.MethodPost, Write: rest.Once,
		Path: []string{"datasets", u.KnowledgeBaseID, "documents", u.DocumentID, "update-by-text"},
	}
	if u.File == nil {
		call.Body = revision{u.Name, u.Text, form}
		return call
	}
	data, err := json.Marshal(revision{Form: form})
	if err != nil {
		panic(err) // a struct of strings
	}
	call.Path[4] = "update-by-file"
	call.Form = &rest.Form{Fields: [][2]string{{"data", string(data)}}, Field: "file", Name: u.Name, File: *u.File}
	return call
}

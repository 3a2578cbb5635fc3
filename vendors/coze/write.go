package coze

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Instead implements [vendors.Adviser]: what neither dialect has.
func (d *Driver) Instead() map[string]string {
	return map[string]string{
		"search_knowledge_base": "Coze has no open search endpoint; ask through a Coze agent or workflow that uses the knowledge base, or connect another platform.",
		"list_chunks":           "Coze has no open endpoint for segments; ask through a Coze agent or workflow, or look at them in Coze's web page.",
		"start_ingestion":       "On Coze ingestion starts by itself after upload_document; to redo it, delete the document and upload it again.",
		"stop_ingestion":        "Coze cannot stop ingestion; delete_documents takes the document away.",
		"download_document":     "Coze does not serve the original file; take it from where it was uploaded from.",
	}
}

// mostName is the longest name of a knowledge base.
const mostName = 100

// checkName refuses a name that is blank or, with most above 0, too long.
func checkName(name *string, most int) error {
	switch {
	case name == nil:
		return nil
	case strings.TrimSpace(*name) == "":
		return vendors.Errorf(vendors.InvalidArgument, "`name` is blank.")
	case most > 0 && utf8.RuneCountInString(*name) > most:
		return vendors.Errorf(vendors.InvalidArgument, "`name` has %d characters; Coze allows %d.", utf8.RuneCountInString(*name), most)
	}
	return nil
}

// UpdateDocument implements [vendors.DocumentUpdater]: the name only. The call
// does not say to which knowledge base the document must belong, so that is
// looked up first.
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	if err := checkDocumentChange(change); err != nil {
		return vendors.Document{}, err
	}
	doc, err := d.GetDocument(ctx, ref)
	if err != nil {
		return vendors.Document{}, err
	}
	err = d.call(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"open_api", "knowledge", "document", "update"},
		Body: updateRequest{DocumentID: ref.DocumentID, DocumentName: *change.Name},
	}, new(documentUpdated))
	if err != nil {
		return vendors.Document{}, err
	}
	doc.Name, doc.UpdatedAt = *change.Name, time.Time{} // the time is not told
	return doc, nil
}

func checkDocumentChange(change vendors.DocumentChange) error {
	switch {
	case change.Enabled != nil:
		return vendors.Errorf(vendors.Unsupported, "Coze cannot switch a document on or off through its API; nothing was changed.").
			WithHint("Pass `name` alone; switch documents in Coze's web page, or delete what is not to be found.")
	case change.Metadata != nil:
		return vendors.Errorf(vendors.Unsupported, "Coze's documents have no metadata; nothing was changed.").
			WithHint("Pass `name` alone.")
	}
	return checkName(change.Name, 0)
}

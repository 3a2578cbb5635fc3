package dify

import (
	"regexp"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

var uuidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// IDs implements [rest.Config].
func (Config) IDs() vendors.IDForm {
	return vendors.IDForm{Platform: "dify", Name: "Dify", Words: "UUIDs with dashes", Is: uuidForm.MatchString}
}

// batchForm is the form of a batch id, by which progress is read.
var batchForm = regexp.MustCompile(`^[0-9]{20}$`)

// CheckID implements [vendors.IDChecker]. What is not a UUID Dify answers with the
// HTML page of an unknown path, which looks like a wrong base URL, and a
// document's id as batch with no documents.
func (d *Driver) CheckID(arg, id string) error {
	isID, isBatch := uuidForm.MatchString(id), batchForm.MatchString(id)
	switch {
	case arg != "batch_id" && isID, arg == "batch_id" && isBatch:
		return nil
	case arg != "batch_id":
		e := vendors.Errorf(vendors.InvalidArgument, "`%s` holds %q, which is not a Dify id: those are UUIDs with dashes.", arg, rest.Text(id))
		if isBatch {
			return e.WithHint("This is a batch id: pass it as `batch_id` of get_ingestion_progress.")
		}
		return e.WithHint("Take the id from list_knowledge_bases or list_documents, unchanged.")
	}
	e := vendors.Errorf(vendors.InvalidArgument, "`batch_id` is not a Dify batch; batches there are numbers of 20 digits.")
	if isID {
		return e.WithHint("This is a document id: pass it in `document_ids` instead.")
	}
	return e.WithHint("Take it from the answer of the upload, as a string; without it, pass `document_ids`, or neither for the whole knowledge base.")
}

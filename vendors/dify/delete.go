package dify

import (
	"context"
	"errors"

	"kb-mcp/vendors"
)

// DeleteDocuments implements [vendors.DocumentDeleter]: one call for each, in
// the knowledge base that was named. Dify deletes while a document is ingested,
// but not an archived one. What would stop every further call ends the work.
func (d *Driver) DeleteDocuments(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	if err := checkID("knowledge_base_id", kb); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := checkID("document_ids", id); err != nil {
			return nil, err
		}
	}
	d.memory.forget(kb) // it may be empty soon
	var out []vendors.Outcome
	for i, id := range ids {
		o := d.delete(ctx, kb, id)
		if o.Err != nil && i == 0 && !vendors.Unsure(o.Err) && ends(o.Err) {
			return nil, o.Err // nothing was done
		}
		out = append(out, o)
		if o.Err != nil && ends(o.Err) {
			for _, id := range ids[i+1:] {
				out = append(out, vendors.Outcome{DocumentID: id, Result: vendors.NotDone, Err: untried(o.Err)})
			}
			break
		}
	}
	return out, nil
}

// delete deletes one document.
func (d *Driver) delete(ctx context.Context, kb, id string) vendors.Outcome {
	o := vendors.Outcome{DocumentID: id, Result: vendors.Done}
	err := d.remove(ctx, errNoDocument, "datasets", kb, "documents", id)
	d.batches.forget(id)
	switch {
	case errors.Is(err, errNoDocument):
		o.Result = vendors.Absent
	case err != nil:
		o.Result, o.Err = vendors.NotDone, err
	}
	return o
}

// ends reports whether a failure is of more than the one document.
func ends(err error) bool {
	switch vendors.KindOf(err) {
	case vendors.Conflict, vendors.InvalidArgument, vendors.VendorError:
		return false
	}
	return true
}

// untried is the failure of a document to which the work did not come.
func untried(err error) error {
	c := copied(err)
	c.Message = "Not tried, because the delete before it failed; this document is still there."
	c.Hint = "Call delete_documents again with the documents that failed."
	c.Effect = vendors.NoEffect
	return c
}

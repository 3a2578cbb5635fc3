package volcengine

import (
	"context"
	"errors"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// DeleteDocuments implements [vendors.DocumentDeleter], one request each: the
// platform knows no list, and checks that the document is of the knowledge
// base. What it accepts is gone some seconds later, so that lists lag.
func (d *Driver) DeleteDocuments(ctx context.Context, knowledgeBaseID string, ids []string) ([]vendors.Outcome, error) {
	out := make([]vendors.Outcome, 0, len(ids))
	for i, id := range ids {
		o, goOn := d.deleteOne(ctx, vendors.Ref{KnowledgeBaseID: knowledgeBaseID, DocumentID: id})
		if !goOn && i == 0 && !vendors.Unsure(o.Err) {
			return nil, o.Err // nothing was deleted
		}
		out = append(out, o)
		if !goOn {
			return append(out, notTried(ids[i+1:], o.Err)...), nil
		}
	}
	return out, nil
}

// deleteOne deletes one document. goOn is false when the next one would fare
// the same.
func (d *Driver) deleteOne(ctx context.Context, ref vendors.Ref) (o vendors.Outcome, goOn bool) {
	o.DocumentID = ref.DocumentID
	err := d.client.Do(ctx, request(rest.Repeatable, docBody{d.ofDoc(ref.KnowledgeBaseID), ref.DocumentID}, []string{"doc", "delete"}), &receipt{})
	switch {
	case err == nil:
		o.Result = vendors.Accepted
		return o, true
	case unknownDocument(err):
		o.Result = vendors.Absent
		return o, true
	case vendors.Unsure(err):
		return d.lookDeleted(ctx, ref, err)
	}
	o.Result, o.Err = vendors.NotDone, err
	k := vendors.KindOf(err)
	return o, k == vendors.InvalidArgument || k == vendors.Conflict || k == vendors.VendorError
}

// lookDeleted tells what became of a document after the answer to its deletion
// was lost.
func (d *Driver) lookDeleted(ctx context.Context, ref vendors.Ref, cause error) (vendors.Outcome, bool) {
	o := vendors.Outcome{DocumentID: ref.DocumentID, Result: vendors.NotDone, Err: cause}
	if ctx.Err() != nil {
		return o, false
	}
	doc, err := d.GetDocument(ctx, ref)
	switch {
	case unknownDocument(err):
		o.Result, o.Err = vendors.Done, nil
	case err == nil && doc.Status == vendors.Deleting:
		o.Result, o.Err = vendors.Accepted, nil
	}
	return o, err == nil || unknownDocument(err)
}

// notTried is the outcome of documents that the deletion did not come to.
func notTried(ids []string, cause error) []vendors.Outcome {
	out := make([]vendors.Outcome, 0, len(ids))
	var why *vendors.Error
	errors.As(cause, &why)
	for _, id := range ids {
		e := vendors.Errorf(why.Kind, "This document was not touched, because the deletion of one before it failed.").
			WithHint("Call delete_documents with it again once the reason that the failed one has is out of the way.")
		e.After = why.After
		out = append(out, vendors.Outcome{DocumentID: id, Result: vendors.NotDone, Err: e})
	}
	return out
}

package coze

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// DeleteDocuments implements [vendors.DocumentDeleter]. The platform's call
// neither names a knowledge base nor says what became of each id: the documents
// are looked up in the knowledge base first, and once more after a failure.
func (d *Driver) DeleteDocuments(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	err := checkIDs("knowledge_base_id", kb)
	if err == nil {
		err = checkIDs("document_ids", ids...)
	}
	if err != nil {
		return nil, err
	}
	var out []vendors.Outcome
	for chunk := range slices.Chunk(ids, chunkSize) {
		part, err := d.deleteChunk(ctx, kb, chunk)
		out = append(out, part...)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// deleteChunk deletes at most [chunkSize] documents. Ids without an outcome are
// those that the error is about.
func (d *Driver) deleteChunk(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	there, out, err := d.present(ctx, kb, ids)
	if err != nil || len(there) == 0 {
		return out, err
	}
	if err = d.deleteIDs(ctx, there); err == nil {
		return append(out, d.deleted(ctx, kb, there)...), nil
	}
	gone, err := d.lookAgain(ctx, kb, there, err)
	return append(out, gone...), err
}

// deleted is what became of documents that are said to be deleted. On studio,
// where calls cost nothing, it is looked at: what is still listed was accepted.
func (d *Driver) deleted(ctx context.Context, kb string, ids []string) []vendors.Outcome {
	out := outcomes(ids, vendors.Done)
	if !d.speech.isStudio() {
		return out
	}
	rows, _, err := d.rowsOf(ctx, kb, ids)
	if err != nil {
		d.log.WarnContext(ctx, "a deletion was not looked at", "knowledge_base_id", kb, "error", err)
	}
	for i := range out {
		if _, still := rows[out[i].DocumentID]; still {
			out[i].Result = vendors.Accepted
		}
	}
	return out
}

func (d *Driver) deleteIDs(ctx context.Context, ids []string) error {
	return d.call(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"open_api", "knowledge", "document", "delete"},
		Body: deleteRequest{DocumentIDs: ids}, Write: rest.Once,
	}, new(documentDeleted))
}

// present finds those of ids that are in the knowledge base. The outcomes are
// of the others: unknown ones, and those that are being deleted already.
func (d *Driver) present(ctx context.Context, kb string, ids []string) (there []string, out []vendors.Outcome, err error) {
	status, err := d.statuses(ctx, kb, ids)
	if err == nil && len(status) == 0 && d.speech.isStudio() {
		err = d.CheckKnowledgeBase(ctx, kb)
	}
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		switch s, ok := status[id]; {
		case !ok:
			out = append(out, vendors.Outcome{DocumentID: id, Result: vendors.Absent})
		case s == vendors.Deleting:
			out = append(out, vendors.Outcome{DocumentID: id, Result: vendors.Accepted})
		default:
			there = append(there, id)
		}
	}
	return there, out, nil
}

// statuses gives the status of those of ids that the knowledge base has. Where
// the list's filter is ignored and the list too long, process is asked, which
// on hosted keeps to the knowledge base too.
func (d *Driver) statuses(ctx context.Context, kb string, ids []string) (map[string]vendors.Status, error) {
	rows, complete, err := d.rowsOf(ctx, kb, ids)
	if err != nil {
		return nil, err
	}
	status := make(map[string]vendors.Status, len(ids))
	for id, w := range rows {
		status[id], _, _ = statusOf(w.Status)
	}
	if complete {
		return status, nil
	}
	s := survey{d: d, kb: kb}
	if err := s.run(ctx, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, ok := rows[id]; return ok })); err != nil {
		return nil, err
	}
	for _, doc := range s.report.Documents {
		status[doc.DocumentID] = doc.Status
	}
	return status, nil
}

// lookAgain reads what a failed delete has done: studio deletes one after the
// other and may stop midway, and an answer may have been lost. The error is for
// what is still there.
func (d *Driver) lookAgain(ctx context.Context, kb string, ids []string, failed error) ([]vendors.Outcome, error) {
	var cause *vendors.Error
	if !errors.As(failed, &cause) || untouched(cause) {
		return nil, failed
	}
	e := *cause
	status, err := d.statuses(ctx, kb, ids)
	if err != nil {
		return nil, &e
	}
	var out []vendors.Outcome
	for _, id := range ids {
		if s, ok := status[id]; !ok {
			out = append(out, vendors.Outcome{DocumentID: id, Result: vendors.Done})
		} else if s == vendors.Deleting {
			out = append(out, vendors.Outcome{DocumentID: id, Result: vendors.Accepted})
		}
	}
	if len(out) == len(ids) {
		return out, nil
	}
	e.Effect = vendors.NoEffect
	e.Message = sentences(e.Message, "What was to be deleted is still there.")
	return out, &e
}

// untouched reports whether a request was turned away before it did anything.
func untouched(e *vendors.Error) bool {
	if e.Kind == vendors.PermissionDenied || e.Kind == vendors.ErrNotFound { // studio deletes one after the other
		return false
	}
	return e.Effect == vendors.NoEffect
}

func outcomes(ids []string, r vendors.Result) []vendors.Outcome {
	out := make([]vendors.Outcome, len(ids))
	for i, id := range ids {
		out[i] = vendors.Outcome{DocumentID: id, Result: r}
	}
	return out
}

package vendors

import (
	"context"
	"fmt"
	"math"
)

// ProgressRequest is what an agent asks about ingestion: given documents, one
// upload batch (Dify), or, with neither, the whole knowledge base.
type ProgressRequest struct {
	KnowledgeBaseID string
	DocumentIDs     []string
	BatchID         string
	Cursor          string // whole knowledge base only
}

// ProgressResult is the answer. For a whole knowledge base Documents holds what
// is unsettled, needs action or failed; completed documents are only counted.
type ProgressResult struct {
	Vendor            string     `json:"vendor"`
	KnowledgeBaseID   string     `json:"knowledge_base_id"`
	BatchID           string     `json:"batch_id,omitempty"`
	Documents         []Progress `json:"documents"`
	Summary           Summary    `json:"summary"`
	RetryAfterSeconds int        `json:"retry_after_seconds,omitempty"`
	NextCursor        string     `json:"next_cursor,omitempty"`
	Truncated         bool       `json:"truncated,omitempty"`
	Remaining         []string   `json:"remaining_document_ids,omitempty"`
	Hint              string     `json:"hint,omitempty"`

	after []position // behind each document, for Fit; whole knowledge base only
}

// Summary counts documents by status.
type Summary struct {
	Total           int            `json:"total"`
	Scanned         *int           `json:"scanned,omitempty"` // set when it covers only so many
	ByStatus        map[Status]int `json:"by_status"`
	ProgressPercent *float64       `json:"progress_percent,omitempty"`
	Done            bool           `json:"done"`
	Failed          int            `json:"failed"`
	NeedsAction     int            `json:"needs_action"`
}

// Progress gives the state of ingestion.
func (v *Vendor) Progress(ctx context.Context, q ProgressRequest) (ProgressResult, error) {
	out, err := v.progress(ctx, q)
	if err != nil {
		return out, v.wrap("get_ingestion_progress", err)
	}
	return out, nil
}

func (v *Vendor) progress(ctx context.Context, q ProgressRequest) (ProgressResult, error) {
	if err := checkID("knowledge_base_id", q.KnowledgeBaseID); err != nil {
		return ProgressResult{}, err
	}
	switch {
	case q.BatchID != "" && len(q.DocumentIDs) > 0:
		return ProgressResult{}, Errorf(InvalidArgument, "`document_ids` and `batch_id` were both given.").
			WithHint("Pass one of them, or neither for the whole knowledge base.")
	case q.Cursor != "" && (q.BatchID != "" || len(q.DocumentIDs) > 0):
		return ProgressResult{}, Errorf(InvalidArgument, "`cursor` goes only with a whole knowledge base.").
			WithHint("Leave `cursor` out, or leave `document_ids` and `batch_id` out.")
	case q.BatchID != "":
		return v.batchProgress(ctx, q)
	case len(q.DocumentIDs) > 0:
		return v.idsProgress(ctx, q)
	}
	return v.wholeProgress(ctx, q)
}

// batchProgress reports one upload batch.
func (v *Vendor) batchProgress(ctx context.Context, q ProgressRequest) (ProgressResult, error) {
	if err := checkID("batch_id", q.BatchID); err != nil {
		return ProgressResult{}, err
	}
	rep, err := v.driver.Progress(ctx, ProgressQuery{KnowledgeBaseID: q.KnowledgeBaseID, BatchID: q.BatchID})
	if err != nil {
		return ProgressResult{}, err
	}
	var t tally
	out := ProgressResult{Vendor: v.name, KnowledgeBaseID: q.KnowledgeBaseID, BatchID: q.BatchID, Documents: []Progress{}}
	for _, d := range rep.Documents {
		d.settle(v.name, q.KnowledgeBaseID)
		t.add(&d)
		out.Documents = append(out.Documents, d.progress())
	}
	out.Summary, out.RetryAfterSeconds = t.summary(), t.pollAfter()
	return out, nil
}

// idsProgress reports given documents in the caller's order. Ids the platform
// does not know are not_found; when time or limit ran out midway, what was read
// is given and the rest is named.
func (v *Vendor) idsProgress(ctx context.Context, q ProgressRequest) (ProgressResult, error) {
	ids := unique(q.DocumentIDs)
	for _, id := range ids {
		if err := checkID("document_ids", id); err != nil {
			return ProgressResult{}, err
		}
	}
	rep, err := v.driver.Progress(ctx, ProgressQuery{KnowledgeBaseID: q.KnowledgeBaseID, DocumentIDs: ids})
	read := len(rep.Documents) + len(rep.Missing)
	if err != nil && (read == 0 || !short(err)) {
		return ProgressResult{}, err
	}
	found := make(map[string]Document, read)
	for _, id := range rep.Missing {
		found[id] = Document{DocumentID: id, Status: NotFound}
	}
	for _, d := range rep.Documents {
		found[d.DocumentID] = d
	}
	out := ProgressResult{Vendor: v.name, KnowledgeBaseID: q.KnowledgeBaseID, Documents: []Progress{}}
	var t tally
	for _, id := range ids {
		d, ok := found[id]
		if !ok && err != nil {
			out.Remaining = append(out.Remaining, id)
			continue
		}
		if !ok {
			d = Document{DocumentID: id, Status: NotFound}
		}
		d.settle(v.name, q.KnowledgeBaseID)
		t.add(&d)
		out.Documents = append(out.Documents, d.progress())
	}
	out.Summary, out.RetryAfterSeconds = t.summary(), t.pollAfter()
	if len(out.Remaining) > 0 {
		out.Truncated, out.Summary.Done = true, false
		out.Hint = "The platform's limits did not let every document be read in time; call again with remaining_document_ids."
		out.RetryAfterSeconds = max(out.RetryAfterSeconds, seconds(err))
	}
	return out, nil
}

// seconds is how long an error asks to wait, in whole seconds.
func seconds(err error) int {
	e, ok := err.(*Error)
	if !ok {
		return 0
	}
	return int(math.Ceil(e.After.Seconds()))
}

func unique(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// Len is the number of documents.
func (r ProgressResult) Len() int { return len(r.Documents) }

// maxRemaining is how many ids a cut answer names; the caller has them anyway.
const maxRemaining = 200

// Fit leaves documents out: to NextCursor for a whole knowledge base; of given
// ids the completed ones first, because nobody needs to act on them. The summary
// stays whole.
func (r ProgressResult) Fit(n int) any {
	n = max(n, 1)
	switch {
	case n >= len(r.Documents):
		r.Remaining = nil
		r.Truncated, r.Hint = true, "Not every document was read; call again with at most 100 of the ids that are not in `documents`."
	case r.after != nil:
		r.NextCursor = r.after[n-1].cursor()
		r.Documents, r.after = r.Documents[:n], r.after[:n]
	default:
		r.fitIDs(n)
	}
	return r
}

// fitIDs keeps n of the documents that were asked for by their ids.
func (r *ProgressResult) fitIDs(n int) {
	urgent, calm := []Progress{}, []Progress{}
	for _, d := range r.Documents {
		if d.Status == Completed {
			calm = append(calm, d)
		} else {
			urgent = append(urgent, d)
		}
	}
	all := append(urgent, calm...)
	rest := make([]string, 0, len(all)-n+len(r.Remaining))
	for _, d := range all[n:] {
		rest = append(rest, d.DocumentID)
	}
	rest = append(rest, r.Remaining...)
	r.Hint = fmt.Sprintf("The summary covers the %d documents that were read; the %d left out here do not fit, call again for them about %d ids at a time.",
		r.Summary.Total, len(all)-n, n)
	if len(urgent) <= n && len(r.Remaining) == 0 {
		r.Hint = fmt.Sprintf("The summary covers every document; the %d left out here are all completed.", len(all)-n)
	}
	r.Documents, r.Truncated, r.Remaining = all[:n], true, rest
	if len(rest) > maxRemaining {
		r.Remaining = nil
	}
}

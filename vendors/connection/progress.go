package connection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/normal"
	"kb-mcp/vendors/internal/paging"
	"kb-mcp/vendors/tally"
)

// ProgressRequest selects documents: by their ids, by upload batch (Dify), or,
// with neither, the whole knowledge base.
type ProgressRequest struct {
	KnowledgeBaseID string
	DocumentIDs     []string
	BatchID         string
	Cursor          string // whole knowledge base only
}

// ProgressResult is the answer. For a whole knowledge base Documents holds what
// is unsettled, needs action or failed; completed documents are only counted.
type ProgressResult struct {
	Vendor            string        `json:"vendor"`
	KnowledgeBaseID   string        `json:"knowledge_base_id"`
	BatchID           string        `json:"batch_id,omitempty"`
	Documents         []Progress    `json:"documents"`
	Summary           tally.Summary `json:"summary"`
	RetryAfterSeconds int           `json:"retry_after_seconds,omitempty"`
	NextCursor        string        `json:"next_cursor,omitempty"`
	Truncated         bool          `json:"truncated,omitempty"`
	Remaining         []string      `json:"remaining_document_ids,omitempty"`
	Hint              string        `json:"hint,omitempty"`

	after []paging.Position // behind each document, for Fit; whole knowledge base only
	busy  time.Duration     // how long the platform wants no requests
}

// Progress returns the state of ingestion.
func (c *Connection) Progress(ctx context.Context, q ProgressRequest) (ProgressResult, error) {
	look, err := c.look(ctx, q)
	if err != nil {
		return ProgressResult{}, c.wrap(ctx, err)
	}
	out, err := look(ctx)
	if err != nil {
		return out, c.wrap(ctx, err)
	}
	return out, nil
}

// Check refuses a request that selects documents in two ways.
func (q ProgressRequest) Check() error {
	switch {
	case q.BatchID != "" && len(q.DocumentIDs) > 0:
		return vendors.Errorf(vendors.InvalidArgument, "`document_ids` and `batch_id` were both given.").
			WithHint("Pass one of them, or neither for the whole knowledge base.")
	case q.Cursor != "" && (q.BatchID != "" || len(q.DocumentIDs) > 0):
		return vendors.Errorf(vendors.InvalidArgument, "`cursor` is valid only for a whole knowledge base.").
			WithHint("Leave `cursor` out, or leave `document_ids` and `batch_id` out.")
	}
	return nil
}

// look returns a function that reads the documents of a request. Every further
// call reads only what was not settled at the call before.
func (c *Connection) look(ctx context.Context, q ProgressRequest) (func(context.Context) (ProgressResult, error), error) {
	err := c.breaker.Check(tool(ctx))
	if err == nil {
		err = c.checkID("knowledge_base_id", q.KnowledgeBaseID)
	}
	if err == nil {
		err = q.Check()
	}
	if err == nil && q.BatchID != "" {
		err = c.checkID("batch_id", q.BatchID)
	}
	for _, id := range q.DocumentIDs {
		err = cmp.Or(err, c.checkID("document_ids", id))
	}
	if err == nil {
		err = c.resolve(ctx, &q.KnowledgeBaseID)
	}
	switch {
	case err != nil:
		return nil, err
	case q.BatchID != "":
		return func(ctx context.Context) (ProgressResult, error) { return c.batchProgress(ctx, q) }, nil
	case len(q.DocumentIDs) > 0:
		g := &idsProgress{c: c, kb: q.KnowledgeBaseID, ids: unique(q.DocumentIDs), known: map[string]Progress{}}
		return g.look, nil
	}
	o := &wholeProgress{c: c, kb: q.KnowledgeBaseID, cursor: q.Cursor}
	return o.look, nil
}

// batchProgress reports one upload batch.
func (c *Connection) batchProgress(ctx context.Context, q ProgressRequest) (ProgressResult, error) {
	rep, err := c.reads.Progress(ctx, vendors.ProgressQuery{KnowledgeBaseID: q.KnowledgeBaseID, BatchID: q.BatchID})
	if err != nil {
		return ProgressResult{}, err
	}
	var t tally.Tally
	out := ProgressResult{Vendor: c.name, KnowledgeBaseID: q.KnowledgeBaseID, BatchID: q.BatchID, Documents: []Progress{}}
	for _, d := range rep.Documents {
		p := c.view(&d, q.KnowledgeBaseID)
		t.Add(p.Status, p.ProgressPercent, p.ETASeconds)
		out.Documents = append(out.Documents, p)
	}
	out.Summary, out.RetryAfterSeconds = t.Summary(), t.PollAfter()
	return out, nil
}

// view normalizes a document and returns its progress.
func (c *Connection) view(d *vendors.Document, kb string) Progress {
	normal.Document(d, c.name, kb)
	p := progressOf(d)
	p.Stalled = c.stalls.Suspect(d, kb, c.rule)
	return p
}

// idsProgress is the progress of documents given by their ids.
type idsProgress struct {
	c     *Connection
	kb    string
	ids   []string
	known map[string]Progress
}

// look reports the documents in the caller's order. Ids that the platform does
// not know are not_found. When time or rate limit runs out midway, the result
// holds what was read and names the rest.
func (g *idsProgress) look(ctx context.Context) (ProgressResult, error) {
	var ask []string
	for _, id := range g.ids { // a new document may be unknown for some seconds
		if p, ok := g.known[id]; !ok || !p.Status.Settled() || p.Status.IsMissing() {
			ask = append(ask, id)
		}
	}
	var err error
	if len(ask) > 0 {
		if err = g.read(ctx, ask); err != nil && (len(g.known) == 0 || !vendors.OutOfTime(err)) {
			return ProgressResult{}, err
		}
	}
	return g.result(err), nil
}

// read reads ids and learns the answer; with an error it may be incomplete.
func (g *idsProgress) read(ctx context.Context, ids []string) error {
	rep, err := g.c.gather.Progress(ctx, g.kb, ids)
	if err == nil {
		rep.Missing = ids
	}
	for _, id := range rep.Missing {
		g.known[id] = Progress{DocumentID: id, Status: vendors.NotFound}
	}
	for _, d := range rep.Documents {
		g.known[d.DocumentID] = g.c.view(&d, g.kb)
	}
	return err
}

func (g *idsProgress) result(err error) ProgressResult {
	out := ProgressResult{Vendor: g.c.name, KnowledgeBaseID: g.kb, Documents: []Progress{}}
	var t tally.Tally
	for _, id := range g.ids {
		p, ok := g.known[id]
		if !ok {
			out.Remaining = append(out.Remaining, id)
			continue
		}
		t.Add(p.Status, p.ProgressPercent, p.ETASeconds)
		out.Documents = append(out.Documents, p)
	}
	out.Summary, out.RetryAfterSeconds = t.Summary(), t.PollAfter()
	if len(out.Remaining) > 0 {
		out.Truncated, out.Summary.Done = true, false
		out.Hint = "The platform's limits did not let every document be read in time; call again with remaining_document_ids."
	}
	out.delay(err)
	return out
}

// after returns how long an error says to wait.
func after(err error) time.Duration {
	var e *vendors.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.After
}

// delay notes how long an error says to wait.
func (r *ProgressResult) delay(err error) {
	r.busy = after(err)
	r.RetryAfterSeconds = max(r.RetryAfterSeconds, int(math.Ceil(r.busy.Seconds())))
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

// maxRemaining is how many ids a shortened answer names; the caller has them
// anyway.
const maxRemaining = 200

// Fit leaves documents out: to NextCursor for a whole knowledge base; of given
// ids the completed ones first, because they need no action. The summary stays
// complete.
func (r ProgressResult) Fit(n int) any {
	n = max(n, 1)
	switch {
	case n >= len(r.Documents):
		r.Remaining = nil
		r.Truncated, r.Hint = true, "Not every document was read; call again with at most 100 of the ids that are not in `documents`."
	case r.after != nil:
		r.NextCursor = r.after[n-1].Cursor()
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
		if d.Status.IsCompleted() {
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

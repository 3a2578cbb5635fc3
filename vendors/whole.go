package vendors

import (
	"context"
)

// maxListed bounds the documents that a whole-knowledge-base answer lists; a
// result of 20,000 characters holds fewer.
const maxListed = 200

// overview collects the answer for a whole knowledge base page by page, in
// memory that does not grow with the knowledge base.
type overview struct {
	v        *Vendor
	kb       string
	tally    tally
	listed   []row[Document]
	overflow bool // more to list than maxListed: the cursor goes on after the last
}

// add counts a document and lists it unless it needs nobody's attention.
func (o *overview) add(r row[Document]) (stop bool) {
	r.item.settle(o.v.name, o.kb)
	switch {
	case !needsAttention(r.item.Status):
		o.tally.add(&r.item)
	case len(o.listed) == maxListed:
		o.overflow = true
		o.tally.add(&r.item)
	default:
		o.listed = append(o.listed, r) // counted after its progress was asked for
	}
	return false
}

// needsAttention tells what a whole-knowledge-base answer lists.
func needsAttention(s Status) bool {
	return !s.Settled() || s.NeedsAction() || s == Failed
}

// wholeProgress reads every row of a knowledge base, then asks for the progress
// of what it lists where rows do not show it.
func (v *Vendor) wholeProgress(ctx context.Context, q ProgressRequest) (ProgressResult, error) {
	hash := v.hash("get_ingestion_progress", ListQuery{KnowledgeBaseID: q.KnowledgeBaseID})
	p := start(hash, scanSize)
	if q.Cursor != "" {
		var err error
		if p, err = parseCursor(q.Cursor, hash); err != nil {
			return ProgressResult{}, err
		}
	}
	counts, err := v.counts(ctx, q.KnowledgeBaseID)
	if err != nil {
		return ProgressResult{}, err
	}
	w := walker[Document]{key: documentKey, fetch: func(ctx context.Context, page int, token string, size int) (Page[Document], error) {
		return v.driver.ListDocuments(ctx, PageQuery{KnowledgeBaseID: q.KnowledgeBaseID, Page: page, Token: token, Size: size})
	}}
	o := &overview{v: v, kb: q.KnowledgeBaseID}
	next, page, err := w.walk(ctx, p, summaryTime, o.add, func(int) bool { return false })
	if err != nil {
		return ProgressResult{}, err
	}
	if page.Thin {
		if err := o.refine(ctx); err != nil {
			return ProgressResult{}, err
		}
	}
	return o.result(q.Cursor != "", p.Open, next, page.Total, counts), nil
}

// counts asks for the platform's own counters, where it keeps some.
func (v *Vendor) counts(ctx context.Context, kb string) (*Counts, error) {
	c, ok := v.driver.(Counter)
	if !ok {
		return nil, nil
	}
	counts, err := c.Counts(ctx, kb)
	if err != nil {
		return nil, err
	}
	return &counts, nil
}

// refine replaces the listed rows by what the platform's progress call says.
// When time or limit does not allow it, the rows stand as they are.
func (o *overview) refine(ctx context.Context) error {
	if len(o.listed) == 0 {
		return nil
	}
	ids := make([]string, len(o.listed))
	for i, r := range o.listed {
		ids[i] = r.item.DocumentID
	}
	rep, err := o.v.driver.Progress(ctx, ProgressQuery{KnowledgeBaseID: o.kb, DocumentIDs: ids})
	if err != nil && !short(err) {
		return err
	}
	newer := make(map[string]Document, len(rep.Documents))
	for _, d := range rep.Documents {
		newer[d.DocumentID] = d
	}
	for i := range o.listed {
		if d, ok := newer[o.listed[i].item.DocumentID]; ok {
			if d.Name == "" {
				d.Name = o.listed[i].item.Name
			}
			d.settle(o.v.name, o.kb)
			o.listed[i].item = d
		}
	}
	return nil
}

// result makes the answer. It covers part of the knowledge base when the walk
// began at a cursor or stopped before the end; done then needs the last part
// and no unsettled document in the parts before.
func (o *overview) result(resumed, open bool, next *position, total *int, counts *Counts) ProgressResult {
	r := ProgressResult{Vendor: o.v.name, KnowledgeBaseID: o.kb, Documents: []Progress{}}
	for _, l := range o.listed {
		o.tally.add(&l.item)
		open = open || !l.item.Status.Settled()
	}
	r.Summary, r.RetryAfterSeconds = o.tally.summary(), o.tally.pollAfter()
	open = open || !r.Summary.Done
	if resumed || next != nil {
		n := r.Summary.Total
		r.Summary.Scanned = &n
		if total != nil {
			r.Summary.Total = max(*total, n)
		}
		r.Summary.Done = next == nil && !open
	}
	if o.overflow {
		next = &o.listed[len(o.listed)-1].after
	}
	for _, l := range o.listed {
		if needsAttention(l.item.Status) { // it may have completed meanwhile
			l.after.Open = open
			r.Documents, r.after = append(r.Documents, l.item.progress()), append(r.after, l.after)
		}
	}
	if next != nil {
		next.Open = open
		r.NextCursor = next.cursor()
	}
	if counts != nil {
		counts.apply(&r)
	}
	return r
}

// apply puts the platform's counters where a walk could not read everything,
// and its ratio in any case.
func (c Counts) apply(r *ProgressResult) {
	if c.Total <= 0 {
		return
	}
	r.Summary.ProgressPercent = percent(100 * float64(c.Finished) / float64(c.Total))
	if r.Summary.Scanned == nil || c.Completed > c.Finished || c.Finished > c.Total {
		return
	}
	s := &r.Summary
	s.Scanned, s.Total, s.Failed = nil, c.Total, c.Finished-c.Completed
	s.ByStatus = map[Status]int{}
	for status, n := range map[Status]int{Completed: c.Completed, Failed: s.Failed, Processing: c.Total - c.Finished} {
		if n > 0 {
			s.ByStatus[status] = n
		}
	}
	s.Done = c.Finished == c.Total
	r.Truncated = true
	r.Hint = "The summary holds the platform's own counters; `documents` covers what was read so far, next_cursor goes on."
}

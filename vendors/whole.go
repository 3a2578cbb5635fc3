package vendors

import (
	"cmp"
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
	cursor   string // where the caller goes on, "" from the beginning
	tally    tally  // what is not listed
	listed   []listedRow
	overflow bool // more to list than maxListed: the cursor goes on after the last

	surveyed bool      // the rows were read
	from     position  // where reading began
	next     *position // where it ended; nil at the end
	total    *int
	counts   *Counts
	short    error // why a refinement is not whole
}

// listedRow is a document that somebody should know of, and the position
// behind it.
type listedRow struct {
	Progress
	after position
}

// add counts a document and lists it unless it needs nobody's attention.
func (o *overview) add(r row[Document]) (stop bool) {
	p := o.v.view(r.item, o.kb)
	switch {
	case !needsAttention(p.Status):
		o.tally.add(&p)
	case len(o.listed) == maxListed:
		o.overflow = true
		o.tally.add(&p)
	default:
		o.listed = append(o.listed, listedRow{p, r.after}) // counted in result
	}
	return false
}

// needsAttention tells what a whole-knowledge-base answer lists.
func needsAttention(s Status) bool {
	return !s.Settled() || s.NeedsAction() || s == Failed
}

// look reads every row of the knowledge base, the first time; then, and where
// rows do not show it, it asks for the progress of what is unsettled.
func (o *overview) look(ctx context.Context) (ProgressResult, error) {
	if err := o.read(ctx); err != nil {
		return ProgressResult{}, err
	}
	return o.result(), nil
}

// read reads the rows, the first time; then what was not settled, and the
// counters, which move on, too.
func (o *overview) read(ctx context.Context) error {
	if o.surveyed {
		counts, err := o.v.counts(ctx, o.kb)
		if err != nil {
			return err
		}
		o.counts = counts
		return o.refine(ctx, func(s Status) bool { return !s.Settled() || s == NotFound }, true)
	}
	thin, err := o.survey(ctx)
	if err != nil {
		return err
	}
	o.surveyed = true
	return o.refine(ctx, func(s Status) bool { return thin && (!s.Settled() || s == Failed) }, false) // with the reasons
}

// survey walks the rows; thin says that they lack progress.
func (o *overview) survey(ctx context.Context) (thin bool, err error) {
	hash := o.v.hash("get_ingestion_progress", ListQuery{KnowledgeBaseID: o.kb})
	o.from = start(hash, scanSize)
	if o.cursor != "" {
		if o.from, err = parseCursor(o.cursor, hash); err != nil {
			return false, err
		}
	}
	if o.counts, err = o.v.counts(ctx, o.kb); err != nil {
		return false, err
	}
	w := walker[Document]{key: documentKey, fetch: func(ctx context.Context, page int, token string, size int) (Page[Document], error) {
		return o.v.reads.ListDocuments(ctx, PageQuery{KnowledgeBaseID: o.kb, Page: page, Token: token, Size: size})
	}}
	next, page, err := w.walk(ctx, o.from, summaryTime, o.add, func(int) bool { return false })
	o.next, o.total = next, page.Total
	return page.Thin, err
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

// refine replaces listed rows by what the platform's progress call says. When
// time or limit does not allow it, the rows stand as they are. gone says that a
// document which the call does not know was deleted since it was listed.
func (o *overview) refine(ctx context.Context, ask func(Status) bool, gone bool) error {
	var ids []string
	for _, l := range o.listed {
		if ask(l.Status) {
			ids = append(ids, l.DocumentID)
		}
	}
	if o.short = nil; len(ids) == 0 {
		return nil
	}
	rep, err := o.v.gather.progress(ctx, o.kb, ids)
	if o.short = err; err != nil && !short(err) {
		return err
	}
	newer := make(map[string]Progress, len(rep.Documents))
	for _, d := range rep.Documents {
		newer[d.DocumentID] = o.v.view(&d, o.kb)
	}
	for i, l := range o.listed {
		p, ok := newer[l.DocumentID]
		if !ok && gone && err == nil && ask(l.Status) {
			p, ok = Progress{DocumentID: l.DocumentID, Status: NotFound}, true
		}
		if ok {
			p.Name = cmp.Or(p.Name, l.Name)
			o.listed[i].Progress = p
		}
	}
	return nil
}

// result makes the answer. It covers part of the knowledge base when the walk
// began at a cursor or stopped before the end; done then needs the last part
// and no unsettled document in the parts before.
func (o *overview) result() ProgressResult {
	r := ProgressResult{Vendor: o.v.name, KnowledgeBaseID: o.kb, Documents: []Progress{}}
	t := o.tally.copy()
	for _, l := range o.listed {
		t.add(&l.Progress)
	}
	r.Summary, r.RetryAfterSeconds = t.summary(), t.pollAfter()
	open := o.from.Open || !r.Summary.Done
	next := o.next
	if o.cursor != "" || next != nil {
		n := r.Summary.Total
		r.Summary.Scanned = &n
		if o.total != nil {
			r.Summary.Total = max(*o.total, n)
		}
		r.Summary.Done = next == nil && !open
	}
	if o.overflow {
		next = &o.listed[len(o.listed)-1].after
	}
	for _, l := range o.listed {
		if needsAttention(l.Status) { // it may have completed meanwhile
			l.after.Open = open
			r.Documents, r.after = append(r.Documents, l.Progress), append(r.after, l.after)
		}
	}
	if next != nil {
		p := *next
		p.Open = open
		r.NextCursor = p.cursor()
	}
	if o.counts != nil {
		o.counts.apply(&r)
	}
	if !r.Summary.Done {
		r.delay(o.short)
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

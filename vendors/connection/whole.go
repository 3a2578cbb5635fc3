package connection

import (
	"cmp"
	"context"
	"fmt"
	"maps"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/paging"
	"kb-mcp/vendors/tally"
)

// maxListed bounds the documents that a whole-knowledge-base answer lists; a
// result of 20,000 characters holds fewer.
const maxListed = 200

// wholeProgress is the progress of a whole knowledge base. It is read page by
// page, in memory that does not grow with the knowledge base.
type wholeProgress struct {
	c         *Connection
	kb        string
	cursor    string          // where the caller goes on, "" from the beginning
	from      paging.Position // the same
	counts    *vendors.Counts
	refineErr error // why a refinement is incomplete

	survey
	surveyed bool // the rows were read
}

// survey is what reading a knowledge base has shown.
type survey struct {
	tally    tally.Tally // what is not listed
	listed   []listedRow
	overflow bool // more to list than maxListed: the cursor goes on after the last
	thin     bool // rows lack progress
	filtered bool // by the platform's filters

	next  *paging.Position // where reading ended; nil at the end
	total *int
	why   paging.Bound
	lost  int
	err   error // the limit's
}

// listedRow is a document that needs attention, and the position behind it.
type listedRow struct {
	Progress
	after paging.Position
}

// add counts a document, and lists it if it needs attention.
func (s *survey) add(p Progress, after paging.Position) {
	switch {
	case !p.Status.NeedsAttention():
		s.tally.Add(p.Status, p.ProgressPercent, p.ETASeconds)
	case len(s.listed) == maxListed:
		s.overflow = true
		s.tally.Add(p.Status, p.ProgressPercent, p.ETASeconds)
	default:
		s.listed = append(s.listed, listedRow{p, after}) // counted in result
	}
}

// look reads the knowledge base the first time; then, and if rows do not show
// it, it reads the progress of what is unsettled.
func (o *wholeProgress) look(ctx context.Context) (ProgressResult, error) {
	if err := o.read(ctx); err != nil {
		return ProgressResult{}, err
	}
	return o.result(), nil
}

// read reads the rows, the first time; then what was not settled, and the
// counters, which move on, too. Rows are read again when documents that are not
// listed may have moved.
func (o *wholeProgress) read(ctx context.Context) (err error) {
	if o.surveyed && !o.outdated() {
		if o.counts, err = o.c.counts(ctx, o.kb); err != nil {
			return err
		}
		return o.refine(ctx, func(s vendors.Status) bool { return !s.Settled() || s.IsMissing() }, true)
	}
	s, err := o.walk(ctx)
	if err != nil {
		return err
	}
	o.survey, o.surveyed = s, true
	return o.refine(ctx, func(s vendors.Status) bool { return o.thin && (!s.Settled() || s.IsFailed()) }, false) // with the reasons
}

// outdated reports whether reading what is listed cannot show the end.
func (o *wholeProgress) outdated() bool {
	unlisted := o.lost > 0
	for status := range o.tally.ByStatus {
		unlisted = unlisted || !status.Settled()
	}
	if !unlisted || o.filtered { // with filters it takes few requests
		return unlisted
	}
	for _, l := range o.listed {
		if !l.Status.Settled() {
			return false
		}
	}
	return true
}

// walk reads the knowledge base: by the platform's filters if they are exact
// and save requests, otherwise all rows.
func (o *wholeProgress) walk(ctx context.Context) (s survey, err error) {
	hash := o.c.hash("progress", ListQuery{KnowledgeBaseID: o.kb})
	o.from = paging.Start(hash, paging.ScanSize)
	if o.cursor != "" {
		if o.from, err = paging.ParseCursor(o.cursor, hash); err != nil {
			return s, err
		}
	}
	if o.counts, err = o.c.counts(ctx, o.kb); err != nil {
		return s, err
	}
	if o.from.Filter != "" {
		return o.filteredRest(ctx)
	}
	visit := func(r paging.Row[vendors.Document]) bool { s.add(o.c.view(r.Item, o.kb), r.After); return false }
	w := o.c.documents(vendors.PageQuery{KnowledgeBaseID: o.kb})
	if o.cursor != "" {
		w.Trail = nil // what came before is unknown
	}
	_, filters := o.c.driver.(vendors.UnfinishedFilter)
	e, err := w.Walk(ctx, o.from, paging.SummaryTime, visit, func(int) bool { return filters && o.cursor == "" })
	if err == nil && e.Next != nil && e.Why == paging.NoBound { // after one page
		if f, ok := o.byFilters(ctx, s, e.Page.Total); ok {
			return f, nil
		}
		w.Trail = w.Trail.Longer(e.Met)
		on, failure := w.Walk(ctx, *e.Next, paging.SummaryTime, visit, func(int) bool { return false })
		switch {
		case failure == nil:
			e = on
		case vendors.OutOfTime(failure):
			e.Why, e.Err = paging.LimitBound, failure
		default:
			err = failure
		}
	}
	s.thin, s.next, s.total, s.why, s.lost, s.err = e.Page.Thin, e.Next, e.Page.Total, e.Why, e.Lost, e.Err
	return s, err
}

// counts reads the platform's own counters, if it keeps any.
func (c *Connection) counts(ctx context.Context, kb string) (*vendors.Counts, error) {
	counter, ok := c.driver.(vendors.Counter)
	if !ok {
		return nil, nil
	}
	counts, err := counter.Counts(ctx, kb)
	if vendors.KindOf(err) == vendors.Unsupported {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &counts, nil
}

// refine replaces listed rows by what the platform's progress call says. When
// time or limit does not allow it, the rows stand as they are. gone says that a
// document which the call does not know was deleted since it was listed.
func (o *wholeProgress) refine(ctx context.Context, ask func(vendors.Status) bool, gone bool) error {
	var ids []string
	for _, l := range o.listed {
		if ask(l.Status) {
			ids = append(ids, l.DocumentID)
		}
	}
	if o.refineErr = nil; len(ids) == 0 {
		return nil
	}
	rep, err := o.c.gather.Progress(ctx, o.kb, ids)
	if o.refineErr = err; err != nil && !vendors.OutOfTime(err) {
		return err
	}
	newer := make(map[string]Progress, len(rep.Documents))
	for _, d := range rep.Documents {
		newer[d.DocumentID] = o.c.view(&d, o.kb)
	}
	for i, l := range o.listed {
		p, ok := newer[l.DocumentID]
		if !ok && gone && err == nil && ask(l.Status) {
			p, ok = Progress{DocumentID: l.DocumentID, Status: vendors.NotFound}, true
		}
		if ok {
			p.Name = cmp.Or(p.Name, l.Name)
			o.listed[i].Progress = p
		}
	}
	return nil
}

// result makes the answer. It covers part of the knowledge base when the walk
// began at a cursor or did not reach the end; done then needs the last part and
// no unsettled document in the parts before.
func (o *wholeProgress) result() ProgressResult {
	r := ProgressResult{Vendor: o.c.name, KnowledgeBaseID: o.kb, Documents: []Progress{}}
	t := o.tally.Copy()
	for _, l := range o.listed {
		t.Add(l.Progress.Status, l.Progress.ProgressPercent, l.Progress.ETASeconds)
	}
	r.Summary, r.RetryAfterSeconds = t.Summary(), t.PollAfter()
	open := o.from.Open || !r.Summary.Done
	next := o.next
	if o.cursor != "" || next != nil || o.lost > 0 {
		n := r.Summary.Total
		r.Summary.Scanned = &n
		if o.total != nil {
			r.Summary.Total = max(*o.total, n)
		}
		r.Summary.Done = next == nil && !open && o.lost == 0
		r.Hint = stopHint(o.why, o.err)
	}
	if o.overflow && len(o.listed) > 0 {
		next = &o.listed[len(o.listed)-1].after
	}
	for _, l := range o.listed {
		if l.Status.NeedsAttention() { // it may have completed meanwhile
			l.after.Open = open
			r.Documents, r.after = append(r.Documents, l.Progress), append(r.after, l.after)
		}
	}
	if next != nil {
		p := *next
		p.Open = open
		r.NextCursor = p.Cursor()
	}
	if o.counts != nil {
		applyCounts(*o.counts, &r, o.from.Open)
	}
	if o.lost > 0 {
		r.Truncated, r.Hint = true, lostHint(o.why, o.lost)
	}
	if !r.Summary.Done {
		r.RetryAfterSeconds = max(r.RetryAfterSeconds, tally.PollMin)
		r.delay(cmp.Or(o.refineErr, o.err))
	}
	r.Summary.Level()
	return r
}

// applyCounts uses the platform's counters if a walk could not read everything,
// and their ratio in any case, unless the rows that were read contradict them.
// open says that something unsettled was seen before.
func applyCounts(c vendors.Counts, r *ProgressResult, open bool) {
	s := &r.Summary
	settled, unsettled := 0, 0
	for status, n := range s.ByStatus {
		if status.Settled() {
			settled += n
		} else {
			unsettled += n
		}
	}
	working, ended := c.Total-c.Finished, c.Finished-c.Completed
	if c.Total <= 0 || working < 0 || ended < 0 || unsettled > working || s.ByStatus[vendors.Completed] > c.Completed || settled-s.ByStatus[vendors.Completed] > ended {
		return
	}
	if s.Scanned != nil {
		s.ByStatus = maps.Clone(s.ByStatus)
		s.ByStatus[vendors.Processing] += working - unsettled
		s.ByStatus[vendors.Failed] += ended - (settled - s.ByStatus[vendors.Completed])
		s.ByStatus[vendors.Completed] = c.Completed
		maps.DeleteFunc(s.ByStatus, func(_ vendors.Status, n int) bool { return n == 0 })
		s.Scanned, s.Total, s.Failed, s.Done = nil, c.Total, s.ByStatus[vendors.Failed], working == 0 && !open
		r.Truncated = true
		r.Hint = "The summary holds the platform's own counters; `documents` covers what was read so far; next_cursor continues."
	} else if c.Total != s.Total || unsettled != working {
		return
	}
	s.ProgressPercent = tally.Percent(100 * float64(c.Finished) / float64(c.Total))
}

// stopHint says which bound ended a scan, "" for none.
func stopHint(why paging.Bound, err error) string {
	switch why {
	case paging.TimeBound:
		return "There was no time in this call for more of this knowledge base; next_cursor continues."
	case paging.LimitBound:
		if vendors.KindOf(err) == vendors.RateLimited {
			return "The rate limit left no room for more of this knowledge base in this call; next_cursor continues."
		}
		return "The platform did not answer in time for more of this knowledge base; next_cursor continues."
	case paging.PageBound:
		return fmt.Sprintf("One call reads at most %d pages or %d rows; next_cursor continues.", paging.MaxPages, paging.MaxRows)
	}
	return ""
}

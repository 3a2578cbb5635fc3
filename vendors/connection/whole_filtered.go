package connection

import (
	"context"
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/paging"
)

// ignoredFilters is remembered of a server that gives all rows whatever status
// is asked for.
const ignoredFilters = "ignored"

// filteredCost is how many requests filters take beside one for each: the first
// page, and counting what is completed. Fewer pages than that are read instead.
const filteredCost = 4

// byFilters reads what is not completed by the platform's filters, and takes
// the number of the others from its totals. plain is what the first page
// without a filter has shown. ok is false if filters and totals do not say
// everything: a small knowledge base, a server that ignores them, a document
// that none of them selects.
func (o *wholeProgress) byFilters(ctx context.Context, plain survey, total *int) (s survey, ok bool) {
	filters, has := o.c.driver.(vendors.UnfinishedFilter)
	if !has || o.c.refused.Has(ignoredFilters) || total == nil || *total <= paging.ScanSize*(len(filters.UnfinishedFilters())+filteredCost) {
		return s, false
	}
	s.total, s.filtered = total, true
	calm := len(plain.listed) == 0 && plain.tally.Total == plain.tally.ByStatus[vendors.Completed]
	if calm { // likely all are completed
		if n, ok := o.c.countByStatus(ctx, o.kb); ok && n[vendors.Completed] == *total {
			s.tally.AddCompleted(*total)
			return s, true
		}
	}
	seen := map[string]bool{}
	for _, status := range filters.UnfinishedFilters() {
		from := o.from
		from.Filter = status
		if !o.byFilter(ctx, &s, from, seen) {
			return s, false
		}
	}
	unfinished := s.tally.Total + len(s.listed)
	completed, ok := o.c.completed(ctx, o.kb)
	if !ok || unfinished > *total || unfinished+completed < *total {
		return s, false
	}
	s.tally.AddCompleted(*total - unfinished)
	return s, true
}

// byFilter reads one filtered listing. What is too much to be listed is counted
// by the platform's total, if that counts nothing else.
func (o *wholeProgress) byFilter(ctx context.Context, s *survey, from paging.Position, seen map[string]bool) (ok bool) {
	w := o.c.documents(vendors.PageQuery{KnowledgeBaseID: o.kb, Status: from.Filter})
	read, exact, ignored, came := w.Fetch, false, false, 0
	w.Fetch = func(ctx context.Context, page int, token string, size int) (vendors.Page[vendors.Document], error) {
		p, err := read(ctx, page, token, size)
		exact = p.Filtered && p.Total != nil
		return p, err
	}
	visit := func(r paging.Row[vendors.Document]) bool {
		if came++; r.Item.Status.IsCompleted() {
			ignored = true
		} else if !seen[r.Item.DocumentID] { // or it moved from one listing to another in the meantime
			seen[r.Item.DocumentID] = true
			s.add(o.c.view(r.Item, o.kb), r.After)
		}
		return ignored
	}
	e, err := w.Walk(ctx, from, paging.SummaryTime, visit, func(int) bool { return exact && len(s.listed) == maxListed })
	if ignored {
		o.c.refused.Put(ignoredFilters, struct{}{})
	}
	if err != nil || ignored || e.Lost > 0 || e.Next != nil && (!exact || len(s.listed) == 0) {
		return false
	}
	s.thin = s.thin || e.Page.Thin
	if e.Next == nil {
		return true
	}
	s.overflow = true
	if rest := *e.Page.Total - came; rest > 0 {
		s.tally.AddCount(from.Filter, rest)
	}
	return true
}

// filteredRest continues an answer by filters.
func (o *wholeProgress) filteredRest(ctx context.Context) (s survey, err error) {
	var statuses []vendors.Status
	if f, ok := o.c.driver.(vendors.UnfinishedFilter); ok {
		statuses = f.UnfinishedFilters()
	}
	first, err := o.c.page(ctx, vendors.PageQuery{KnowledgeBaseID: o.kb, Page: 1, Size: 1})
	if err != nil {
		return s, err
	}
	s.total, s.filtered = first.Total, true
	from, seen := o.from, map[string]bool{}
	for i := slices.Index(statuses, from.Filter); i < len(statuses); i++ {
		if i < 0 || !o.byFilter(ctx, &s, from, seen) {
			return s, vendors.Errorf(vendors.InvalidArgument, "`cursor` continues a list that the platform no longer gives.").
				WithHint("Leave `cursor` out to start again.")
		}
		if i+1 < len(statuses) {
			from = paging.Start(o.from.Query, paging.ScanSize)
			from.Filter, from.Open = statuses[i+1], o.from.Open
		}
	}
	return s, nil
}

// countByStatus reads the platform's counts, if it has any.
func (c *Connection) countByStatus(ctx context.Context, kb string) (map[vendors.Status]int, bool) {
	counter, ok := c.driver.(vendors.StatusCounter)
	if !ok {
		return nil, false
	}
	counts, err := counter.CountByStatus(ctx, kb)
	return counts, err == nil
}

// completed counts the completed documents, if the platform can.
func (c *Connection) completed(ctx context.Context, kb string) (n int, ok bool) {
	if counts, ok := c.countByStatus(ctx, kb); ok {
		return counts[vendors.Completed], true
	}
	if counter, ok := c.driver.(vendors.CompletedCounter); ok {
		n, err := counter.CountCompleted(ctx, kb)
		return n, err == nil
	}
	page, err := c.page(ctx, vendors.PageQuery{KnowledgeBaseID: kb, Status: vendors.Completed, Page: 1, Size: 1})
	if err != nil || !page.Filtered || page.Total == nil || slices.ContainsFunc(page.Items, func(d vendors.Document) bool { return !d.Status.IsCompleted() }) {
		return 0, false
	}
	return *page.Total, true
}

package vendors

import (
	"context"
	"slices"
)

// StatusCounter is a driver whose platform counts the documents of a knowledge
// base by status, truly and in one request. It is asked only where a knowledge
// base is large. An error of kind [Unsupported] says that this server cannot.
type StatusCounter interface {
	CountByStatus(ctx context.Context, knowledgeBaseID string) (map[Status]int, error)
}

// CompletedCounter is a driver that can count completed documents in few
// requests, although no one filter of its platform selects them. An error of
// kind [Unsupported] says that this server cannot.
type CompletedCounter interface {
	CountCompleted(ctx context.Context, knowledgeBaseID string) (int, error)
}

// ignoredFilters is remembered of a server that gives all rows whatever status
// is asked for.
const ignoredFilters = "ignored"

// filteredCost is how many requests filters take beside one for each: the first
// page, and counting what is completed. Fewer pages than that are read instead.
const filteredCost = 4

// byFilters reads what is not completed by the platform's filters, and takes the
// number of the others from its totals. plain is what the first page without a
// filter has shown. ok is false where filters and totals do not tell everything:
// a small knowledge base, a server that ignores them, a document that none of
// them selects.
func (o *overview) byFilters(ctx context.Context, plain survey, total *int) (s survey, ok bool) {
	filters, has := o.v.driver.(UnfinishedFilter)
	if !has || o.v.refused.has(ignoredFilters) || total == nil || *total <= scanSize*(len(filters.UnfinishedFilters())+filteredCost) {
		return s, false
	}
	s.total, s.filtered = total, true
	calm := len(plain.listed) == 0 && plain.tally.total == plain.tally.byStatus[Completed]
	if n, ok := o.v.countByStatus(ctx, o.kb); ok && calm && n[Completed] == *total {
		s.tally.addCompleted(*total)
		return s, true
	}
	seen := map[string]bool{}
	for _, status := range filters.UnfinishedFilters() {
		from := o.from
		from.Filter = status
		if !o.byFilter(ctx, &s, from, seen) {
			return s, false
		}
	}
	unfinished := s.tally.total + len(s.listed)
	completed, ok := o.v.completed(ctx, o.kb)
	if !ok || unfinished > *total || unfinished+completed < *total {
		return s, false
	}
	s.tally.addCompleted(*total - unfinished)
	return s, true
}

// byFilter reads one filtered listing. What is too much to be listed is counted
// by the platform's total, if that counts nothing else.
func (o *overview) byFilter(ctx context.Context, s *survey, from position, seen map[string]bool) (ok bool) {
	w := o.v.documents(PageQuery{KnowledgeBaseID: o.kb, Status: from.Filter})
	read, exact, ignored, came := w.fetch, false, false, 0
	w.fetch = func(ctx context.Context, page int, token string, size int) (Page[Document], error) {
		p, err := read(ctx, page, token, size)
		exact = p.Filtered && p.Total != nil
		return p, err
	}
	visit := func(r row[Document]) bool {
		if came++; r.item.Status == Completed {
			ignored = true
		} else if !seen[r.item.DocumentID] { // or it moved from one listing to another meanwhile
			seen[r.item.DocumentID] = true
			s.add(o.v.view(r.item, o.kb), r.after)
		}
		return ignored
	}
	e, err := w.walk(ctx, from, summaryTime, visit, func(int) bool { return exact && len(s.listed) == maxListed })
	if ignored {
		o.v.refused.put(ignoredFilters, struct{}{})
	}
	if err != nil || ignored || e.lost > 0 || e.next != nil && (!exact || len(s.listed) == 0) {
		return false
	}
	s.thin = s.thin || e.page.Thin
	if e.next == nil {
		return true
	}
	s.overflow = true
	if rest := *e.page.Total - came; rest > 0 {
		s.tally.addCount(from.Filter, rest)
	}
	return true
}

// filteredRest goes on where an answer by filters left off.
func (o *overview) filteredRest(ctx context.Context) (s survey, err error) {
	var statuses []Status
	if f, ok := o.v.driver.(UnfinishedFilter); ok {
		statuses = f.UnfinishedFilters()
	}
	first, err := o.v.page(ctx, PageQuery{KnowledgeBaseID: o.kb, Page: 1, Size: 1})
	if err != nil {
		return s, err
	}
	s.total, s.filtered = first.Total, true
	from, seen := o.from, map[string]bool{}
	for i := slices.Index(statuses, from.Filter); i < len(statuses); i++ {
		if i < 0 || !o.byFilter(ctx, &s, from, seen) {
			return s, Errorf(InvalidArgument, "`cursor` goes on in a list that the platform does not give any more.").
				WithHint("Leave `cursor` out to start again.")
		}
		if i+1 < len(statuses) {
			from = start(o.from.Query, scanSize)
			from.Filter, from.Open = statuses[i+1], o.from.Open
		}
	}
	return s, nil
}

// countByStatus asks for the platform's counts, where it has them.
func (v *Vendor) countByStatus(ctx context.Context, kb string) (map[Status]int, bool) {
	c, ok := v.driver.(StatusCounter)
	if !ok {
		return nil, false
	}
	counts, err := c.CountByStatus(ctx, kb)
	return counts, err == nil
}

// completed counts the completed documents, if the platform can be asked.
func (v *Vendor) completed(ctx context.Context, kb string) (n int, ok bool) {
	if counts, ok := v.countByStatus(ctx, kb); ok {
		return counts[Completed], true
	}
	if c, ok := v.driver.(CompletedCounter); ok {
		n, err := c.CountCompleted(ctx, kb)
		return n, err == nil
	}
	page, err := v.page(ctx, PageQuery{KnowledgeBaseID: kb, Status: Completed, Page: 1, Size: 1})
	if err != nil || !page.Filtered || page.Total == nil || slices.ContainsFunc(page.Items, func(d Document) bool { return d.Status != Completed }) {
		return 0, false
	}
	return *page.Total, true
}

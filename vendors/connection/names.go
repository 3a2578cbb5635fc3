package connection

import (
	"context"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/normal"
	"kb-mcp/vendors/internal/paging"
)

// BaseName is the name of a knowledge base, from a list of the last minutes or
// from one request; "" if neither shows it.
func (c *Connection) BaseName(ctx context.Context, id string) string {
	if name, known := c.names.Get(id); known {
		return name
	}
	lister, ok := c.driver.(vendors.KnowledgeBaseLister)
	if !ok {
		return ""
	}
	if _, err := c.basesPage(ctx, lister, vendors.PageQuery{Page: 1, Size: paging.ScanSize}); err != nil {
		return "" // the answer is as true without it
	}
	name, _ := c.names.Get(id)
	return name
}

// basesPage reads a page of knowledge bases and remembers their names.
func (c *Connection) basesPage(ctx context.Context, lister vendors.KnowledgeBaseLister, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	page, err := lister.ListKnowledgeBases(ctx, q)
	for i := range page.Items {
		normal.KnowledgeBase(&page.Items[i], c.name)
		c.names.Put(page.Items[i].KnowledgeBaseID, page.Items[i].Name)
	}
	return page, err
}

// everyBase lists all knowledge bases. short says why some are missing.
func (c *Connection) everyBase(ctx context.Context, until time.Time) (all []vendors.KnowledgeBase, short *vendors.Error, err error) {
	lister, ok := c.driver.(vendors.KnowledgeBaseLister)
	if !ok {
		return nil, nil, vendors.Errorf(vendors.Unsupported, "This connection cannot list its knowledge bases.").
			WithHint("Pass the knowledge_base_id of each.")
	}
	visit := func(r paging.Row[vendors.KnowledgeBase]) bool { all = append(all, *r.Item); return false }
	e, err := c.knowledgeBases(lister, "").Walk(ctx, paging.Start(0, paging.ScanSize), time.Until(until), visit, func(int) bool { return false })
	if err == nil && (e.Next != nil || e.Lost > 0) {
		short = stopped(e.Why, e.Err, e.Lost, "knowledge bases")
	}
	return all, short, err
}

// allCompleted counts the documents of a knowledge base that need not be read:
// the platform's counters say that all are completed, and the newest rows
// agree.
func (c *Connection) allCompleted(ctx context.Context, kb string) (total int, ok bool) {
	if counts, err := c.counts(ctx, kb); err == nil && counts != nil && counts.Total > 0 && counts.Completed == counts.Total {
		total = counts.Total
	} else if by, ok := c.countByStatus(ctx, kb); ok && len(by) == 1 {
		total = by[vendors.Completed]
	}
	if total == 0 {
		return 0, false
	}
	page, err := c.page(ctx, vendors.PageQuery{KnowledgeBaseID: kb, Page: 1, Size: paging.ScanSize})
	if err != nil || slices.ContainsFunc(page.Items, func(d vendors.Document) bool { return !d.Status.IsCompleted() }) {
		return 0, false
	}
	return total, true
}

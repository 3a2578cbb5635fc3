package connection

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/paging"
)

// baseName is the name of a knowledge base, from a list of the last minutes or
// from one request; "" if neither shows it.
func (c *Connection) baseName(ctx context.Context, id string) string {
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
		normalizeKnowledgeBase(&page.Items[i], c.name)
		c.names.Put(page.Items[i].KnowledgeBaseID, page.Items[i].Name)
	}
	return page, err
}

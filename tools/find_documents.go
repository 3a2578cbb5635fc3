package tools

import (
	"context"
	"fmt"
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/several"
)

const findDocumentsDoc = `Finds documents by name_contains, status or enabled (at least one) in all knowledge bases or the given ones, whose names it returns. Use it when you do not know where a document is. incomplete names what was not looked at; next_cursor goes on.`

type findDocumentsArgs struct {
	Vendor          string `arg:"vendor" every:"true"`
	KnowledgeBaseID string `arg:"knowledge_base_id"`
	NameContains    string `arg:"name_contains" max:"200"`
	Status          string `arg:"status" enum:"status"`
	Enabled         *bool  `arg:"enabled"`
	Detail          string `arg:"detail" enum:"detail"`
	Limit           int    `arg:"limit" min:"1" max:"100" default:"20"`
	Cursor          string `arg:"cursor"`
}

// conflicts implements conflicted.
func (in findDocumentsArgs) conflicts() []problem {
	if in.NameContains != "" || in.Status != "" || in.Enabled != nil {
		return nil
	}
	return []problem{{text: "`name_contains`, `status` or `enabled` is missing", hint: "Give at least one of them; list_documents lists all documents of a knowledge base."}}
}

// foundList is one page of documents that were found. Vendor and
// KnowledgeBaseID are set where all rows share them.
type foundList struct {
	Vendor          string                  `json:"vendor,omitempty"`
	KnowledgeBaseID string                  `json:"knowledge_base_id,omitempty"`
	Documents       []vendors.Document      `json:"documents"`
	KnowledgeBases  []namedBase             `json:"knowledge_bases"`
	Incomplete      []connection.Incomplete `json:"incomplete,omitempty"`
	NextCursor      string                  `json:"next_cursor,omitempty"`
	Truncated       bool                    `json:"truncated,omitempty"`
	Hint            string                  `json:"hint,omitempty"`

	page several.Page[vendors.Document]
	show func(several.Page[vendors.Document]) foundList
}

// namedBase is a knowledge base of documents that were found.
type namedBase struct {
	Vendor          string `json:"vendor"`
	KnowledgeBaseID string `json:"knowledge_base_id"`
	Name            string `json:"name,omitempty"` // "" where no list shows it
}

// Len is the number of documents.
func (l foundList) Len() int { return len(l.Documents) }

// Fit leaves all but the first n documents to NextCursor. A first document that
// is too large by itself loses its metadata.
func (l foundList) Fit(n int) any {
	cut := l.show(l.page.Cut(max(n, 1)))
	if n < 1 && len(cut.Documents) > 0 {
		cut.Documents[0].Metadata = nil
		cut.Truncated, cut.Hint = true, "The metadata of this document is too large for a list; call get_document_info."
	}
	return cut
}

func (s *Set) findDocumentsTool() tool {
	return define(s, face{
		name: "find_documents", title: "Find documents", doc: findDocumentsDoc,
		brief: "documents by name, status or whether searches use them, over all connections and knowledge bases",
		needs: connection.Can[vendors.KnowledgeBaseLister],
		also:  []string{"search_documents_by_name", "find_document", "find_file", "find_files", "search_files", "locate_document"},
	}, s.findDocuments)
}

func (s *Set) findDocuments(ctx context.Context, in findDocumentsArgs) (foundList, error) {
	list := s.vendors
	if in.Vendor != "" || in.KnowledgeBaseID != "" {
		v, err := s.vendor(in.Vendor) // a knowledge base is one connection's
		if err != nil {
			return foundList{}, err
		}
		list = []*connection.Connection{v}
	}
	sources := make([]several.Source[vendors.Document], len(list))
	for i, c := range list {
		sources[i] = several.Source[vendors.Document]{Name: c.Name(), Read: func(ctx context.Context, from string, wanted int) (connection.Part[vendors.Document], error) {
			return c.FindDocuments(ctx, connection.ListQuery{
				KnowledgeBaseID: in.KnowledgeBaseID, Status: vendors.Status(in.Status), NameContains: in.NameContains,
				Enabled: in.Enabled, Limit: wanted, Cursor: from,
			})
		}}
	}
	query := fmt.Sprintf("%q %q %q %s", in.KnowledgeBaseID, in.NameContains, in.Status, flag(in.Enabled))
	page, err := s.found.Page(ctx, sources, query, in.Cursor, in.Limit)
	if err != nil {
		return foundList{}, err
	}
	show := func(p several.Page[vendors.Document]) foundList {
		l := foundList{Incomplete: p.Incomplete, NextCursor: p.Cursor, KnowledgeBases: s.basesOf(ctx, list, p.Items)}
		l.Vendor, l.KnowledgeBaseID, l.Documents = rowsOf(p.Items, in.Detail)
		return l
	}
	l := show(page)
	l.page, l.show = page, show
	return l, nil
}

// flag is an optional argument as part of a query.
func flag(b *bool) string {
	if b == nil {
		return ""
	}
	return fmt.Sprint(*b)
}

// basesOf names the knowledge bases of documents, each once.
func (s *Set) basesOf(ctx context.Context, list []*connection.Connection, docs []vendors.Document) []namedBase {
	bases := []namedBase{}
	for _, d := range docs {
		b := namedBase{Vendor: d.Vendor, KnowledgeBaseID: d.KnowledgeBaseID}
		if slices.ContainsFunc(bases, func(o namedBase) bool { return o.Vendor == b.Vendor && o.KnowledgeBaseID == b.KnowledgeBaseID }) {
			continue
		}
		for _, c := range list {
			if c.Name() == d.Vendor {
				b.Name = c.BaseName(ctx, d.KnowledgeBaseID)
			}
		}
		bases = append(bases, b)
	}
	return bases
}

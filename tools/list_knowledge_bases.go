package tools

import (
	"context"
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/several"
)

const listKnowledgeBasesDoc = `Lists the knowledge bases (datasets, collections) of all connections or of one, with their counts where the platform gives them. Use it to find a knowledge_base_id. For documents use list_documents or find_documents.`

type listKnowledgeBasesArgs struct {
	Vendor       string `arg:"vendor" every:"true"`
	NameContains string `arg:"name_contains" max:"200"`
	Limit        int    `arg:"limit" min:"1" max:"100" default:"20"`
	Cursor       string `arg:"cursor"`
}

// baseList is one page of knowledge bases. Vendor is set where all rows share
// it; Total is that of one connection.
type baseList struct {
	Vendor         string                  `json:"vendor,omitempty"`
	KnowledgeBases []vendors.KnowledgeBase `json:"knowledge_bases"`
	Total          *int                    `json:"total,omitempty"`
	Incomplete     []connection.Incomplete `json:"incomplete,omitempty"`
	NextCursor     string                  `json:"next_cursor,omitempty"`

	cut func(n int) baseList
}

// Len is the number of knowledge bases.
func (l baseList) Len() int { return len(l.KnowledgeBases) }

// Fit leaves all but the first n knowledge bases to NextCursor.
func (l baseList) Fit(n int) any { return l.cut(max(n, 1)) }

func (s *Set) listKnowledgeBasesTool() tool {
	return define(s, face{
		name: "list_knowledge_bases", title: "List knowledge bases", doc: listKnowledgeBasesDoc,
		brief: "which knowledge bases the connections see; filter by name",
		needs: connection.Can[vendors.KnowledgeBaseLister],
		also:  []string{"list_datasets", "list_collections", "list_kbs", "knowledge_bases", "datasets", "get_knowledge_bases"},
	}, s.listKnowledgeBases)
}

func (s *Set) listKnowledgeBases(ctx context.Context, in listKnowledgeBasesArgs) (baseList, error) {
	if in.Vendor == "" && len(s.vendors) != 1 {
		return s.listEveryKnowledgeBase(ctx, in)
	}
	c, err := s.vendor(in.Vendor)
	if err != nil {
		return baseList{}, err
	}
	list, err := c.ListKnowledgeBases(ctx, connection.ListQuery{NameContains: in.NameContains, Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return baseList{}, err
	}
	return ofOne(list), nil
}

// ofOne is the list of one connection.
func ofOne(list connection.KnowledgeBaseList) baseList {
	l := baseList{Vendor: list.Vendor, KnowledgeBases: withoutVendor(list.KnowledgeBases), Total: list.Total, NextCursor: list.NextCursor}
	l.cut = func(n int) baseList { return ofOne(list.Fit(n)) }
	return l
}

// withoutVendor are knowledge bases whose connection stands above them.
func withoutVendor(list []vendors.KnowledgeBase) []vendors.KnowledgeBase {
	list = slices.Clone(list)
	for i := range list {
		list[i].Vendor = ""
	}
	return list
}

// listEveryKnowledgeBase lists those of all connections.
func (s *Set) listEveryKnowledgeBase(ctx context.Context, in listKnowledgeBasesArgs) (baseList, error) {
	sources := make([]several.Source[vendors.KnowledgeBase], len(s.vendors))
	for i, c := range s.vendors {
		sources[i] = several.Source[vendors.KnowledgeBase]{Name: c.Name(), Read: func(ctx context.Context, from string, wanted int) (connection.Part[vendors.KnowledgeBase], error) {
			return c.KnowledgeBases(ctx, connection.ListQuery{NameContains: in.NameContains, Limit: wanted, Cursor: from})
		}}
	}
	page, err := s.bases.Page(ctx, sources, in.NameContains, in.Cursor, in.Limit)
	if err != nil {
		return baseList{}, err
	}
	return ofSeveral(page), nil
}

// ofSeveral is a page of the list of all connections.
func ofSeveral(page several.Page[vendors.KnowledgeBase]) baseList {
	l := baseList{KnowledgeBases: page.Items, Incomplete: page.Incomplete, NextCursor: page.Cursor}
	l.cut = func(n int) baseList { return ofSeveral(page.Cut(n)) }
	return l
}

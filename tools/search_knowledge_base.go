package tools

import (
	"context"
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/several"
)

const searchKnowledgeBaseDoc = `Searches the content of one knowledge base, or of all (at most 20) of one or all connections, and returns the best matching chunks, best first; hits of several knowledge bases are merged by reciprocal rank. document_ids: only in these. incomplete names what was not searched (Coze: only captions of images can be). For names use find_documents.`

type searchKnowledgeBaseArgs struct {
	Vendor          string   `arg:"vendor" every:"true"`
	KnowledgeBaseID string   `arg:"knowledge_base_id"`
	Query           string   `arg:"query" required:"true" max:"8000"`
	DocumentIDs     []string `arg:"document_ids" min:"1" max:"100"`
	Limit           int      `arg:"limit" min:"1" max:"50" default:"5"`
}

// hitList is the answer to a search. Vendor and KnowledgeBaseID are set where
// all hits share them; KnowledgeBases are those of the hits of several.
type hitList struct {
	Vendor          string                  `json:"vendor,omitempty"`
	KnowledgeBaseID string                  `json:"knowledge_base_id,omitempty"`
	Hits            []vendors.Hit           `json:"hits"`
	KnowledgeBases  []namedBase             `json:"knowledge_bases,omitempty"`
	Incomplete      []connection.Incomplete `json:"incomplete,omitempty"`
	Truncated       bool                    `json:"truncated,omitempty"`
	Hint            string                  `json:"hint,omitempty"`
}

// Len is the number of hits.
func (l hitList) Len() int { return len(l.Hits) }

// Fit leaves the last hits out; a hit too large by itself is shortened.
func (l hitList) Fit(n int) any {
	l.Truncated = true
	l.Hint = "Not all hits fit into one answer; ask a narrower question or a smaller `limit`."
	if n < 1 && len(l.Hits) > 0 {
		l.Hits = []vendors.Hit{l.Hits[0]}
		l.Hits[0].Content = connection.Head(l.Hits[0].Content)
		return l
	}
	l.Hits = l.Hits[:min(max(n, 0), len(l.Hits))]
	return l
}

func (s *Set) searchKnowledgeBaseTool() tool {
	return define(s, face{
		name: "search_knowledge_base", title: "Search knowledge bases", doc: searchKnowledgeBaseDoc,
		brief: "the best matching chunks of a knowledge base, or of all of them",
		needs: connection.Can[vendors.Searcher],
		also:  []string{"search", "query", "retrieve", "retrieval", "search_documents", "search_knowledge", "ask"},
	}, s.searchKnowledgeBase)
}

func (s *Set) searchKnowledgeBase(ctx context.Context, in searchKnowledgeBaseArgs) (hitList, error) {
	q := vendors.SearchQuery{KnowledgeBaseID: in.KnowledgeBaseID, Query: in.Query, Limit: in.Limit, DocumentIDs: in.DocumentIDs}
	list := s.vendors
	if in.Vendor != "" || in.KnowledgeBaseID != "" {
		v, err := s.vendor(in.Vendor) // a knowledge base is one connection's
		if err != nil {
			return hitList{}, err
		}
		list = []*connection.Connection{v}
	}
	if in.KnowledgeBaseID == "" {
		a, err := several.Search(ctx, list, q)
		if err != nil {
			return hitList{}, err
		}
		l := hitList{Incomplete: a.Incomplete, Truncated: a.Hint != "", Hint: a.Hint, KnowledgeBases: s.basesOf(ctx, list, placesOf(a.Hits))}
		l.Vendor, l.KnowledgeBaseID, l.Hits = hitsOf(a.Hits)
		return l, nil
	}
	r, err := list[0].Search(ctx, q)
	return hitList{Vendor: r.Vendor, KnowledgeBaseID: r.KnowledgeBaseID, Hits: r.Hits, Truncated: r.Hint != "", Hint: r.Hint}, err
}

// placesOf are hits as documents of their knowledge bases.
func placesOf(hits []vendors.Hit) []vendors.Document {
	docs := make([]vendors.Document, len(hits))
	for i, h := range hits {
		docs[i] = vendors.Document{Vendor: h.Vendor, KnowledgeBaseID: h.KnowledgeBaseID}
	}
	return docs
}

// hitsOf leaves out of hits what all share, and returns it.
func hitsOf(hits []vendors.Hit) (vendor, kb string, rows []vendors.Hit) {
	vendor, kb, _ = rowsOf(placesOf(hits), inFull)
	rows = slices.Clone(hits)
	for i := range rows {
		if vendor != "" {
			rows[i].Vendor = ""
		}
		if kb != "" {
			rows[i].KnowledgeBaseID = ""
		}
	}
	return vendor, kb, rows
}

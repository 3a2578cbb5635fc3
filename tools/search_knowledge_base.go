package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const searchKnowledgeBaseDoc = `Searches one knowledge base and returns the best matching chunks with their document's id and name, best first. Use it to answer a question from the documents, or to check that a document can be found after ingestion. It searches content, not names: to find a document by its name use list_documents with name_contains. Not every platform offers it (Coze: only the captions of images): list_vendors says where it works.`

type searchKnowledgeBaseArgs struct {
	Vendor          string `arg:"vendor"`
	KnowledgeBaseID string `arg:"knowledge_base_id" required:"true"`
	Query           string `arg:"query" required:"true" max:"8000"`
	Limit           int    `arg:"limit" min:"1" max:"50" default:"5"`
}

func (s *Set) searchKnowledgeBaseTool() tool {
	return on(s, face{
		name: "search_knowledge_base", title: "Search a knowledge base", doc: searchKnowledgeBaseDoc,
		brief: "the best matching chunks of a knowledge base",
		needs: connection.Can[vendors.Searcher],
		also:  []string{"search", "query", "retrieve", "retrieval", "search_documents", "search_knowledge", "ask"},
	}, searchKnowledgeBase)
}

func searchKnowledgeBase(ctx context.Context, c *connection.Connection, in searchKnowledgeBaseArgs) (connection.SearchResult, error) {
	return c.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: in.KnowledgeBaseID, Query: in.Query, Limit: in.Limit})
}

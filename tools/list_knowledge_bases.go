package tools

import (
	"context"

	"kb-mcp/vendors/connection"
)

const listKnowledgeBasesDoc = `Lists the knowledge bases (datasets, collections) of one connection with id, name, description and, where the platform counts them, documents and chunks. Use it to find the knowledge_base_id that the document tools need; filter with name_contains. It does not look inside: for documents call list_documents, for what is still being ingested or failed call get_ingestion_progress. next_cursor alone says whether there is more.`

type listKnowledgeBasesArgs struct {
	Vendor       string `arg:"vendor"`
	NameContains string `arg:"name_contains" max:"200"`
	Limit        int    `arg:"limit" min:"1" max:"100" default:"20"`
	Cursor       string `arg:"cursor"`
}

func (s *Set) listKnowledgeBases(ctx context.Context, in listKnowledgeBasesArgs) (connection.KnowledgeBaseList, error) {
	v, err := s.vendor(in.Vendor)
	if err != nil {
		return connection.KnowledgeBaseList{}, err
	}
	return v.ListKnowledgeBases(ctx, connection.ListQuery{NameContains: in.NameContains, Limit: in.Limit, Cursor: in.Cursor})
}

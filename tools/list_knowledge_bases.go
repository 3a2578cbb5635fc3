package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const listKnowledgeBasesDoc = `Lists the knowledge bases (datasets, collections) of one connection with id, name, description and, where the platform counts them, documents and chunks. Use it to find the knowledge_base_id that the document tools need; filter with name_contains. It does not look inside: for documents call list_documents, for what is still being ingested or failed call get_ingestion_progress. next_cursor alone says whether there is more.`

type listKnowledgeBasesArgs struct {
	Vendor       string `arg:"vendor"`
	NameContains string `arg:"name_contains" max:"200"`
	Limit        int    `arg:"limit" min:"1" max:"100" default:"20"`
	Cursor       string `arg:"cursor"`
}

func (s *Set) listKnowledgeBasesTool() tool {
	return on(s, face{
		name: "list_knowledge_bases", title: "List knowledge bases", doc: listKnowledgeBasesDoc,
		brief: "which knowledge bases a connection sees; filter by name",
		needs: connection.Can[vendors.KnowledgeBaseLister],
		also:  []string{"list_datasets", "list_collections", "list_kbs", "knowledge_bases", "datasets", "get_knowledge_bases"},
	}, listKnowledgeBases)
}

func listKnowledgeBases(ctx context.Context, c *connection.Connection, in listKnowledgeBasesArgs) (connection.KnowledgeBaseList, error) {
	return c.ListKnowledgeBases(ctx, connection.ListQuery{NameContains: in.NameContains, Limit: in.Limit, Cursor: in.Cursor})
}

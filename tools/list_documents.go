package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const listDocumentsDoc = `Lists the documents of one knowledge base, newest first where the platform has an order: id, name, status, and what is wrong; detail full adds size, counts, times, source and metadata. To find a document anywhere use find_documents. For how far ingestion is use get_ingestion_progress.`

type listDocumentsArgs struct {
	Vendor          string `arg:"vendor"`
	KnowledgeBaseID string `arg:"knowledge_base_id" required:"true"`
	Status          string `arg:"status" enum:"status"`
	NameContains    string `arg:"name_contains" max:"200"`
	Enabled         *bool  `arg:"enabled"`
	Detail          string `arg:"detail" enum:"detail"`
	Limit           int    `arg:"limit" min:"1" max:"100" default:"20"`
	Cursor          string `arg:"cursor"`
}

func (s *Set) listDocumentsTool() tool {
	return on(s, face{
		name: "list_documents", title: "List documents", doc: listDocumentsDoc,
		brief: "what is in a knowledge base; filter by status, name and whether searches use it",
		needs: connection.Can[vendors.Driver],
		also:  []string{"list_docs", "list_files", "documents", "get_documents"},
	}, listDocuments)
}

func listDocuments(ctx context.Context, c *connection.Connection, in listDocumentsArgs) (connection.DocumentList, error) {
	list, err := c.ListDocuments(ctx, connection.ListQuery{
		KnowledgeBaseID: in.KnowledgeBaseID, Status: vendors.Status(in.Status), NameContains: in.NameContains,
		Enabled: in.Enabled, Limit: in.Limit, Cursor: in.Cursor,
	})
	_, _, list.Documents = rowsOf(list.Documents, in.Detail)
	return list, err
}

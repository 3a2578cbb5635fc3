package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const listDocumentsDoc = `Lists the documents of one knowledge base, in the platform's order (newest first where it has one), with status, error, size and counts as far as the platform says. Use it to see what is in a knowledge base or to find a document's id; filter by status (for example "failed") or name_contains. For how far ingestion is, get_ingestion_progress is cheaper and says more; for everything about one document call get_document_info. A page may hold fewer rows than limit: next_cursor alone says whether there is more.`

type listDocumentsArgs struct {
	Vendor          string `arg:"vendor"`
	KnowledgeBaseID string `arg:"knowledge_base_id" required:"true"`
	Status          string `arg:"status" enum:"status"`
	NameContains    string `arg:"name_contains" max:"200"`
	Limit           int    `arg:"limit" min:"1" max:"100" default:"20"`
	Cursor          string `arg:"cursor"`
}

func (s *Set) listDocumentsTool() tool {
	return on(s, face{
		name: "list_documents", title: "List documents", doc: listDocumentsDoc,
		brief: "what is in a knowledge base; filter by status and name",
		needs: connection.Can[vendors.Driver],
		also:  []string{"list_docs", "list_files", "documents", "get_documents"},
	}, listDocuments)
}

func listDocuments(ctx context.Context, c *connection.Connection, in listDocumentsArgs) (connection.DocumentList, error) {
	return c.ListDocuments(ctx, connection.ListQuery{
		KnowledgeBaseID: in.KnowledgeBaseID, Status: vendors.Status(in.Status),
		NameContains: in.NameContains, Limit: in.Limit, Cursor: in.Cursor,
	})
}

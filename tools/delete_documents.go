package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const deleteDocumentsDoc = `Deletes documents of one knowledge base, for good, and reports for each: done, accepted (soon gone), not_found or failed. Ask the user before. To hide a document from searches use update_document with enabled false.`

type documentsArgs struct {
	Vendor          string   `arg:"vendor"`
	KnowledgeBaseID string   `arg:"knowledge_base_id" required:"true"`
	DocumentIDs     []string `arg:"document_ids" required:"true" min:"1" max:"100"`
}

func (s *Set) deleteDocumentsTool() tool {
	return on(s, face{
		name: "delete_documents", title: "Delete documents", doc: deleteDocumentsDoc,
		brief:  "deletes up to 100 documents and reports for each",
		effect: destroys, needs: connection.Can[vendors.DocumentDeleter],
	}, s.deleteDocuments)
}

func (s *Set) deleteDocuments(ctx context.Context, c *connection.Connection, in documentsArgs) (connection.OutcomeResult, error) {
	if err := s.desk.Documents(ctx, c, in.KnowledgeBaseID, in.DocumentIDs); err != nil {
		return connection.OutcomeResult{}, err
	}
	return c.DeleteDocuments(ctx, in.KnowledgeBaseID, in.DocumentIDs)
}

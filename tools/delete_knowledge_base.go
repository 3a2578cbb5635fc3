package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const deleteKnowledgeBaseDoc = `Deletes one knowledge base with all its documents, for good. Ask the user before. To remove single documents use delete_documents.`

type deleteKnowledgeBaseArgs struct {
	Vendor          string `arg:"vendor"`
	KnowledgeBaseID string `arg:"knowledge_base_id" required:"true"`
}

// deletedKnowledgeBase says what is gone.
type deletedKnowledgeBase struct {
	Vendor          string `json:"vendor"`
	KnowledgeBaseID string `json:"knowledge_base_id"`
	Deleted         bool   `json:"deleted"`
}

func (s *Set) deleteKnowledgeBaseTool() tool {
	return on(s, face{
		name: "delete_knowledge_base", title: "Delete a knowledge base", doc: deleteKnowledgeBaseDoc,
		brief:  "deletes it with all its documents",
		effect: destroys, needs: connection.Can[vendors.KnowledgeBaseDeleter],
	}, s.deleteKnowledgeBase)
}

func (s *Set) deleteKnowledgeBase(ctx context.Context, c *connection.Connection, in deleteKnowledgeBaseArgs) (deletedKnowledgeBase, error) {
	if err := s.desk.Base(ctx, c, in.KnowledgeBaseID); err != nil {
		return deletedKnowledgeBase{}, err
	}
	err := c.DeleteKnowledgeBase(ctx, in.KnowledgeBaseID)
	return deletedKnowledgeBase{Vendor: c.Name(), KnowledgeBaseID: in.KnowledgeBaseID, Deleted: true}, err
}

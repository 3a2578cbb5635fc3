package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const updateKnowledgeBaseDoc = `Changes the name or description of a knowledge base and returns it. What is not given stays. It changes no document.`

type updateKnowledgeBaseArgs struct {
	Vendor          string  `arg:"vendor"`
	KnowledgeBaseID string  `arg:"knowledge_base_id" required:"true"`
	Name            *string `arg:"name" max:"200"`
	Description     *string `arg:"description" max:"2000"`
}

func (in *updateKnowledgeBaseArgs) conflicts() []problem { return blank("name", in.Name) }

// knowledgeBaseInfo is one knowledge base.
type knowledgeBaseInfo struct {
	KnowledgeBase vendors.KnowledgeBase `json:"knowledge_base"`
}

func (s *Set) updateKnowledgeBaseTool() tool {
	return on(s, face{
		name: "update_knowledge_base", title: "Update a knowledge base", doc: updateKnowledgeBaseDoc,
		brief:  "changes its name or description, and nothing else",
		effect: changes, needs: connection.Can[vendors.KnowledgeBaseUpdater],
	}, updateKnowledgeBase)
}

func updateKnowledgeBase(ctx context.Context, c *connection.Connection, in updateKnowledgeBaseArgs) (knowledgeBaseInfo, error) {
	kb, err := c.UpdateKnowledgeBase(ctx, in.KnowledgeBaseID, vendors.KnowledgeBaseChange{Name: in.Name, Description: in.Description})
	return knowledgeBaseInfo{kb}, err
}

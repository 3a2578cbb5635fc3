package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const createKnowledgeBaseDoc = `Creates an empty knowledge base and returns it with its id. Use it before upload_document when list_knowledge_bases shows none that fits. The platform may change a name that is taken: the answer holds the real one. After an error look before you repeat it.`

type createKnowledgeBaseArgs struct {
	Vendor      string  `arg:"vendor"`
	Name        string  `arg:"name" required:"true" max:"200"`
	Description *string `arg:"description" max:"2000"`
}

func (in *createKnowledgeBaseArgs) conflicts() []problem {
	if in.Name == "" { // missing
		return nil
	}
	return blank("name", &in.Name)
}

// createdKnowledgeBase is a new one. Notes say what one should check.
type createdKnowledgeBase struct {
	KnowledgeBase vendors.KnowledgeBase `json:"knowledge_base"`
	Notes         []string              `json:"notes,omitempty"`
}

func (s *Set) createKnowledgeBaseTool() tool {
	return on(s, face{
		name: "create_knowledge_base", title: "Create a knowledge base", doc: createKnowledgeBaseDoc,
		brief:  "makes an empty knowledge base",
		effect: adds, needs: connection.Can[vendors.KnowledgeBaseCreator],
	}, createKnowledgeBase)
}

func createKnowledgeBase(ctx context.Context, c *connection.Connection, in createKnowledgeBaseArgs) (createdKnowledgeBase, error) {
	kb, err := c.CreateKnowledgeBase(ctx, vendors.KnowledgeBaseChange{Name: &in.Name, Description: in.Description})
	return createdKnowledgeBase{kb, kb.Notes}, err
}

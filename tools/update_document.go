package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const updateDocumentDoc = `Changes a document's name, metadata, or whether searches use it (enabled), and returns it. What is not given stays. What a platform cannot change is an error that says what to do. To replace its content use upload_document.`

type updateDocumentArgs struct {
	Vendor          string         `arg:"vendor"`
	KnowledgeBaseID string         `arg:"knowledge_base_id" required:"true"`
	DocumentID      string         `arg:"document_id" required:"true"`
	Name            *string        `arg:"name" max:"255"`
	Enabled         *bool          `arg:"enabled"`
	Metadata        map[string]any `arg:"metadata"`
}

func (in *updateDocumentArgs) conflicts() []problem { return blank("name", in.Name) }

func (s *Set) updateDocumentTool() tool {
	return on(s, face{
		name: "update_document", title: "Update a document", doc: updateDocumentDoc,
		brief:  "changes name, metadata, or whether searches use it",
		effect: changes, needs: connection.Can[vendors.DocumentUpdater],
	}, updateDocument)
}

func updateDocument(ctx context.Context, c *connection.Connection, in updateDocumentArgs) (documentInfo, error) {
	d, err := c.UpdateDocument(ctx, vendors.Ref{KnowledgeBaseID: in.KnowledgeBaseID, DocumentID: in.DocumentID},
		vendors.DocumentChange{Name: in.Name, Enabled: in.Enabled, Metadata: in.Metadata})
	return documentInfo{Document: d}, err
}

package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const getDocumentInfoDoc = `Returns all that the platform says about one document: status, why it failed, size, counts, times, source, metadata. For many documents use get_ingestion_progress. What is absent the platform does not say.`

type getDocumentInfoArgs struct {
	Vendor          string `arg:"vendor"`
	KnowledgeBaseID string `arg:"knowledge_base_id" required:"true"`
	DocumentID      string `arg:"document_id" required:"true"`
}

// documentInfo is the answer; one with too much metadata is cut.
type documentInfo struct {
	Document  vendors.Document `json:"document"`
	Truncated bool             `json:"truncated,omitempty"`
	Hint      string           `json:"hint,omitempty"`
}

// Len is 1: the document.
func (documentInfo) Len() int { return 1 }

// Fit leaves the metadata out.
func (d documentInfo) Fit(int) any {
	d.Document.Metadata = nil
	d.Truncated, d.Hint = true, "The metadata of this document is too large to be shown; read it on the platform."
	return d
}

func (s *Set) getDocumentInfoTool() tool {
	return on(s, face{
		name: "get_document_info", title: "Get one document", doc: getDocumentInfoDoc,
		brief: "everything the platform says about one document",
		needs: connection.Can[vendors.Driver],
		also:  []string{"get_document", "document_info", "get_doc", "document", "get_document_status"},
	}, getDocumentInfo)
}

func getDocumentInfo(ctx context.Context, c *connection.Connection, in getDocumentInfoArgs) (documentInfo, error) {
	d, err := c.GetDocument(ctx, vendors.Ref{KnowledgeBaseID: in.KnowledgeBaseID, DocumentID: in.DocumentID})
	return documentInfo{Document: d}, err
}

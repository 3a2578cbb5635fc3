package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const updateDocumentDoc = `Changes the name, the metadata, or whether searches use a document (enabled), and returns it. What is not given stays. Not every platform can change each of them; the error says what to do instead. To replace the content upload the document again.`

const deleteDocumentsDoc = `Deletes documents of one knowledge base, for good, and reports for each: done, accepted (will be gone soon), not_found or failed. Ask the user before. To remove everything at once use delete_knowledge_base; to keep a document but hide it from searches use update_document with enabled false.`

const startIngestionDoc = `Asks the platform to ingest documents: those that are not_started, or failed ones once more. Reports for each: done, accepted, not_found or failed. Ingesting again deletes a document's existing chunks first. Then use wait_for_ingestion. On most platforms ingestion starts by itself with the upload.`

const stopIngestionDoc = `Stops the ingestion of documents that are queued or processing, and reports for each: done, accepted, not_found or failed. They become cancelled; start_ingestion begins again. To remove them use delete_documents.`

type updateDocumentArgs struct {
	Vendor          string         `arg:"vendor"`
	KnowledgeBaseID string         `arg:"knowledge_base_id" required:"true"`
	DocumentID      string         `arg:"document_id" required:"true"`
	Name            *string        `arg:"name" max:"255"`
	Enabled         *bool          `arg:"enabled"`
	Metadata        map[string]any `arg:"metadata"`
}

type documentsArgs struct {
	Vendor          string   `arg:"vendor"`
	KnowledgeBaseID string   `arg:"knowledge_base_id" required:"true"`
	DocumentIDs     []string `arg:"document_ids" required:"true" min:"1" max:"100"`
}

func (in *updateDocumentArgs) conflicts() []problem { return blank("name", in.Name) }

func (s *Set) updateDocument(ctx context.Context, in updateDocumentArgs) (documentInfo, error) {
	v, err := s.vendor(in.Vendor)
	if err != nil {
		return documentInfo{}, err
	}
	d, err := v.UpdateDocument(ctx, vendors.Ref{KnowledgeBaseID: in.KnowledgeBaseID, DocumentID: in.DocumentID},
		vendors.DocumentChange{Name: in.Name, Enabled: in.Enabled, Metadata: in.Metadata})
	return documentInfo{Document: d}, err
}

func (s *Set) deleteDocuments(ctx context.Context, in documentsArgs) (connection.OutcomeResult, error) {
	v, err := s.vendor(in.Vendor)
	if err != nil {
		return connection.OutcomeResult{}, err
	}
	return v.DeleteDocuments(ctx, in.KnowledgeBaseID, in.DocumentIDs)
}

func (s *Set) startIngestion(ctx context.Context, in documentsArgs) (connection.OutcomeResult, error) {
	v, err := s.vendor(in.Vendor)
	if err != nil {
		return connection.OutcomeResult{}, err
	}
	return v.StartIngestion(ctx, in.KnowledgeBaseID, in.DocumentIDs)
}

func (s *Set) stopIngestion(ctx context.Context, in documentsArgs) (connection.OutcomeResult, error) {
	v, err := s.vendor(in.Vendor)
	if err != nil {
		return connection.OutcomeResult{}, err
	}
	return v.StopIngestion(ctx, in.KnowledgeBaseID, in.DocumentIDs)
}

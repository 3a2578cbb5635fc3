package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const getIngestionProgressDoc = `Says how far ingestion is: of document_ids, of an upload's batch_id, or of a whole knowledge base, where completed documents are only counted. Returns a summary and each document's status, percent, stage and error. summary.done: all have settled; needs_action: how many wait for a person. If not done, ask again after retry_after_seconds, or use wait_for_ingestion.`

type getIngestionProgressArgs struct {
	Vendor          string   `arg:"vendor"`
	KnowledgeBaseID string   `arg:"knowledge_base_id" required:"true"`
	DocumentIDs     []string `arg:"document_ids" min:"1" max:"1000"`
	BatchID         string   `arg:"batch_id"`
	Cursor          string   `arg:"cursor"`
}

func (in *getIngestionProgressArgs) request() connection.ProgressRequest {
	return connection.ProgressRequest{KnowledgeBaseID: in.KnowledgeBaseID, DocumentIDs: in.DocumentIDs, BatchID: in.BatchID, Cursor: in.Cursor}
}

func (in *getIngestionProgressArgs) conflicts() []problem { return asProblem(in.request().Check()) }

func (s *Set) getIngestionProgressTool() tool {
	return on(s, face{
		name: "get_ingestion_progress", title: "Get ingestion progress", doc: getIngestionProgressDoc,
		brief: "how far ingestion is: of up to 1,000 documents, of an upload batch (Dify), or of a whole knowledge base; with a suspicion where nothing moves",
		needs: connection.Can[vendors.Driver],
		also:  []string{"get_progress", "ingestion_progress", "progress", "get_status", "indexing_status", "get_ingestion_status"},
	}, getIngestionProgress)
}

func getIngestionProgress(ctx context.Context, c *connection.Connection, in getIngestionProgressArgs) (connection.ProgressResult, error) {
	return c.Progress(ctx, in.request())
}

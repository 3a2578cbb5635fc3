package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const getIngestionProgressDoc = `Says how far ingestion is (did my upload finish, what failed and why): for given document_ids (up to 1000, read in the platform's own batches), for one upload batch_id (Dify), or, with neither, for a whole knowledge base. Returns a summary with counts by status and ` + "`done`" + `, and per document status, percent, stage, estimate and error; for a whole knowledge base completed documents are only counted. done is true when everything has settled; needs_action counts documents that wait for a person, failed those that need a look. While done is false, ask again after retry_after_seconds, not sooner.`

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

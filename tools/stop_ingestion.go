package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const stopIngestionDoc = `Stops the ingestion of documents that are queued or processing, and reports for each: done, accepted, not_found or failed. They become cancelled; start_ingestion begins again. To remove them use delete_documents.`

func (s *Set) stopIngestionTool() tool {
	return on(s, face{
		name: "stop_ingestion", title: "Stop ingestion", doc: stopIngestionDoc,
		brief:  "stops it",
		effect: changes, needs: connection.Can[vendors.IngestionStopper],
	}, stopIngestion)
}

func stopIngestion(ctx context.Context, c *connection.Connection, in documentsArgs) (connection.OutcomeResult, error) {
	return c.StopIngestion(ctx, in.KnowledgeBaseID, in.DocumentIDs)
}

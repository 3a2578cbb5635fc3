package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const stopIngestionDoc = `Stops the ingestion of queued or processing documents and reports for each: done, accepted, not_found or failed. They become cancelled. To begin again use start_ingestion, to remove them delete_documents.`

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

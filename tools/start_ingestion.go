package tools

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const startIngestionDoc = `Asks the platform to ingest documents that are not_started, or failed ones again, and reports for each: done, accepted, not_found or failed. It deletes their existing chunks first. Most platforms start by themselves after an upload. Then use wait_for_ingestion.`

func (s *Set) startIngestionTool() tool {
	return on(s, face{
		name: "start_ingestion", title: "Start ingestion", doc: startIngestionDoc,
		brief:  "asks for ingestion, or for it once more",
		effect: adds, needs: connection.Can[vendors.IngestionStarter],
	}, startIngestion)
}

func startIngestion(ctx context.Context, c *connection.Connection, in documentsArgs) (connection.OutcomeResult, error) {
	return c.StartIngestion(ctx, in.KnowledgeBaseID, in.DocumentIDs)
}

package ragflow

import (
	"time"

	"kb-mcp/vendors"
)

// StallRule implements [vendors.Staller]. run, progress and the last line of
// work count as movement; update_time does not, it moves by itself, and neither
// do queue lines. A disabled document that was running stays so for ever.
func (d *Driver) StallRule() vendors.StallRule {
	return vendors.StallRule{
		Threshold:  15 * time.Minute,
		NextStep:   "Check that a RAGFlow task executor is running and not busy with other documents; then stop_ingestion and start_ingestion, if this server allows writes.",
		UpdatesLie: true,
	}
}

// UnfinishedFilters implements [vendors.UnfinishedFilter]. RAGFlow filters by
// run: running ones hold the queued ones.
func (d *Driver) UnfinishedFilters() []vendors.Status {
	return []vendors.Status{vendors.Failed, vendors.Processing, vendors.NotStarted, vendors.Cancelled}
}

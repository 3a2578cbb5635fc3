package dify

import (
	"time"

	"kb-mcp/vendors"
)

// StallRule implements [vendors.Staller]. A document that waits for minutes
// although nothing was begun is the mark of a self-hosted worker that does not
// consume the queue.
func (d *Driver) StallRule() vendors.StallRule {
	return vendors.StallRule{
		Threshold: 15 * time.Minute,
		NextStep: "On a self-hosted Dify check that a worker runs and consumes the queues dataset and priority_dataset, and look at its log; in the cloud look at the document in the Dify console. " +
			"One that was paused while it waited is shown as waiting. Uploading it again under the same name replaces it in place.",
	}
}

// UnfinishedFilters implements [vendors.UnfinishedFilter]: Dify filters by
// display status, and whatever is not in these is available, disabled or
// archived, which are all completed. A status that this version does not know
// is in none of them.
func (d *Driver) UnfinishedFilters() []vendors.Status {
	return []vendors.Status{vendors.Failed, vendors.Paused, vendors.Processing, vendors.Queued}
}

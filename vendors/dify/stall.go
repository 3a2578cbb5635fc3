package dify

import (
	"context"
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

// CountCompleted implements [vendors.CompletedCounter]: a completed document is
// available, disabled or archived. Servers before 1.10.1 filter by none of them.
func (d *Driver) CountCompleted(ctx context.Context, knowledgeBaseID string) (int, error) {
	sum := 0
	for _, display := range []string{"available", "disabled", "archived"} {
		query := paging(1, 1)
		query.Set("status", display)
		out, err := d.documents(ctx, knowledgeBaseID, query)
		if err != nil {
			return 0, err
		}
		total := out.Total.Count()
		if total == nil || !since(out.version, 1, 10, 1) {
			return 0, vendors.Errorf(vendors.Unsupported, "This Dify server does not filter documents by their status.")
		}
		sum += int(*total)
	}
	return sum, nil
}

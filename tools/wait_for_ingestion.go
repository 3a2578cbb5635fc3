package tools

import (
	"context"
	"fmt"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/tally"
)

const waitForIngestionDoc = `Waits until ingestion has settled or needs a person, at most timeout_seconds, and answers as get_ingestion_progress does. Use it after an upload instead of polling. A timeout is a normal answer: summary.done is false; call again after retry_after_seconds.`

type waitForIngestionArgs struct {
	Vendor          string   `arg:"vendor"`
	KnowledgeBaseID string   `arg:"knowledge_base_id" required:"true"`
	DocumentIDs     []string `arg:"document_ids" min:"1" max:"1000"`
	BatchID         string   `arg:"batch_id"`
	Cursor          string   `arg:"cursor"`
	TimeoutSeconds  int      `arg:"timeout_seconds" min:"1" max:"50" default:"25"`
}

func (in *waitForIngestionArgs) request() connection.ProgressRequest {
	return connection.ProgressRequest{KnowledgeBaseID: in.KnowledgeBaseID, DocumentIDs: in.DocumentIDs, BatchID: in.BatchID, Cursor: in.Cursor}
}

func (in *waitForIngestionArgs) conflicts() []problem { return asProblem(in.request().Check()) }

// Many clients give up after 30 s. An answer within a second of that may be lost
// although it was sent, so that none is given between these two.
const (
	patienceFrom = 28800 * time.Millisecond
	patienceTo   = 31200 * time.Millisecond
)

// A wait that would end in between ends before: its last look begins in time to
// be answered.
const (
	shortWait = 26 * time.Second
	shortCall = 28 * time.Second
)

// passPatience lets the time pass in which clients give up. The ones with the
// usual limit are gone then, and those with a longer one lose two seconds.
func passPatience(ctx context.Context, began time.Time) {
	waited := time.Since(began)
	if waited <= patienceFrom || waited >= patienceTo {
		return
	}
	t := time.NewTimer(patienceTo - waited)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (s *Set) waitForIngestionTool() tool {
	return on(s, face{
		name: "wait_for_ingestion", title: "Wait for ingestion", doc: waitForIngestionDoc,
		brief: "the same, once everything has settled, with progress notifications on the way; instead of forty polls",
		needs: connection.Can[vendors.Driver],
		also:  []string{"wait", "wait_for_document", "wait_for_upload", "watch"},
	}, waitForIngestion)
}

func waitForIngestion(ctx context.Context, c *connection.Connection, in waitForIngestionArgs) (connection.ProgressResult, error) {
	timeout := time.Duration(in.TimeoutSeconds) * time.Second
	if timeout < patienceTo {
		timeout = min(timeout, shortWait)
		short, cancel := context.WithTimeout(ctx, shortCall)
		defer cancel()
		ctx = short
	}
	defer passPatience(ctx, time.Now())
	return c.Wait(ctx, in.request(), timeout, func(sum tally.Summary) {
		settled := 0
		for status, n := range sum.ByStatus {
			if status.Settled() {
				settled += n
			}
		}
		text := fmt.Sprintf("%d of %d documents settled", settled, sum.Total)
		if sum.Failed > 0 {
			text += fmt.Sprintf(", %d failed", sum.Failed)
		}
		if sum.ProgressPercent != nil && !sum.Done {
			text += fmt.Sprintf(", %g%% on the whole", *sum.ProgressPercent)
		}
		tell(ctx, float64(settled), float64(sum.Total), text)
	})
}

package connection

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/tally"
)

// TestWaitKeepsItsTimeout: however long the platform takes, the answer comes in
// time; what is known then is the answer.
func TestWaitKeepsItsTimeout(t *testing.T) {
	for _, q := range []ProgressRequest{{DocumentIDs: []string{"a", "b", "a"}}, {}} {
		for _, each := range []time.Duration{time.Second, 4 * time.Second, 9 * time.Second, 20 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				k := &tardy{kiln: newKiln(until(time.Hour, vendors.Completed)), each: each}
				k.put(3)
				k.docs[1].Status = vendors.Processing
				q.KnowledgeBaseID = "kb"
				began := time.Now()
				got, err := New("v", "p", k).Wait(t.Context(), q, 10*time.Second, func(tally.Summary) {})
				if took := time.Since(began); err != nil || took > 10*time.Second || got.Summary.Done || got.RetryAfterSeconds == 0 {
					t.Errorf("%s a request: %+v after %s, %v", each, got, took, err)
				}
				if each < 10*time.Second != (got.Summary.Total > 0) {
					t.Errorf("%s a request: %+v", each, got)
				}
				if got.Summary.Total == 0 && (got.Hint == "" || !got.Truncated || len(got.Remaining) != min(len(q.DocumentIDs), 2)) {
					t.Errorf("%s a request: %+v", each, got)
				}
			})
		}
	}
}

// tardy is a kiln that takes its time for every request.
type tardy struct {
	*kiln
	each time.Duration
}

func (k *tardy) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	if !sleep(ctx, k.each) {
		return vendors.Page[vendors.Document]{}, &vendors.Error{Kind: vendors.Timeout, Message: "late"}
	}
	return k.kiln.ListDocuments(ctx, q)
}

func (k *tardy) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	if !sleep(ctx, k.each) {
		return vendors.Report{}, &vendors.Error{Kind: vendors.Timeout, Message: "late"}
	}
	return k.kiln.Progress(ctx, q)
}

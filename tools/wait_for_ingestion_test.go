package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
)

// kiln is a platform on which everything settles after some time, and which
// takes its time to say so.
type kiln struct {
	fake
	began          time.Time
	settles, takes time.Duration
	err            error // once it has settled
}

func (k *kiln) Progress(ctx context.Context, q vendors.ProgressQuery) (r vendors.Report, err error) {
	select {
	case <-time.After(k.takes):
	case <-ctx.Done():
		return r, &vendors.Error{Kind: vendors.Timeout, Message: "late", Err: ctx.Err()}
	}
	settled := time.Since(k.began) >= k.settles
	if settled && k.err != nil {
		return r, k.err
	}
	for _, id := range q.DocumentIDs {
		d := vendors.Document{DocumentID: id, Status: vendors.Processing}
		if settled {
			d.Status = vendors.Completed
		}
		r.Documents = append(r.Documents, d)
	}
	return r, nil
}

// TestNoAnswerWhenClientsGiveUp: whatever a wait was to take, however long the
// platform takes, and however it ends, its answer comes more than a second away
// from 30 s, and what was asked for within a few seconds.
func TestNoAnswerWhenClientsGiveUp(t *testing.T) {
	denied := &vendors.Error{Kind: vendors.Unauthenticated, Message: "No."}
	for timeout := 1; timeout <= 50; timeout++ {
		for _, takes := range []time.Duration{0, 700 * time.Millisecond, 2900 * time.Millisecond, 40 * time.Second} {
			for _, settles := range []time.Duration{0, 20 * time.Second, 26 * time.Second, 28 * time.Second, 29 * time.Second, 30 * time.Second, time.Hour} {
				for _, failure := range []error{nil, denied} {
					synctest.Test(t, func(t *testing.T) {
						began := time.Now()
						s := writeSet(&kiln{began: began, settles: settles, takes: takes, err: failure})
						a, _ := s.Call(t.Context(), "wait_for_ingestion", json.RawMessage(fmt.Sprintf(`{"knowledge_base_id":"kb","document_ids":["a"],"timeout_seconds":%d}`, timeout)))
						took := time.Since(began)
						if took >= 29*time.Second && took <= 31*time.Second || took > time.Duration(timeout)*time.Second+3500*time.Millisecond {
							t.Errorf("timeout %d s, settled after %s, looks take %s: answered after %s: %s", timeout, settles, takes, took, a.Text)
						}
					})
				}
			}
		}
	}
}

// TestACancelledWaitEnds also while it lets the moment pass.
func TestACancelledWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		s := writeSet(&kiln{began: began, settles: 29 * time.Second})
		s.Call(ctx, "wait_for_ingestion", json.RawMessage(`{"knowledge_base_id":"kb","document_ids":["a"],"timeout_seconds":50}`))
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("after %s", took)
		}
	})
}

func TestTheUsualWaitIsShorterThanClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a, _ := writeSet(&kiln{began: began, settles: time.Hour}).Call(t.Context(), "wait_for_ingestion", json.RawMessage(`{"knowledge_base_id":"kb","document_ids":["a"]}`))
		if took := time.Since(began); took < 20*time.Second || took > 28*time.Second || a.Failed || !bytes.Contains(a.Text, []byte(`"done":false`)) {
			t.Errorf("after %s: %s", took, a.Text)
		}
	})
}

package connection

import (
	"context"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/tally"
)

// Bounds of waiting.
const (
	young   = 10 * time.Second // a document this new may still be unknown to its platform
	waitMax = tally.PollMax * time.Second
	waitMin = tally.PollMin * time.Second
	// lookTime is kept back for the last look at least: one that took a
	// millisecond before may not on a machine with more to do.
	lookTime = 250 * time.Millisecond
)

// Wait polls documents until everything has settled, something needs a person,
// or timeout leaves no time for another look; the last is a normal answer with
// what is known. It never takes longer than timeout. report is called after
// every look. A refused credential or quota ends the wait with its error; a
// platform that is briefly unavailable does not.
func (c *Connection) Wait(ctx context.Context, q ProgressRequest, timeout time.Duration, report func(tally.Summary)) (ProgressResult, error) {
	began := time.Now()
	ctx, cancel := context.WithDeadline(ctx, began.Add(timeout))
	defer cancel()
	look, err := c.look(ctx, q)
	if err != nil {
		return ProgressResult{}, c.wrap(ctx, err)
	}
	last, err := look(ctx)
	if vendors.OutOfTime(err) && time.Since(began) >= timeout {
		return c.nothingYet(q), nil
	}
	if err != nil {
		return last, c.wrap(ctx, err)
	}
	took := time.Since(began) // how long a look takes
	report(last.Summary)
	needed := last.Summary.NeedsAction
	for pause := waitMin; ; pause = min(pause*3/2, waitMax) {
		left := timeout - max(took, lookTime) - time.Since(began) // until the last look must begin
		if over(last, needed, time.Since(began)) || left < max(waitMin, last.busy) {
			return last, nil
		}
		d := max(nextPause(last, pause), last.busy)
		if left-d < waitMin { // the last look comes as the time runs out
			d = left
		}
		if !sleep(ctx, d) {
			return last, nil
		}
		from := time.Now()
		now, err := look(ctx)
		took = time.Since(from)
		switch {
		case err == nil:
			last = now
		case !transient(err):
			return last, c.wrap(ctx, err)
		default:
			last.delay(err)
		}
		report(last.Summary)
	}
}

// nothingYet is the answer when the first look has taken all the time.
func (c *Connection) nothingYet(q ProgressRequest) ProgressResult {
	r := ProgressResult{
		Vendor: c.name, KnowledgeBaseID: q.KnowledgeBaseID, BatchID: q.BatchID, Documents: []Progress{},
		Summary: tally.Summary{ByStatus: map[vendors.Status]int{}}, RetryAfterSeconds: tally.PollDefault,
		Truncated: true,
		Hint:      "The time was over before the platform had answered; nothing is known yet. Wait longer, or ask for fewer documents.",
	}
	if ids := unique(q.DocumentIDs); len(ids) <= maxRemaining {
		r.Remaining = ids
	}
	return r
}

// over reports whether further waiting makes no sense.
func over(r ProgressResult, needed int, waited time.Duration) bool {
	if r.Summary.NeedsAction > needed {
		return true
	}
	return r.Summary.Done && (r.Summary.ByStatus[vendors.NotFound] == 0 || waited >= young)
}

// nextPause follows the platform's own estimate where it gives one, within
// bounds, and grows otherwise.
func nextPause(r ProgressResult, pause time.Duration) time.Duration {
	for _, d := range r.Documents {
		if d.ETASeconds != nil && *d.ETASeconds > 0 {
			return min(max(time.Duration(*d.ETASeconds)*time.Second/4, waitMin), waitMax)
		}
	}
	return pause
}

// transient reports whether an error may be gone at the next look.
func transient(err error) bool {
	k := vendors.KindOf(err)
	return k == vendors.RateLimited || k == vendors.Timeout || k == vendors.Unavailable || k == vendors.BadResponse
}

// sleep waits d; false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

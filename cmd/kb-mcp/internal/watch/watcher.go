// Package watch shows the progress of documents until they are ingested.
package watch

import (
	"context"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/tally"
)

// Bounds of watching.
const (
	leastPause  = 3 * time.Second  // the least between two looks at a platform
	lookTime    = 50 * time.Second // one look, with the waits for the rate limit in it
	maxIDs      = 1000             // documents in one look
	youngAge    = 10 * time.Second // a document this new may still be unknown to its platform
	maxFailures = 5                // looks in a row that a platform may fail
)

// Watcher looks at documents until everything has settled.
type Watcher struct {
	v       *connection.Connection
	kb      string
	given   []string // none: the whole knowledge base
	display Display

	// unsettledOnly shows what had settled before only at the end: a bar that
	// never moves is in the way.
	unsettledOnly bool

	began   time.Time
	known   map[string]connection.Progress
	order   []string // of known
	shown   map[string]bool
	pending []string      // not settled
	pause   time.Duration // before the next look

	whole  tally.Summary             // of the knowledge base, when it was last looked over
	listed map[string]vendors.Status // the documents that it listed
}

// New prepares to watch given documents, or a whole knowledge base when none are
// given.
func New(v *connection.Connection, kb string, given []string, d Display) *Watcher {
	_, terminal := d.(*bars)
	return &Watcher{
		v: v, kb: kb, given: given, display: d, unsettledOnly: terminal && len(given) == 0,
		known: map[string]connection.Progress{}, shown: map[string]bool{},
	}
}

// Watch ends when everything has settled, when ctx ends, or when a look fails in
// a way that will not pass.
func (w *Watcher) Watch(ctx context.Context) error {
	w.began, w.pending = time.Now(), unique(w.given)
	for {
		look, last := w.poll, len(w.given) > 0
		if len(w.pending) == 0 { // again at the end: more may have been uploaded
			look, last = w.survey, true
		}
		if err := w.retry(ctx, look); err != nil || last && len(w.pending) == 0 {
			return err
		}
		if !w.rest(ctx) {
			return ctx.Err()
		}
	}
}

// rest waits before the next look; false when ctx ended first.
func (w *Watcher) rest(ctx context.Context) bool {
	t := time.NewTimer(max(w.pause, leastPause))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retry calls look, and again while its failure may be temporary: forever if a
// rate limit says when, a few times if the platform is unavailable.
func (w *Watcher) retry(ctx context.Context, look func(context.Context) error) error {
	for away := 1; ; away++ {
		lctx, cancel := context.WithTimeout(ctx, lookTime)
		err := look(lctx)
		cancel()
		switch vendors.KindOf(err) {
		case vendors.RateLimited:
			away--
		case vendors.Timeout, vendors.Unavailable, vendors.BadResponse:
			if away == maxFailures {
				return err
			}
		default:
			return err // nil, too
		}
		w.pause = time.Duration(vendors.ReportOf(err).RetryAfterSeconds) * time.Second
		if !w.rest(ctx) {
			return ctx.Err()
		}
	}
}

// survey reads the whole knowledge base and learns what is not settled.
func (w *Watcher) survey(ctx context.Context) error {
	q := connection.ProgressRequest{KnowledgeBaseID: w.kb}
	var pending []string
	listed := map[string]vendors.Status{}
	sum := tally.Summary{ByStatus: map[vendors.Status]int{}}
	for covered := false; ; {
		r, err := w.v.Progress(ctx, q)
		if err != nil {
			return err
		}
		if !covered { // a summary without a mark covers everything, also what later pages list
			sum = merge(sum, r.Summary)
			covered = r.Summary.Scanned == nil
		}
		for _, p := range r.Documents {
			w.learn(p)
			listed[p.DocumentID] = p.Status
			if !p.Status.Settled() {
				pending = append(pending, p.DocumentID)
			}
		}
		w.pause = time.Duration(r.RetryAfterSeconds) * time.Second
		if q.Cursor = r.NextCursor; q.Cursor == "" {
			break
		}
	}
	w.whole, w.listed, w.pending = sum, listed, pending
	return nil
}

// merge adds the summary of a further part of a knowledge base.
func merge(a, b tally.Summary) tally.Summary {
	if b.Scanned == nil {
		return b
	}
	for status, n := range b.ByStatus {
		a.ByStatus[status] += n
	}
	a.Total += *b.Scanned
	return a
}

// poll reads what was not settled before. An id that the platform does not know
// stays pending while the document may be too new.
func (w *Watcher) poll(ctx context.Context) error {
	young := time.Since(w.began) < youngAge
	now := w.pending[:min(maxIDs, len(w.pending))]
	r, err := w.v.Progress(ctx, connection.ProgressRequest{KnowledgeBaseID: w.kb, DocumentIDs: now})
	if err != nil {
		return err
	}
	pending := slices.Clone(w.pending[len(now):])
	pending = append(pending, r.Remaining...)
	for _, p := range r.Documents {
		if p.Name == "" {
			p.Name = w.known[p.DocumentID].Name
		}
		w.learn(p)
		if !p.Status.Settled() || p.Status.IsMissing() && young {
			pending = append(pending, p.DocumentID)
		}
	}
	w.pending = pending
	w.pause = time.Duration(r.RetryAfterSeconds) * time.Second
	return nil
}

// learn remembers and shows the state of a document.
func (w *Watcher) learn(p connection.Progress) {
	if _, ok := w.known[p.DocumentID]; !ok {
		w.order = append(w.order, p.DocumentID)
	}
	w.known[p.DocumentID] = p
	if !w.shown[p.DocumentID] {
		if w.unsettledOnly && p.Status.Settled() {
			return
		}
		w.shown[p.DocumentID] = true
		w.display.Add(p.DocumentID, label(p))
	}
	w.display.Show(p)
}

// unique returns the ids once, in their order.
func unique(ids []string) []string {
	var list []string
	for _, id := range ids {
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// Package merge turns the questions of many callers about the progress of
// documents into one request.
package merge

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"kb-mcp/vendors"
)

// Hold waits for the right to one request before its content is known; the next
// request with the held context uses it. release gives an unused one back and
// must be called.
type Hold func(ctx context.Context) (held context.Context, release func(), err error)

// How long a request waits for company before it waits for its turn. With a
// quota of 10/s and 50 callers, 10 ms saves 6 requests of 18 and 25 ms one more.
// A caller alone waits the shorter time; a herd comes over some time, and
// each that brings something new extends it.
const (
	lingerAlone = 10 * time.Millisecond
	lingerHerd  = 25 * time.Millisecond  // since the newest came
	lingerMost  = 250 * time.Millisecond // since the first came
	// sweepAlone is how long a reading of the whole list is alone: a caller that
	// comes meanwhile goes with the next one.
	sweepAlone = time.Second
	// patience is how much more time than a request in flight a caller may have
	// and still join it: when the request times out, so does the caller.
	patience = 5 * time.Second
)

// Gatherer merges requests of many callers: documents of one knowledge base
// that are requested while a request for others waits for its turn go with it,
// and what is in flight already is not requested again. From 50 agents that
// poll 20 documents each, a platform with batches of 100 gets 10 requests
// instead of 50.
type Gatherer struct {
	driver  vendors.Driver
	hold    Hold
	changes func() uint64

	mu      sync.Mutex
	batches map[string]*batch // by knowledge base, as long as one has work
}

// New makes a Gatherer in front of d. Without [Gatherer.Share] each call is a
// request.
func New(d vendors.Driver) *Gatherer { return &Gatherer{driver: d, batches: map[string]*batch{}} }

// Share lets callers share requests, which hold paces. changes counts how often
// a change of the data began or ended: a caller does not join a request that left
// before the last one. It must come before the first call.
func (g *Gatherer) Share(hold Hold, changes func() uint64) { g.hold, g.changes = hold, changes }

// batch holds the items of one knowledge base.
type batch struct {
	kb      string
	items   []*item          // not on their way yet, oldest first
	byID    map[string]*item // these, and the newest of those on their way
	timer   *time.Timer
	since   time.Time // when the linger began
	herd    bool      // more than one caller has come since
	waiting int       // requests that wait for their turn, until unwanted ends
	running map[*request]bool
	began   time.Time // when the newest of them left

	unwanted context.Context // done when nothing is left to wait for
	stop     context.CancelFunc
}

// item is a document and the callers that wait for it.
type item struct {
	id      string
	callers []*caller
	by      *request // that it is in; nil while it waits
}

// request is a batch of items on its way. It ends with the last
// caller that waits for any.
type request struct {
	items   []*item
	ctx     context.Context
	cancel  context.CancelFunc
	changes uint64 // when it left
}

// caller is one call of Progress.
type caller struct {
	ctx      context.Context
	open     map[string]bool // ids without an answer; nil when the caller has left
	report   vendors.Report
	err      error
	answered chan struct{}
}

// Progress reads documents and waits for all of them. Along with an error it
// returns what was answered before.
func (g *Gatherer) Progress(ctx context.Context, kb string, ids []string) (vendors.Report, error) {
	if g.hold == nil || len(ids) == 0 {
		return g.driver.Progress(ctx, vendors.ProgressQuery{KnowledgeBaseID: kb, DocumentIDs: ids})
	}
	a := g.join(ctx, kb, ids)
	select {
	case <-a.answered:
	case <-ctx.Done():
		g.leave(kb, a)
	}
	return a.report, a.err
}

// join adds a caller's items to those of the others.
func (g *Gatherer) join(ctx context.Context, kb string, ids []string) *caller {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := &caller{ctx: ctx, open: make(map[string]bool, len(ids)), answered: make(chan struct{})}
	b := g.batches[kb]
	if b == nil {
		b = &batch{kb: kb, byID: map[string]*item{}, running: map[*request]bool{}}
		b.unwanted, b.stop = context.WithCancel(context.Background())
		g.batches[kb] = b
	}
	before := len(b.items)
	for _, id := range ids {
		a.open[id] = true
		w := b.byID[id]
		if w == nil || w.by != nil && (!a.mayJoin(w.by) || w.by.changes != g.changes()) {
			w = &item{id: id}
			b.byID[id], b.items = w, append(b.items, w)
		}
		w.callers = append(w.callers, a)
	}
	b.herd = b.herd || before > 0
	g.schedule(b)
	return a
}

// mayJoin reports whether a caller may share a request.
func (a *caller) mayJoin(r *request) bool {
	until, bounded := r.ctx.Deadline()
	mine, ok := a.ctx.Deadline()
	return r.ctx.Err() == nil && (!bounded || ok && mine.Before(until.Add(patience)))
}

// outlives reports whether the wait for a turn with ctx ran out of time that a
// caller still has: the callers it was for have left or had less time, and this
// one came while it ended.
func (a *caller) outlives(ctx context.Context, err error) bool {
	if errors.Is(ctx.Err(), context.Canceled) {
		return a.ctx.Err() == nil
	}
	until, bounded := ctx.Deadline()
	mine, ok := a.ctx.Deadline()
	return bounded && (!ok || mine.After(until)) && (ctx.Err() != nil || vendors.KindOf(err) == vendors.RateLimited)
}

// leave withdraws the items of a caller whose time is over. What it has got so
// far is its answer.
func (g *Gatherer) leave(kb string, a *caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(a.open) == 0 {
		return // answered at the same moment
	}
	a.open = nil
	a.err = vendors.Errorf(vendors.Timeout, "The call ended before the platform had answered for every document.")
	b := g.batches[kb]
	if b == nil {
		return
	}
	before := len(b.items)
	b.items = slices.DeleteFunc(b.items, func(w *item) bool {
		if w.wanted() {
			return false
		}
		delete(b.byID, w.id)
		return true
	})
	if before > len(b.items) { // it was the limit that left no time
		a.err = &vendors.Error{Kind: vendors.RateLimited, Retry: vendors.Later, After: time.Second,
			Message: "This connection's own rate limit had no free request before the call had to end."}
	}
	for r := range b.running {
		if !slices.ContainsFunc(r.items, (*item).wanted) {
			r.cancel()
		}
	}
	g.endIdle(b)
}

// wanted reports whether anybody still waits for an item.
func (w *item) wanted() bool {
	return slices.ContainsFunc(w.callers, func(a *caller) bool { return a.open[w.id] })
}

// endIdle ends requests that no caller waits for.
func (g *Gatherer) endIdle(b *batch) {
	if len(b.items) > 0 {
		return
	}
	b.stop()
	b.since, b.herd = time.Time{}, false
	if b.timer != nil {
		b.timer.Stop()
	}
	if len(b.running) == 0 && b.waiting == 0 {
		g.drop(b)
		return
	}
	b.unwanted, b.stop = context.WithCancel(context.Background())
}

// drop forgets a batch, unless another one has replaced it already.
func (g *Gatherer) drop(b *batch) {
	if g.batches[b.kb] == b {
		delete(g.batches, b.kb)
	}
}

// size is how many documents one request takes, 0 for any number.
func (g *Gatherer) size() int {
	if d, ok := g.driver.(vendors.Batcher); ok {
		return d.Batch()
	}
	return 0
}

// needed is how many requests so many items take, the last one not full.
func needed(items, size int) int {
	if size == 0 {
		return min(items, 1)
	}
	return (items + size - 1) / size
}

// schedule sends a request for what is pending after the linger, also for a
// full batch: other callers may want the same documents.
func (g *Gatherer) schedule(b *batch) {
	size := g.size()
	if b.waiting >= needed(len(b.items), size) {
		return // the request that waits for its turn takes it along
	}
	if b.since.IsZero() {
		b.since = time.Now()
	}
	wait := lingerAlone
	if b.herd {
		wait = min(lingerHerd, time.Until(b.since.Add(lingerMost)))
	}
	if size == 0 && len(b.running) > 0 {
		wait = max(wait, time.Until(b.began.Add(sweepAlone)))
	}
	if b.timer != nil {
		b.timer.Stop()
	}
	b.timer = time.AfterFunc(wait, func() { g.lingered(b) })
}

// lingered sends a request for what has waited long enough.
func (g *Gatherer) lingered(b *batch) {
	defer g.recoverPanic(b)
	g.mu.Lock()
	defer g.mu.Unlock()
	b.since, b.herd = time.Time{}, false
	for b.waiting < needed(len(b.items), g.size()) {
		g.send(b)
	}
}

// send starts a request for some of the items. Which ones is decided when it
// has its turn.
func (g *Gatherer) send(b *batch) {
	ctx, cancel := jointContext(b.items[0].callers[0].ctx, callersOf(b.items))
	forget := context.AfterFunc(b.unwanted, cancel)
	b.waiting++
	go func() { // ends with the callers that wait for it
		defer g.recoverPanic(b)
		defer cancel()
		held, release, err := g.hold(ctx)
		forget()
		if err != nil {
			items, callers := g.abandon(b, func(a *caller) bool { return a.outlives(ctx, err) })
			g.deliver(items, vendors.Report{}, err, callers)
			return
		}
		defer release()
		if r := g.start(b, held); r != nil {
			defer r.cancel()
			g.request(b, r)
			g.finished(b, r)
		}
	}()
}

// Waiting is how many knowledge bases have callers or requests now.
func (g *Gatherer) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.batches)
}

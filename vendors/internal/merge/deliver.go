package merge

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"kb-mcp/vendors"
)

// jointContext returns a context with the values of one caller and the latest
// deadline of all. No single caller can end it.
func jointContext(values context.Context, callers []*caller) (context.Context, context.CancelFunc) {
	var latest time.Time
	for _, a := range callers {
		until, ok := a.ctx.Deadline()
		if !ok {
			return context.WithCancel(context.WithoutCancel(values))
		}
		if until.After(latest) {
			latest = until
		}
	}
	return context.WithDeadline(context.WithoutCancel(values), latest)
}

// abandon removes the items for which a request got no turn: those that the
// other waiting requests have no room for. Their callers get the error; for
// callers that have more time another request waits.
func (g *Gatherer) abandon(b *batch, hasTime func(*caller) bool) (taken []*item, failed []*caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b.waiting--
	keep := min(len(b.items), b.waiting*g.size())
	if g.size() == 0 && b.waiting > 0 {
		keep = len(b.items)
	}
	taken = slices.Clone(b.items[keep:])
	failed = slices.DeleteFunc(callersOf(taken), hasTime)
	waits := func(w *item) bool { return slices.ContainsFunc(w.callers, hasTime) }
	b.items = append(b.items[:keep], slices.DeleteFunc(slices.Clone(taken), func(w *item) bool { return !waits(w) })...)
	for _, w := range taken {
		if !waits(w) {
			delete(b.byID, w.id)
		}
	}
	if g.endIdle(b); len(b.items) > 0 {
		g.schedule(b)
	}
	return taken, failed
}

// start makes the request that has its turn, for the oldest items; nil when
// none are left.
func (g *Gatherer) start(b *batch, held context.Context) *request {
	g.mu.Lock()
	defer g.mu.Unlock()
	b.waiting--
	n := len(b.items)
	if size := g.size(); size > 0 {
		n = min(n, size)
	}
	var r *request
	if n > 0 {
		r = &request{items: slices.Clone(b.items[:n]), changes: g.changes()}
		r.ctx, r.cancel = jointContext(held, callersOf(r.items))
		for _, w := range r.items {
			w.by = r
		}
		b.running[r], b.began = true, time.Now()
		b.items = slices.Delete(b.items, 0, n)
	}
	g.endIdle(b)
	return r
}

// finished is the end of a request; what came in the meantime may go now.
func (g *Gatherer) finished(b *batch, r *request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(b.running, r)
	if g.endIdle(b); len(b.items) > 0 {
		g.schedule(b)
	}
}

// request reads the documents of a request.
func (g *Gatherer) request(b *batch, r *request) {
	rep, err := g.fetch(r.ctx, b, r.items)
	callers := g.seal(b, r)
	if err == nil || len(callers) == 1 || !aboutArguments(err) {
		g.deliver(r.items, rep, err, callers)
		return
	}
	// The documents of one caller can be the reason. Each caller then gets a
	// request and an error of its own.
	g.deliver(r.items, rep, err, nil)
	for _, a := range callers {
		if mine := g.unanswered(r.items, a); len(mine) > 0 {
			rep, err := g.fetch(r.ctx, b, mine)
			g.deliver(mine, rep, err, []*caller{a})
		}
	}
}

// seal closes a request to further callers, and returns those that have joined.
func (g *Gatherer) seal(b *batch, r *request) []*caller {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range r.items {
		if b.byID[w.id] == w {
			delete(b.byID, w.id)
		}
	}
	return callersOf(r.items)
}

// recoverPanic recovers from a panic of a goroutine that no handler is above.
// Every caller that waits for the batch gets an error, and the next caller
// begins a new one.
func (g *Gatherer) recoverPanic(b *batch) {
	r := recover()
	if r == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	items := slices.Clone(b.items)
	for r := range b.running {
		items = append(items, r.items...)
		r.cancel()
	}
	for _, a := range callersOf(items) {
		if len(a.open) > 0 {
			a.open, a.err = nil, panicked(r)
			close(a.answered)
		}
	}
	if b.stop(); b.timer != nil {
		b.timer.Stop()
	}
	b.items = nil // the requests that still wait for their turn find nothing to do
	g.drop(b)
}

// panicked is the error of a goroutine that panicked.
func panicked(r any) *vendors.Error {
	return &vendors.Error{Kind: vendors.Internal, Message: "kb-mcp failed while it read the platform's answer.",
		Err: fmt.Errorf("panic: %v\n%s", r, debug.Stack())}
}

// fetch makes the request.
func (g *Gatherer) fetch(ctx context.Context, b *batch, items []*item) (rep vendors.Report, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
	}()
	ids := make([]string, len(items))
	for i, w := range items {
		ids[i] = w.id
	}
	return g.driver.Progress(ctx, vendors.ProgressQuery{KnowledgeBaseID: b.kb, DocumentIDs: ids})
}

// aboutArguments reports whether an error may be due to the request's
// arguments, and not to the platform's state or the credential.
func aboutArguments(err error) bool {
	switch vendors.KindOf(err) {
	case vendors.InvalidArgument, vendors.ErrNotFound, vendors.PermissionDenied, vendors.Conflict, vendors.Unsupported, vendors.VendorError:
		return true
	}
	return false
}

// callersOf lists the callers of items, each once.
func callersOf(items []*item) []*caller {
	var list []*caller
	seen := map[*caller]bool{}
	for _, w := range items {
		for _, a := range w.callers {
			if !seen[a] {
				seen[a] = true
				list = append(list, a)
			}
		}
	}
	return list
}

// unanswered returns the items that a caller still waits for.
func (g *Gatherer) unanswered(items []*item, a *caller) []*item {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []*item
	for _, w := range items {
		if a.open[w.id] {
			list = append(list, w)
		}
	}
	return list
}

// deliver gives every caller its documents of a report. A document that is not
// in the report is unknown, or err for the blamed callers.
func (g *Gatherer) deliver(items []*item, rep vendors.Report, err error, blamed []*caller) {
	docs := make(map[string]vendors.Document, len(rep.Documents))
	for _, d := range rep.Documents {
		docs[d.DocumentID] = d
	}
	missing := make(map[string]bool, len(rep.Missing))
	for _, id := range rep.Missing {
		missing[id] = true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range items {
		d, known := docs[w.id]
		for _, a := range w.callers {
			switch {
			case !a.open[w.id]:
				continue
			case known:
				a.report.Documents = append(a.report.Documents, d)
			case missing[w.id] || err == nil:
				a.report.Missing = append(a.report.Missing, w.id)
			case slices.Contains(blamed, a):
				a.err = err
			default:
				continue
			}
			if delete(a.open, w.id); len(a.open) == 0 {
				close(a.answered)
			}
		}
	}
}

package merge

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"kb-mcp/vendors"
)

// together is a context with the values of one caller and the latest deadline of
// all, which none of them can end alone.
func together(values context.Context, asks []*ask) (context.Context, context.CancelFunc) {
	var latest time.Time
	for _, a := range asks {
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

// helpless takes the wishes for which a request got no turn: those that the
// others waiting for theirs cannot take. The callers who wish for them are told
// so; for those who have more time another request waits.
func (g *Gatherer) helpless(p *pool, hasTime func(*ask) bool) (taken []*wish, told []*ask) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.waiting--
	keep := min(len(p.wishes), p.waiting*g.batch())
	if g.batch() == 0 && p.waiting > 0 {
		keep = len(p.wishes)
	}
	taken = slices.Clone(p.wishes[keep:])
	told = slices.DeleteFunc(askers(taken), hasTime)
	waits := func(w *wish) bool { return slices.ContainsFunc(w.asks, hasTime) }
	p.wishes = append(p.wishes[:keep], slices.DeleteFunc(slices.Clone(taken), func(w *wish) bool { return !waits(w) })...)
	for _, w := range taken {
		if !waits(w) {
			delete(p.byID, w.id)
		}
	}
	if g.tidy(p); len(p.wishes) > 0 {
		g.schedule(p)
	}
	return taken, told
}

// take makes the request that has its turn of the oldest wishes; nil when none
// are left.
func (g *Gatherer) take(p *pool, held context.Context) *request {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.waiting--
	n := len(p.wishes)
	if batch := g.batch(); batch > 0 {
		n = min(n, batch)
	}
	var r *request
	if n > 0 {
		r = &request{wishes: slices.Clone(p.wishes[:n]), changes: g.changes()}
		r.ctx, r.cancel = together(held, askers(r.wishes))
		for _, w := range r.wishes {
			w.by = r
		}
		p.running[r], p.began = true, time.Now()
		p.wishes = slices.Delete(p.wishes, 0, n)
	}
	g.tidy(p)
	return r
}

// over is the end of a request; what came meanwhile may go now.
func (g *Gatherer) over(p *pool, r *request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(p.running, r)
	if g.tidy(p); len(p.wishes) > 0 {
		g.schedule(p)
	}
}

// request asks for a batch.
func (g *Gatherer) request(p *pool, r *request) {
	rep, err := g.ask(r.ctx, p, r.wishes)
	asks := g.closed(p, r)
	if err == nil || len(asks) == 1 || !personal(err) {
		g.deal(r.wishes, rep, err, asks)
		return
	}
	// What one caller asks for can be the reason. Each is asked for alone then,
	// and hears an error of its own.
	g.deal(r.wishes, rep, err, nil)
	for _, a := range asks {
		if mine := g.unanswered(r.wishes, a); len(mine) > 0 {
			rep, err := g.ask(r.ctx, p, mine)
			g.deal(mine, rep, err, []*ask{a})
		}
	}
}

// closed lets nobody else join a request, and says who has.
func (g *Gatherer) closed(p *pool, r *request) []*ask {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range r.wishes {
		if p.byID[w.id] == w {
			delete(p.byID, w.id)
		}
	}
	return askers(r.wishes)
}

// survive ends a goroutine that panics, which no handler would: everybody who
// waits in the pool hears of it, and the next caller begins a new one.
func (g *Gatherer) survive(p *pool) {
	r := recover()
	if r == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	wishes := slices.Clone(p.wishes)
	for r := range p.running {
		wishes = append(wishes, r.wishes...)
		r.cancel()
	}
	for _, a := range askers(wishes) {
		if len(a.open) > 0 {
			a.open, a.err = nil, panicked(r)
			close(a.answered)
		}
	}
	if p.stop(); p.timer != nil {
		p.timer.Stop()
	}
	p.wishes = nil // the requests that still wait for their turn find nothing to do
	g.drop(p)
}

// panicked is the error of a goroutine that panicked.
func panicked(r any) *vendors.Error {
	return &vendors.Error{Kind: vendors.Internal, Message: "kb-mcp failed while it read the platform's answer.",
		Err: fmt.Errorf("panic: %v\n%s", r, debug.Stack())}
}

// ask makes the request. No handler is above its goroutine to recover.
func (g *Gatherer) ask(ctx context.Context, p *pool, wishes []*wish) (rep vendors.Report, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
	}()
	ids := make([]string, len(wishes))
	for i, w := range wishes {
		ids[i] = w.id
	}
	return g.driver.Progress(ctx, vendors.ProgressQuery{KnowledgeBaseID: p.kb, DocumentIDs: ids})
}

// personal reports whether an error may be due to what was asked for, and not to
// the platform's state or the credential.
func personal(err error) bool {
	switch vendors.KindOf(err) {
	case vendors.InvalidArgument, vendors.ErrNotFound, vendors.PermissionDenied, vendors.Conflict, vendors.Unsupported, vendors.VendorError:
		return true
	}
	return false
}

// askers lists who wishes something.
func askers(wishes []*wish) []*ask {
	var list []*ask
	seen := map[*ask]bool{}
	for _, w := range wishes {
		for _, a := range w.asks {
			if !seen[a] {
				seen[a] = true
				list = append(list, a)
			}
		}
	}
	return list
}

// unanswered is what a still waits for.
func (g *Gatherer) unanswered(wishes []*wish, a *ask) []*wish {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []*wish
	for _, w := range wishes {
		if a.open[w.id] {
			list = append(list, w)
		}
	}
	return list
}

// deal hands out a report: to everybody what it tells of his documents, and what
// it does not tell to everybody as unknown, or to the blamed as the error.
func (g *Gatherer) deal(wishes []*wish, rep vendors.Report, err error, blamed []*ask) {
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
	for _, w := range wishes {
		d, known := docs[w.id]
		for _, a := range w.asks {
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

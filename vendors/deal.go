package vendors

import (
	"context"
	"slices"
	"time"
)

// together is a context with the values of one caller and the latest deadline of
// all who wish something. None of them can end it alone.
func together(values context.Context, wishes []*wish) (context.Context, context.CancelFunc) {
	var latest time.Time
	for _, w := range wishes {
		for _, a := range w.asks {
			until, ok := a.ctx.Deadline()
			if !ok {
				return context.WithCancel(context.WithoutCancel(values))
			}
			if until.After(latest) {
				latest = until
			}
		}
	}
	return context.WithDeadline(context.WithoutCancel(values), latest)
}

// take gives a request that has its turn the oldest wishes, and one that gets no
// turn those that the others waiting for theirs cannot help.
func (g *gatherer) take(p *pool, granted bool) []*wish {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.waiting--
	from, to := 0, len(p.wishes)
	batch := g.batch()
	switch {
	case granted:
		p.running++
		p.began = time.Now()
		if batch > 0 {
			to = min(to, batch)
		}
	case batch > 0:
		from = min(to, p.waiting*batch)
	case p.waiting > 0:
		from = to
	}
	taken := slices.Clone(p.wishes[from:to])
	p.wishes = slices.Delete(p.wishes, from, to)
	g.tidy(p)
	return taken
}

// over is the end of a request; what came meanwhile may go now.
func (g *gatherer) over(p *pool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.running--
	if g.tidy(p); len(p.wishes) > 0 {
		g.schedule(p)
	}
}

// request asks for a batch of wishes as long as anybody wants it.
func (g *gatherer) request(held context.Context, p *pool, wishes []*wish) {
	ctx, cancel := together(held, wishes)
	defer cancel()
	asks := askers(wishes)
	for _, a := range asks {
		defer context.AfterFunc(a.ctx, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			if !slices.ContainsFunc(wishes, (*wish).wanted) {
				cancel()
			}
		})()
	}
	rep, err := g.ask(ctx, p, wishes)
	if err == nil || len(asks) == 1 || !personal(err) {
		g.deal(wishes, rep, err, asks)
		return
	}
	// What one caller asks for can be the reason. Each is asked for alone then,
	// and hears an error of its own.
	g.deal(wishes, rep, err, nil)
	for _, a := range asks {
		if mine := g.unanswered(wishes, a); len(mine) > 0 {
			rep, err := g.ask(ctx, p, mine)
			g.deal(mine, rep, err, []*ask{a})
		}
	}
}

// ask makes the request.
func (g *gatherer) ask(ctx context.Context, p *pool, wishes []*wish) (Report, error) {
	ids := make([]string, len(wishes))
	for i, w := range wishes {
		ids[i] = w.id
	}
	return g.driver.Progress(ctx, ProgressQuery{KnowledgeBaseID: p.kb, DocumentIDs: ids})
}

// personal reports whether an error may be due to what was asked for, and not to
// the platform's state or the credential.
func personal(err error) bool {
	switch KindOf(err) {
	case InvalidArgument, ErrNotFound, PermissionDenied, Conflict, Unsupported, VendorError:
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
func (g *gatherer) unanswered(wishes []*wish, a *ask) []*wish {
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
func (g *gatherer) deal(wishes []*wish, rep Report, err error, blamed []*ask) {
	docs := make(map[string]Document, len(rep.Documents))
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

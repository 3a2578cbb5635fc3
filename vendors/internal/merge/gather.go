package merge

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"kb-mcp/vendors"
)

// Hold waits for the right to one request before it is known for what; the
// next request with the held context uses it. release gives an unused one back
// and must be called.
type Hold func(ctx context.Context) (held context.Context, release func(), err error)

// How long a request waits for company before it waits for its turn. With a
// quota of 10/s and 50 callers, 10 ms saved 6 requests of 18 and 25 ms one more
// (performance.md, section 1). One caller alone waits the shorter time; a herd
// comes over some time, and each who brings something new extends it.
const (
	lingerAlone = 10 * time.Millisecond
	lingerHerd  = 25 * time.Millisecond  // since the newest came
	lingerMost  = 250 * time.Millisecond // since the first came
	// sweepAlone is how long a reading of the whole list is alone: who comes
	// meanwhile goes with the next one.
	sweepAlone = time.Second
	// patience is how much longer than a request on its way a caller may have
	// time to join it: its end could be the caller's.
	patience = 5 * time.Second
)

// gatherer makes one request of what many callers ask: documents of one knowledge
// base that are asked for while a request for others waits for its turn go with
// it, and what is on its way already is not asked for again. Of 50 agents who
// poll 20 documents each, a platform with batches of 100 gets 10 requests
// instead of 50.
type Gatherer struct {
	driver  vendors.Driver
	hold    Hold
	changes func() uint64

	mu    sync.Mutex
	Pools map[string]*pool // by knowledge base, as long as one has work
}

func New(d vendors.Driver) *Gatherer { return &Gatherer{driver: d, Pools: map[string]*pool{}} }

// share lets callers share requests; before, each call is a request.
func (g *Gatherer) Share(hold Hold, changes func() uint64) { g.hold, g.changes = hold, changes }

// pool is what callers ask of one knowledge base.
type pool struct {
	kb      string
	wishes  []*wish          // not on their way yet, oldest first
	byID    map[string]*wish // these, and the newest of those on their way
	timer   *time.Timer
	since   time.Time // when the linger began
	herd    bool      // more than one caller has come since
	waiting int       // requests that wait for their turn, until needless ends
	running map[*request]bool
	began   time.Time // when the newest of them left

	needless context.Context // done when nothing is left to wait for
	stop     context.CancelFunc
}

// wish is a document and who wants to know of it.
type wish struct {
	id   string
	asks []*ask
	by   *request // that asks for it; nil while it waits
}

// request is a batch of wishes on its way. It ends with the last who wants any.
type request struct {
	wishes  []*wish
	ctx     context.Context
	cancel  context.CancelFunc
	changes uint64 // when it left
}

// ask is one caller's question.
type ask struct {
	ctx      context.Context
	open     map[string]bool // ids without an answer; nil when the caller has left
	report   vendors.Report
	err      error
	answered chan struct{}
}

// progress asks for documents and waits for all of them. With an error comes
// what was answered before it.
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

// join adds a caller's wishes to those of the others.
func (g *Gatherer) join(ctx context.Context, kb string, ids []string) *ask {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := &ask{ctx: ctx, open: make(map[string]bool, len(ids)), answered: make(chan struct{})}
	p := g.Pools[kb]
	if p == nil {
		p = &pool{kb: kb, byID: map[string]*wish{}, running: map[*request]bool{}}
		p.needless, p.stop = context.WithCancel(context.Background())
		g.Pools[kb] = p
	}
	before := len(p.wishes)
	for _, id := range ids {
		a.open[id] = true
		w := p.byID[id]
		if w == nil || w.by != nil && (!a.fits(w.by) || w.by.changes != g.changes()) {
			w = &wish{id: id}
			p.byID[id], p.wishes = w, append(p.wishes, w)
		}
		w.asks = append(w.asks, a)
	}
	p.herd = p.herd || before > 0
	g.schedule(p)
	return a
}

// fits reports whether a caller may share a request.
func (a *ask) fits(r *request) bool {
	until, bounded := r.ctx.Deadline()
	mine, ok := a.ctx.Deadline()
	return r.ctx.Err() == nil && (!bounded || ok && mine.Before(until.Add(patience)))
}

// outlives reports whether the wait for a turn with ctx has failed for want of
// time that a caller has: everybody it was for has left or had less, and the
// caller came while it ended.
func (a *ask) outlives(ctx context.Context, err error) bool {
	if errors.Is(ctx.Err(), context.Canceled) {
		return a.ctx.Err() == nil
	}
	until, bounded := ctx.Deadline()
	mine, ok := a.ctx.Deadline()
	return bounded && (!ok || mine.After(until)) && (ctx.Err() != nil || vendors.KindOf(err) == vendors.RateLimited)
}

// leave takes back the wishes of a caller whose time is over. What it has got so
// far is its answer.
func (g *Gatherer) leave(kb string, a *ask) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(a.open) == 0 {
		return // answered at the same moment
	}
	a.open = nil
	a.err = vendors.Errorf(vendors.Timeout, "The call ended before the platform had answered for every document.")
	p := g.Pools[kb]
	if p == nil {
		return
	}
	before := len(p.wishes)
	p.wishes = slices.DeleteFunc(p.wishes, func(w *wish) bool {
		if w.wanted() {
			return false
		}
		delete(p.byID, w.id)
		return true
	})
	if before > len(p.wishes) { // it was the limit that left no time
		a.err = &vendors.Error{Kind: vendors.RateLimited, Retry: vendors.Later, After: time.Second,
			Message: "This connection's own rate limit had no free request before the call had to end."}
	}
	for r := range p.running {
		if !slices.ContainsFunc(r.wishes, (*wish).wanted) {
			r.cancel()
		}
	}
	g.tidy(p)
}

// wanted reports whether anybody still waits for a wish.
func (w *wish) wanted() bool {
	return slices.ContainsFunc(w.asks, func(a *ask) bool { return a.open[w.id] })
}

// tidy ends what nobody waits for.
func (g *Gatherer) tidy(p *pool) {
	if len(p.wishes) > 0 {
		return
	}
	p.stop()
	p.since, p.herd = time.Time{}, false
	if p.timer != nil {
		p.timer.Stop()
	}
	if len(p.running) == 0 && p.waiting == 0 {
		g.drop(p)
		return
	}
	p.needless, p.stop = context.WithCancel(context.Background())
}

// drop forgets a pool; another one may have its place already.
func (g *Gatherer) drop(p *pool) {
	if g.Pools[p.kb] == p {
		delete(g.Pools, p.kb)
	}
}

// batch is how many documents one request takes, 0 for any number.
func (g *Gatherer) batch() int {
	if b, ok := g.driver.(vendors.Batcher); ok {
		return b.Batch()
	}
	return 0
}

// needed is how many requests so many wishes take, the last one not full.
func needed(wishes, batch int) int {
	if batch == 0 {
		return min(wishes, 1)
	}
	return (wishes + batch - 1) / batch
}

// schedule sends for what is pending after the linger, full batches too: others
// may want the same.
func (g *Gatherer) schedule(p *pool) {
	batch := g.batch()
	if p.waiting >= needed(len(p.wishes), batch) {
		return // whoever waits for its turn takes it along
	}
	if p.since.IsZero() {
		p.since = time.Now()
	}
	wait := lingerAlone
	if p.herd {
		wait = min(lingerHerd, time.Until(p.since.Add(lingerMost)))
	}
	if batch == 0 && len(p.running) > 0 {
		wait = max(wait, time.Until(p.began.Add(sweepAlone)))
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	p.timer = time.AfterFunc(wait, func() { g.lingered(p) })
}

// lingered sends for what has waited long enough.
func (g *Gatherer) lingered(p *pool) {
	defer g.survive(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	p.since, p.herd = time.Time{}, false
	for p.waiting < needed(len(p.wishes), g.batch()) {
		g.send(p)
	}
}

// send starts a request for some of the wishes; which, is decided when it has
// its turn.
func (g *Gatherer) send(p *pool) {
	ctx, cancel := together(p.wishes[0].asks[0].ctx, askers(p.wishes))
	forget := context.AfterFunc(p.needless, cancel)
	p.waiting++
	go func() { // it ends with those who wait for it
		defer g.survive(p)
		defer cancel()
		held, release, err := g.hold(ctx)
		forget()
		if err != nil {
			wishes, asks := g.helpless(p, func(a *ask) bool { return a.outlives(ctx, err) })
			g.deal(wishes, vendors.Report{}, err, asks)
			return
		}
		defer release()
		if r := g.take(p, held); r != nil {
			defer r.cancel()
			g.request(p, r)
			g.over(p, r)
		}
	}()
}

package vendors

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Hold waits for the right to one request before it is known for what; the
// next request with the held context uses it. release gives an unused one back
// and must be called.
type Hold func(ctx context.Context) (held context.Context, release func(), err error)

// Batcher is a driver whose platform tells the progress of some documents in one
// request. Other drivers are asked for all documents at once: they read a
// listing, or do not know yet what their server can do.
type Batcher interface {
	// Batch is how many documents, 0 for any number.
	Batch() int
}

// How long a request waits for company before it waits for its turn. With a
// quota of 10/s and 50 callers, 10 ms saved 6 requests of 18 and 25 ms one more
// (performance.md, section 1). A herd comes over some time: each caller who
// brings something new extends it.
const (
	linger     = 10 * time.Millisecond  // since the newest came
	lingerMost = 100 * time.Millisecond // since the oldest came
	// sweepAlone is how long a reading of the whole list is alone: who comes
	// meanwhile goes with the next one.
	sweepAlone = time.Second
)

// gatherer makes one request of what many callers ask: the progress of different
// documents of one knowledge base, asked for while a request waits for its turn,
// goes with it. Of 50 agents who poll 20 documents each, a platform with batches
// of 100 gets 10 requests instead of 50.
type gatherer struct {
	driver Driver
	hold   Hold

	mu    sync.Mutex
	pools map[string]*pool // by knowledge base, as long as one has work
}

// pool is what callers ask of one knowledge base.
type pool struct {
	kb      string
	wishes  []*wish // not on their way yet, oldest first
	timer   *time.Timer
	oldest  time.Time // when the linger began; zero: it does not
	waiting int       // requests that wait for their turn, until needless ends
	running int       // requests on their way
	began   time.Time // the newest of them

	needless context.Context // done when nothing is left to wait for
	stop     context.CancelFunc
}

// wish is a document and who wants to know of it.
type wish struct {
	id   string
	asks []*ask
}

// ask is one caller's question.
type ask struct {
	ctx      context.Context
	open     map[string]bool // ids without an answer; nil when the caller has left
	report   Report
	err      error
	answered chan struct{}
}

// progress asks for documents and waits for all of them. With an error comes
// what was answered before it.
func (g *gatherer) progress(ctx context.Context, kb string, ids []string) (Report, error) {
	if g.hold == nil || len(ids) == 0 {
		return g.driver.Progress(ctx, ProgressQuery{KnowledgeBaseID: kb, DocumentIDs: ids})
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
func (g *gatherer) join(ctx context.Context, kb string, ids []string) *ask {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := &ask{ctx: ctx, open: make(map[string]bool, len(ids)), answered: make(chan struct{})}
	p := g.pools[kb]
	if p == nil {
		p = &pool{kb: kb}
		p.needless, p.stop = context.WithCancel(context.Background())
		g.pools[kb] = p
	}
	pending := make(map[string]*wish, len(p.wishes))
	for _, w := range p.wishes {
		pending[w.id] = w
	}
	for _, id := range ids {
		a.open[id] = true
		w := pending[id]
		if w == nil {
			w = &wish{id: id}
			p.wishes = append(p.wishes, w)
		}
		w.asks = append(w.asks, a)
	}
	g.schedule(p)
	return a
}

// leave takes back the wishes of a caller whose time is over. What it has got so
// far is its answer.
func (g *gatherer) leave(kb string, a *ask) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(a.open) == 0 {
		return // answered at the same moment
	}
	a.open = nil
	a.err = Errorf(Timeout, "The call ended before the platform had answered for every document.")
	p := g.pools[kb]
	if p == nil {
		return
	}
	before := len(p.wishes)
	p.wishes = slices.DeleteFunc(p.wishes, func(w *wish) bool { return !w.wanted() })
	if before > len(p.wishes) { // it was the limit that left no time
		a.err = &Error{Kind: RateLimited, Once: true, Unsent: true, After: time.Second,
			Message: "This connection's own rate limit had no free request before the call had to end."}
	}
	g.tidy(p)
}

// wanted reports whether anybody still waits for a wish.
func (w *wish) wanted() bool {
	return slices.ContainsFunc(w.asks, func(a *ask) bool { return a.open[w.id] && a.ctx.Err() == nil })
}

// tidy ends what nobody waits for.
func (g *gatherer) tidy(p *pool) {
	if len(p.wishes) > 0 {
		return
	}
	p.stop()
	p.oldest = time.Time{}
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.running == 0 && p.waiting == 0 {
		delete(g.pools, p.kb)
		return
	}
	p.needless, p.stop = context.WithCancel(context.Background())
}

// batch is how many documents one request takes, 0 for any number.
func (g *gatherer) batch() int {
	if b, ok := g.driver.(Batcher); ok {
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

// schedule sends for full batches at once, for the rest after the linger.
func (g *gatherer) schedule(p *pool) {
	batch := g.batch()
	for batch > 0 && p.waiting < len(p.wishes)/batch {
		g.send(p)
	}
	if p.waiting >= needed(len(p.wishes), batch) {
		return // whoever waits for its turn takes it along
	}
	if p.oldest.IsZero() {
		p.oldest = time.Now()
	}
	wait := min(linger, time.Until(p.oldest.Add(lingerMost)))
	if batch == 0 && p.running > 0 {
		wait = max(wait, time.Until(p.began.Add(sweepAlone)))
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	p.timer = time.AfterFunc(wait, func() { g.lingered(p) })
}

// lingered sends for what has waited long enough.
func (g *gatherer) lingered(p *pool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.oldest = time.Time{}
	for p.waiting < needed(len(p.wishes), g.batch()) {
		g.send(p)
	}
}

// send starts a request for some of the wishes; which, is decided when it has
// its turn.
func (g *gatherer) send(p *pool) {
	ctx, cancel := together(p.wishes[0].asks[0].ctx, p.wishes)
	forget := context.AfterFunc(p.needless, cancel)
	p.waiting++
	go func() { // it ends with those who wait for it
		defer cancel()
		held, release, err := g.hold(ctx)
		forget()
		wishes := g.take(p, err == nil)
		if err != nil {
			g.deal(wishes, Report{}, err, askers(wishes))
			return
		}
		defer release()
		if len(wishes) > 0 {
			g.request(held, p, wishes)
		}
		g.over(p)
	}()
}

package ratelimit

import (
	"container/list"
	"context"
)

// Caller tells who waits for what, so that a limiter can be fair: kinds of work
// get turns one after the other, and within a kind so do parties. A herd that
// polls one thing then cannot starve somebody who asks another, nor one of its
// own kind. Callers that do not say are all one.
type Caller struct{ Work, Party string }

type callerKey struct{}

// WithCaller says on whose behalf requests with this context are made.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// place is a caller's place in the queue.
type place struct {
	Caller
	first chan struct{} // closed when it is the first
	at    *list.Element // in its party's line
}

// queue is who waits. The first stays first until it leaves; who follows is
// decided then.
type queue struct {
	first *place
	works rota[*work]
	n     int
}

// work is the callers of one kind, in lines of *place by party.
type work struct {
	parties rota[*list.List]
	n       int
}

// rota serves lines by name in turn: the one served last is behind.
type rota[L any] struct {
	names []string // whose turn it is first
	lines map[string]L
}

// line gives the line of a name, made when it is new.
func (r *rota[L]) line(name string, empty func() L) L {
	if l, ok := r.lines[name]; ok {
		return l
	}
	if r.lines == nil {
		r.lines = map[string]L{}
	}
	l := empty()
	r.names, r.lines[name] = append(r.names, name), l
	return l
}

// drop forgets an empty line.
func (r *rota[L]) drop(name string) {
	delete(r.lines, name)
	for i, n := range r.names {
		if n == name {
			r.names = append(r.names[:i], r.names[i+1:]...)
			return
		}
	}
}

// turn puts a name behind the others.
func (r *rota[L]) turn(name string) {
	if l, ok := r.lines[name]; ok {
		r.drop(name)
		r.names, r.lines[name] = append(r.names, name), l
	}
}

// join puts a caller into the queue.
func (q *queue) join(c Caller) *place {
	w := q.works.line(c.Work, func() *work { return &work{} })
	p := &place{Caller: c, first: make(chan struct{})}
	p.at = w.parties.line(c.Party, list.New).PushBack(p)
	w.n++
	if q.n++; q.first == nil {
		q.call()
	}
	return p
}

// leave takes a caller out; when it was the first, another one is. served says
// that it got its turn, so that its party and work are behind the others now.
func (q *queue) leave(p *place, served bool) {
	w := q.works.lines[p.Work]
	line := w.parties.lines[p.Party]
	if line.Remove(p.at); line.Len() == 0 {
		w.parties.drop(p.Party)
	}
	if w.n--; w.n == 0 {
		q.works.drop(p.Work)
	}
	if served {
		w.parties.turn(p.Party)
		q.works.turn(p.Work)
	}
	q.n--
	if q.first == p {
		q.first = nil
		q.call()
	}
}

// call makes the next caller the first.
func (q *queue) call() {
	if q.n == 0 {
		return
	}
	parties := q.works.lines[q.works.names[0]].parties
	q.first = parties.lines[parties.names[0]].Front().Value.(*place)
	close(q.first.first)
}

// before is how many callers come before one who arrives now, at most.
func (q *queue) before(c Caller) int {
	own := 0 // of its kind of work
	if w := q.works.lines[c.Work]; w != nil {
		if line := w.parties.lines[c.Party]; line != nil {
			own = line.Len()
		}
		mine := own
		for party, line := range w.parties.lines {
			if party != c.Party {
				own += min(line.Len(), mine+1)
			}
		}
	}
	n := own
	for name, w := range q.works.lines {
		if name != c.Work {
			n += min(w.n, own+1)
		}
	}
	return n
}

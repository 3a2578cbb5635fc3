package ratelimit

import (
	"container/list"
	"context"
	"slices"
)

// Caller says for whom a request waits, so that a limiter can be fair: parties
// get turns one after the other, within a party so do kinds of work, and within
// a kind of work the party's sessions. A party then gains nothing from having
// many sessions or asking for many things, and a herd that polls one thing does
// not starve a caller of the same party that asks for another. Requests without
// a caller count as one caller.
type Caller struct{ Party, Work, Session string }

type callerKey struct{}

// WithCaller returns a context that says on whose behalf requests are made.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// path is where in the queue a caller waits, from the outside in.
func (c Caller) path() []string { return []string{c.Party, c.Work, c.Session} }

// waiter is a caller in the queue.
type waiter struct {
	Caller
	first chan struct{} // closed when it is the first
	at    *list.Element // in the line of its session
	names []string      // of the parts that it is in
}

// queue holds the callers that wait. The first stays first until it leaves; the
// next is chosen then.
type queue struct {
	first *waiter
	branch
}

// maxParts is how many parts of a branch are kept apart; further ones wait in
// one part together. Names come from clients, and a caller that arrives looks
// at every part.
const maxParts = 256

// otherParts is the part of those that are not kept apart.
const otherParts = "\x00"

// branch is the callers of one party, kind of work or session, or all of them.
// Its parts are served in turn: the one served last is behind.
type branch struct {
	n     int                // callers in it
	order []string           // its parts, whose turn it is first
	parts map[string]*branch // none in a session
	line  list.List          // of *waiter; in a session
}

// known is the name under which a part is found, or would be made.
func (b *branch) known(name string) string {
	if _, ok := b.parts[name]; ok || len(b.parts) < maxParts {
		return name
	}
	return otherParts
}

// part returns a part by name, and makes it if it is new.
func (b *branch) part(name string) *branch {
	if p, ok := b.parts[name]; ok {
		return p
	}
	if b.parts == nil {
		b.parts = map[string]*branch{}
	}
	p := &branch{}
	b.order, b.parts[name] = append(b.order, name), p
	return p
}

// put puts a caller below b.
func (b *branch) put(path []string, w *waiter) {
	b.n++
	if len(path) == 0 {
		w.at = b.line.PushBack(w)
		return
	}
	name := b.known(path[0])
	w.names = append(w.names, name)
	b.part(name).put(path[1:], w)
}

// remove takes a caller out. served puts the parts that it was in behind the
// others.
func (b *branch) remove(path []string, w *waiter, served bool) {
	b.n--
	if len(path) == 0 {
		b.line.Remove(w.at)
		return
	}
	name := path[0]
	part := b.parts[name]
	part.remove(path[1:], w, served)
	if part.n > 0 && !served {
		return
	}
	i := slices.Index(b.order, name)
	b.order = slices.Delete(b.order, i, i+1)
	if part.n > 0 {
		b.order = append(b.order, name)
	} else {
		delete(b.parts, name)
	}
}

// next is the caller whose turn it is.
func (b *branch) next() *waiter {
	if len(b.order) == 0 {
		return b.line.Front().Value.(*waiter)
	}
	return b.parts[b.order[0]].next()
}

// ahead is how many callers come before one that arrives now, at most.
func (b *branch) ahead(path []string) int {
	if len(path) == 0 {
		return b.line.Len()
	}
	own, at := 0, b.known(path[0]) // in its part
	if part := b.parts[at]; part != nil {
		own = part.ahead(path[1:])
	}
	n := own
	for name, part := range b.parts {
		if name != at {
			n += min(part.n, own+1)
		}
	}
	return n
}

// join puts a caller into the queue.
func (q *queue) join(c Caller) *waiter {
	w := &waiter{Caller: c, first: make(chan struct{})}
	q.put(c.path(), w)
	if q.first == nil {
		q.call()
	}
	return w
}

// leave takes a caller out; when it was the first, another one is. served says
// that it got its turn, so that its session, work and party are behind the
// others now.
func (q *queue) leave(w *waiter, served bool) {
	q.remove(w.names, w, served)
	if q.first == w {
		q.first = nil
		q.call()
	}
}

// call makes the next caller the first.
func (q *queue) call() {
	if q.n > 0 {
		q.first = q.next()
		close(q.first.first)
	}
}

// before is how many callers come before one that arrives now, at most.
func (q *queue) before(c Caller) int { return q.ahead(c.path()) }

package ratelimit

import (
	"container/list"
	"context"
	"slices"
)

// Caller tells who waits for what, so that a limiter can be fair: kinds of work
// get turns one after the other, within a kind so do parties, and within a party
// its sessions. A herd that polls one thing then cannot starve somebody who asks
// another, nor one of its own kind, and a party gains nothing from having many
// sessions. Callers that do not say are all one.
type Caller struct{ Work, Party, Session string }

type callerKey struct{}

// WithCaller says on whose behalf requests with this context are made.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// path is where in the queue a caller waits, from the outside in.
func (c Caller) path() []string { return []string{c.Work, c.Party, c.Session} }

// place is a caller's place in the queue.
type place struct {
	Caller
	first chan struct{} // closed when it is the first
	at    *list.Element // in the line of its session
}

// queue is who waits. The first stays first until it leaves; who follows is
// decided then.
type queue struct {
	first *place
	branch
}

// branch is the callers of one kind of work, party or session, or all of them.
// Its parts are served in turn: the one served last is behind.
type branch struct {
	n     int                // callers in it
	order []string           // its parts, whose turn it is first
	parts map[string]*branch // none in a session
	line  list.List          // of *place; in a session
}

// part gives a part by name, made when it is new.
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

// put gives a caller its place below b.
func (b *branch) put(path []string, p *place) {
	b.n++
	if len(path) == 0 {
		p.at = b.line.PushBack(p)
		return
	}
	b.part(path[0]).put(path[1:], p)
}

// remove takes a caller out. served puts the parts that it was in behind the
// others.
func (b *branch) remove(path []string, p *place, served bool) {
	b.n--
	if len(path) == 0 {
		b.line.Remove(p.at)
		return
	}
	name := path[0]
	part := b.parts[name]
	part.remove(path[1:], p, served)
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
func (b *branch) next() *place {
	if len(b.order) == 0 {
		return b.line.Front().Value.(*place)
	}
	return b.parts[b.order[0]].next()
}

// ahead is how many callers come before one that arrives now, at most.
func (b *branch) ahead(path []string) int {
	if len(path) == 0 {
		return b.line.Len()
	}
	own := 0 // in its part
	if part := b.parts[path[0]]; part != nil {
		own = part.ahead(path[1:])
	}
	n := own
	for name, part := range b.parts {
		if name != path[0] {
			n += min(part.n, own+1)
		}
	}
	return n
}

// join puts a caller into the queue.
func (q *queue) join(c Caller) *place {
	p := &place{Caller: c, first: make(chan struct{})}
	q.put(c.path(), p)
	if q.first == nil {
		q.call()
	}
	return p
}

// leave takes a caller out; when it was the first, another one is. served says
// that it got its turn, so that its session, party and work are behind the
// others now.
func (q *queue) leave(p *place, served bool) {
	q.remove(p.path(), p, served)
	if q.first == p {
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

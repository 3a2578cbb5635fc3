package intake

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// manyDescriptors is the limit where the system has none: beyond it memory is
// what there is too little of.
const manyDescriptors = 40_000

// MaxConns leaves room for the connections to platforms and for files.
func MaxConns() int {
	n := descriptors()
	return max(1, n-max(64, n/4))
}

// Conns are the open connections. When there are nearly as many as the process
// may have, the one that has kept us waiting longest is closed for each that
// comes: one that has not sent a whole request, or has nothing to ask. So a
// crowd of silent connections keeps nobody out, a health probe least of all.
type Conns struct {
	max int

	mu      sync.Mutex
	open    map[net.Conn]*connection
	waiting list.List // of *connection, longest first
}

// connection is an open connection; at is its place while it may be closed.
type connection struct {
	conns *Conns
	c     net.Conn
	at    *list.Element
}

// NewConns bounds connections to a number.
func NewConns(limit int) *Conns { return &Conns{max: limit, open: map[net.Conn]*connection{}} }

type connKey struct{}

// Context is for http.Server.ConnContext.
func (s *Conns) Context(ctx context.Context, c net.Conn) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := &connection{conns: s, c: c}
	one.at = s.waiting.PushBack(one)
	s.open[c] = one
	if oldest := s.waiting.Front(); len(s.open) > s.max && oldest != one.at {
		s.drop(oldest.Value.(*connection))
	}
	return context.WithValue(ctx, connKey{}, one)
}

// drop closes a connection. Its server tells of that later; the place is free
// now.
func (s *Conns) drop(one *connection) {
	s.forget(one)
	_ = one.c.Close() // it is of no use any more
}

func (s *Conns) forget(one *connection) {
	if one.at != nil {
		s.waiting.Remove(one.at)
		one.at = nil
	}
	delete(s.open, one.c)
}

// Changed is for http.Server.ConnState.
func (s *Conns) Changed(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.open[c]
	if one == nil {
		return
	}
	switch state {
	case http.StateActive, http.StateIdle:
		if one.at == nil {
			one.at = s.waiting.PushBack(one)
		} else {
			s.waiting.MoveToBack(one.at)
		}
	case http.StateClosed, http.StateHijacked:
		s.forget(one)
	}
}

// keep says that a request has arrived whole, from somebody who may ask: its
// connection stays until it is answered, if there is room for it.
func keep(ctx context.Context) bool {
	one, ok := ctx.Value(connKey{}).(*connection)
	if !ok {
		return true
	}
	s := one.conns
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.at == nil {
		return true
	}
	if len(s.open)-s.waiting.Len() >= s.max {
		return false
	}
	s.waiting.Remove(one.at)
	one.at = nil
	return true
}

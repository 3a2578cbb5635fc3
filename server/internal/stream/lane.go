package stream

import (
	"container/list"
	"context"
	"sync"

	"kb-mcp/server/internal/calls"
	"kb-mcp/server/internal/jsonrpc"
)

// task is a request of a peer, or with ready a message for it.
type task struct {
	jsonrpc.Message
	ready bool
	ctx   context.Context
	call  *calls.Call
}

// lane is requests that wait for one of a number of workers, in the order in
// which they came. It is bounded in number and in bytes. The peer's lock
// guards it.
type lane struct {
	workers, tasks, bytes int // the bounds

	running int       // workers
	idle    int       // of them, those that wait for more
	more    sync.Cond // tells them that there is
	waiting list.List
	size    int                           // bytes of what waits
	at      map[*calls.Call]*list.Element // of the calls that wait
}

// put lets a task wait, unless that exceeds a bound.
func (l *lane) put(t *task) bool {
	if l.waiting.Len() >= l.tasks || l.size+len(t.Body) > l.bytes {
		return false
	}
	l.size += len(t.Body)
	e := l.waiting.PushBack(t)
	if t.call != nil {
		if l.at == nil {
			l.at = map[*calls.Call]*list.Element{}
		}
		l.at[t.call] = e
	}
	return true
}

// take gives the task that has waited longest, nil if none waits.
func (l *lane) take() *task {
	if e := l.waiting.Front(); e != nil {
		return l.drop(e)
	}
	return nil
}

// remove takes a call out, wherever it waits; nil if it does not.
func (l *lane) remove(c *calls.Call) *task {
	if e := l.at[c]; e != nil {
		return l.drop(e)
	}
	return nil
}

// clear takes everything out.
func (l *lane) clear() []*task {
	var all []*task
	for t := l.take(); t != nil; t = l.take() {
		all = append(all, t)
	}
	return all
}

func (l *lane) drop(e *list.Element) *task {
	t := l.waiting.Remove(e).(*task)
	l.size -= len(t.Body)
	delete(l.at, t.call)
	return t
}

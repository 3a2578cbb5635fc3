package server

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// endedSessions is how many ended session ids are remembered.
const endedSessions = 10_000

// Why a call's context has ended; context.Cause tells.
var (
	errSessionEnded = errors.New("the client has ended the session")
	errStopping     = errors.New("the server is stopping")
)

// sessions decides which streamable HTTP session ids are good. Any well-formed
// id is, so that clients go on after a restart and on another replica: with
// mcp-go's stateful manager they get 404, from which the TypeScript SDK never
// recovers. The exception is an id that its client ended by DELETE, which the
// specification wants refused; the guard records it, for Terminate cannot know
// in whose name it is called.
//
// Nothing else is kept of a session. mcp-go registers each one it names, which
// costs 10 kB until a DELETE or an idle limit, and gives nothing here: no tool
// is a session's own, calls are cancelled by session id, and the notifications
// of a session's concurrent calls would share one channel and leave on any of
// their streams. So the ids are named past it (see [newSession]), and every
// request is served as mcp-go serves those of a session it has forgotten.
type sessions struct {
	mcpserver.StatelessGeneratingSessionIdManager
	ended bounded
}

// answerHeader is the context key of the header of a request's answer.
type answerHeader struct{}

// withAnswerHeader lets a [newSession] reach the header of the answer.
func withAnswerHeader(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), answerHeader{}, w.Header())
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// ResolveSessionIdManager implements [mcpserver.SessionIdManagerResolver].
func (s *sessions) ResolveSessionIdManager(r *http.Request) mcpserver.SessionIdManager {
	if r != nil {
		if h, ok := r.Context().Value(answerHeader{}).(http.Header); ok {
			return newSession{s, h}
		}
	}
	return s
}

// newSession are the sessions of one request, which may be an initialize.
type newSession struct {
	*sessions
	answer http.Header
}

// Generate names a session in the answer, and none to mcp-go, which would
// register it.
func (n newSession) Generate() string {
	n.answer.Set(mcpserver.HeaderKeySessionID, n.sessions.Generate())
	return ""
}

// end remembers that a client has ended id. An id that was never good is not
// worth a place.
func (s *sessions) end(id string) {
	if _, err := s.StatelessGeneratingSessionIdManager.Validate(id); err == nil {
		s.ended.add(id)
	}
}

// Validate implements [mcpserver.SessionIdManager].
func (s *sessions) Validate(id string) (terminated bool, err error) {
	if _, err := s.StatelessGeneratingSessionIdManager.Validate(id); err != nil {
		return false, err
	}
	return s.ended.has(id), nil
}

// bounded is a set of the last max strings added to it.
type bounded struct {
	max int

	mu   sync.Mutex
	in   map[string]bool
	ring []string
	next int
}

func (b *bounded) add(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.in[id] {
		return
	}
	if b.in == nil {
		b.in = map[string]bool{}
	}
	if len(b.ring) < b.max {
		b.ring = append(b.ring, id)
	} else {
		delete(b.in, b.ring[b.next])
		b.ring[b.next] = id
		b.next = (b.next + 1) % b.max
	}
	b.in[id] = true
}

func (b *bounded) has(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.in[id]
}

// calls are the tool calls now running, by session. It ends what mcp-go lets
// run on: the SSE transport detaches a call's context from its connection, so
// without it a vanished client's calls go on asking vendors to their end.
type calls struct {
	mu    sync.Mutex
	live  map[string]bool                            // SSE streams, and stdio, now open
	calls map[string]map[int]context.CancelCauseFunc // by session; "" is every session-less call
	last  int
	count int
	idle  chan struct{} // closed while no call runs
}

func newCalls() *calls {
	idle := make(chan struct{})
	close(idle)
	return &calls{
		live:  map[string]bool{},
		calls: map[string]map[int]context.CancelCauseFunc{},
		idle:  idle,
	}
}

// detached marks the context of a call whose transport does not end it with
// its client; see [calls.add].
type detached struct{}

// middleware gives every call a context that its session's end, and the
// server's stop, can cancel.
func (c *calls) middleware(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		var id string
		if s := mcpserver.ClientSessionFromContext(ctx); s != nil {
			id = s.SessionID()
		}
		defer c.add(id, ctx.Value(detached{}) != nil, cancel)()
		return next(ctx, req)
	}
}

// add records a running call and returns its undo. A detached call may come
// here after its stream has closed, because its message was accepted just
// before: it is cancelled at once, as nobody else will.
func (c *calls) add(session string, detached bool, cancel context.CancelCauseFunc) (undo func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if detached && !c.live[session] {
		cancel(errSessionEnded)
	}
	if c.count == 0 {
		c.idle = make(chan struct{})
	}
	c.count++
	c.last++
	n := c.last
	if c.calls[session] == nil {
		c.calls[session] = map[int]context.CancelCauseFunc{}
	}
	c.calls[session][n] = cancel
	return func() { c.remove(session, n) }
}

func (c *calls) remove(session string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls[session], n)
	if len(c.calls[session]) == 0 {
		delete(c.calls, session)
	}
	if c.count--; c.count == 0 {
		close(c.idle)
	}
}

// open notes that a stream has a session.
func (c *calls) open(session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live[session] = true
}

// close ends a session's calls. Session-less calls share the name "" and have
// nothing to do with each other, so it ends none of those.
func (c *calls) close(session string) {
	if session == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, session)
	for _, cancel := range c.calls[session] {
		cancel(errSessionEnded)
	}
}

// stop cancels every running call.
func (c *calls) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, session := range c.calls {
		for _, cancel := range session {
			cancel(errStopping)
		}
	}
}

// counts are the streams with a session and the calls now running.
func (c *calls) counts() (sessions, running int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.live), c.count
}

// running counts the calls now running.
func (c *calls) running() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// wait waits until no call runs, but no longer than d or ctx, and reports
// whether it saw that.
func (c *calls) wait(ctx context.Context, d time.Duration) bool {
	c.mu.Lock()
	idle := c.idle
	c.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-idle:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

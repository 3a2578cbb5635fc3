package server

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"
)

// Why a call's context has ended; context.Cause tells.
var (
	errCancelled    = errors.New("the client has cancelled the call")
	errSessionEnded = errors.New("the client has ended the session")
	errStopping     = errors.New("the server is stopping")
)

// liveCall is a request that is being worked on, or waits for that.
type liveCall struct {
	session, key string // where it stands in calls
	dropped      atomic.Bool
	// Guarded by calls: why it was ended, and what ends it once it has begun.
	cause  error
	cancel context.CancelCauseFunc
}

// stop ends the call, or what is to be begun of it.
func (c *liveCall) stop(cause error) {
	if c.cause == nil {
		c.cause = cause
	}
	if c.cancel != nil {
		c.cancel(cause)
	}
}

// cancelled reports whether the client has cancelled the call: then it wants no
// answer to it, and some clients close the connection over one.
func (c *liveCall) cancelled() bool { return c != nil && c.dropped.Load() }

// calls are the requests now at work, by session and by the id that the client
// gave them, byte for byte. It ends what mcp-go lets run on, and it alone
// cancels: mcp-go compares ids as float64, and those of clients without a
// session with one another.
type calls struct {
	mu    sync.Mutex
	live  map[string]bool                 // sessions with a stream now open: SSE, and stdio
	calls map[string]map[string]*liveCall // by session and key; session "" is every session-less call
	last  int
	count int
	idle  chan struct{} // closed while no call runs
}

func newCalls() *calls {
	idle := make(chan struct{})
	close(idle)
	return &calls{live: map[string]bool{}, calls: map[string]map[string]*liveCall{}, idle: idle}
}

type liveCallKey struct{}

// begin records a request, whose tool call its client, its session's end and
// the server's stop can cancel from now on. Every one needs its end. It is the
// tool's context that they end, not this one: mcp-go would not answer.
func (c *calls) begin(ctx context.Context, session, id string) (context.Context, *liveCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := &liveCall{session: session, key: id}
	if c.count == 0 {
		c.idle = make(chan struct{})
	}
	c.count++
	own := c.calls[session]
	if own == nil {
		own = map[string]*liveCall{}
		c.calls[session] = own
	}
	if session == "" || id == "" {
		one.key = c.nameless()
	} else if earlier := own[id]; earlier != nil { // the client uses an id twice: a cancellation means the later
		earlier.key = c.nameless()
		own[earlier.key] = earlier
	}
	own[one.key] = one
	return context.WithValue(ctx, liveCallKey{}, one), one
}

// middleware gives a tool the context that can be cancelled.
func (c *calls) middleware(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		one, ok := ctx.Value(liveCallKey{}).(*liveCall)
		if !ok {
			return next(ctx, req)
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		c.mu.Lock()
		if one.cancel = cancel; one.cause != nil {
			cancel(one.cause)
		}
		c.mu.Unlock()
		return next(ctx, req)
	}
}

// nameless is a key that no id equals.
func (c *calls) nameless() string {
	c.last++
	return "#" + strconv.Itoa(c.last)
}

// end says that a call is over.
func (c *calls) end(one *liveCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls[one.session], one.key)
	if len(c.calls[one.session]) == 0 {
		delete(c.calls, one.session)
	}
	if c.count--; c.count == 0 {
		close(c.idle)
	}
}

// cancel ends a session's call because its client wants that, and returns it;
// nil if there is none with that id.
func (c *calls) cancel(session, id string) *liveCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.calls[session][id]
	if session == "" || one == nil {
		return nil
	}
	one.dropped.Store(true)
	one.stop(errCancelled)
	return one
}

// open notes that a session has a stream.
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
	for _, one := range c.calls[session] {
		one.stop(errSessionEnded)
	}
}

// stop cancels every call.
func (c *calls) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, session := range c.calls {
		for _, one := range session {
			one.stop(errStopping)
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
	_, n := c.counts()
	return n
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

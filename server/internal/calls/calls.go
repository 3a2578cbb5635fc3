// Package calls knows the requests that are being worked on, and ends them when
// their client, their session or the server does.
package calls

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
	ErrCancelled    = errors.New("the client has cancelled the call")
	ErrSessionEnded = errors.New("the client has ended the session")
	ErrStopping     = errors.New("the server is stopping")
)

// Call is a request that is being worked on, or waits for that.
type Call struct {
	session, key string // where it stands in [Live]
	dropped      atomic.Bool
	// Guarded by Live: why it was ended, and what ends it once it has begun.
	cause  error
	cancel context.CancelCauseFunc
}

// stop ends the call, or what is to be begun of it.
func (c *Call) stop(cause error) {
	if c.cause == nil {
		c.cause = cause
	}
	if c.cancel != nil {
		c.cancel(cause)
	}
}

// Cancelled reports whether the client has cancelled the call: then it wants no
// answer to it, and some clients close the connection over one.
func (c *Call) Cancelled() bool { return c != nil && c.dropped.Load() }

// Live are the requests now at work, by session and by the id that the client
// gave them, byte for byte. It ends what mcp-go lets run on, and it alone
// cancels: mcp-go compares ids as float64, and those of clients without a
// session with one another.
type Live struct {
	mu    sync.Mutex
	open  map[string]bool             // sessions with a stream now open: SSE, and stdio
	calls map[string]map[string]*Call // by session and key; session "" is every session-less call
	last  int
	count int
	idle  chan struct{} // closed while no call runs
}

// New makes a Live without calls.
func New() *Live {
	idle := make(chan struct{})
	close(idle)
	return &Live{open: map[string]bool{}, calls: map[string]map[string]*Call{}, idle: idle}
}

type callKey struct{}

// Begin records a request, whose tool call its client, its session's end and
// the server's stop can cancel from now on. Every one needs its end. It is the
// tool's context that they end, not this one: mcp-go would not answer.
func (l *Live) Begin(ctx context.Context, session, id string) (context.Context, *Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := &Call{session: session, key: id}
	if l.count == 0 {
		l.idle = make(chan struct{})
	}
	l.count++
	own := l.calls[session]
	if own == nil {
		own = map[string]*Call{}
		l.calls[session] = own
	}
	if session == "" || id == "" {
		one.key = l.nameless()
	} else if earlier := own[id]; earlier != nil { // the client uses an id twice: a cancellation means the later
		earlier.key = l.nameless()
		own[earlier.key] = earlier
	}
	own[one.key] = one
	return context.WithValue(ctx, callKey{}, one), one
}

// Middleware gives a tool the context that can be cancelled.
func (l *Live) Middleware(next mcpserver.ToolHandlerFunc) mcpserver.ToolHandlerFunc {
	return func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		one, ok := ctx.Value(callKey{}).(*Call)
		if !ok {
			return next(ctx, req)
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		l.mu.Lock()
		if one.cancel = cancel; one.cause != nil {
			cancel(one.cause)
		}
		l.mu.Unlock()
		return next(ctx, req)
	}
}

// nameless is a key that no id equals.
func (l *Live) nameless() string {
	l.last++
	return "#" + strconv.Itoa(l.last)
}

// End says that a call is over.
func (l *Live) End(one *Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.calls[one.session], one.key)
	if len(l.calls[one.session]) == 0 {
		delete(l.calls, one.session)
	}
	if l.count--; l.count == 0 {
		close(l.idle)
	}
}

// Cancel ends a session's call because its client wants that, and returns it;
// nil if there is none with that id.
func (l *Live) Cancel(session, id string) *Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.calls[session][id]
	if session == "" || one == nil {
		return nil
	}
	one.dropped.Store(true)
	one.stop(ErrCancelled)
	return one
}

// Open notes that a session has a stream.
func (l *Live) Open(session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[session] = true
}

// Close ends a session's calls. Session-less calls share the name "" and have
// nothing to do with each other, so it ends none of those.
func (l *Live) Close(session string) {
	if session == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, session)
	for _, one := range l.calls[session] {
		one.stop(ErrSessionEnded)
	}
}

// Stop cancels every call.
func (l *Live) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, session := range l.calls {
		for _, one := range session {
			one.stop(ErrStopping)
		}
	}
}

// Counts are the streams with a session and the calls now running.
func (l *Live) Counts() (sessions, running int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open), l.count
}

// Running counts the calls now running.
func (l *Live) Running() int {
	_, n := l.Counts()
	return n
}

// Wait waits until no call runs, but no longer than d or ctx, and reports
// whether it saw that.
func (l *Live) Wait(ctx context.Context, d time.Duration) bool {
	l.mu.Lock()
	idle := l.idle
	l.mu.Unlock()
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

// Package stream serves clients that have one stream for everything: the one of
// stdio, and those of the older HTTP+SSE transport.
package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kb-mcp/elicit"
	"kb-mcp/server/internal/calls"
	"kb-mcp/server/internal/jsonrpc"
	"kb-mcp/server/internal/questions"
)

// Config is what all peers have in common.
type Config struct {
	MCP   *mcpserver.MCPServer
	Log   *slog.Logger
	Calls *calls.Live
	Asked *questions.Open
	Masks jsonrpc.Masks
	Held  *jsonrpc.Budget
	// Identify tells the tools their caller.
	Identify func(ctx context.Context, party, session string) context.Context
	// Unknown, which may be nil, says of a name that is no tool's what was meant.
	Unknown func(name string) string
}

// peer is a client all of whose messages come to one session, and leave by one
// stream: stdio, SSE. Its calls work beside one another and wait in a lane when
// they are many, with completions, which may ask platforms, too; its other requests, which take no time, have a lane of their
// own, so that a ping is answered whatever waits.
type peer struct {
	*Config
	session *mcpserver.InProcessSession
	base    context.Context // of its calls
	outlet  *jsonrpc.Outlet
	replies chan reply
	quit    chan struct{} // closed when replies are read no more
	room    chan struct{} // has a token after a lane has moved

	mu     sync.Mutex
	closed bool
	tools  lane // of their calls
	brief  lane
	work   sync.WaitGroup
}

// reply is a message for the client; for a call that is cancelled in the
// meantime it is not sent.
type reply struct {
	text []byte
	call *calls.Call
}

// Bounds of a peer. 100 calls at once is what a platform's limiter may hold up
// without those of another waiting; the rest bounds what a client that sends
// faster than platforms answer makes us keep.
const (
	peerCalls      = 100
	peerWaiting    = 10_000
	peerBytes      = 64 << 20
	peerBrief      = 1_000
	peerBriefBytes = 16 << 20
	idleWorkers    = 16 // of a lane
)

// newPeer makes a peer. Its calls have ctx, without its end.
func newPeer(ctx context.Context, c *Config, id, party string) *peer {
	p := &peer{
		Config: c, session: mcpserver.NewInProcessSession(id, nil), outlet: jsonrpc.NewOutlet(c.Masks, c.Unknown),
		replies: make(chan reply), quit: make(chan struct{}), room: make(chan struct{}, 1),
		tools: lane{workers: peerCalls, tasks: peerWaiting, bytes: peerBytes},
		brief: lane{workers: 1, tasks: peerBrief, bytes: peerBriefBytes},
	}
	p.tools.more.L, p.brief.more.L = &p.mu, &p.mu
	ctx = p.outlet.Through(context.WithoutCancel(ctx))
	p.base = c.MCP.WithContext(c.Identify(elicit.With(ctx, elicit.Way{Offered: p.elicits, Ask: p.ask}), party, id), p.session)
	c.Calls.Open(id)
	return p
}

var (
	errBusy   = errors.New("too many requests wait for their answer")
	errClosed = errors.New("the session is closed")
)

// take accepts a message. With errBusy it would exceed a bound.
func (p *peer) take(m jsonrpc.Message) error {
	switch {
	case m.Cancellation():
		p.cancel(m.Cancels)
		return nil
	case m.Answers != "":
		p.Asked.Answer(p.session.SessionID(), m)
		return nil
	case !m.Request(): // nothing listens to notifications
		return nil
	}
	t := &task{Message: m}
	t.ctx, t.call = p.Calls.Begin(p.base, p.session.SessionID(), m.ID)
	l := &p.brief
	if m.Method == string(mcp.MethodToolsCall) || m.Method == string(mcp.MethodCompletionComplete) {
		l = &p.tools
	}
	err := p.enqueue(l, t)
	if err != nil {
		p.Calls.End(t.call)
	}
	return err
}

// tell sends a message that is ready, after what came before it.
func (p *peer) tell(text []byte) error {
	return p.enqueue(&p.brief, &task{Message: jsonrpc.Message{Body: text}, ready: true})
}

func (p *peer) enqueue(l *lane, t *task) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	if !p.Held.Take(len(t.Body)) {
		return errBusy
	}
	if !l.put(t) {
		p.Held.Give(len(t.Body))
		return errBusy
	}
	if l.idle >= l.waiting.Len() {
		l.more.Signal()
	} else if l.running < l.workers {
		l.running++
		p.work.Go(func() { p.serve(l) })
	}
	return nil
}

// cancel ends a call; one that waits never begins.
func (p *peer) cancel(id string) {
	one := p.Calls.Cancel(p.session.SessionID(), id)
	if one == nil {
		return
	}
	p.mu.Lock()
	t := p.tools.remove(one)
	p.mu.Unlock()
	if t != nil {
		p.Held.Give(len(t.Body))
		p.Calls.End(one)
		p.moved()
	}
}

// moved says that there may be room in a lane.
func (p *peer) moved() {
	select {
	case p.room <- struct{}{}:
	default:
	}
}

// serve works on a lane until nothing waits there and there are workers enough
// that wait for more: a new one would have to grow its stack in each call.
func (p *peer) serve(l *lane) {
	for {
		p.mu.Lock()
		t := l.take()
		for ; t == nil && l.idle < idleWorkers && !p.closed; t = l.take() {
			l.idle++
			l.more.Wait()
			l.idle--
		}
		if t == nil {
			l.running--
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		p.moved()
		p.do(t)
		p.Held.Give(len(t.Body))
	}
}

// do answers one request. The end of its call comes after its answer has left,
// so that whoever waits for the calls finds the answer written.
func (p *peer) do(t *task) {
	if t.ready {
		p.send(reply{text: t.Body})
		return
	}
	defer p.Calls.End(t.call)
	if t.call.Cancelled() {
		return
	}
	if text := p.answer(t); text != nil {
		p.send(reply{text, t.call})
	}
}

// answer lets mcp-go answer a request. A panic costs this call.
func (p *peer) answer(t *task) (text []byte) {
	defer func() {
		if r := recover(); r != nil {
			p.Log.Error("panic while answering a request", "method", t.Method, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			text = t.Fail(mcp.INTERNAL_ERROR, "kb-mcp failed while it worked on this request").Line()
		}
	}()
	response := p.MCP.HandleMessage(t.ctx, t.Body)
	if response == nil {
		return nil
	}
	text, err := json.Marshal(response)
	if err != nil { // without an answer the client would wait
		p.Log.Error("an answer cannot be encoded", "method", t.Method, "cause", err.Error())
		return t.Fail(mcp.INTERNAL_ERROR, "the answer cannot be encoded").Line()
	}
	return p.outlet.Fill(text)
}

// elicits reports whether the client has said that it can ask its person.
func (p *peer) elicits() bool { return jsonrpc.ShowsForms(p.session.GetClientCapabilities()) }

// ask asks the peer's person.
func (p *peer) ask(ctx context.Context, params json.RawMessage) (json.RawMessage, error) {
	return p.Asked.Ask(ctx, p.session.SessionID(), func(ctx context.Context, text []byte) error {
		select {
		case p.replies <- reply{text: text}:
			return nil
		case <-p.quit:
			return errClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}, params)
}

// send hands a message to write.
func (p *peer) send(r reply) {
	select {
	case p.replies <- r:
	case <-p.quit:
	}
}

// write writes the peer's messages until stop is closed or emit fails. What a
// call has notified leaves before its answer. beat, which may be nil, is called
// at each tick.
func (p *peer) write(stop <-chan struct{}, emit func([]byte) error, tick <-chan time.Time, beat func() error) error {
	for {
		var err error
		select {
		case n := <-p.session.ClientNotifications():
			err = p.emitNote(n, emit)
		case r := <-p.replies:
			if err = p.emitNotes(emit); err == nil && !r.call.Cancelled() {
				err = emit(r.text)
			}
		case <-tick:
			err = beat()
		case <-stop:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *peer) emitNotes(emit func([]byte) error) error {
	for {
		select {
		case n := <-p.session.ClientNotifications():
			if err := p.emitNote(n, emit); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func (p *peer) emitNote(n mcp.JSONRPCNotification, emit func([]byte) error) error {
	text, err := json.Marshal(n)
	if err != nil {
		p.Log.Error("a notification cannot be encoded", "method", n.Method, "cause", err.Error())
		return nil
	}
	return emit(p.outlet.Fill(text))
}

// close takes no more messages, drops the calls that wait and cancels those at
// work. What was asked in brief is still answered.
func (p *peer) close() {
	p.mu.Lock()
	p.closed = true
	p.tools.more.Broadcast()
	p.brief.more.Broadcast()
	dropped := p.tools.clear()
	p.mu.Unlock()
	for _, t := range dropped {
		p.Held.Give(len(t.Body))
		p.Calls.End(t.call)
	}
	p.Calls.Close(p.session.SessionID())
}

// wait waits until every request is answered, at most d, and reports whether
// that came.
func (p *peer) wait(d time.Duration) bool {
	done := make(chan struct{})
	go func() {
		p.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}

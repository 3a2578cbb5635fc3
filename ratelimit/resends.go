package ratelimit

import (
	"context"
	"net/http/httptrace"
	"sync"
)

// attempts are the tries of net/http to send one request: it sends a GET again
// by itself when a kept connection breaks before the first byte of the answer.
// The platform may have counted the first one, so each pays a turn.
type attempts struct {
	t   *Transport
	ctx context.Context

	mu    sync.Mutex // the hooks run in any goroutine, also after the answer
	turns []*Turn    // none after the end
	begun bool       // the request of turns may have left
	err   error      // why there was no turn to send it again
}

// trace is the request's context, which reports its attempts.
func (a *attempts) trace() context.Context {
	return httptrace.WithClientTrace(a.ctx, &httptrace.ClientTrace{GotConn: a.connected, WroteHeaders: a.begin, WroteRequest: a.sent})
}

// connected comes before an attempt. A further one waits for its turn; without a
// turn the connection is closed, which is the only way to stop it here.
func (a *attempts) connected(c httptrace.GotConnInfo) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.begun {
		a.done(false)
		a.begun = false
		a.turns, a.err = a.t.turns(a.ctx)
	}
	if a.err != nil {
		c.Conn.Close()
	}
}

// begin comes once the headers are written, to a buffer or to the kernel.
func (a *attempts) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begun = true
}

// sent comes when the request has gone to the kernel: until then, a busy
// machine may have delayed it for any time.
func (a *attempts) sent(httptrace.WroteRequestInfo) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, turn := range a.turns {
		turn.Send()
	}
}

// done ends the turns of an attempt.
func (a *attempts) done(answered bool) {
	for _, turn := range a.turns {
		turn.Done(answered)
	}
}

// end ends the request, which had err.
func (a *attempts) end(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done(err == nil)
	a.turns = nil
	if a.err != nil {
		return a.err
	}
	return err
}

package ratelimit

import (
	"context"
	"net/http/httptrace"
	"sync"
)

// sendings are those of one try. There can be more than one: net/http sends a
// GET again by itself when a kept connection breaks before the first byte of the
// answer, and the platform may have counted it by then. That pays, too.
type sendings struct {
	t   *Transport
	ctx context.Context

	mu    sync.Mutex // the hooks run where net/http likes, also after the answer
	turns []*Turn    // none after the end
	begun bool       // the request of turns may have left
	err   error      // why there was no turn to send it again
}

// trace reports the sendings of a request.
func (s *sendings) trace() context.Context {
	return httptrace.WithClientTrace(s.ctx, &httptrace.ClientTrace{GotConn: s.connected, WroteHeaders: s.begin, WroteRequest: s.sent})
}

// connected comes before a sending. It waits for the turn of another one;
// without it, it takes away the connection, which is the only way to stop it
// here.
func (s *sendings) connected(c httptrace.GotConnInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		s.done(false)
		s.begun = false
		s.turns, s.err = s.t.take(s.ctx)
	}
	if s.err != nil {
		c.Conn.Close()
	}
}

// begin comes once the headers are written, to a buffer or to the kernel.
func (s *sendings) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = true
}

// sent comes when the request has gone to the kernel: until then, a busy machine
// may have kept it as long as it liked.
func (s *sendings) sent(httptrace.WroteRequestInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, turn := range s.turns {
		turn.Send()
	}
}

// done ends the turns of a sending.
func (s *sendings) done(answered bool) {
	for _, turn := range s.turns {
		turn.Done(answered)
	}
}

// end is the end of the try, which had err.
func (s *sendings) end(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done(err == nil)
	s.turns = nil
	if s.err != nil {
		return s.err
	}
	return err
}

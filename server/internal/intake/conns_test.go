package intake

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"
)

// The connection that has waited longest goes for one that comes; who is being
// served never does.
func TestConns(t *testing.T) {
	s := NewConns(3)
	open := func() (net.Conn, context.Context) {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { ours.Close(); theirs.Close() })
		return ours, s.Context(t.Context(), ours)
	}
	is := func(c net.Conn, want string) {
		t.Helper()
		got := "open"
		if c.SetDeadline(time.Time{}) != nil {
			got = "closed"
		}
		if got != want {
			t.Errorf("%v is %s", c, got)
		}
	}
	served, ctx := open()
	s.Changed(served, http.StateActive)
	keep(ctx)
	oldest, _ := open()
	next, _ := open()
	s.Changed(oldest, http.StateActive) // it has said something since
	newest, _ := open()
	is(next, "closed")
	is(oldest, "open")
	s.Changed(served, http.StateIdle)
	s.Changed(newest, http.StateActive)
	last, _ := open()
	is(oldest, "closed")
	another, _ := open()
	is(served, "closed") // it had nothing to ask
	for _, c := range []net.Conn{newest, last, another} {
		is(c, "open")
		s.Changed(c, http.StateClosed)
	}
	if len(s.open) != 0 || s.waiting.Len() != 0 {
		t.Errorf("left: %v, %d", s.open, s.waiting.Len())
	}
	// When everybody is served, one more may knock, but not stay.
	for i := range 5 {
		c, ctx := open()
		if kept := keep(ctx); kept != (i < 3) {
			t.Errorf("connection %d is kept: %v", i, kept)
		}
		is(c, "open")
		if i >= 3 {
			s.Changed(c, http.StateClosed)
		}
	}
}

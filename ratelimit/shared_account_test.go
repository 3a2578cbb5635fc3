package ratelimit

import (
	"testing"
	"time"
)

// TestBookingIsGood: a turn after a long wait is booked again, and a late one
// is not used.
func TestBookingIsGood(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		made, at time.Duration
		want     bool
	}{
		{0, 0, true}, {-time.Millisecond, time.Hour, true}, {1 - bookingAge, 1 - lateness, true},
		{-lateness, -lateness, false}, {-bookingAge, 0, false}, {-time.Hour, time.Millisecond, false},
	} {
		if got := (Booking{Made: now.Add(tt.made), At: now.Add(tt.at)}).good(now); got != tt.want {
			t.Errorf("made %s and due %s from now: good %v", tt.made, tt.at, got)
		}
	}
}

// TestPanicLeavesTheQueue: a caller that fails costs nobody else a turn.
func TestPanicLeavesTheQueue(t *testing.T) {
	l := New(must(t, "1/s"), struct{ Account }{}) // each use panics
	for range 2 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("nothing failed")
				}
			}()
			_, _ = l.Take(t.Context())
		}()
	}
	if l.queue.n != 0 || l.queue.first != nil {
		t.Errorf("%d are left in the queue", l.queue.n)
	}
	l.account = nil
	if _, err := l.Take(t.Context()); err != nil {
		t.Error(err)
	}
}

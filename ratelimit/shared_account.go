package ratelimit

import (
	"context"
	"errors"
	"time"
)

// Account is a quota that several processes keep together; ratelimit/shared
// keeps it in Redis. Its methods take a second at most, also when the context is
// done.
type Account interface {
	// Book gives old back, unless it is the zero value, and books the next free
	// turn in one step. A within other than 0 bounds the wait: a later turn is
	// not booked, and the error is a [*BusyError]. Any other error means that
	// the account cannot be used now.
	Book(ctx context.Context, old Booking, within time.Duration) (Booking, error)
	// GiveBack returns a turn that was not used to other callers.
	GiveBack(b Booking)
	// Counted reports by when the platform has counted a turn's request.
	Counted(b Booking, at time.Time)
	// Pause lets no caller through for d from now.
	Pause(d time.Duration)
	// Incomplete reports whether turns of the last window may be missing in it.
	Incomplete(window time.Duration, now time.Time) bool
	// Processes is how many processes used it lately, at least 1.
	Processes() int
}

// Booking is a turn of a shared account, in times of this process's clock.
type Booking struct {
	ID       string
	Made     time.Time
	At       time.Time // when the turn comes, or a little later
	Earliest time.Time // the turn does not come before
}

const (
	// lateness is how long after its time a booked turn may be used. An account
	// keeps turns further apart than that.
	lateness = 15 * time.Millisecond
	// bookingAge is how long a booking is valid: in the meantime the platform
	// may have paused all, or an earlier turn may have been late.
	bookingAge = 200 * time.Millisecond
	// awayPause is the longest wait before an unavailable account is tried
	// again.
	awayPause = time.Second
)

// good reports whether a turn may be used as it was booked.
func (b Booking) good(now time.Time) bool {
	return now.Sub(b.At) < lateness && now.Sub(b.Made) < bookingAge
}

// book gets the first of the queue, which has to wait anyway for so long, a turn
// of the shared account, or the one that an earlier first left, and returns how
// long it has to wait. Only the first books: a process never holds more than one
// turn that it does not use yet. Without the account this process keeps to its
// share, and also until the account knows what was done without it.
func (l *Limiter) book(ctx context.Context, wait time.Duration) (time.Duration, error) {
	now := time.Now()
	b, share := l.share(now)
	if b == nil && share > 0 {
		return max(wait, share), late(ctx, max(wait, share), now)
	}
	if b == nil || !b.good(now) {
		var err error
		if b, err = l.rebook(ctx, b, now); err != nil {
			return l.unbooked(ctx, err, now)
		}
		now = time.Now()
	}
	wait = max(wait, b.At.Sub(now))
	return wait, late(ctx, wait, now)
}

// rebook books a turn in the place of old, which may be nil.
func (l *Limiter) rebook(ctx context.Context, old *Booking, now time.Time) (*Booking, error) {
	if old == nil {
		old = &Booking{}
	}
	within := time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		within = deadline.Sub(now)
	}
	b, err := l.account.Book(ctx, *old, within)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spare = nil
	if err == nil {
		l.spare = &b
	}
	return &b, err
}

// share is what an earlier first has booked, and how long the first has to wait
// by this process's share of those terms of which the account may not know
// everything.
func (l *Limiter) share(now time.Time) (spare *Booking, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	processes := l.account.Processes()
	for _, w := range l.windows {
		if processes > 1 && l.account.Incomplete(w.Window, now) {
			w.restArrived(now)
			wait = max(wait, w.ready(0, max(1, w.N/processes), now))
		}
	}
	return l.spare, wait
}

// unbooked is how long the first has to wait after err of the account: its turn
// comes too late, or the account is away.
func (l *Limiter) unbooked(ctx context.Context, err error, now time.Time) (time.Duration, error) {
	var tooLate *BusyError
	if errors.As(err, &tooLate) {
		return 0, busy(tooLate.After)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := l.waitBehind(0, l.account.Processes(), now)
	return min(wait, awayPause), late(ctx, wait, now)
}

package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Limiter lets callers through at a rate, in fair order: see [Caller]. A caller
// that leaves while waiting costs nothing of the quota. It is safe for
// concurrent use.
type Limiter struct {
	account Account // of all processes; nil when nothing is shared

	mu      sync.Mutex
	windows []*window // what this process did, also beside an account
	queue   queue
	paused  time.Time // no caller is let through before
	spare   *Booking  // what the first has booked of the shared account
	turns   []time.Duration
	// changed wakes the first caller when something went back early.
	changed chan struct{}
}

// BusyError says that a turn would come only at or after the caller's
// deadline, so that it was not waited for.
type BusyError struct {
	After time.Duration // until the turn would have come; whole milliseconds, at least one
}

// Error implements error.
func (e *BusyError) Error() string {
	return fmt.Sprintf("rate limit: the next free turn is in %v, after the deadline", e.After)
}

func busy(wait time.Duration) *BusyError {
	return &BusyError{After: max(1, (wait+time.Millisecond-1)/time.Millisecond) * time.Millisecond}
}

// New makes a limiter that has granted nothing yet. With an account, which may be
// nil, other processes use the same quota.
func New(r Rate, a Account) *Limiter {
	l := &Limiter{account: a, changed: make(chan struct{}, 1)}
	for _, t := range r.terms {
		l.windows = append(l.windows, &window{Term: t})
	}
	return l
}

// Limits reports whether callers may have to wait for one another.
func (l *Limiter) Limits() bool { return len(l.windows) > 0 }

// Turn is the right to one request. It ends with one call of Done or GiveBack;
// until Send it does not expire.
type Turn struct {
	l      *Limiter
	slots  []*slot // of each window
	booked *Booking
}

// Send says that the request has left now. Without it, the time is unknown until
// Done.
func (t *Turn) Send() { t.end((*window).send) }

// Done says that the request is over; answered, that the platform has answered
// it, so that it is known to have arrived there.
func (t *Turn) Done(answered bool) {
	var counted time.Time
	t.end(func(w *window, s *slot, now time.Time) { counted = w.answered(s, now, answered) })
	if t.booked != nil {
		t.l.account.Counted(*t.booked, counted)
	}
}

// GiveBack says that nothing was sent: another caller may have the turn.
func (t *Turn) GiveBack() {
	t.end((*window).giveBack)
	if t.booked != nil {
		t.l.account.GiveBack(*t.booked)
	}
}

func (t *Turn) end(f func(*window, *slot, time.Time)) {
	l := t.l
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for i, w := range l.windows {
		f(w, t.slots[i], now)
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Take waits for the caller's turn. It returns an error as soon as ctx is done,
// and a [*BusyError] if the turn cannot come before ctx's deadline: at once when
// that shows on arrival or after a Pause, else at the deadline. Only a Turn uses
// up quota.
func (l *Limiter) Take(ctx context.Context) (turn *Turn, err error) {
	w, turn, err := l.arrive(ctx)
	if w == nil {
		return turn, err
	}
	defer func() { // after a panic, too
		if turn == nil {
			l.leave(w)
		}
	}()
	select {
	case <-w.first:
	case <-ctx.Done():
	}
	for {
		t, wait, err := l.try(ctx, w)
		if t != nil || err != nil {
			return t, err
		}
		sleep(ctx, wait, l.changed)
	}
}

// Pause lets no caller through for d from now, in any process that shares the
// quota. It extends an earlier pause and never shortens it.
func (l *Limiter) Pause(d time.Duration) {
	l.mu.Lock()
	if until := time.Now().Add(d); until.After(l.paused) {
		l.paused = until
	}
	l.mu.Unlock()
	if l.account != nil && d > 0 {
		l.account.Pause(d)
	}
}

// arrive gives the caller a place in the queue, or none when it is let through
// or sent away at once.
func (l *Limiter) arrive(ctx context.Context) (*waiter, *Turn, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now, c := time.Now(), callerOf(ctx)
	if l.queue.n == 0 && l.account == nil && l.waitBehind(0, 1, now) == 0 {
		return nil, l.grant(now), nil
	}
	if err := late(ctx, l.waitBehind(l.queue.before(c), 1, now), now); err != nil {
		return nil, nil, err
	}
	return l.queue.join(c), nil, nil
}

// try gives the first of the queue its turn if it can have it, or says how long
// it must sleep. With a Turn the caller has left the queue.
func (l *Limiter) try(ctx context.Context, w *waiter) (*Turn, time.Duration, error) {
	wait, err := l.localWait(ctx, w)
	if l.account != nil && err == nil {
		wait, err = l.book(ctx, wait)
	}
	switch {
	case err != nil:
		return nil, 0, err
	case wait > 0:
		return nil, wait, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.grant(time.Now())
	t.booked, l.spare = l.spare, nil
	l.queue.leave(w, true)
	return t, 0, nil
}

// localWait is how long the first of the queue has to wait by what this process did;
// an error says that it should not.
func (l *Limiter) localWait(ctx context.Context, w *waiter) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	err := ctx.Err()
	if errors.Is(err, context.DeadlineExceeded) { // it was the limit that left no time
		return 0, busy(l.waitBehind(l.queue.before(w.Caller)-1, 1, now))
	}
	if err != nil {
		return 0, err
	}
	wait := l.waitBehind(0, 1, now)
	return wait, late(ctx, wait, now)
}

// leave takes a caller out of the queue. What it had booked is the next one's, or
// goes back when none is left.
func (l *Limiter) leave(w *waiter) {
	l.mu.Lock()
	l.queue.leave(w, false)
	var unused *Booking
	if l.queue.n == 0 {
		unused, l.spare = l.spare, nil
	}
	l.mu.Unlock()
	if unused != nil {
		l.account.GiveBack(*unused)
	}
}

// late returns the BusyError of a caller that would have to wait so long, or
// nil. A turn at the very deadline is late: it could not be used.
func late(ctx context.Context, wait time.Duration, now time.Time) error {
	deadline, ok := ctx.Deadline()
	if !ok || now.Add(wait).Before(deadline) {
		return nil
	}
	return busy(wait)
}

// waitBehind returns how long a caller with before others in front of it must
// wait at least, if none of them leaves and processes share the quota equally.
func (l *Limiter) waitBehind(before, processes int, now time.Time) time.Duration {
	for _, w := range l.windows {
		w.restArrived(now)
	}
	l.turns = l.turns[:0]
	for i := range before + 1 {
		at := max(0, l.paused.Sub(now))
		for _, w := range l.windows {
			if n := max(1, w.N/processes); i < n {
				at = max(at, w.ready(i, n, now))
			} else {
				at = max(at, l.turns[i-n]+w.Window)
			}
		}
		l.turns = append(l.turns, at)
	}
	return l.turns[len(l.turns)-1]
}

// grant gives a turn, with a slot of every window.
func (l *Limiter) grant(now time.Time) *Turn {
	t := &Turn{l: l}
	for _, w := range l.windows {
		t.slots = append(t.slots, w.grant(now))
	}
	return t
}

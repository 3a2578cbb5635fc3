package ratelimit

import (
	"context"
	"time"
)

// awayPause is how long the first waits at most before it asks the shared
// account again that was away.
const awayPause = time.Second

// book gets the first of the queue, who has to wait anyway for so long, a turn
// of the shared account, or the one that an earlier first has booked and left,
// and says how long it has to wait. Only the first books: a process never has
// more than one turn that it does not use yet. Without the shared account this
// process keeps to its share, and also until the account knows again what was
// done without it.
func (l *Limiter) book(ctx context.Context, wait time.Duration) (time.Duration, error) {
	now := time.Now()
	b, share := l.share(now)
	if b == nil && share > 0 {
		return max(wait, share), late(ctx, max(wait, share), now)
	}
	if b == nil || !b.good(now) {
		var err error
		if b, err = l.rebook(ctx, b, now); err != nil {
			return l.alone(ctx, now)
		}
		if now = time.Now(); !b.booked {
			return 0, busy(b.wait)
		}
	}
	wait = max(wait, b.at.Sub(now))
	return wait, late(ctx, wait, now)
}

// rebook books a turn in the place of old, which may be nil.
func (l *Limiter) rebook(ctx context.Context, old *booking, now time.Time) (*booking, error) {
	if old == nil {
		old = &booking{}
	}
	within := time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		within = deadline.Sub(now)
	}
	b, err := l.shared.rebook(ctx, *old, within)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spare = nil
	if b.booked {
		l.spare = &b
	}
	return &b, err
}

// share is what an earlier first has booked, and how long the first has to wait
// by this process's share of those terms of which the account may not know
// everything.
func (l *Limiter) share(now time.Time) (spare *booking, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.windows {
		if n := l.shared.parts(w.Window, now); n > 1 {
			w.settle(now)
			wait = max(wait, w.ready(0, max(1, w.N/n), now))
		}
	}
	return l.spare, wait
}

// alone is how long the first has to wait while the shared account is away.
func (l *Limiter) alone(ctx context.Context, now time.Time) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := l.turn(0, l.shared.replicas(), now)
	return min(wait, awayPause), late(ctx, wait, now)
}

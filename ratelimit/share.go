package ratelimit

import (
	"context"
	"time"
)

const (
	// awayPause is how long the first waits at most before it asks the shared
	// account again that was away.
	awayPause = time.Second
	// stale is how late a booked turn may be used: the account counts it at its
	// time, and much later it would be one too many.
	stale = 100 * time.Millisecond
)

// book gets the first of the queue, who has to wait anyway for so long, a turn
// of the shared account, or the one that an earlier first has booked and left,
// and says how long it has to wait. Only the first books: a process never has
// more than one turn that it does not use yet. Without the shared account this
// process keeps to its share.
func (l *Limiter) book(ctx context.Context, wait time.Duration) (time.Duration, error) {
	now := time.Now()
	b := l.booked(now)
	if b == nil {
		within := time.Duration(0)
		if deadline, ok := ctx.Deadline(); ok {
			within = deadline.Sub(now)
		}
		got, err := l.shared.reserve(ctx, within)
		now = time.Now()
		switch {
		case err != nil:
			return l.alone(ctx, now)
		case !got.booked:
			return 0, busy(got.wait)
		}
		got.at = now.Add(got.wait)
		b = &got
		l.mu.Lock()
		l.spare = b
		l.mu.Unlock()
	}
	wait = max(wait, b.at.Sub(now))
	return wait, late(ctx, wait, now)
}

// booked is the turn that was booked before and is still good.
func (l *Limiter) booked(now time.Time) *booking {
	l.mu.Lock()
	b := l.spare
	if b == nil || now.Sub(b.at) < stale {
		l.mu.Unlock()
		return b
	}
	l.spare = nil
	l.mu.Unlock()
	l.shared.giveBack(*b)
	return nil
}

// alone is how long the first has to wait while the shared account is away.
func (l *Limiter) alone(ctx context.Context, now time.Time) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.mu.Lock()
	wait := l.turn(0, l.shared.replicas(), now)
	l.mu.Unlock()
	return min(wait, awayPause), late(ctx, wait, now)
}

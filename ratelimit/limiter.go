package ratelimit

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
)

// Limiter lets callers through at a rate, first come, first served. A caller
// that leaves while waiting costs nothing of the quota. It is safe for
// concurrent use.
type Limiter struct {
	mu      sync.Mutex
	windows []*window
	queue   list.List // of chan struct{}, closed when its caller is first
	paused  time.Time // nobody is let through before
	turns   []time.Duration
}

// BusyError says that a turn would come only at or after the caller's
// deadline, so that it was not waited for.
type BusyError struct {
	After time.Duration // until the turn would have come; whole milliseconds, at least one
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("rate limit: the next free turn is in %v, after the deadline", e.After)
}

// New makes a limiter that has granted nothing yet.
func New(r Rate) *Limiter {
	l := &Limiter{}
	for _, t := range r.terms {
		l.windows = append(l.windows, &window{Term: t})
	}
	return l
}

// Wait returns nil when it is the caller's turn. It returns ctx.Err() as soon
// as ctx is done, and a [*BusyError] at once if the turn cannot come before
// ctx's deadline: on arrival, or when a Pause has put it off. Only a nil
// result uses up quota.
func (l *Limiter) Wait(ctx context.Context) error {
	place, err := l.arrive(ctx)
	if place == nil {
		return err
	}
	select {
	case <-place.Value.(chan struct{}):
	case <-ctx.Done():
	}
	for {
		wait, err := l.try(ctx, place)
		if err != nil || wait == 0 {
			return err
		}
		sleep(ctx, wait)
	}
}

// Pause lets nobody through for d from now. It extends an earlier pause and
// never shortens it.
func (l *Limiter) Pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.paused) {
		l.paused = until
	}
}

// arrive gives the caller a place in the queue, or none when it is let
// through (nil) or sent away (an error) at once.
func (l *Limiter) arrive(ctx context.Context) (*list.Element, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	before := l.queue.Len()
	if before == 0 && l.turn(0, now) == 0 {
		l.take(now)
		return nil, nil
	}
	if err := l.late(ctx, before, now); err != nil {
		return nil, err
	}
	first := make(chan struct{})
	if before == 0 {
		close(first)
	}
	return l.queue.PushBack(first), nil
}

// try lets the first of the queue through if it can, or says how long it must
// sleep. With an error, and when let through, the caller has left the queue.
func (l *Limiter) try(ctx context.Context, place *list.Element) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		l.leave(place)
		return 0, err
	}
	now := time.Now()
	wait := l.turn(0, now)
	if wait == 0 {
		l.take(now)
		l.leave(place)
		return 0, nil
	}
	err := l.late(ctx, 0, now)
	if err != nil {
		l.leave(place)
	}
	return wait, err
}

// leave takes a caller out of the queue; the one behind the first is first.
func (l *Limiter) leave(place *list.Element) {
	first := l.queue.Front()
	l.queue.Remove(place)
	if place == first && l.queue.Len() > 0 {
		close(l.queue.Front().Value.(chan struct{}))
	}
}

// late is the BusyError of a caller with that many before it, or nil. A turn
// at the very deadline is late: nothing could be done with it.
func (l *Limiter) late(ctx context.Context, before int, now time.Time) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	wait := l.turn(before, now)
	if now.Add(wait).Before(deadline) {
		return nil
	}
	return &BusyError{After: max(1, (wait+time.Millisecond-1)/time.Millisecond) * time.Millisecond}
}

// turn is how long a caller with that many before it must wait, if none of
// them leaves.
func (l *Limiter) turn(before int, now time.Time) time.Duration {
	l.turns = l.turns[:0]
	for i := range before + 1 {
		at := max(0, l.paused.Sub(now))
		for _, w := range l.windows {
			if i < w.N {
				at = max(at, w.ready(i, now))
			} else {
				at = max(at, l.turns[i-w.N]+w.Window)
			}
		}
		l.turns = append(l.turns, at)
	}
	return l.turns[before]
}

// take records a grant in every window.
func (l *Limiter) take(now time.Time) {
	for _, w := range l.windows {
		w.take(now)
	}
}

// sleep returns after d, or when ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

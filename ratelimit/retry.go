package ratelimit

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Backoff says how often and after which waits something is repeated. The
// waits begin around Base, double from try to try, are jittered by a quarter
// either way, and never exceed Max. The zero value repeats nothing.
type Backoff struct {
	Tries     int // counts the first; below 2 nothing is repeated
	Base, Max time.Duration
}

// Do calls f until it returns nil, and returns the last error of f as it is
// when it should not be repeated or no try is left.
//
// An error may be repeated if it, or one it wraps, has a method
// RetryIn() (after time.Duration, ok bool) that says ok. The wait is the
// backoff's, or after if that is longer. If after exceeds b.Max or the wait
// would reach ctx's deadline, Do returns at once; if ctx ends during the wait,
// Do returns then. f is called once in any case and never again after ctx is
// done.
func Do(ctx context.Context, b Backoff, f func() error) error {
	for try, step := 1, b.Base; ; try, step = try+1, 2*step {
		err := f()
		if err == nil || try >= b.Tries {
			return err
		}
		after, ok := retryable(err)
		if !ok || after > b.Max {
			return err
		}
		step = min(step, b.Max/5*4) // a quarter more is Max
		wait := max(jittered(step), after)
		if deadline, ok := ctx.Deadline(); ok && !time.Now().Add(wait).Before(deadline) {
			return err
		}
		sleep(ctx, wait, nil)
		if ctx.Err() != nil {
			return err
		}
	}
}

// jittered is d, up to a quarter shorter or longer.
func jittered(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2+1)
}

// retryable reports whether the call that failed with err may be repeated, and
// after how long at the earliest.
func retryable(err error) (time.Duration, bool) {
	var r interface{ RetryIn() (time.Duration, bool) }
	if !errors.As(err, &r) {
		return 0, false
	}
	return r.RetryIn()
}

// sleep returns after d, when ctx is done, or when something comes on wake.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}

package ratelimit

import (
	"math"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// window is the account of one term: N slots, each a bucket of one token that
// refills in one window, used in turn. No slot serves twice within a window,
// so no window holds more than N grants, and all N may come at once: a single
// bucket of N tokens would let up to 2N through.
//
// Nothing is reserved ahead, so nothing has to be given back: a
// [rate.Reservation] cancelled late restores nothing.
type window struct {
	Term
	slots []*rate.Limiter // as many as were ever needed; from next on, the longest rested first
	next  int
}

// ready is how long it takes until i+1 more grants fit, for 0 <= i < N.
func (w *window) ready(i int, now time.Time) time.Duration {
	i -= w.N - len(w.slots) // slots never used come first
	if i < 0 {
		return 0
	}
	slot := w.slots[(w.next+i)%len(w.slots)]
	// The limiter's own waits are cut to whole nanoseconds, which may be one
	// too early; rounded, this is exact for windows up to days.
	missing := (1 - slot.TokensAt(now)) * float64(w.Window)
	return max(0, time.Duration(math.Round(missing)))
}

// take records a grant made now. ready(0, now) must be 0.
func (w *window) take(now time.Time) {
	if len(w.slots) == 0 || len(w.slots) < w.N && !w.rested(now) {
		w.slots = slices.Insert(w.slots, w.next, rate.NewLimiter(rate.Every(w.Window), 1))
	}
	w.slots[w.next].ReserveN(now, 1)
	w.next = (w.next + 1) % len(w.slots)
}

// rested reports whether the next of the used slots can serve again.
func (w *window) rested(now time.Time) bool {
	return w.ready(w.N-len(w.slots), now) == 0
}

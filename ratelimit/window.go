package ratelimit

import (
	"math"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// window is the account of one term: N slots, each a bucket of one token that
// refills in one window. A request holds a slot until its answer has come, and
// then the slot rests one window: the platform counts a request when it arrives
// there, which is some time between the two. So no window holds more than N
// requests on its side of the network either, and all N may go at once; a
// single bucket of N tokens would let up to 2N through.
//
// Nothing is reserved ahead, and a slot that was not used goes back as it was: a
// [rate.Reservation] cancelled late restores nothing.
type window struct {
	Term
	resting []*slot // in the order in which they will be ready
	held    []*slot // in the order in which they were taken, or their requests left
	// quickest is the shortest time an answer ever took: half of it at least
	// every answer spends at the platform and on its way back, and that time a
	// slot has rested when the answer comes. To rest a window from the answer
	// alone costs a platform with answers of 300 ms a quarter of its quota; to
	// count on all of the quickest let a few windows in ten thousand hold one
	// more under jitter of 100 ms.
	quickest time.Duration
	answers  int
}

// enough is how many answers tell what the quickest is.
const enough = 20

// transit is how long a request is on its way to the platform at most. What has
// no answer by then is being worked on there: it has been counted, and must not
// keep others from a slow platform.
const transit = time.Second

// slot is the right to one request a window.
type slot struct {
	bucket *rate.Limiter
	left   time.Time // when its request left, or will at the earliest
	sent   bool      // it has, and left is when
}

// ready is how long it takes at least until i+1 more requests fit, for
// 0 <= i < n, when n of the slots may be used.
func (w *window) ready(i, n int, now time.Time) time.Duration {
	i += len(w.resting) + len(w.held) - n // slots never used come first
	switch {
	case i < 0:
		return 0
	case i < len(w.resting):
		return w.wait(w.resting[i], now)
	}
	left := w.held[i-len(w.resting)].left
	if counted := now.Add(-w.quickest / 2); left.Before(counted) {
		left = counted // its answer is yet to come
	}
	return left.Add(w.Window).Sub(now)
}

// wait is how long a slot rests yet. The limiter's own waits are cut to whole
// nanoseconds, which may be one too early; rounded, this is exact for windows
// up to days.
func (w *window) wait(s *slot, now time.Time) time.Duration {
	missing := (1 - s.bucket.TokensAt(now)) * float64(w.Window)
	return max(0, time.Duration(math.Round(missing)))
}

// restArrived lets the slots rest whose requests must have arrived by now.
func (w *window) restArrived(now time.Time) {
	w.held = slices.DeleteFunc(w.held, func(s *slot) bool {
		arrived := s.left.Add(transit)
		if !s.sent || now.Before(arrived) {
			return false
		}
		s.bucket.ReserveN(arrived, 1)
		w.rest(&slot{bucket: s.bucket}, now) // another one for the next request: s may still be answered
		return true
	})
}

// send notes that the request of a slot left only now: its turn was held, it had
// to wait for one of another limiter besides, or for a busy machine.
func (w *window) send(s *slot, now time.Time) {
	if w.drop(s) {
		s.left, s.sent = now, true
		w.held = append(w.held, s)
	}
}

// grant gives out the slot that has rested longest, or a new one.
func (w *window) grant(now time.Time) *slot {
	s := &slot{}
	if len(w.resting) > 0 && w.wait(w.resting[0], now) == 0 {
		s, w.resting = w.resting[0], w.resting[1:]
	} else {
		s.bucket = rate.NewLimiter(rate.Every(w.Window), 1)
	}
	s.left, s.sent = now, false
	w.held = append(w.held, s)
	return s
}

// answered lets a slot rest, and says from when: the request has been counted by
// then. Without an answer its arrival is unknown, perhaps after its caller
// has left: it counts as one that is on its way for as long as one can be.
func (w *window) answered(s *slot, now time.Time, ok bool) time.Time {
	known := s.sent
	if !known && !ok {
		w.send(s, now) // at the latest: it may be on its way without a word yet
	}
	if latest := s.left.Add(transit); !ok || known && now.After(latest) {
		return latest // restArrived does it
	}
	from := now
	if known {
		from = from.Add(-w.spent(now.Sub(s.left)))
	}
	if w.drop(s) {
		s.bucket.ReserveN(from, 1)
		w.rest(s, now)
	}
	return from
}

// spent learns how long an answer took, and says how much of that its slot has
// rested.
func (w *window) spent(took time.Duration) time.Duration {
	if w.answers == 0 || took < w.quickest {
		w.quickest = took
	}
	if w.answers++; w.answers > enough {
		return w.quickest / 2
	}
	return 0
}

// giveBack takes a slot that was not used.
func (w *window) giveBack(s *slot, now time.Time) {
	if w.drop(s) {
		w.rest(s, now)
	}
}

// drop reports whether s was held; restArrived may have been first.
func (w *window) drop(s *slot) bool {
	i := slices.Index(w.held, s)
	if i < 0 {
		return false
	}
	w.held = slices.Delete(w.held, i, i+1)
	return true
}

// rest puts a slot among the resting ones; nearly always it is the last.
func (w *window) rest(s *slot, now time.Time) {
	i, wait := len(w.resting), w.wait(s, now)
	for i > 0 && w.wait(w.resting[i-1], now) > wait {
		i--
	}
	w.resting = slices.Insert(w.resting, i, s)
}

package stall

import (
	"fmt"
	"testing"
	"time"
)

func TestWatchedIsBounded(t *testing.T) {
	w := New()
	now := time.Unix(1_700_000_000, 0)
	for i := range 3 * maxWatched {
		w.note(fmt.Sprint(i), appearance{status: "x"}, now.Add(time.Duration(i)))
		w.note("always", appearance{status: "y"}, now)
	}
	if m := w.note("always", appearance{status: "y"}, now.Add(time.Hour)); m.since != now {
		t.Error("one that is looked at all the time was forgotten")
	}
	last := fmt.Sprint(3*maxWatched - 1)
	if m := w.note(last, appearance{status: "x"}, now.Add(time.Hour)); m.since.After(now.Add(time.Minute)) {
		t.Error("the newest was forgotten")
	}
	if m := w.note("0", appearance{status: "x"}, now.Add(time.Hour)); m.since.Before(now.Add(time.Minute)) {
		t.Error("the oldest is still there")
	}
}

package ratelimit

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBusy(t *testing.T) {
	for _, tt := range []struct {
		name, rate string
		granted    int // at once, before
		pause      time.Duration
		waiting    int           // callers queued before, without a deadline
		later      time.Duration // then this passes
		deadline   time.Duration
		after      time.Duration // 0: not busy
	}{
		{name: "free", rate: "1/s", deadline: 1},
		{name: "off", rate: "off", granted: 1000, deadline: 1},
		{name: "first", rate: "1/s", granted: 1, deadline: 500 * time.Millisecond, after: time.Second},
		{name: "first, in time", rate: "1/s", granted: 1, deadline: time.Second + 1},
		{name: "at the very deadline", rate: "1/s", granted: 1, deadline: time.Second, after: time.Second},
		{name: "rounded up", rate: "1/s", granted: 1, later: time.Second - 1, deadline: 1, after: time.Millisecond},
		{name: "third", rate: "1/s", granted: 1, waiting: 2, deadline: 2 * time.Second, after: 3 * time.Second},
		{name: "third, in time", rate: "1/s", granted: 1, waiting: 2, deadline: 3*time.Second + 1},
		{name: "within one window", rate: "10/s", granted: 10, waiting: 9, deadline: time.Second, after: time.Second},
		{name: "two windows ahead", rate: "10/s", granted: 10, waiting: 10, deadline: 2 * time.Second, after: 2 * time.Second},
		{name: "three windows ahead", rate: "10/s", granted: 10, waiting: 25, later: 250 * time.Millisecond, deadline: time.Second, after: 2750 * time.Millisecond},
		{name: "the longer term", rate: "2/s,3/min", granted: 2, waiting: 1, deadline: 30 * time.Second, after: time.Minute},
		{name: "both terms", rate: "2/s,3/min", granted: 2, waiting: 3, deadline: 30 * time.Second, after: time.Minute + time.Second},
		{name: "paused", rate: "1/s", pause: 5 * time.Second, deadline: 5 * time.Second, after: 5 * time.Second},
		{name: "paused, off", rate: "off", pause: 5 * time.Second, waiting: 3, deadline: time.Second, after: 5 * time.Second},
		{name: "paused, third", rate: "1/s", pause: 5 * time.Second, waiting: 2, deadline: 6 * time.Second, after: 7 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(must(t, tt.rate), nil)
				for range tt.granted {
					if err := pass(l, t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				l.Pause(tt.pause)
				crowd, stop := context.WithCancel(t.Context())
				defer stop()
				for range tt.waiting {
					go pass(l, crowd)
				}
				synctest.Wait()
				time.Sleep(tt.later)

				ctx, cancel := context.WithTimeout(t.Context(), tt.deadline)
				defer cancel()
				start, queued := time.Now(), l.queue.n
				err := pass(l, ctx)
				if tt.after == 0 {
					if err != nil {
						t.Errorf("Take = %v, want nil", err)
					}
					return
				}
				var busy *BusyError
				if !errors.As(err, &busy) || busy.After != tt.after {
					t.Errorf("Take = %v, want busy for %v", err, tt.after)
				}
				if d := time.Since(start); d != 0 || l.queue.n != queued {
					t.Errorf("Take took %v and the queue went from %d to %d", d, queued, l.queue.n)
				}
			})
		})
	}
}

func TestDoneContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(must(t, "1/s"), nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := pass(l, ctx); err != context.Canceled {
			t.Errorf("Take = %v, want %v", err, context.Canceled)
		}
		if err := pass(l, t.Context()); err != nil || l.waitBehind(0, 1, time.Now()) != time.Second {
			t.Errorf("Take = %v, next turn in %v: the done caller used up quota", err, l.waitBehind(0, 1, time.Now()))
		}
	})
}

func TestPause(t *testing.T) {
	for _, tt := range []struct {
		name, rate string
		pauses     map[time.Duration]time.Duration // when: how long
		want       []time.Duration
	}{
		{"off is paused too", "off", map[time.Duration]time.Duration{0: 3 * time.Second}, []time.Duration{3 * time.Second, 3 * time.Second, 3 * time.Second}},
		{"extends", "1/s", map[time.Duration]time.Duration{0: time.Second, 500 * time.Millisecond: 2 * time.Second}, []time.Duration{2500 * time.Millisecond, 3500 * time.Millisecond, 4500 * time.Millisecond}},
		{"while the first sleeps", "1/s", map[time.Duration]time.Duration{1500 * time.Millisecond: 2 * time.Second}, []time.Duration{0, time.Second, 3500 * time.Millisecond}},
		{"shorter than the wait", "1/min", map[time.Duration]time.Duration{time.Second: 2 * time.Second}, []time.Duration{0, time.Minute, 2 * time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, g := New(must(t, tt.rate), nil), &ledger{start: time.Now()}
				l.Pause(tt.pauses[0])
				var wg sync.WaitGroup
				for at, d := range tt.pauses {
					time.AfterFunc(at, func() { l.Pause(d) })
				}
				for range 3 {
					wg.Go(func() {
						if err := leaver(l, g, time.Hour); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if diff := cmp.Diff(tt.want, g.grants); diff != "" {
					t.Errorf("grants (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestPauseIsNotShortened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, start := New(Rate{}, nil), time.Now()
		l.Pause(3 * time.Second)
		l.Pause(time.Second)
		if err := pass(l, t.Context()); err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("Take = %v after %v, want nil after 3s", err, time.Since(start))
		}
	})
}

// A pause puts the turn of the waiting off beyond their deadlines: they learn
// it when the first wakes, and the patient one behind them still gets its turn.
func TestPauseMakesTheWaitingBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, start := New(must(t, "1/s"), nil), time.Now()
		if err := pass(l, t.Context()); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				var busy *BusyError
				if err := pass(l, ctx); !errors.As(err, &busy) || busy.After != 9500*time.Millisecond || time.Since(start) != time.Second {
					t.Errorf("Take = %v after %v, want busy for 9.5s after 1s", err, time.Since(start))
				}
			})
			synctest.Wait()
		}
		wg.Go(func() {
			if err := pass(l, t.Context()); err != nil || time.Since(start) != 10500*time.Millisecond {
				t.Errorf("Take = %v after %v, want nil after 10.5s", err, time.Since(start))
			}
		})
		time.Sleep(500 * time.Millisecond)
		l.Pause(10 * time.Second)
		wg.Wait()
	})
}

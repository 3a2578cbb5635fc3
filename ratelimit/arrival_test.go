package ratelimit

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// platform is reached, works and answers in times that a test chooses. It
// returns when requests arrived there, in order, over so many windows of a rate.
func platform(t *testing.T, rate string, windows int, there, work, back func(*rand.Rand) time.Duration) (arrived []time.Duration) {
	l := New(must(t, rate), nil)
	var mu sync.Mutex
	start := time.Now()
	end := start.Add(time.Duration(windows) * must(t, rate).Terms()[0].Window)
	var wg sync.WaitGroup
	for worker := range 60 {
		random := rand.New(rand.NewPCG(uint64(worker), 7))
		wg.Go(func() {
			for time.Now().Before(end) {
				turn, err := l.Take(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				turn.Send()
				time.Sleep(there(random))
				mu.Lock()
				if at := time.Since(start); at < end.Sub(start) {
					arrived = append(arrived, at)
				}
				mu.Unlock()
				time.Sleep(work(random) + back(random))
				turn.Done(true)
			}
		})
	}
	wg.Wait()
	slices.Sort(arrived)
	return arrived
}

func constant(d time.Duration) func(*rand.Rand) time.Duration {
	return func(*rand.Rand) time.Duration { return d }
}

func jitter(from, by time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration { return from + time.Duration(r.Int64N(int64(by))) }
}

// The platform counts requests as they arrive. However unevenly they travel, it
// sees no window with more than the rate's number.
func TestWindowHoldsWhereRequestsArrive(t *testing.T) {
	const ms = time.Millisecond
	for _, rate := range []string{"2/s", "10/s", "20/s", "8/min"} {
		t.Run(rate, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				arrived := platform(t, rate, 300, jitter(5*ms, 100*ms), constant(20*ms), jitter(5*ms, 100*ms))
				checkWindows(t, must(t, rate).Terms(), arrived)
			})
		})
	}
}

// What strictness costs: of a quota of 10/s, how much is used by answers that
// take so long.
func TestQuotaIsUsed(t *testing.T) {
	for took, least := range map[time.Duration]float64{
		time.Millisecond: 0.99, 100 * time.Millisecond: 0.94, 300 * time.Millisecond: 0.86, 900 * time.Millisecond: 0.68,
		5 * time.Second: 0.5, // counted after a second on its way, so that slowness there does not block
	} {
		synctest.Test(t, func(t *testing.T) {
			arrived := platform(t, "10/s", 60, constant(took/3), constant(took/3), constant(took/3))
			used := float64(len(arrived)) / 600
			t.Logf("answers in %v: %.3f of the quota used", took, used)
			if used < least {
				t.Errorf("answers in %v: %.3f of the quota used, want %.2f", took, used, least)
			}
		})
	}
}

// A request whose caller has left may arrive yet: its slot counts as that of one
// that is on its way as long as one can be. Where nobody said when it left, it
// may have done so at the last moment.
func TestUnansweredCountsLate(t *testing.T) {
	for _, known := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			l, began := New(must(t, "1/s"), nil), time.Now()
			turn, err := l.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := transit + time.Second
			if known {
				turn.Send()
			} else {
				want += 10 * time.Millisecond
			}
			time.Sleep(10 * time.Millisecond)
			turn.Done(false)
			if err := pass(l, t.Context()); err != nil || time.Since(began) != want {
				t.Errorf("known %v: the next after %v, %v", known, time.Since(began), err)
			}
		})
	}
}

// A turn that is held counts from when its request leaves, however late.
func TestHeldTurnCountsFromSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began := New(must(t, "1/s"), nil), time.Now()
		turn, err := l.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		next := make(chan time.Duration)
		go func() {
			_ = pass(l, t.Context())
			next <- time.Since(began)
		}()
		time.Sleep(5 * time.Second)
		turn.Send()
		time.Sleep(10 * time.Millisecond)
		turn.Done(true)
		if at := <-next; at != 6010*time.Millisecond {
			t.Errorf("the next after %v", at)
		}
	})
}

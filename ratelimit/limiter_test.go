package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ledger collects when callers were let through.
type ledger struct {
	mu     sync.Mutex
	start  time.Time
	grants []time.Duration
}

func (g *ledger) add() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.grants = append(g.grants, time.Since(g.start))
}

// ideal is the earliest time of each grant that the terms allow, for callers
// that arrive in this order at these times.
func ideal(terms []Term, arrivals []time.Duration) []time.Duration {
	var at []time.Duration
	for i, t := range arrivals {
		if i > 0 {
			t = max(t, at[i-1])
		}
		for _, term := range terms {
			if i >= term.N {
				t = max(t, at[i-term.N]+term.Window)
			}
		}
		at = append(at, t)
	}
	return at
}

// checkWindows fails if any window of a term holds more than its number.
func checkWindows(t *testing.T, terms []Term, grants []time.Duration) {
	t.Helper()
	for _, term := range terms {
		for i := term.N; i < len(grants); i++ {
			if d := grants[i] - grants[i-term.N]; d < term.Window {
				t.Fatalf("%d grants within %v at %v: more than %d per %v", term.N+1, d, grants[i], term.N, term.Window)
			}
		}
	}
}

func TestWindowIsStrictAndFullyUsed(t *testing.T) {
	for _, tt := range []struct {
		rate string
		n    int // grants to collect
	}{
		{"1/s", 500},
		{"10/s", 2000},
		{"7/s", 2000}, // no whole number of nanoseconds apart
		{"8/min", 800},
		{"3000/day", 9000},
		{"100000/s", 120_000},
		{"10/s,100/min", 3000},
		{"10/s,3000/day", 9100},
		{"3/s,20/min,70/hour", 1000},
	} {
		t.Run(tt.rate, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := must(t, tt.rate)
				l, g := New(r, nil), &ledger{start: time.Now()}
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						for range tt.n / 20 {
							if err := pass(l, t.Context()); err != nil {
								t.Error(err)
							}
							g.add()
						}
					})
				}
				wg.Wait()
				checkWindows(t, r.Terms(), g.grants)
				if diff := cmp.Diff(ideal(r.Terms(), make([]time.Duration, tt.n)), g.grants); diff != "" {
					t.Errorf("grant times (-ideal +got):\n%.2000s", diff)
				}
			})
		})
	}
}

// Callers at random times, mostly less and sometimes more than the rate
// allows, down to single nanoseconds around the end of a window.
func TestWindowIsStrictForScatteredCallers(t *testing.T) {
	for _, rate := range []string{"1/s", "10/s", "5/s,20/min", "8/min", "2/hour,9/day"} {
		t.Run(rate, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := must(t, rate)
				l, g := New(r, nil), &ledger{start: time.Now()}
				random := rand.New(rand.NewPCG(1, 2))
				shortest := r.Terms()[0]
				var arrivals []time.Duration
				var wg sync.WaitGroup
				for range 2000 {
					gap := time.Duration(random.Int64N(int64(shortest.Window) * 2 / int64(shortest.N)))
					if random.IntN(4) == 0 {
						gap = shortest.Window + time.Duration(random.IntN(3)-1)
					}
					time.Sleep(gap)
					arrivals = append(arrivals, time.Since(g.start))
					wg.Go(func() {
						if err := pass(l, t.Context()); err != nil {
							t.Error(err)
						}
						g.add()
					})
					synctest.Wait()
				}
				wg.Wait()
				checkWindows(t, r.Terms(), g.grants)
				if diff := cmp.Diff(ideal(r.Terms(), arrivals), g.grants); diff != "" {
					t.Errorf("grant times (-ideal +got):\n%.2000s", diff)
				}
			})
		})
	}
}

func TestFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(must(t, "3/s"), nil)
		var granted [100]time.Time // several at one instant: their goroutines then run in any order
		var wg sync.WaitGroup
		for i := range granted {
			wg.Go(func() {
				if err := pass(l, t.Context()); err != nil {
					t.Error(err)
				}
				granted[i] = time.Now()
			})
			synctest.Wait()
			if i%10 == 0 {
				time.Sleep(700 * time.Millisecond)
			}
		}
		wg.Wait()
		if !slices.IsSortedFunc(granted[:], time.Time.Compare) {
			t.Errorf("let through at %v", granted)
		}
	})
}

// leaver waits, and leaves after its patience; it returns when it is done.
func leaver(l *Limiter, g *ledger, patience time.Duration) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	timer := time.AfterFunc(patience, cancel)
	defer timer.Stop()
	err := pass(l, ctx)
	if err == nil {
		g.add()
	}
	return err
}

// Callers that give up while waiting, the first of the queue among them, cost
// not one slot.
func TestLeavingCallersLoseNothing(t *testing.T) {
	for _, tt := range []struct {
		rate    string
		leave   int // percent
		seconds int
	}{
		{"100/s", 50, 20}, {"100/s", 75, 20}, {"20/s", 75, 15}, {"1/s", 75, 40}, {"20/s,300/min", 75, 70},
	} {
		t.Run(fmt.Sprint(tt.rate, " ", tt.leave), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := must(t, tt.rate)
				l, g := New(r, nil), &ledger{start: time.Now()}
				random := rand.New(rand.NewPCG(3, uint64(tt.leave)))
				end := g.start.Add(time.Duration(tt.seconds) * time.Second)
				var wg sync.WaitGroup
				left := 0
				var mu sync.Mutex
				for worker := range 40 {
					impatient, seed := worker*100 < tt.leave*40, random.Uint64()
					wg.Go(func() {
						random := rand.New(rand.NewPCG(seed, 4))
						for time.Now().Before(end) {
							patience := time.Hour
							if impatient {
								patience = time.Duration(random.Int64N(int64(200 * time.Millisecond)))
							}
							if err := leaver(l, g, patience); errors.Is(err, context.Canceled) {
								mu.Lock()
								left++
								mu.Unlock()
							} else if err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				checkWindows(t, r.Terms(), g.grants)
				n := len(g.grants)
				if diff := cmp.Diff(ideal(r.Terms(), make([]time.Duration, n)), g.grants); diff != "" {
					t.Errorf("quota was lost (-ideal +got):\n%.2000s", diff)
				}
				if left < n {
					t.Errorf("only %d callers left, %d were let through", left, n)
				}
				if l.queue.n != 0 {
					t.Errorf("%d callers are still queued", l.queue.n)
				}
			})
		})
	}
}

// The first caller sleeps until nearly the end of its window and leaves: the
// next one gets exactly that turn, in every term.
func TestTurnOfALeaverGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, g := New(must(t, "1/s,3/min"), nil), &ledger{start: time.Now()}
		if err := pass(l, t.Context()); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := leaver(l, g, time.Second-1); !errors.Is(err, context.Canceled) || time.Since(g.start) != time.Second-1 {
					t.Errorf("leaver: %v after %v", err, time.Since(g.start))
				}
			})
			synctest.Wait()
		}
		for range 3 {
			wg.Go(func() {
				if err := leaver(l, g, time.Hour); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		want := []time.Duration{time.Second, 2 * time.Second, time.Minute}
		if diff := cmp.Diff(want, g.grants); diff != "" {
			t.Errorf("grants (-want +got):\n%s", diff)
		}
	})
}

// A turn that is free while the first of the queue has yet to wake is not for
// a newcomer.
func TestNobodyOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, g := New(Rate{}, nil), &ledger{}
		l.queue.join(Caller{})
		if err := leaver(l, g, time.Second); !errors.Is(err, context.Canceled) {
			t.Errorf("Take = %v with another caller first", err)
		}
	})
}

// A limiter remembers only as many grants as a window really held.
func TestSlotsAreMadeAsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(must(t, "10/s,100000/min"), nil)
		for range 5000 {
			if err := pass(l, t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if s, m := len(l.windows[0].resting), len(l.windows[1].resting); s != 10 || m != 600 {
			t.Errorf("%d and %d slots, want 10 and 600", s, m)
		}
	})
}

// The rates are never reached: this measures the path without waiting.
func BenchmarkTake(b *testing.B) {
	for name, r := range map[string]Rate{
		"off":      {},
		"one term": {terms: []Term{{1000, time.Microsecond}}},
		"two":      {terms: []Term{{1000, time.Microsecond}, {1000, 10 * time.Microsecond}}},
	} {
		b.Run(name, func(b *testing.B) {
			l := New(r, nil)
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			b.ReportAllocs()
			for b.Loop() {
				if err := pass(l, ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Two kinds of work with 32 callers each that wait for one another in a queue.
func BenchmarkQueue(b *testing.B) {
	l := New(Rate{terms: []Term{{1, time.Microsecond}}}, nil)
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		ctx := WithCaller(b.Context(), Caller{Work: fmt.Sprint(n.Add(1) % 2)})
		for pb.Next() {
			if err := pass(l, ctx); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// A caller that is sent away with 100 others before it.
func BenchmarkBusy(b *testing.B) {
	l := New(must(b, "10/day"), nil)
	for range 10 {
		pass(l, b.Context())
	}
	for range 100 {
		l.queue.join(Caller{})
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if pass(l, ctx) == nil {
			b.Fatal("not busy")
		}
	}
}

// pass takes a turn for a request that is over at once.
func pass(l *Limiter, ctx context.Context) error {
	t, err := l.Take(ctx)
	if err == nil {
		t.Done(true)
	}
	return err
}

package ratelimit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func caller(t *testing.T, work, party string) context.Context {
	return WithCaller(t.Context(), Caller{Work: work, Party: party})
}

// numbered is the i-th caller of a herd: "%d" in a name is its number.
func numbered(c Caller, i int) Caller {
	n := func(s string) string { return strings.ReplaceAll(s, "%d", fmt.Sprint(i)) }
	return Caller{n(c.Party), n(c.Work), n(c.Session)}
}

// A herd that asks for one kind of thing does not starve a caller that asks for
// another, nor does one party of a kind starve another party.
func TestFairness(t *testing.T) {
	for _, tt := range []struct {
		name      string
		herd, one Caller
		waiting   int
		turns     int // that the one may have to wait
	}{
		{name: "another kind of work", herd: Caller{Party: "p", Work: "progress", Session: "s%d"}, one: Caller{Party: "p", Work: "info", Session: "t"}, waiting: 49, turns: 2},
		{name: "another party", herd: Caller{Party: "p", Work: "progress", Session: ""}, one: Caller{Party: "q", Work: "progress", Session: ""}, waiting: 49, turns: 2},
		{name: "a party of many sessions", herd: Caller{Party: "p", Work: "progress", Session: "s%d"}, one: Caller{Party: "q", Work: "progress", Session: "s"}, waiting: 49, turns: 2},
		{name: "a party that asks for everything", herd: Caller{Party: "p", Work: "tool%d", Session: "s%d"}, one: Caller{Party: "q", Work: "info", Session: "s"}, waiting: 49, turns: 2},
		{name: "another session", herd: Caller{Party: "p", Work: "progress", Session: "s"}, one: Caller{Party: "p", Work: "progress", Session: "t"}, waiting: 49, turns: 2},
		{name: "its own session", herd: Caller{Party: "p", Work: "progress", Session: "s"}, one: Caller{Party: "p", Work: "progress", Session: "s"}, waiting: 49, turns: 51},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(must(t, "1/s"), nil)
				for i := range tt.waiting + 1 {
					go func() {
						for t.Context().Err() == nil { // it comes again and again
							if pass(l, WithCaller(t.Context(), numbered(tt.herd, i))) != nil {
								return
							}
						}
					}()
				}
				synctest.Wait()
				for range 5 {
					began := time.Now()
					if err := pass(l, WithCaller(t.Context(), tt.one)); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(began); took > time.Duration(tt.turns)*time.Second {
						t.Errorf("waited %v", took)
					}
				}
			})
		})
	}
}

// before is a bound: no caller is served later than it says, unless one whose
// turn comes first arrives after it.
func TestBeforeIsABound(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		var q queue
		pick := func() Caller {
			return Caller{fmt.Sprint(random.IntN(3)), fmt.Sprint(random.IntN(3)), fmt.Sprint(random.IntN(3))}
		}
		for range random.IntN(30) {
			q.join(pick())
		}
		for range random.IntN(30) { // the rotation is somewhere
			if q.n > 1 {
				q.leave(q.first, random.IntN(2) == 0)
			}
		}
		c := pick()
		before := q.before(c)
		p := q.join(c)
		served := 0
		for q.first != p {
			q.leave(q.first, true)
			served++
		}
		if served > before {
			t.Fatalf("%d were served before, want at most %d", served, before)
		}
		for q.n > 0 {
			q.leave(q.first, true)
		}
		if len(q.order) != 0 || len(q.parts) != 0 || q.first != nil {
			t.Fatalf("an empty queue holds %+v", q)
		}
	}
}

// A caller that waits until its deadline gets the limit's error, and loses no
// turn of others.
func TestDeadlineInTheQueueIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(must(t, "1/s"), nil)
		_ = pass(l, t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = pass(l, caller(t, "first", "")) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(caller(t, "a", ""), 2500*time.Millisecond)
		defer cancel()
		wg.Go(func() { // it comes in time; then a party of its work, and other work, go first
			var busy *BusyError
			if err := pass(l, ctx); err != nil && !asBusy(err, &busy) {
				t.Errorf("Take = %v", err)
			}
		})
		for i := range 6 {
			wg.Go(func() { _ = pass(l, caller(t, fmt.Sprint("b", i), "")) })
		}
		began := time.Now()
		wg.Wait()
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("%v for 8 turns", took)
		}
	})
}

func asBusy(err error, busy **BusyError) bool {
	b, ok := err.(*BusyError)
	*busy = b
	return ok && b.After > 0
}

// A turn that was not used goes to another caller at once.
func TestGiveBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(must(t, "1/s,2/min"), nil)
		turn, err := l.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan time.Duration)
		began := time.Now()
		go func() {
			_ = pass(l, t.Context())
			got <- time.Since(began)
		}()
		time.Sleep(300 * time.Millisecond)
		turn.GiveBack()
		if waited := <-got; waited != 300*time.Millisecond {
			t.Errorf("the next waited %v", waited)
		}
	})
}

// A held turn serves one request with its context, or none.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(must(t, "1/s"), nil)
		tr := &Transport{Limiters: []*Limiter{l}, Base: roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{Body: http.NoBody}, nil
		})}
		send := func(ctx context.Context) time.Duration {
			began := time.Now()
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://platform.test", nil)
			if _, err := tr.RoundTrip(req); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		held, release, err := l.Hold(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if waited := send(held); waited != 0 {
			t.Errorf("the holder waited %v", waited)
		}
		if waited := send(held); waited != time.Second {
			t.Errorf("the second request waited %v: one turn served twice", waited)
		}
		release()

		time.Sleep(time.Second)
		_, release, err = l.Hold(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		release()
		release()
		if waited := send(t.Context()); waited != 0 {
			t.Errorf("an unused turn was kept: waited %v", waited)
		}
	})
}

package shared

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"kb-mcp/ratelimit"
	"kb-mcp/ratelimit/shared/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open is a client of a server that the test runs.
func open(tb testing.TB, address string, log *slog.Logger) *Redis {
	tb.Helper()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r, err := Open(address, nil, log)
	if err != nil {
		tb.Fatal(err)
	}
	r.answerTime = 10 * time.Second // a busy machine is no failure
	tb.Cleanup(func() { r.Close() })
	return r
}

// must is a rate.
func must(tb testing.TB, text string) ratelimit.Rate {
	tb.Helper()
	r, err := ratelimit.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// reserve books a turn, in the place of none.
func reserve(a *account, within time.Duration) (ratelimit.Booking, error) {
	return a.Book(context.Background(), ratelimit.Booking{}, within)
}

// reserved books a turn that must be there.
func reserved(tb testing.TB, a *account) ratelimit.Booking {
	tb.Helper()
	b, err := reserve(a, 0)
	if err != nil {
		tb.Fatalf("Book = %+v, %v", b, err)
	}
	return b
}

// wait is how long a turn was to be waited for when it was booked.
func wait(b ratelimit.Booking) time.Duration { return b.At.Sub(b.Made) }

// inspector reads what stands in a server.
func inspector(tb testing.TB, server *redistest.Server) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: server.Addr})
	tb.Cleanup(func() { c.Close() })
	return c
}

// times returns the turns of each term, in order.
func times(tb testing.TB, c *redis.Client, s *account) [][]time.Duration {
	tb.Helper()
	var all [][]time.Duration
	for _, key := range s.turns {
		list, err := c.ZRangeWithScores(context.Background(), key, 0, -1).Result()
		if err != nil {
			tb.Fatal(err)
		}
		var at []time.Duration
		for _, z := range list {
			at = append(at, time.Duration(z.Score)*time.Microsecond)
		}
		all = append(all, at)
	}
	return all
}

// TestSharedNeverOver: turns are booked far ahead, so nobody waits for them, and
// read back from Redis. Windows are long, so that none passes in the test.
func TestSharedNeverOver(t *testing.T) {
	server := redistest.Start(t)
	for _, text := range []string{"1/min", "5/min", "100/min", "3/min,20/hour", "2/min,7/hour,9/day", "50/min,60/hour"} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			rate := must(t, text)
			const processes, callers, turns = 4, 4, 12
			var wg sync.WaitGroup
			for range processes {
				s := newAccount(open(t, server.URL(), nil), t.Name(), rate.Terms())
				for range callers {
					wg.Go(func() {
						for i := range turns {
							b, err := reserve(s, 0)
							if err != nil {
								t.Errorf("reserve = %+v, %v", b, err)
							}
							if i%3 == 2 {
								s.GiveBack(b)
							}
						}
					})
				}
			}
			wg.Wait()
			s := newAccount(open(t, server.URL(), nil), t.Name(), rate.Terms())
			for i, at := range times(t, inspector(t, server), s) {
				if want := processes * callers * turns * 2 / 3; len(at) != want {
					t.Errorf("%d turns, want %d", len(at), want)
				}
				neverOver(t, rate.Terms()[i], at)
			}
		})
	}
}

// neverOver fails when a window holds more turns than the term's number.
func neverOver(t *testing.T, term ratelimit.Term, at []time.Duration) {
	t.Helper()
	for i := term.N; i < len(at); i++ {
		if d := at[i] - at[i-term.N]; d < term.Window+margin {
			t.Errorf("%d turns within %s, want %d in any %s", term.N+1, d, term.N, term.Window+margin)
		}
	}
}

// TestSharedUsesAll: one turn follows the other as closely as the rate lets it,
// also where turns were given back in the middle.
func TestSharedUsesAll(t *testing.T) {
	server := redistest.Start(t)
	r, c := open(t, server.URL(), nil), inspector(t, server)
	for _, text := range []string{"1/min", "7/min", "7/min,1000/day"} {
		s := newAccount(r, text, must(t, text).Terms())
		var later []ratelimit.Booking // not those of the first window, whose times pass
		for range 100 {
			if b := reserved(t, s); wait(b) > 0 {
				later = append(later, b)
			}
		}
		before := times(t, c, s)
		for i := s.terms[0].N; i < len(before[0]); i++ {
			if d := before[0][i] - before[0][i-s.terms[0].N]; d != time.Minute+margin {
				t.Errorf("%s: turn %d comes %s after the one whose place it takes", text, i, d)
			}
		}
		for _, i := range rand.Perm(len(later))[:30] {
			s.GiveBack(later[i])
		}
		if n := len(times(t, c, s)[0]); n != 70 {
			t.Errorf("%s: %d turns are left of 100 after 30 went back", text, n)
		}
		for range 30 {
			reserved(t, s)
		}
		if d := cmp.Diff(before, times(t, c, s)); d != "" {
			t.Errorf("%s: turns were lost or moved:\n%s", text, d)
		}
	}
}

// TestSharedReplaces: a turn is replaced in one step.
func TestSharedReplaces(t *testing.T) {
	server := redistest.Start(t)
	r := open(t, server.URL(), nil)
	a, b := newAccount(r, "a", must(t, "1/min").Terms()), newAccount(r, "a", must(t, "1/min").Terms())
	reserved(t, a)
	mine, next := reserved(t, a), reserved(t, b)
	again, err := a.Book(t.Context(), mine, 0)
	if err != nil || wait(again) > wait(mine) || again.ID == mine.ID {
		t.Errorf("%+v became %+v, %v", mine, again, err)
	}
	b.Pause(time.Hour)
	again, err = a.Book(t.Context(), again, 0)
	if err != nil || wait(again) < 59*time.Minute {
		t.Errorf("after the platform closed: %+v, %v", again, err)
	}
	if n := len(times(t, inspector(t, server), a)[0]); n != 3 {
		t.Errorf("%d turns, want 3: the first, %s and %s", n, next.ID, again.ID)
	}
}

// TestSharedCounted: what follows a request that was late comes later.
func TestSharedCounted(t *testing.T) {
	server := redistest.Start(t)
	s, c := newAccount(open(t, server.URL(), nil), "a", must(t, "1/min,5/day").Terms()), inspector(t, server)
	b := reserved(t, s)
	at := times(t, c, s)
	s.Counted(b, b.Earliest.Add(margin))
	if d := cmp.Diff(at, times(t, c, s)); d != "" {
		t.Errorf("a request within the margin moves turns:\n%s", d)
	}
	s.Counted(b, b.Earliest.Add(margin+10*time.Second))
	for i, moved := range times(t, c, s) {
		if d := moved[0] - at[i][0]; d != 10*time.Second {
			t.Errorf("term %d: a turn that was 10 s late moves by %s", i, d)
		}
	}
	s.GiveBack(b)
	s.Counted(b, b.Earliest.Add(time.Minute))
	if n := len(times(t, c, s)[0]); n != 0 {
		t.Error("a turn that is gone came back")
	}
}

func TestSharedWithin(t *testing.T) {
	server := redistest.Start(t)
	s := newAccount(open(t, server.URL(), nil), "a", must(t, "1/min").Terms())
	reserved(t, s)
	for within, want := range map[time.Duration]bool{-time.Second: false, 1: false, 30 * time.Second: false, 2 * time.Minute: true} {
		b, err := reserve(s, within)
		after := wait(b)
		var busy *ratelimit.BusyError
		if errors.As(err, &busy) {
			after = busy.After
		} else if err != nil {
			t.Fatal(err)
		}
		if (err == nil) != want || after < 30*time.Second || after > time.Minute+margin {
			t.Errorf("within %s: %+v, %v", within, b, err)
		}
		if err == nil {
			s.GiveBack(b)
		}
	}
	if n := len(times(t, inspector(t, server), s)[0]); n != 1 {
		t.Errorf("%d turns are booked, want 1", n)
	}
}

func TestSharedPause(t *testing.T) {
	r := open(t, redistest.Start(t).URL(), nil)
	a, b, other := newAccount(r, "a", must(t, "100/s").Terms()), newAccount(r, "a", must(t, "100/s").Terms()), newAccount(r, "b", must(t, "100/s").Terms())
	a.Pause(time.Hour)
	a.Pause(time.Minute) // does not shorten
	if got := reserved(t, b); wait(got) < 59*time.Minute {
		t.Errorf("the other process waits %s", wait(got))
	}
	if got := reserved(t, other); wait(got) > 0 {
		t.Errorf("the other account waits %s", wait(got))
	}
	b.Pause(2 * time.Hour)
	if got := reserved(t, a); wait(got) < 119*time.Minute {
		t.Errorf("a longer pause makes %s", wait(got))
	}
}

func TestSharedProcesses(t *testing.T) {
	r := open(t, redistest.Start(t).URL(), nil)
	var list []*account
	for i := range 3 {
		s := newAccount(r, "a", must(t, "100/s").Terms())
		if n := s.Processes(); n != 1 {
			t.Errorf("before its first turn a process counts %d", n)
		}
		reserved(t, s)
		reserved(t, s)
		if n := s.Processes(); n != i+1 {
			t.Errorf("process %d counts %d", i, n)
		}
		list = append(list, s)
	}
	list[0].period = time.Microsecond // all the others were seen longer ago
	reserved(t, list[0])
	if n := list[0].Processes(); n != 1 {
		t.Errorf("processes that are gone are counted: %d", n)
	}
}

// TestSharedKeys: nothing of the account's name is stored, nothing stays
// forever, and all keys of an account are in one slot of a cluster.
func TestSharedKeys(t *testing.T) {
	server := redistest.Start(t)
	r, c := open(t, server.URL(), nil), inspector(t, server)
	s := newAccount(r, "dify canary-account", must(t, "5/s,100/day").Terms())
	s.Pause(time.Minute)
	reserved(t, s)
	keys, err := c.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 4 {
		t.Fatalf("%v, %v", keys, err)
	}
	tags := map[string]bool{}
	for _, key := range keys {
		ttl, err := c.PTTL(t.Context(), key).Result()
		if err != nil || ttl <= 0 || ttl > 25*time.Hour || strings.Contains(key, "canary") || !strings.HasPrefix(key, "kb-mcp:{") {
			t.Errorf("%s lives for %s, %v", key, ttl, err)
		}
		tags[strings.Split(key, "}")[0]] = true
	}
	if len(tags) != 1 {
		t.Errorf("slots of a cluster: %v", slices.Collect(maps.Keys(tags)))
	}
}

// TestSharedChangedRate: processes that already have a new rate and those that
// do not yet share one account.
func TestSharedChangedRate(t *testing.T) {
	r := open(t, redistest.Start(t).URL(), nil)
	before, after := newAccount(r, "a", must(t, "10/min").Terms()), newAccount(r, "a", must(t, "4/min,100/day").Terms())
	for range 10 {
		reserved(t, before)
	}
	if b := reserved(t, after); wait(b) < 50*time.Second {
		t.Errorf("4/min after 10 in this minute waits %s", wait(b))
	}
}

// takes counts the turns that a limiter gives within 20 seconds, up to n.
func takes(t *testing.T, l *ratelimit.Limiter, n int) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := range n {
		if turn, err := l.Take(ctx); err != nil {
			return i
		} else {
			turn.Done(true)
		}
	}
	return n
}

// TestLimiterWithoutRedis: when it goes away, limiters keep to their shares, and
// for a while after it is back: nobody else knows yet what they did.
func TestLimiterWithoutRedis(t *testing.T) {
	server := redistest.Start(t)
	r := open(t, server.URL(), nil)
	rate := must(t, "5/min,100/day")
	a, b := newAccount(r, "a", rate.Terms()), newAccount(r, "a", rate.Terms())
	reserved(t, a)
	reserved(t, b)
	reserved(t, a) // knows of b
	server.Stop()
	for _, s := range []*account{a, b} {
		if n := takes(t, ratelimit.New(rate, s), 5); n != 2 {
			t.Errorf("without Redis: %d turns, of 5 for two processes", n)
		}
	}
	server.Restart()
	r.probes.Wait()
	r.nextProbe = time.Now()
	a.GiveBack(ratelimit.Booking{ID: "x"})
	r.probes.Wait()
	reserved(t, b)
	reserved(t, a)
	l := ratelimit.New(rate, a)
	if n := takes(t, l, 5); n != 2 {
		t.Errorf("after it came back: %d turns, of 5 for two processes", n)
	}
	r.back = r.back.Add(-2 * time.Minute)
	if n := takes(t, l, 5); n != 1 {
		t.Errorf("later: %d more turns, want the one that is left of 5", n)
	}
}

// TestNothingIsShared: without Redis, and without limits.
func TestNothingIsShared(t *testing.T) {
	if n := takes(t, NewLimiter(nil, "a", must(t, "5/min")), 6); n != 5 {
		t.Errorf("without Redis: %d turns of 5", n)
	}
	r := open(t, "redis://127.0.0.1:1", nil)
	if n := takes(t, NewLimiter(r, "a", ratelimit.Rate{}), 100); n != 100 || r.pause > 0 {
		t.Errorf("without limits: %d turns, and Redis was asked", n)
	}
}

// TestLimitersShare: what one limiter takes another cannot, a turn given back is
// everybody's, and a pause holds for both.
func TestLimitersShare(t *testing.T) {
	r := open(t, redistest.Start(t).URL(), nil)
	rate := must(t, "5/min")
	a, b := NewLimiter(r, "a", rate), NewLimiter(r, "a", rate)
	if n := takes(t, a, 3); n != 3 {
		t.Errorf("the first took %d", n)
	}
	turn, err := a.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := takes(t, b, 5); n != 1 {
		t.Errorf("the second took %d, of one that was left", n)
	}
	turn.GiveBack()
	if n := takes(t, b, 5); n != 1 {
		t.Errorf("the second took %d, of one that was given back", n)
	}
	c, d := NewLimiter(r, "b", must(t, "9/s")), NewLimiter(r, "b", must(t, "9/s"))
	c.Pause(time.Hour)
	if n := takes(t, d, 1); n != 0 {
		t.Error("a pause holds for one process only")
	}
}

func BenchmarkShared(b *testing.B) {
	r := open(b, redistest.Start(b).URL(), nil)
	for _, text := range []string{"100000/s", "100000/s,100000/min", "1/day"} {
		b.Run(fmt.Sprint("reserve ", text), func(b *testing.B) {
			s := newAccount(r, text, must(b, text).Terms())
			for b.Loop() { // of 1/day only the first is booked
				var busy *ratelimit.BusyError
				if _, err := reserve(s, time.Microsecond); err != nil && !errors.As(err, &busy) {
					b.Fatal(err)
				}
			}
		})
	}
}

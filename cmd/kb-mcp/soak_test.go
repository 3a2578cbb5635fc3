package main

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	soakTime = flag.Duration("soak", time.Second, "how long TestSoak lasts")
	soakSeed = flag.Uint64("soakseed", 0, "the random numbers of TestSoak; 0 picks some")
)

// soakSessions are the transports of the sessions that are there at any time.
func soakSessions() []string {
	return slices.Concat(slices.Repeat([]string{"legacy"}, 24), slices.Repeat([]string{"modern"}, 16),
		slices.Repeat([]string{"sse"}, 20), slices.Repeat([]string{"stdio"}, 4))
}

// TestSoak lets sessions come and go on all transports while the platforms
// fail and the quotas bite. Every answer is checked against what the sandbox
// holds; see soak_checks_test.go and soak_deeds_test.go. After each quarter all sessions end, and
// nothing of them may be left.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("sessions come and go for as long as they are asked to")
	}
	seed := *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-soak %v -soakseed %d", *soakTime, seed)
	silent(t) // the first socket opens descriptors that stay
	earlier, files := goleak.IgnoreCurrent(), descriptors(t)
	w := newSoakWorld(t, seed)
	w.faulty.Store(true)
	var heaps []uint64
	for quarter := range uint64(4) {
		w.quarter(quarter, *soakTime/4)
		w.empty()
		heaps = append(heaps, heapInUse())
		t.Logf("after quarter %d: heap %d bytes, %d goroutines, %d descriptors", quarter, heaps[quarter], runtime.NumGoroutine(), descriptors(t))
	}
	if heaps[3] > heaps[0]+heaps[0]/5 {
		t.Errorf("the heap grows: %v", heaps)
	}
	w.stop()
	t.Logf("what happened:\n%s", w.told())
	goleak.VerifyNone(t, earlier)
	if n := descriptors(t); n > files {
		t.Errorf("%d descriptors at the end, %d at the beginning", n, files)
	}
}

// quarter runs all sessions for a while and waits for their end.
func (w *soakWorld) quarter(n uint64, d time.Duration) {
	end := time.Now().Add(d)
	over := func() bool { return time.Now().After(end) || w.t.Failed() }
	var wg sync.WaitGroup
	slot := uint64(0)
	for _, transport := range soakSessions() {
		slot++
		rng := rand.New(rand.NewPCG(w.seed+n, slot))
		wg.Go(func() {
			for !over() {
				w.session(transport, rng, over)
			}
		})
	}
	wg.Wait()
	w.cleanUp()
	w.client.CloseIdleConnections()
	w.hangUp()
}

// empty waits until the server has noticed that everybody has left.
func (w *soakWorld) empty() {
	idle := 0
	before := runtime.NumGoroutine()
	for deadline := time.Now().Add(patience); idle < 10; time.Sleep(5 * time.Millisecond) {
		sessions, calls := w.server.Open()
		now := runtime.NumGoroutine()
		if idle++; sessions > 0 || calls > 0 || now != before {
			idle, before = 0, now
		}
		if time.Now().After(deadline) {
			w.t.Errorf("%d sessions, %d calls and %d goroutines are left", sessions, calls, now)
			return
		}
	}
}

// session is one, from its beginning to its end.
func (w *soakWorld) session(transport string, rng *rand.Rand, over func() bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var r road
	var err error
	done := func() {}
	switch transport {
	case "stdio":
		var environ []string
		environ, _, done = w.environ(stdioRate)
		r, err = newStdioRoad(ctx, environ)
	case "sse":
		r, err = newSSERoad(ctx, w.client, w.url)
	default:
		r, err = newHTTPRoad(ctx, w.client, w.url, transport == "modern")
	}
	defer done()
	if err != nil {
		w.t.Errorf("%s: %v", transport, err)
		return
	}
	v := w.visitor(r, rng)
	v.over = over
	v.visit(1 + rng.IntN(20))
	if err := r.leave(rng.IntN(2) == 0); err != nil {
		w.t.Errorf("%s: %v", transport, err)
	}
	w.happened("session: " + transport)
}

// heapInUse is what is in use once the garbage is gone.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC() // the first only empties the pools into their victims
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// descriptors counts the open files and sockets, where the system tells.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

// counted answers like next and counts the requests.
func counted(n *atomic.Int64, next answer) function {
	return func(r *http.Request) (*http.Response, error) {
		n.Add(1)
		return next(r)
	}
}

// herd makes the same call n times at once.
func herd(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errs
}

func TestEqualReadsAreOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		c := client(t, "http://h", Conn{Transport: counted(&n, after(time.Second, reply(200, `{"value":"v"}`)))}, nil)
		out := make([]payload, 20)
		for i, err := range herd(20, func(i int) error {
			return c.Do(t.Context(), Call{Method: "POST", Path: []string{"list"}, Body: map[string]int{"page": 1}}, &out[i])
		}) {
			if err != nil || out[i].Value != "v" {
				t.Errorf("caller %d: %+v, %v", i, out[i], err)
			}
		}
		if n.Load() != 1 {
			t.Errorf("%d requests", n.Load())
		}
		// Another body, another query, and the same one later are other reads.
		for i := range 3 {
			if err := c.Do(t.Context(), Call{Method: "POST", Path: []string{"list"}, Body: map[string]int{"page": 1 + i%2}}, &out[0]); err != nil {
				t.Error(err)
			}
		}
		if n.Load() != 4 {
			t.Errorf("%d requests", n.Load())
		}
	})
}

// A caller that joins a read in flight gives others the turn that it holds.
func TestJoiningForgoesAHeldTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		l := limiter(t, "2/h")
		c := client(t, "http://h", Conn{Limiter: l, Transport: counted(&n, after(10*time.Second, reply(200, `{"value":"v"}`)))}, nil)
		var wg sync.WaitGroup
		ask := func(ctx context.Context) {
			wg.Go(func() {
				if err := c.Do(ctx, Call{Method: "GET", Path: []string{"list"}}, &payload{}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		ask(t.Context())
		held, release, err := c.conn.Hold(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		ask(held)
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := pass(soon, l); err != nil {
			t.Errorf("another caller while both wait for one answer: %v", err)
		}
		wg.Wait()
		if n.Load() != 1 {
			t.Errorf("%d requests", n.Load())
		}
	})
}

func TestEqualReadsShareTheirFailure(t *testing.T) {
	for name, tt := range map[string]struct {
		answer answer
		want   vendors.Kind
		tries  int64
	}{
		"refused":     {reply(200, `{"code":7,"message":"no"}`, "X-Request-Id: r1"), vendors.VendorError, 1},
		"unreachable": {fails(errors.New("connection reset")), vendors.Unavailable, 3},
		"not JSON":    {reply(200, `<html>`), vendors.BadResponse, 1},
		"a panic":     {func(*http.Request) (*http.Response, error) { panic("boom") }, vendors.Internal, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var n atomic.Int64
				slow := func(r *http.Request) (*http.Response, error) { time.Sleep(time.Second); return tt.answer(r) }
				c := client(t, "http://h", Conn{Transport: counted(&n, slow)}, nil)
				errs := herd(10, func(int) error { return c.Do(t.Context(), Call{Method: "GET", Path: []string{"x"}}, &payload{}) })
				seen := map[*vendors.Error]bool{}
				for _, err := range errs {
					var e *vendors.Error
					if !errors.As(err, &e) || e.Kind != tt.want || seen[e] {
						t.Errorf("%v (its own error: %v)", err, !seen[e])
					}
					seen[e] = true
				}
				if n.Load() != tt.tries {
					t.Errorf("%d requests, want %d", n.Load(), tt.tries)
				}
			})
		})
	}
}

func TestWhoLeavesAloneLeavesTheFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		ended := make(chan error, 1)
		c := client(t, "http://h", Conn{Transport: counted(&n, func(r *http.Request) (*http.Response, error) {
			resp, err := after(10*time.Second, reply(200, `{"value":"v"}`))(r)
			ended <- err
			return resp, err
		})}, nil)
		do := func(ctx context.Context) error {
			return c.Do(ctx, Call{Method: "GET", Path: []string{"x"}}, &payload{})
		}
		first, leave := context.WithCancel(t.Context())
		errs := make(chan error, 2)
		go func() { errs <- do(first) }()
		synctest.Wait()
		go func() { errs <- do(t.Context()) }()
		synctest.Wait()
		leave() // the caller that began it
		if err := <-errs; vendors.KindOf(err) != vendors.Timeout {
			t.Errorf("the caller that left got %v", err)
		}
		if err := <-errs; err != nil || n.Load() != 1 || <-ended != nil {
			t.Errorf("the caller that stayed got %v after %d requests", err, n.Load())
		}
		// The last caller that leaves ends the request, and no other joins it
		// then.
		last, leave := context.WithCancel(t.Context())
		go func() { errs <- do(last) }()
		synctest.Wait()
		leave()
		<-errs
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the request ended with %v", err)
		}
		if err := do(t.Context()); err != nil || n.Load() != 3 {
			t.Errorf("%v after %d requests", err, n.Load())
		}
	})
}

func TestWhoHasLeftAsksNothing(t *testing.T) {
	var n atomic.Int64
	c := client(t, "http://h", Conn{Transport: counted(&n, reply(200, `{"value":"v"}`))}, nil)
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 100 { // of two things that are ready, select takes any
		if err := c.Do(gone, Call{Method: "GET", Path: []string{"x"}}, &payload{}); vendors.KindOf(err) != vendors.Timeout {
			t.Fatalf("%v", err)
		}
	}
	if n.Load() != 0 {
		t.Errorf("%d requests", n.Load())
	}
}

func TestWhoHasMoreTimeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		c := client(t, "http://h", Conn{Timeout: 20 * time.Second, Transport: counted(&n, after(5*time.Second, reply(200, `{"value":"v"}`)))}, nil)
		hasty, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		patient, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := c.Do(hasty, Call{Method: "GET", Path: []string{"x"}}, &payload{}); vendors.KindOf(err) != vendors.Timeout {
				t.Errorf("hasty: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			var out payload
			if err := c.Do(patient, Call{Method: "GET", Path: []string{"x"}}, &out); err != nil || out.Value != "v" {
				t.Errorf("patient: %+v, %v", out, err)
			}
		})
		wg.Wait()
		if n.Load() != 2 {
			t.Errorf("%d requests", n.Load())
		}
	})
}

func TestReadsSeeTheWriteBeforeThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		value := "old"
		c := client(t, "http://h", Conn{Transport: function(func(r *http.Request) (*http.Response, error) {
			n.Add(1)
			if r.Method == "PUT" {
				value = "new"
				return reply(200, `{}`)(r)
			}
			seen := value
			return after(5*time.Second, reply(200, fmt.Sprintf(`{"value":%q}`, seen)))(r)
		})}, nil)
		go func() { _ = c.Do(t.Context(), Call{Method: "GET", Path: []string{"x"}}, &payload{}) }()
		synctest.Wait()
		if err := c.Do(t.Context(), Call{Method: "PUT", Path: []string{"x"}, Write: Once}, &payload{}); err != nil {
			t.Fatal(err)
		}
		var out payload
		if err := c.Do(t.Context(), Call{Method: "GET", Path: []string{"x"}}, &out); err != nil || out.Value != "new" || n.Load() != 3 {
			t.Errorf("%+v, %v after %d requests", out, err, n.Load())
		}
	})
}

// Equal changes are as many requests as calls: between two of them another call
// may have changed it back.
func TestEqualChangesAreNotShared(t *testing.T) {
	for _, call := range []Call{{Method: "PUT"}, {Method: "PATCH"}, {Method: "DELETE"}, {Method: "POST", Write: Repeatable}, {Method: "POST", Write: Once}} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var seen []string
			c := client(t, "http://h", Conn{Transport: function(func(r *http.Request) (*http.Response, error) {
				body, _ := io.ReadAll(r.Body)
				mu.Lock()
				seen = append(seen, string(body))
				first := len(seen) == 1
				mu.Unlock()
				if first {
					time.Sleep(time.Second)
				}
				return reply(200, `{}`)(r)
			})}, nil)
			var wg sync.WaitGroup
			for _, name := range []string{"x", "y", "x"} {
				call.Path, call.Body = []string{"kb"}, name
				wg.Go(func() {
					if err := c.Do(t.Context(), call, &payload{}); err != nil {
						t.Error(err)
					}
				})
				synctest.Wait()
			}
			wg.Wait()
			if got := strings.Join(seen, " "); got != `"x" "y" "x"` {
				t.Errorf("%s, write %d: the platform saw %s", call.Method, call.Write, got)
			}
		})
	}
}

// A read that begins while a change is on its way joins none from before it, and
// one that begins after it none from meanwhile.
func TestReadsAroundAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		c := client(t, "http://h", Conn{Transport: counted(&n, after(10*time.Second, reply(200, `{"value":"v"}`)))}, nil)
		var wg sync.WaitGroup
		do := func(call Call) {
			wg.Go(func() {
				if err := c.Do(t.Context(), call, &payload{}); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(time.Second)
		}
		read, change := Call{Method: "GET", Path: []string{"x"}}, Call{Method: "POST", Path: []string{"x"}, Write: Repeatable}
		do(read)
		do(change)
		do(read)
		do(read) // joins the one before it
		if n.Load() != 3 {
			t.Errorf("%d requests while a change is on its way", n.Load())
		}
		time.Sleep(7500 * time.Millisecond) // the change has ended, the second read has not
		do(read)
		wg.Wait()
		if n.Load() != 4 {
			t.Errorf("%d requests", n.Load())
		}
	})
}

func BenchmarkShared(b *testing.B) {
	c := New(Conn{Limiter: ratelimit.New(ratelimit.Rate{}, nil), Transport: function(reply(200, `{"value":"v"}`))},
		Dialect{Base: base(b, "http://h"), Decode: decode})
	b.ReportAllocs()
	for b.Loop() {
		var out payload
		if err := c.Do(context.Background(), Call{Method: "GET", Path: []string{"x"}}, &out); err != nil {
			b.Fatal(err)
		}
	}
}

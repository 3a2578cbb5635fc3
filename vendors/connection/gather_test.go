package connection

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/merge"
)

// crowded is a platform behind a limit: a request leaves every second, and its
// answer takes a tenth.
type crowded struct {
	shelf
	batch int
	fail  func(ids []string) error

	mu    sync.Mutex
	asked [][]string
	next  time.Time // free turn

	changes atomic.Uint64
}

func (c *crowded) Batch() int { return c.batch }

func (c *crowded) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	c.mu.Lock()
	c.asked = append(c.asked, q.DocumentIDs)
	c.mu.Unlock()
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
		return vendors.Report{}, vendors.Errorf(vendors.Timeout, "no answer")
	}
	if c.fail != nil {
		if err := c.fail(q.DocumentIDs); err != nil {
			return vendors.Report{}, err
		}
	}
	var rep vendors.Report
	for _, id := range q.DocumentIDs {
		if strings.HasPrefix(id, "no") {
			continue
		}
		rep.Documents = append(rep.Documents, vendors.Document{DocumentID: id, Status: vendors.Completed})
	}
	return rep, nil
}

// hold grants one turn a second.
func (c *crowded) hold(ctx context.Context) (context.Context, func(), error) {
	c.mu.Lock()
	at := time.Now()
	if c.next.After(at) {
		at = c.next
	}
	if until, ok := ctx.Deadline(); ok && !at.Before(until) {
		c.mu.Unlock()
		return nil, nil, &vendors.Error{Kind: vendors.RateLimited, After: time.Until(at), Message: "busy"}
	}
	c.next = at.Add(time.Second)
	c.mu.Unlock()
	select {
	case <-time.After(time.Until(at)):
		return ctx, func() {}, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

func (c *crowded) vendor() *Connection { return New("v", "p", c).Gather(c.hold, c.changes.Load) }

func numbered(from, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint(from + i)
	}
	return ids
}

// ask is one caller; it fails unless every document is answered.
func (c *crowded) ask(t *testing.T, v *Connection, ids []string) {
	t.Helper()
	got, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: ids})
	if err != nil || len(got.Documents) != len(ids) || got.Truncated {
		t.Errorf("%v: %+v, %v", ids, got, err)
	}
	for i, d := range got.Documents {
		if d.DocumentID != ids[i] || d.Status != vendors.Completed && !strings.HasPrefix(d.DocumentID, "no") {
			t.Errorf("%+v instead of %s", d, ids[i])
		}
	}
}

func (c *crowded) sizes() []int {
	var n []int
	for _, ids := range c.asked {
		n = append(n, len(ids))
	}
	return n
}

func TestGather(t *testing.T) {
	for _, tt := range []struct {
		name  string
		batch int
		ask   func(i int) []string // of each of 10 callers
		late  time.Duration        // between two callers
		want  []int                // ids of each request
	}{
		{"different documents", 100, func(i int) []string { return numbered(i*20, 20) }, time.Millisecond, []int{100, 100}},
		{"the same documents", 100, func(int) []string { return numbered(0, 150) }, time.Millisecond, []int{100, 50}},
		{"an unknown document", 100, func(i int) []string { return []string{fmt.Sprint("no", i), fmt.Sprint(i)} }, time.Millisecond, []int{20}},
		{"no batches", 0, func(i int) []string { return numbered(i*20, 20) }, time.Millisecond, []int{200}},
		{"while others wait for their turn", 10, func(i int) []string { return numbered(i*4, 4) }, 200 * time.Millisecond, []int{4, 10, 10, 10, 6}},
		{"a listing that is being read", 0, func(i int) []string { return numbered(i*4, 4) }, 15 * time.Millisecond, []int{4, 36}},
		{"on their way already", 100, func(int) []string { return numbered(0, 50) }, 11 * time.Millisecond, []int{50}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &crowded{batch: tt.batch}
				v := c.vendor()
				var wg sync.WaitGroup
				for i := range 10 {
					wg.Go(func() { c.ask(t, v, tt.ask(i)) })
					time.Sleep(tt.late)
				}
				wg.Wait()
				if got := c.sizes(); !slices.Equal(got, tt.want) {
					t.Errorf("requests of %v documents, want %v", got, tt.want)
				}
				synctest.Wait()
				if v.gather.Waiting() != 0 {
					t.Errorf("%d batches are left", v.gather.Waiting())
				}
			})
		})
	}
}

// A refusal of one caller's documents is not another caller's failure.
func TestGatherBlamesWhoAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowded{batch: 100, fail: func(ids []string) error {
			if slices.Contains(ids, "bad") {
				return vendors.Errorf(vendors.PermissionDenied, "not yours")
			}
			return nil
		}}
		v := c.vendor()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: []string{"a", "bad", "b"}})
			if vendors.KindOf(err) != vendors.PermissionDenied {
				t.Errorf("the caller that asked for it: %v", err)
			}
		})
		wg.Go(func() { c.ask(t, v, []string{"a", "c"}) })
		wg.Go(func() { c.ask(t, v, []string{"d"}) })
		wg.Wait()
	})
}

// A failure of the platform is the error of every caller, and is not retried.
func TestGatherSharesFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowded{batch: 100, fail: func([]string) error { return vendors.Errorf(vendors.Unavailable, "down") }}
		v := c.vendor()
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				_, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: numbered(i, 2)})
				if vendors.KindOf(err) != vendors.Unavailable {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := c.sizes(); !slices.Equal(got, []int{6}) {
			t.Errorf("requests of %v", got)
		}
	})
}

// When the limit does not let everything be read in time, what was read is the
// answer, at once.
func TestGatherDegrades(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowded{batch: 10}
		v := c.vendor()
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		began := time.Now()
		got, err := v.Progress(ctx, ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: numbered(0, 50)})
		if err != nil || len(got.Documents) != 30 || len(got.Remaining) != 20 || !got.Truncated || got.RetryAfterSeconds < 1 {
			t.Errorf("%d documents, %d remain, %+v, %v", len(got.Documents), len(got.Remaining), got.Summary, err)
		}
		if took := time.Since(began); took > 2200*time.Millisecond {
			t.Errorf("took %v: waited for what could not come", took)
		}
	})
}

// A caller that leaves withdraws its documents, and the request if it was the
// only caller.
func TestGatherLeavers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowded{batch: 10}
		v := c.vendor()
		c.ask(t, v, []string{"first"})
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				_, err := v.Progress(ctx, ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: numbered(i*5, 5)})
				if vendors.KindOf(err) != vendors.RateLimited {
					t.Error(err)
				}
			})
		}
		wg.Go(func() { c.ask(t, v, []string{"x", "y"}) })
		wg.Wait()
		synctest.Wait()
		if len(c.asked) != 2 || !slices.Equal(c.asked[1], []string{"x", "y"}) {
			t.Errorf("asked for %v", c.asked)
		}

		time.Sleep(time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		began := time.Now()
		if _, err := v.gather.Progress(ctx, "kb", []string{"a"}); vendors.KindOf(err) != vendors.Timeout || time.Since(began) != 50*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		synctest.Wait()
		if v.gather.Waiting() != 0 {
			t.Error("the request of a caller who has left goes on")
		}
	})
}

// A caller that comes while a wait for a turn fails, because its callers have
// left or had less time, waits for another turn.
func TestGatherNewcomers(t *testing.T) {
	for name, first := range map[string]merge.Hold{
		"the others have left": func(ctx context.Context) (context.Context, func(), error) {
			<-ctx.Done()
			time.Sleep(20 * time.Millisecond) // in which somebody comes
			return nil, nil, vendors.Errorf(vendors.Timeout, "cancelled")
		},
		"the others had less time": func(context.Context) (context.Context, func(), error) {
			time.Sleep(200 * time.Millisecond)
			return nil, nil, &vendors.Error{Kind: vendors.RateLimited, After: time.Second, Message: "busy"}
		},
		"their time has passed": func(ctx context.Context) (context.Context, func(), error) {
			<-ctx.Done()
			return nil, nil, vendors.Errorf(vendors.Timeout, "too late")
		},
	} {
		for _, batch := range []int{0, 2, 100} {
			t.Run(fmt.Sprint(name, " ", batch), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := &crowded{batch: batch}
					var holds atomic.Int32
					v := New("v", "p", c).Gather(func(ctx context.Context) (context.Context, func(), error) {
						if holds.Add(1) == 1 {
							return first(ctx)
						}
						return c.hold(ctx)
					}, c.changes.Load)
					ctx, leave := context.WithTimeout(t.Context(), 500*time.Millisecond)
					if strings.Contains(name, "left") {
						time.AfterFunc(100*time.Millisecond, leave)
					}
					defer leave()
					early := make(chan error, 1)
					go func() {
						_, err := v.Progress(ctx, ProgressRequest{KnowledgeBaseID: "kb", DocumentIDs: []string{"a", "b"}})
						early <- err
					}()
					time.Sleep(110 * time.Millisecond)
					c.ask(t, v, []string{"b", "c", "d"})
					// With two documents a request, the newcomer's first takes theirs along.
					if err := <-early; err == nil && batch != 2 {
						t.Error("a caller without time was answered")
					}
					synctest.Wait()
					if v.gather.Waiting() != 0 {
						t.Errorf("%d batches are left", v.gather.Waiting())
					}
				})
			})
		}
	}
}

// Once a change has begun, and once it has ended, no caller is answered by an
// earlier request.
func TestGatherAfterWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowded{batch: 10}
		v := c.vendor()
		var wg sync.WaitGroup
		wg.Go(func() { c.ask(t, v, []string{"a"}) })
		time.Sleep(20 * time.Millisecond) // it is on its way
		c.changes.Add(1)
		wg.Go(func() { c.ask(t, v, []string{"a"}) })
		wg.Go(func() { c.ask(t, v, []string{"a"}) }) // these two share
		time.Sleep(time.Second + 20*time.Millisecond)
		c.changes.Add(1)
		c.ask(t, v, []string{"a"})
		wg.Wait()
		if len(c.asked) != 3 {
			t.Errorf("asked for %v", c.asked)
		}
	})
}

// A driver that panics costs its callers an error, not the process.
func TestGatherSurvivesPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowded{batch: 10, fail: func([]string) error { panic("odd answer") }}
		_, err := c.vendor().gather.Progress(t.Context(), "kb", []string{"a"})
		var e *vendors.Error
		if !errors.As(err, &e) || e.Kind != vendors.Internal || !strings.Contains(fmt.Sprint(e.Err), "odd answer") {
			t.Errorf("%v", err)
		}
	})
}

// A panic while a request waits for its turn is the error of all callers that
// wait for the knowledge base, and of no later one.
func TestGatherSurvivesAPanicBeforeTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowded{batch: 1}
		var holds atomic.Int32
		v := New("v", "p", c).Gather(func(ctx context.Context) (context.Context, func(), error) {
			if holds.Add(1) == 2 {
				panic("odd Redis")
			}
			return c.hold(ctx)
		}, c.changes.Load)
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				began := time.Now()
				_, err := v.gather.Progress(t.Context(), "kb", []string{fmt.Sprint(i)})
				if took := time.Since(began); err != nil && vendors.KindOf(err) != vendors.Internal || took > 5*time.Second {
					t.Errorf("%v after %v", err, took)
				}
			})
		}
		wg.Wait()
		c.ask(t, v, []string{"later"})
		synctest.Wait()
		if v.gather.Waiting() != 0 {
			t.Errorf("%d batches are left", v.gather.Waiting())
		}
	})
}

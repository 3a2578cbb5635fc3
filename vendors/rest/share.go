package rest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"kb-mcp/vendors"
)

// Flights merges equal reads that are in flight at the same time into one
// request. Connections on one account share a Flights. The zero value is ready
// to use.
type Flights struct {
	mu    sync.Mutex
	under map[string]*flight
	// changes counts how often a change began or ended: a read that begins then
	// joins none that left before, so that callers see their own changes.
	changes uint64
}

// flight is one read on its way. It is detached from any one caller, and ends
// when the last of them has left.
type flight struct {
	waiting int
	cancel  context.CancelFunc
	until   time.Time // when it gives up; zero: never
	done    chan struct{}

	// Set before done is closed.
	answer Answer // of the last try; Status 0 when none came
	value  reflect.Value
	err    error
}

// join returns the flight for a key, beginning it when there is none.
func (f *Flights) join(ctx context.Context, key string, fly func(context.Context, *flight)) (fl *flight, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl, ok := f.under[key]; ok {
		fl.waiting++
		return fl, false
	}
	fl = &flight{waiting: 1, done: make(chan struct{})}
	detached := context.WithoutCancel(ctx)
	if until, ok := ctx.Deadline(); ok {
		fl.until = until
		detached, fl.cancel = context.WithDeadline(detached, until)
	} else {
		detached, fl.cancel = context.WithCancel(detached)
	}
	if f.under == nil {
		f.under = make(map[string]*flight)
	}
	f.under[key] = fl
	go func() { // every caller of join waits for done, or leaves
		defer fl.cancel()
		fly(detached, fl)
		f.mu.Lock()
		if f.under[key] == fl {
			delete(f.under, key)
		}
		f.mu.Unlock()
		close(fl.done)
	}()
	return fl, true
}

// leave leaves a flight, and ends it when no caller waits for it.
func (f *Flights) leave(key string, fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.waiting--; fl.waiting == 0 {
		fl.cancel()
		if f.under[key] == fl {
			delete(f.under, key)
		}
	}
}

// changed marks the beginning or the end of a call that changes something.
func (f *Flights) changed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes++
}

// Changes counts how often a change on the account began or ended. What left
// before the count that is valid now may not show them.
func (f *Flights) Changes() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changes
}

// read makes a call that changes nothing, together with equal ones on their
// way. The caller that began the flight gets the decoded value; the others
// decode their own copies.
func (c *Client) read(ctx context.Context, key string, call Call, u string, body []byte, out any) error {
	for {
		if err := ctx.Err(); err != nil { // a flight would not notice: it is detached
			return c.unread(ctx, err, Answer{})
		}
		value := scratch(out) // copied now: later the caller may have left
		fl, first := c.conn.Flights.join(ctx, key, func(ctx context.Context, fl *flight) {
			defer func() { // no handler is above this goroutine to recover
				if r := recover(); r != nil {
					fl.err = &vendors.Error{Kind: vendors.Internal, Message: "kb-mcp failed while it read the platform's answer.",
						Err: fmt.Errorf("panic: %v\n%s", r, debug.Stack())}
				}
			}()
			fl.value = value
			fl.answer, fl.err = c.run(ctx, call, u, body, interfaceOf(value))
		})
		if !first {
			c.conn.Limiter.Forgo(ctx)
		}
		select {
		case <-fl.done:
		case <-ctx.Done():
			c.conn.Flights.leave(key, fl)
			return c.unread(ctx, ctx.Err(), Answer{})
		}
		switch {
		case first:
			if fl.value.IsValid() {
				reflect.ValueOf(out).Elem().Set(fl.value.Elem())
			}
			return duplicate(fl.err)
		case fl.endedEarly(ctx):
			continue // the caller that began it had less time
		case fl.answer.Status == 0:
			return duplicate(fl.err)
		}
		if err := c.dialect.Decode(fl.answer, out); err != nil {
			return c.clean(err, fl.answer)
		}
		return nil
	}
}

// scratch is where a flight decodes: a copy of what out points to, because the
// caller may leave and read out while the flight goes on.
func scratch(out any) reflect.Value {
	if out == nil {
		return reflect.Value{}
	}
	v := reflect.New(reflect.TypeOf(out).Elem())
	v.Elem().Set(reflect.ValueOf(out).Elem())
	return v
}

func interfaceOf(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}

// endedEarly reports whether a flight failed only because its time ran out,
// while a caller with ctx has some left.
func (fl *flight) endedEarly(ctx context.Context) bool {
	var e *vendors.Error
	if fl.until.IsZero() || !errors.As(fl.err, &e) || fl.answer.Status != 0 {
		return false
	}
	until, ok := ctx.Deadline()
	later := !ok || until.After(fl.until.Add(time.Second))
	return later && ctx.Err() == nil && (e.Kind == vendors.Timeout || e.Kind == vendors.RateLimited)
}

// duplicate copies an error: each caller's is stamped on its way up.
func duplicate(err error) error {
	var e *vendors.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	return &c
}

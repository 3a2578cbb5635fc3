package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// flaky is an error that may be repeated after a while.
type flaky struct{ after time.Duration }

func (e flaky) Error() string                  { return fmt.Sprint("flaky, again in ", e.after) }
func (e flaky) RetryIn() (time.Duration, bool) { return e.after, true }

// final is an error whose RetryIn returns false.
type final struct{ flaky }

func (final) RetryIn() (time.Duration, bool) { return 0, false }

func TestDo(t *testing.T) {
	b := Backoff{Tries: 4, Base: time.Second, Max: 5 * time.Second}
	plain := errors.New("plain")
	wrapped := fmt.Errorf("while listing: %w", flaky{})
	for _, tt := range []struct {
		name     string
		backoff  *Backoff // nil: b
		answers  []error  // of f, the last one again and again
		deadline time.Duration
		cancel   time.Duration // -1: before the start
		calls    int
		min, max time.Duration // that it took
	}{
		{name: "good at once", answers: []error{nil}, calls: 1},
		{name: "good in the end", answers: []error{flaky{}, flaky{}, nil}, calls: 3, min: 2250 * time.Millisecond, max: 3750 * time.Millisecond},
		{name: "not repeatable", answers: []error{plain}, calls: 1},
		{name: "says no", answers: []error{final{}}, calls: 1},
		{name: "then not repeatable", answers: []error{flaky{}, plain}, calls: 2, min: 750 * time.Millisecond, max: 1250 * time.Millisecond},
		{name: "wrapped", answers: []error{wrapped, wrapped, nil}, calls: 3, min: 2250 * time.Millisecond, max: 3750 * time.Millisecond},
		{name: "tries used up", answers: []error{flaky{1}, flaky{2}, flaky{3}, flaky{4}, nil}, calls: 4, min: 5250 * time.Millisecond, max: 8750 * time.Millisecond},
		{name: "asked to wait longer", answers: []error{flaky{4 * time.Second}, nil}, calls: 2, min: 4 * time.Second, max: 4 * time.Second},
		{name: "asked to wait shorter", answers: []error{flaky{time.Millisecond}, nil}, calls: 2, min: 750 * time.Millisecond, max: 1250 * time.Millisecond},
		{name: "asked to wait as long as allowed", answers: []error{flaky{5 * time.Second}, nil}, calls: 2, min: 5 * time.Second, max: 5 * time.Second},
		{name: "asked to wait too long", answers: []error{flaky{time.Minute}}, calls: 1},
		{name: "past the deadline", answers: []error{flaky{4 * time.Second}}, deadline: 3 * time.Second, calls: 1},
		{name: "to the very deadline", answers: []error{flaky{3 * time.Second}}, deadline: 3 * time.Second, calls: 1},
		{name: "within the deadline", answers: []error{flaky{3*time.Second - 1}, nil}, deadline: 3 * time.Second, calls: 2, min: 3*time.Second - 1, max: 3*time.Second - 1},
		{name: "cancelled while waiting", answers: []error{flaky{3 * time.Second}, nil}, cancel: 2 * time.Second, calls: 1, min: 2 * time.Second, max: 2 * time.Second},
		{name: "cancelled before", answers: []error{flaky{}, nil}, cancel: -1, calls: 1},
		{name: "good though cancelled before", answers: []error{nil}, cancel: -1, calls: 1},
		{name: "zero backoff", backoff: &Backoff{}, answers: []error{flaky{}}, calls: 1},
		{name: "no base", backoff: &Backoff{Tries: 3, Max: time.Second}, answers: []error{flaky{}, flaky{time.Second}, nil}, calls: 3, min: time.Second, max: time.Second},
		{name: "no maximum", backoff: &Backoff{Tries: 3, Base: time.Second}, answers: []error{flaky{}}, calls: 3},
		{name: "never above the maximum", backoff: &Backoff{Tries: 101, Base: time.Hour, Max: time.Second}, answers: []error{flaky{}}, calls: 101, min: 60 * time.Second, max: 100 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.deadline > 0 {
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				if tt.cancel < 0 {
					cancel()
				} else if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, cancel)
				}
				backoff := b
				if tt.backoff != nil {
					backoff = *tt.backoff
				}
				start, calls := time.Now(), 0
				err := Do(ctx, backoff, func() error {
					calls++
					return tt.answers[min(calls, len(tt.answers))-1]
				})
				if want := tt.answers[min(tt.calls, len(tt.answers))-1]; err != want || calls != tt.calls {
					t.Errorf("Do = %v after %d calls, want %v after %d", err, calls, want, tt.calls)
				}
				if took := time.Since(start); took < tt.min || took > tt.max {
					t.Errorf("Do took %v, want %v to %v", took, tt.min, tt.max)
				}
			})
		})
	}
}

// Two callers that fail together do not come back together, also when their
// waits have reached the maximum.
func TestDoJitters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 100 {
			start := time.Now()
			Do(t.Context(), Backoff{Tries: 2, Base: time.Hour, Max: time.Second}, func() error { return flaky{} })
			seen[time.Since(start)] = true
		}
		if len(seen) < 10 {
			t.Errorf("only %d different waits in 100", len(seen))
		}
	})
}

// The error of our own limiter is not repeated: it already says that the turn
// comes too late.
func TestDoTakesBusyForAnAnswer(t *testing.T) {
	calls := 0
	err := Do(t.Context(), Backoff{Tries: 3}, func() error { calls++; return &BusyError{After: time.Second} })
	var busy *BusyError
	if !errors.As(err, &busy) || calls != 1 {
		t.Errorf("Do = %v after %d calls", err, calls)
	}
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	rounds = 7                      // turns of each contestant
	warmUp = 300 * time.Millisecond // before the first, for connections and code
)

// contestant is one server (or none: the direct request) with its callers, and
// what has been measured.
type contestant struct {
	name, transport string
	process         *process // nil: nothing between callers and platform
	callers         []caller
	kbs             []string // the callers' knowledge bases

	calls      int
	p50, p99   []time.Duration // of each turn
	wall, cpu  time.Duration
	vendor     vendorCounts
	peakMemory int64
}

// turn lets the callers work for a while and adds it up.
func (c *contestant) turn(ctx context.Context, v *vendor, d time.Duration) error {
	before, err := c.reading(v)
	if err != nil {
		return err
	}
	began := time.Now()
	took, err := work(ctx, c.callers, "dify", c.kbs, d)
	if err != nil {
		return fmt.Errorf("%s over %s: %w", c.name, c.transport, err)
	}
	c.wall += time.Since(began)
	c.calls += len(took)
	c.p50, c.p99 = append(c.p50, percentile(took, 0.5)), append(c.p99, percentile(took, 0.99))
	after, err := c.reading(v)
	c.cpu += after.cpu - before.cpu
	c.vendor.Requests += after.Requests - before.Requests
	c.vendor.Connections += after.Connections - before.Connections
	return err
}

// reading is what the counters say at a moment.
type reading struct {
	cpu time.Duration
	vendorCounts
}

func (c *contestant) reading(v *vendor) (r reading, err error) {
	if r.vendorCounts, err = v.counts(); err == nil && c.process != nil {
		r.cpu, err = c.process.cpu()
	}
	return r, err
}

// work lets every caller call again and again for a while, and returns how
// long each call took.
func work(ctx context.Context, callers []caller, platform string, kbs []string, d time.Duration) ([]time.Duration, error) {
	until := time.Now().Add(d)
	took, errs := make([][]time.Duration, len(callers)), make([]error, len(callers))
	var wg sync.WaitGroup
	for i, call := range callers {
		wg.Go(func() {
			for began := time.Now(); began.Before(until) && errs[i] == nil; began = time.Now() {
				var answer []byte
				answer, errs[i] = call(ctx, platform, kbs[i])
				if errs[i] == nil && !sound(answer) {
					errs[i] = fmt.Errorf("no good answer: %.500s", answer)
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	wg.Wait()
	return slices.Concat(took...), cmp.Or(errs...)
}

// compare warms the contestants up, lets them work in turn, and reads their
// memory.
func compare(ctx context.Context, v *vendor, list []*contestant, d time.Duration) error {
	for _, c := range list {
		answer, err := c.callers[0](ctx, "dify", c.kbs[0])
		if err == nil {
			err = check(answer)
		}
		if err == nil {
			_, err = work(ctx, c.callers, "dify", c.kbs, warmUp)
		}
		if err != nil {
			return fmt.Errorf("%s over %s: %w", c.name, c.transport, err)
		}
	}
	for range rounds {
		for _, c := range list {
			if err := c.turn(ctx, v, d/rounds); err != nil {
				return err
			}
		}
	}
	for _, c := range list {
		if c.process != nil {
			var err error
			if c.peakMemory, err = c.process.peak(); err != nil {
				return err
			}
		}
	}
	return nil
}

// check compares an answer with what was requested: all documents, and no
// error.
func check(answer []byte) error {
	var m struct {
		Data   []json.RawMessage // the platform's own
		Result struct {
			IsError           bool
			StructuredContent struct{ Documents []json.RawMessage }
		}
	}
	if err := json.Unmarshal(answer, &m); err != nil {
		return err
	}
	if m.Result.IsError || len(m.Data)+len(m.Result.StructuredContent.Documents) != documents {
		return fmt.Errorf("not the answer that was asked for: %.500s", answer)
	}
	return nil
}

// sound is a quick look at every answer; check would cost more than a call.
func sound(answer []byte) bool {
	return len(answer) > 1000 && !bytes.Contains(answer, []byte(`"isError":true`))
}

// percentile of durations, which it sorts.
func percentile(list []time.Duration, p float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(int(p*float64(len(list))), len(list)-1)]
}

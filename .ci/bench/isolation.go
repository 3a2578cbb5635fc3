package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	latency    = 100 * time.Millisecond
	stuckCalls = 64
	isolated   = 64 // callers of a slow platform
	others     = 8  // callers of the platform that is well
)

// latency is 64 calls at once over stdio against a platform that takes 100 ms.
func (b *bench) latency(ctx context.Context, v *vendor) error {
	c, err := b.open(ctx, v, nameOurs, "stdio", isolated)
	if err != nil {
		return err
	}
	direct := b.direct(v, isolated)
	if err := compare(ctx, v, []*contestant{direct, c}, b.duration); err != nil {
		return err
	}
	b.line("\n%d callers over stdio, a platform that takes %v: p50 %s, p99 %s; without a server between, p50 %s, p99 %s.",
		len(c.callers), latency, ms(median(c.p50)), ms(median(c.p99)), ms(median(direct.p50)), ms(median(direct.p99)))
	return nil
}

// isolation compares the calls of one platform while nothing else happens with
// those while many calls wait for another, which does not answer.
func (b *bench) isolation(ctx context.Context, v *vendor) error {
	for _, transport := range b.transports {
		alone, err := b.open(ctx, v, nameOurs, transport, others)
		if err != nil {
			return err
		}
		beside, err := b.open(ctx, v, nameOurs, transport, others+stuckCalls)
		if err != nil {
			return err
		}
		leave := stick(ctx, beside.callers[others:], v.KBs["coze"])
		beside.callers = beside.callers[:others]
		if err := awaitRequests(ctx, v, stuckCalls); err != nil {
			return err
		}
		err = compare(ctx, v, []*contestant{alone, beside}, b.duration)
		leave()
		if err != nil {
			return err
		}
		b.isolationRow(transport, alone, beside)
		b.stopServers()
	}
	return nil
}

// stick makes one call with every caller to a platform that does not answer,
// and returns what ends them.
func stick(ctx context.Context, callers []caller, kbs []string) (leave func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for i, call := range callers {
		wg.Go(func() { _, _ = call(ctx, "coze", kbs[i]) }) // it ends when we leave
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// awaitRequests waits until the platform has had n requests.
func awaitRequests(ctx context.Context, v *vendor, n int64) error {
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
		counts, err := v.counts()
		if err != nil || ctx.Err() != nil {
			return fmt.Errorf("the platform's process: %w", ctx.Err())
		}
		if counts.Requests >= n {
			return nil
		}
	}
	return fmt.Errorf("the platform did not get %d requests", n)
}

func (b *bench) isolationRow(transport string, alone, beside *contestant) {
	if transport == b.transports[0] {
		b.line("\nWhile %d calls wait for a platform that does not answer, %d callers of another one:\n", stuckCalls, others)
		b.line("| transport | p50 alone | p50 beside | | p99 alone | p99 beside | |\n|---|---:|---:|---:|---:|---:|---:|")
	}
	a50, b50, a99, b99 := median(alone.p50), median(beside.p50), median(alone.p99), median(beside.p99)
	b.line("| %s | %s | %s | x %.2f | %s | %s | x %.2f |", transport, ms(a50), ms(b50), ratio(b50, a50), ms(a99), ms(b99), ratio(b99, a99))
}

package main

import (
	"context"
	"time"
)

// crowdLatency is how long a platform takes for each answer to a crowd.
const crowdLatency = 100 * time.Millisecond

// crowds are numbers of callers, each with its own knowledge base.
func crowds() []int { return []int{128, 256, 512} }

// crowd compares servers whose callers share nothing and wait for a platform.
func (b *bench) crowd(ctx context.Context, v *vendor) error {
	b.line("\nMany callers over http, nothing shared, a platform that takes %s:\n", crowdLatency)
	b.tableHead()
	for _, n := range crowds() {
		var list []*contestant
		for _, name := range []string{nameOurs, nameReference} {
			c, err := b.open(ctx, v, name, "http", n)
			if err != nil {
				return err
			}
			list = append(list, c)
		}
		if err := compare(ctx, v, list, 3*b.duration); err != nil {
			return err
		}
		b.tableRows(n, list)
		b.stopServers()
	}
	return nil
}

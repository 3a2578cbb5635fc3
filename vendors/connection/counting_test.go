package connection

import (
	"context"
	"fmt"

	"kb-mcp/vendors"
)

// boasting is a town whose counters say that all is done.
type boasting struct{ *town }

func (w boasting) Counts(ctx context.Context, kb string) (vendors.Counts, error) {
	n := len(w.docs[kb])
	return vendors.Counts{Total: n, Finished: n, Completed: n}, w.enter(ctx, "count "+kb)
}

// sorting is a town that filters, and counts by status.
type sorting struct{ filtering }

func (w sorting) CountByStatus(ctx context.Context, kb string) (map[vendors.Status]int, error) {
	by := map[vendors.Status]int{}
	for _, d := range w.docs[kb] {
		by[d.Status]++
	}
	return by, w.enter(ctx, "by status "+kb)
}

// processing are the ids of the first n documents of a.
func processing(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprint("a-", i))
	}
	return ids
}

package tally

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kb-mcp/vendors"
)

func TestJoin(t *testing.T) {
	f := func(x float64) *float64 { return &x }
	sum := func(n int, p *float64, done bool, by map[vendors.Status]int) Summary {
		return Summary{Total: n, ProgressPercent: p, Done: done, ByStatus: by, Failed: by[vendors.Failed], NeedsAction: by[vendors.Paused]}
	}
	three := sum(3, f(90), true, map[vendors.Status]int{vendors.Completed: 2, vendors.Failed: 1})
	all := sum(2, f(100), true, map[vendors.Status]int{vendors.Completed: 2})
	tests := []struct {
		name       string
		a, b, want Summary
	}{
		{"with nothing yet", Summary{}, three, three},
		{"with an empty connection", sum(0, nil, true, map[vendors.Status]int{}), three, three},
		{"weighted", three, sum(1, f(20), false, map[vendors.Status]int{vendors.Processing: 1}), sum(4, f(72.5), false, map[vendors.Status]int{vendors.Completed: 2, vendors.Failed: 1, vendors.Processing: 1})},
		{"work of unknown extent", all, sum(1, nil, false, map[vendors.Status]int{vendors.Queued: 1}), sum(3, nil, false, map[vendors.Status]int{vendors.Completed: 2, vendors.Queued: 1})},
		{"100 beside a failed one", all, sum(1, nil, true, map[vendors.Status]int{vendors.Failed: 1}), sum(3, nil, true, map[vendors.Status]int{vendors.Completed: 2, vendors.Failed: 1})},
		{"100 beside a paused one", all, sum(1, nil, true, map[vendors.Status]int{vendors.Paused: 1}), sum(3, nil, true, map[vendors.Status]int{vendors.Completed: 2, vendors.Paused: 1})},
		{"all completed", all, all, sum(4, f(100), true, map[vendors.Status]int{vendors.Completed: 4})},
		{"both need somebody", sum(1, nil, true, map[vendors.Status]int{vendors.Paused: 1}), sum(2, nil, true, map[vendors.Status]int{vendors.Paused: 2}), sum(3, nil, true, map[vendors.Status]int{vendors.Paused: 3})},
	}
	for _, tt := range tests {
		before := fmt.Sprint(tt.a.ByStatus)
		if d := cmp.Diff(tt.want, tt.a.Join(tt.b)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
		if fmt.Sprint(tt.a.ByStatus) != before {
			t.Errorf("%s: Join changed its receiver", tt.name)
		}
	}
}

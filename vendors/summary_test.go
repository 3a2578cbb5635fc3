package vendors

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJoin(t *testing.T) {
	f := func(x float64) *float64 { return &x }
	sum := func(n int, p *float64, done bool, by map[Status]int) Summary {
		return Summary{Total: n, ProgressPercent: p, Done: done, ByStatus: by, Failed: by[Failed], NeedsAction: by[Paused]}
	}
	three := sum(3, f(90), true, map[Status]int{Completed: 2, Failed: 1})
	all := sum(2, f(100), true, map[Status]int{Completed: 2})
	tests := []struct {
		name       string
		a, b, want Summary
	}{
		{"with nothing yet", Summary{}, three, three},
		{"with an empty connection", sum(0, nil, true, map[Status]int{}), three, three},
		{"weighted", three, sum(1, f(20), false, map[Status]int{Processing: 1}), sum(4, f(72.5), false, map[Status]int{Completed: 2, Failed: 1, Processing: 1})},
		{"work of unknown extent", all, sum(1, nil, false, map[Status]int{Queued: 1}), sum(3, nil, false, map[Status]int{Completed: 2, Queued: 1})},
		{"100 beside a failed one", all, sum(1, nil, true, map[Status]int{Failed: 1}), sum(3, nil, true, map[Status]int{Completed: 2, Failed: 1})},
		{"100 beside a paused one", all, sum(1, nil, true, map[Status]int{Paused: 1}), sum(3, nil, true, map[Status]int{Completed: 2, Paused: 1})},
		{"all completed", all, all, sum(4, f(100), true, map[Status]int{Completed: 4})},
		{"both need somebody", sum(1, nil, true, map[Status]int{Paused: 1}), sum(2, nil, true, map[Status]int{Paused: 2}), sum(3, nil, true, map[Status]int{Paused: 3})},
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

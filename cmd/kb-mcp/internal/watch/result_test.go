package watch

import (
	"io"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/tally"
)

func TestSummaryFollowsWhatIsWatched(t *testing.T) {
	n := 5
	w := New(nil, "kb", nil, NewJSONLines(io.Discard))
	w.whole = merge(tally.Summary{ByStatus: map[vendors.Status]int{vendors.Completed: 5}, Total: 5},
		tally.Summary{Scanned: &n, ByStatus: map[vendors.Status]int{vendors.Processing: 2, vendors.Completed: 3}})
	w.listed = map[string]vendors.Status{"a": vendors.Processing, "b": vendors.Processing}
	w.known = map[string]connection.Progress{"a": {Status: vendors.Completed}, "b": {Status: vendors.Failed}}
	s := w.summary()
	if s.Total != 10 || s.ByStatus[vendors.Completed] != 9 || s.Failed != 1 || !s.Done || len(s.ByStatus) != 2 {
		t.Errorf("%+v", s)
	}
}

package connection

import (
	"cmp"
	"maps"
	"math"

	"kb-mcp/vendors"
)

// Bounds of the advice when to ask again. The contract has no clock in it, so
// the advice comes from the platform's own estimate alone.
const (
	pollMin     = 3 // seconds; the free Coze plan counts every call
	pollDefault = 5
	pollMax     = 15
)

// tally counts documents as they are read.
type tally struct {
	total    int
	byStatus map[vendors.Status]int
	percent  float64 // sum over the documents whose percentage is known
	known    int
	eta      int64 // the shortest estimate of an unsettled document; 0: none
}

// add counts a document.
func (t *tally) add(d *Progress) {
	if t.byStatus == nil {
		t.byStatus = make(map[vendors.Status]int)
	}
	t.total++
	t.byStatus[d.Status]++
	if d.ProgressPercent != nil {
		t.percent += float64(*d.ProgressPercent)
		t.known++
	}
	if eta := d.ETASeconds; eta != nil && !d.Status.Settled() && *eta > 0 && (t.eta == 0 || *eta < t.eta) {
		t.eta = *eta
	}
}

// addCompleted counts n completed documents.
func (t *tally) addCompleted(n int) {
	t.addCount(vendors.Completed, n)
	t.percent += float64(100 * n)
	t.known += n
}

// addCount counts n documents of a status, of which nothing more is known.
func (t *tally) addCount(status vendors.Status, n int) {
	if n == 0 {
		return
	}
	if t.byStatus == nil {
		t.byStatus = make(map[vendors.Status]int)
	}
	t.total += n
	t.byStatus[status] += n
}

// copy is a tally that counts on by itself.
func (t tally) copy() tally {
	t.byStatus = maps.Clone(t.byStatus)
	return t
}

// summary is the count so far.
func (t *tally) summary() Summary {
	s := Summary{Total: t.total, ByStatus: map[vendors.Status]int{}, Done: true}
	for status, n := range t.byStatus {
		s.ByStatus[status] = n
		if !status.Settled() {
			s.Done = false
		}
		if status.NeedsAction() {
			s.NeedsAction += n
		}
	}
	s.Failed = t.byStatus[vendors.Failed]
	if t.known > 0 {
		s.ProgressPercent = percent(t.percent / float64(t.known))
	}
	s.level()
	return s
}

// level leaves a percentage of 100 out beside what is not completed: failed and
// paused documents have none, and the extent of unfinished work may be unknown.
func (s *Summary) level() {
	over := s.ByStatus[vendors.Completed] + s.ByStatus[vendors.Deleting] + s.ByStatus[vendors.NotFound]
	if p := s.ProgressPercent; p != nil && *p == 100 && over != s.Total {
		s.ProgressPercent = nil
	}
}

// pollAfter advises when to ask again: a quarter of the shortest estimate.
// 0 when everything has settled.
func (t *tally) pollAfter() int {
	if t.summary().Done {
		return 0
	}
	if t.eta == 0 {
		return pollDefault
	}
	return int(min(max(t.eta/4, pollMin), pollMax))
}

// percent rounds down to one decimal, so that only all is 100.
func percent(p float64) *float64 {
	p = math.Floor(min(max(p, 0), 100)*10+1e-6) / 10
	return &p
}

// Join adds another summary: of another connection.
func (s Summary) Join(o Summary) Summary {
	if s.ByStatus == nil {
		return o
	}
	n, m := float64(s.Total), float64(o.Total)
	if s.ProgressPercent != nil && o.ProgressPercent != nil && n+m > 0 {
		s.ProgressPercent = percent((*s.ProgressPercent*n + *o.ProgressPercent*m) / (n + m))
	} else {
		s.ProgressPercent = cmp.Or(s.ProgressPercent, o.ProgressPercent)
	}
	by := map[vendors.Status]int{}
	for _, part := range []map[vendors.Status]int{s.ByStatus, o.ByStatus} {
		for status, count := range part {
			by[status] += count
		}
	}
	s.ByStatus = by
	s.Total, s.Failed, s.NeedsAction, s.Done = s.Total+o.Total, s.Failed+o.Failed, s.NeedsAction+o.NeedsAction, s.Done && o.Done
	s.level()
	return s
}

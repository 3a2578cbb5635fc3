// Package tally counts documents by status.
package tally

import (
	"cmp"
	"maps"
	"math"

	"kb-mcp/vendors"
)

// Bounds of the advice when to poll again. The advice depends on the platform's
// own estimate alone, so that equal answers are equal to the byte.
const (
	PollMin     = 3 // seconds; the free Coze plan counts every call
	PollDefault = 5
	PollMax     = 15
)

// Summary counts documents by status.
type Summary struct {
	Total           int                    `json:"total"`
	Scanned         *int                   `json:"scanned,omitempty"` // set when it covers only so many
	ByStatus        map[vendors.Status]int `json:"by_status"`
	ProgressPercent *float64               `json:"progress_percent,omitempty"`
	Done            bool                   `json:"done"`
	Failed          int                    `json:"failed"`
	NeedsAction     int                    `json:"needs_action"`
}

// Tally counts documents as they are read.
type Tally struct {
	Total    int
	ByStatus map[vendors.Status]int
	percent  float64 // sum over the documents whose percentage is known
	known    int
	eta      int64 // the shortest estimate of an unsettled document; 0: none
}

// Add counts a document: its percentage and its estimate where they are known.
func (t *Tally) Add(status vendors.Status, done *int, eta *int64) {
	if t.ByStatus == nil {
		t.ByStatus = make(map[vendors.Status]int)
	}
	t.Total++
	t.ByStatus[status]++
	if done != nil {
		t.percent += float64(*done)
		t.known++
	}
	if eta != nil && !status.Settled() && *eta > 0 && (t.eta == 0 || *eta < t.eta) {
		t.eta = *eta
	}
}

// AddCompleted counts n completed documents.
func (t *Tally) AddCompleted(n int) {
	t.AddCount(vendors.Completed, n)
	t.percent += float64(100 * n)
	t.known += n
}

// AddCount counts n documents of a status, of which nothing more is known.
func (t *Tally) AddCount(status vendors.Status, n int) {
	if n == 0 {
		return
	}
	if t.ByStatus == nil {
		t.ByStatus = make(map[vendors.Status]int)
	}
	t.Total += n
	t.ByStatus[status] += n
}

// Copy returns an independent copy of t.
func (t Tally) Copy() Tally {
	t.ByStatus = maps.Clone(t.ByStatus)
	return t
}

// Summary is the count so far.
func (t *Tally) Summary() Summary {
	s := Summary{Total: t.Total, ByStatus: map[vendors.Status]int{}, Done: true}
	for status, n := range t.ByStatus {
		s.ByStatus[status] = n
		if !status.Settled() {
			s.Done = false
		}
		if status.NeedsAction() {
			s.NeedsAction += n
		}
		if status.IsFailed() {
			s.Failed += n
		}
	}
	if t.known > 0 {
		s.ProgressPercent = Percent(t.percent / float64(t.known))
	}
	s.Level()
	return s
}

// Level leaves a percentage of 100 out beside what is not completed: failed and
// paused documents have none, and the extent of unfinished work may be unknown.
func (s *Summary) Level() {
	over := 0
	for status, n := range s.ByStatus {
		if status.Over() {
			over += n
		}
	}
	if p := s.ProgressPercent; p != nil && *p == 100 && over != s.Total {
		s.ProgressPercent = nil
	}
}

// PollAfter advises when to poll again: a quarter of the shortest estimate.
// 0 when everything has settled.
func (t *Tally) PollAfter() int {
	if t.Summary().Done {
		return 0
	}
	if t.eta == 0 {
		return PollDefault
	}
	return int(min(max(t.eta/4, PollMin), PollMax))
}

// Percent rounds down to one decimal, so that only all is 100.
func Percent(p float64) *float64 {
	p = math.Floor(min(max(p, 0), 100)*10+1e-6) / 10
	return &p
}

// Join adds the summary of another connection.
func (s Summary) Join(o Summary) Summary {
	if s.ByStatus == nil {
		return o
	}
	n, m := float64(s.Total), float64(o.Total)
	if s.ProgressPercent != nil && o.ProgressPercent != nil && n+m > 0 {
		s.ProgressPercent = Percent((*s.ProgressPercent*n + *o.ProgressPercent*m) / (n + m))
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
	s.Level()
	return s
}

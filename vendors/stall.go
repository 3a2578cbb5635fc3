package vendors

import (
	"fmt"
	"sync"
	"time"
)

// Stalled is a suspicion with its evidence: nothing about an unsettled document
// has moved for longer than its platform's threshold. The status stays what the
// platform says.
type Stalled struct {
	Suspected        bool      `json:"suspected"`
	Since            time.Time `json:"since"`
	ThresholdSeconds int       `json:"threshold_seconds"`
	Why              string    `json:"why"`
	NextStep         string    `json:"next_step"`
}

// StallRule is a platform's word on when to be suspicious.
type StallRule struct {
	Threshold time.Duration
	NextStep  string // what a person can do
}

// Staller is a driver with a rule of its own.
type Staller interface{ StallRule() StallRule }

// defaultStall is the rule of platforms that state none.
var defaultStall = StallRule{Threshold: 30 * time.Minute, NextStep: "Look at the document in the platform's console."}

// maxWatched bounds how many documents are remembered.
const maxWatched = 10_000

// watched remembers when documents last moved, as far as this process saw: most
// platforms give no time of movement, and some move their times by themselves.
type watched struct {
	mu    sync.Mutex
	seen  map[string]movement
	order []string // oldest first; may hold ids that are gone
}

// movement is what a document looked like, and since when.
type movement struct {
	looks string
	since time.Time
}

// note returns since when the document id looks as it does.
func (w *watched) note(id, looks string, now time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.seen[id]; ok && m.looks == looks {
		return m.since
	}
	if w.seen == nil {
		w.seen = make(map[string]movement)
	}
	if _, ok := w.seen[id]; !ok {
		w.order = append(w.order, id)
	}
	for len(w.order) > maxWatched {
		delete(w.seen, w.order[0])
		w.order = w.order[1:]
	}
	w.seen[id] = movement{looks, now}
	return now
}

// forget drops a document that has settled.
func (w *watched) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.seen[id]; ok {
		m.looks = ""
		w.seen[id] = m
	}
}

// suspect judges an unsettled document. The evidence is the platform's own time
// of its last movement where it gives one that is true, and for a document that
// waits in a queue the time it was handed in; otherwise what this process saw.
func (v *Vendor) suspect(d *Document, kb string) *Stalled {
	key := kb + "\x00" + d.DocumentID
	if d.Status.Settled() || d.Status == Unknown {
		v.watched.forget(key)
		return nil
	}
	rule := defaultStall
	if s, ok := v.driver.(Staller); ok {
		rule = s.StallRule()
	}
	now := time.Now()
	since := v.watched.note(key, looks(d), now)
	why := fmt.Sprintf("Status %s, percentage and counts have not changed in any answer that this server saw since then.", d.VendorStatus)
	if at := evidence(d); !at.IsZero() && at.Before(since) {
		since = at
		why = "The platform's own times show no movement since then."
	}
	if now.Sub(since) < rule.Threshold {
		return nil
	}
	return &Stalled{
		Suspected: true, Since: since.UTC().Truncate(time.Second), ThresholdSeconds: int(rule.Threshold.Seconds()),
		Why: why, NextStep: rule.NextStep,
	}
}

// looks is everything about a document that counts as movement.
func looks(d *Document) string {
	percent, done := -1, int64(-1)
	if d.ProgressPercent != nil {
		percent = *d.ProgressPercent
	}
	if d.Ingestion.ChunksDone != nil {
		done = *d.Ingestion.ChunksDone
	}
	return fmt.Sprint(d.Status, d.VendorStatus, d.Ingestion.Stage, percent, done, d.Ingestion.Movement)
}

// evidence is the platform's time of the last movement; zero when it gives none
// that can be believed.
func evidence(d *Document) time.Time {
	switch {
	case !d.Ingestion.MovedAt.IsZero():
		return d.Ingestion.MovedAt
	case d.Status != Queued:
		return time.Time{}
	case !d.Ingestion.StartedAt.IsZero():
		return d.Ingestion.StartedAt
	}
	return d.CreatedAt
}

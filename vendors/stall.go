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

// movement is what a document looked like, and since when; seen says that it
// was seen to change then, not only met for the first time.
type movement struct {
	looks look
	since time.Time
	seen  bool
}

// look is everything about a document that counts as movement; "" is what an
// answer did not say.
type look struct{ status, stage, percent, done, line string }

// same reports whether nothing moved between two looks, and what is now known:
// lists say less than progress answers.
func (l look) same(now look) (look, bool) {
	known, same := now, now.status == l.status
	for _, f := range [][2]*string{{&l.stage, &known.stage}, {&l.percent, &known.percent}, {&l.done, &known.done}, {&l.line, &known.line}} {
		if *f[1] == "" {
			*f[1] = *f[0]
		}
		same = same && (*f[0] == "" || *f[0] == *f[1])
	}
	return known, same
}

// note returns since when the document id looks as it does.
func (w *watched) note(id string, looks look, now time.Time) movement {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.seen[id]; ok {
		if more, same := m.looks.same(looks); same {
			m.looks = more
			w.seen[id] = m
			return m
		}
	}
	if w.seen == nil {
		w.seen = make(map[string]movement)
	}
	_, known := w.seen[id]
	if !known {
		w.order = append(w.order, id)
	}
	for len(w.order) > maxWatched {
		delete(w.seen, w.order[0])
		w.order = w.order[1:]
	}
	m := movement{looks, now, known}
	w.seen[id] = m
	return m
}

// forget drops a document that has settled.
func (w *watched) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.seen[id]; ok {
		m.looks = look{}
		w.seen[id] = m
	}
}

// suspect judges an unsettled document. The evidence is the platform's own time
// of its last movement where it gives one that is true, and for a document that
// waits in a queue the time it was handed in; otherwise what this process saw.
func (v *Vendor) suspect(d *Document, kb string) *Stalled {
	key := watchKey(kb, d.DocumentID)
	if d.Status.Settled() || d.Status == Unknown {
		v.watched.forget(key)
		return nil
	}
	rule := defaultStall
	if s, ok := v.driver.(Staller); ok {
		rule = s.StallRule()
	}
	now := time.Now()
	m := v.watched.note(key, looks(d), now)
	since := m.since
	why := fmt.Sprintf("Status %s, percentage and counts have not changed in any answer that this server saw since then.", d.VendorStatus)
	if at := evidence(d); !at.IsZero() && (!m.seen || at.After(since)) {
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

func watchKey(kb, id string) string { return kb + "\x00" + id }

// looks is how a document looks now.
func looks(d *Document) look {
	l := look{status: fmt.Sprint(d.Status, " ", d.VendorStatus), stage: d.Ingestion.Stage, line: d.Ingestion.Movement}
	if d.ProgressPercent != nil {
		l.percent = fmt.Sprint(*d.ProgressPercent)
	}
	if d.Ingestion.ChunksDone != nil {
		l.done = fmt.Sprint(*d.Ingestion.ChunksDone)
	}
	return l
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

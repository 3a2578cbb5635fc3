// Package stall suspects documents on which nothing moves any more, and tells
// the evidence.
package stall

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/recent"
	"kb-mcp/vendors/visible"
)

// maxWatched bounds how many documents are remembered.
const maxWatched = 10_000

// Watch remembers when documents last moved, as far as this process saw: most
// platforms give no time of movement, and some move their times by themselves.
type Watch struct {
	mu   sync.Mutex // a document is judged and noted in one step
	seen *recent.Map[movement]
}

// New makes a memory of documents. It is safe for concurrent use.
func New() *Watch { return &Watch{seen: recent.New[movement](maxWatched, 0)} }

// movement is what a document looked like, and since when; seen says that it
// was seen to change then, not only met for the first time.
type movement struct {
	looks appearance
	since time.Time
	seen  bool
}

// appearance is everything about a document that counts as movement; "" is what
// an answer did not say. at does not count: it is the platform's newest time of
// a document that looked so, which not every answer has.
type appearance struct {
	status, stage, percent, done, line string
	at                                 time.Time
}

// same reports whether nothing moved between two appearances, and returns what
// is now known: lists say less than progress answers.
func (l appearance) same(now appearance) (appearance, bool) {
	known, same := now, now.status == l.status
	known.at = newest(l.at, now.at)
	for _, f := range [][2]*string{{&l.stage, &known.stage}, {&l.percent, &known.percent}, {&l.done, &known.done}, {&l.line, &known.line}} {
		if *f[1] == "" {
			*f[1] = *f[0]
		}
		same = same && (*f[0] == "" || *f[0] == *f[1])
	}
	return known, same
}

// note returns since when a document looks as it does.
func (w *Watch) note(id string, looks appearance, now time.Time) movement {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, known := w.seen.Get(id)
	if more, same := m.looks.same(looks); known && same {
		m.looks = more
	} else {
		m = movement{looks, now, known}
	}
	w.seen.Put(id, m)
	return m
}

// forget lets the next appearance of a settled document count as movement.
func (w *Watch) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.seen.Get(id); ok {
		m.looks = appearance{}
		w.seen.Put(id, m)
	}
}

// longAgo is how old a platform's newest time of a document at work is when it
// alone makes a suspicion: ingestion takes minutes, at worst hours.
const longAgo = 24 * time.Hour

// Suspect judges a document that the platform works on. The evidence is the
// driver's own; the platform's time of the last movement, or for a document that
// waits in a queue its newest time; what this process saw; and for what this
// process has never seen to move the platform's newest time, when it is long ago.
func (w *Watch) Suspect(d *vendors.Document, kb string, rule vendors.StallRule) *vendors.Stalled {
	key := key(kb, d.DocumentID)
	if !d.Status.Working() {
		w.forget(key)
		return nil
	}
	now := time.Now()
	m := w.note(key, appearanceOf(d, rule), now)
	s := vendors.Stalled{Suspected: true, Since: m.since, ThresholdSeconds: int(rule.Threshold.Seconds()), NextStep: rule.NextStep,
		Why: fmt.Sprintf("Status %s, percentage and counts have not changed in any answer that this server saw since then.", d.VendorStatus)}
	at, threshold := m.looks.at, max(rule.Threshold, longAgo)
	if d.Status.Waiting() || !d.Ingestion.MovedAt.IsZero() {
		threshold = rule.Threshold
	}
	sure := threshold == rule.Threshold
	if !at.IsZero() && (!m.seen && (sure || now.Sub(at) >= threshold) || sure && at.After(m.since)) {
		s.Since, s.Why = at, "The platform's own times show no movement since then."
	}
	if own := d.Ingestion.Suspicion; own != nil {
		s.Why, s.NextStep = own.Why, cmp.Or(own.NextStep, rule.NextStep)
		if !own.Since.IsZero() {
			s.Since = own.Since
		}
	} else if now.Sub(s.Since) < rule.Threshold {
		return nil
	}
	s.Since = s.Since.UTC().Truncate(time.Second)
	s.Why, s.NextStep = visible.Line(s.Why), visible.Line(s.NextStep)
	return &s
}

// Started notes that a document moves now, whatever its platform's times say.
func (w *Watch) Started(kb, id string) {
	w.note(key(kb, id), appearance{status: "started"}, time.Now())
}

func key(kb, id string) string { return kb + "\x00" + id }

// appearanceOf is how a document looks now.
func appearanceOf(d *vendors.Document, rule vendors.StallRule) appearance {
	l := appearance{status: fmt.Sprint(d.Status, " ", d.VendorStatus), stage: d.Ingestion.Stage, line: d.Ingestion.Movement, at: evidence(d, rule)}
	if d.ProgressPercent != nil {
		l.percent = fmt.Sprint(*d.ProgressPercent)
	}
	if d.Ingestion.ChunksDone != nil {
		l.done = fmt.Sprint(*d.Ingestion.ChunksDone)
	}
	return l
}

// evidence is the newest time of a document that the platform gives and that
// can be believed; zero when it gives none. The time of its creation stays
// while the document is ingested once more, so that it counts only alone.
func evidence(d *vendors.Document, rule vendors.StallRule) time.Time {
	at := newest(newest(d.CreatedAt, d.Ingestion.StartedAt), newest(d.Ingestion.MovedAt, d.Ingestion.NewestAt))
	if !rule.UpdatesLie {
		at = newest(at, d.UpdatedAt)
	}
	return at
}

// newest is the later of two times.
func newest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

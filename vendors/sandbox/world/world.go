// Package world is what the faces of a sandbox share: a clock, knowledge bases and
// documents with their plans and chunks, the seed, search, and the count of
// requests against a quota. It knows no wire protocol.
package world

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Options are what a world can be told. The zero value is a good world.
type Options struct {
	Documents   int              // size of an extra large knowledge base on every platform; 0: none
	Now         func() time.Time // the clock; nil is time.Now
	Speed       float64          // ingestion runs this many times as fast; 0 is 1
	Quota       int              // requests that a face answers in a QuotaWindow; 0: any number
	QuotaWindow time.Duration    // 0 is a minute
}

// World is what the faces of one sandbox share: the clock, the store and the
// count of requests against each face's quota. It is safe for concurrent use.
type World struct {
	opts   Options
	stores map[string]*Store // by platform

	mu      sync.Mutex
	recent  map[string][]time.Time // by face: what the quota counts
	refused map[string]int         // by face: rate-limit answers
}

// New makes a world with its knowledge bases in place.
func New(o Options) *World {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Speed <= 0 {
		o.Speed = 1
	}
	if o.QuotaWindow <= 0 {
		o.QuotaWindow = time.Minute
	}
	w := &World{opts: o, stores: map[string]*Store{}, recent: map[string][]time.Time{}, refused: map[string]int{}}
	for _, platform := range Platforms() {
		w.stores[platform] = newStore(platform)
	}
	w.seed()
	w.bulk(o.Documents)
	return w
}

// Store is what the faces of a platform show; nil for an unknown platform.
func (w *World) Store(platform string) *Store { return w.stores[platform] }

// Side is what a face sees of a world: all of it, and the store of its platform.
type Side struct {
	*World
	*Store
}

// Side is the world as the faces of a platform see it.
func (w *World) Side(platform string) *Side { return &Side{w, w.Store(platform)} }

// Now is the time on the world's clock.
func (w *World) Now() time.Time { return w.opts.Now() }

// Speed is how many times as fast ingestion runs.
func (w *World) Speed() float64 { return w.opts.Speed }

// State is where d stands now.
func (w *World) State(d *Document) State { return d.State(w.Now()) }

// ResetQuota empties the quota's windows.
func (w *World) ResetQuota() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.recent)
	clear(w.refused)
}

// Limited charges the quota of a face for one request and reports whether the
// face must answer with its platform's rate-limit error. A face calls it once
// for each request whose credential is good. Refused requests count when
// countRefused is set, as Dify counts them.
func (w *World) Limited(face string, countRefused bool) bool {
	if w.opts.Quota <= 0 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Now()
	old := now.Add(-w.opts.QuotaWindow)
	seen := slices.DeleteFunc(w.recent[face], func(t time.Time) bool { return !t.After(old) })
	over := len(seen) >= w.opts.Quota
	if !over || countRefused {
		seen = append(seen, now)
	}
	w.recent[face] = seen
	if over {
		w.refused[face]++
	}
	return over
}

// Refusals is how many rate-limit answers a face has had to give.
func (w *World) Refusals(face string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refused[face]
}

// Upload puts a new document into a knowledge base (named by its id, or by its
// name) whose ingestion starts now, and returns its id. On RAGFlow, where
// uploading does not parse, it is as if somebody had also started it.
func (w *World) Upload(platform, kb, name string, plan Plan) (string, error) {
	id := w.KnowledgeBaseID(platform, kb)
	if id == "" {
		return "", fmt.Errorf("sandbox: no knowledge base %q on %s", kb, platform)
	}
	now := w.Now()
	text := "Text of " + name + ".\n它的第二段。"
	d := w.Store(platform).Add(Document{
		KB: id, Name: name, Format: Suffix(name), Source: "file",
		Size: len(text), Text: text, Created: now, Updated: now, Started: now,
		Plan: plan.Sped(w.Speed()),
	})
	return d.ID, nil
}

// KnowledgeBaseID finds a knowledge base by its name or its id; "" when there
// is none.
func (w *World) KnowledgeBaseID(platform, name string) string {
	for _, kb := range w.Store(platform).KBs() {
		if kb.Name == name || kb.ID == name {
			return kb.ID
		}
	}
	return ""
}

// DocumentID finds the newest document of a name; "" when there is none.
func (w *World) DocumentID(platform, name string) string {
	for _, kb := range w.Store(platform).KBs() {
		for _, d := range w.Store(platform).Documents(kb.ID).Window(0, -1) {
			if d.Name == name {
				return d.ID
			}
		}
	}
	return ""
}

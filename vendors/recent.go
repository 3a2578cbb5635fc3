package vendors

import (
	"sync"
	"time"
)

// Bounds of what [recent] keeps, unless it has a smaller one.
const (
	recentSize = 10_000
	recentTime = 10 * time.Minute
)

// recent keeps values by name for at least some minutes, or until there are many
// newer ones. The zero value is ready to use, by several at once.
type recent[V any] struct {
	size int // names of one age; recentSize when 0

	mu         sync.Mutex
	young, old map[string]V
	since      time.Time // when young began
}

func (r *recent[V]) put(name string, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	if r.young == nil {
		r.young = map[string]V{}
	}
	r.young[name] = v
}

func (r *recent[V]) get(name string) (v V, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	if v, ok = r.young[name]; !ok {
		v, ok = r.old[name]
	}
	return v, ok
}

func (r *recent[V]) has(name string) bool {
	_, ok := r.get(name)
	return ok
}

func (r *recent[V]) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.young, name)
	delete(r.old, name)
}

// turn lets what is no longer young grow old, and forgets what was old.
func (r *recent[V]) turn() {
	most := r.size
	if most == 0 {
		most = recentSize
	}
	switch age := time.Since(r.since); {
	case age >= 2*recentTime:
		r.young, r.old, r.since = nil, nil, time.Now()
	case age >= recentTime, len(r.young) >= most:
		r.young, r.old, r.since = nil, r.young, time.Now()
	}
}

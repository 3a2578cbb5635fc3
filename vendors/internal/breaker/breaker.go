// Package breaker remembers refusals that do not pass by themselves, so that a
// herd of agents does not repeat the requests.
package breaker

import (
	"cmp"
	"errors"
	"sync"
	"time"

	"kb-mcp/vendors"
)

// How long a refusal of credential or quota is remembered: at first, and at
// most when every new request is refused again.
const (
	First    = 10 * time.Second
	tripMost = 5 * time.Minute
)

// Breaker remembers refusals that do not pass by themselves: a credential that
// is not accepted, for every operation, and a quota that is used up, for the
// operation that met it, because a full knowledge base can still be read. After
// a while it lets a request through again.
type Breaker struct {
	mu      sync.Mutex
	tripped map[string]trip // by operation, "" for all
}

// errRemembered is the cause of errors from Check: the platform was not asked.
var errRemembered = errors.New("remembered from an earlier call")

// trip is one refusal.
type trip struct {
	err   *vendors.Error
	until time.Time
	took  time.Duration
}

// Check returns the error that an operation is known to meet, or nil.
func (b *Breaker) Check(op string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range []string{"", op} {
		t, ok := b.tripped[key]
		left := time.Until(t.until)
		if !ok || left <= 0 {
			continue
		}
		e := *t.err
		e.After, e.Err = left, errRemembered
		e.Hint = cmp.Or(e.Hint, e.Kind.Hint()) + " The platform was not asked this time; it will be again after retry_after_seconds."
		return &e
	}
	return nil
}

// Note remembers an error of an operation.
func (b *Breaker) Note(op string, err error) {
	e := vendors.Classify(err)
	switch {
	case errors.Is(e, errRemembered):
		return
	case e.Kind == vendors.Unauthenticated:
		op = ""
	case e.Kind != vendors.QuotaExhausted:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now, took := time.Now(), First
	before, ok := b.tripped[op]
	if ok && now.Before(before.until) {
		return // of a request that was on its way already
	}
	if ok && now.Sub(before.until) < before.took {
		took = min(2*before.took, tripMost)
	}
	if b.tripped == nil {
		b.tripped = map[string]trip{}
	}
	b.tripped[op] = trip{err: e, until: now.Add(took), took: took}
}

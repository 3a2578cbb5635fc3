package ragflow

import (
	"slices"
	"sync"
	"time"

	"kb-mcp/vendors"
)

const (
	askedFor = 24 * time.Hour // how long a start is remembered at most
	maxAsked = 4096           // documents remembered at most
)

// asked remembers the documents whose parsing this process has started and whose
// rows may not show it: the Go back end shows UNSTART until a worker begins.
// Without the memory an agent would be told to start again what it has just
// started.
type asked struct {
	now func() time.Time

	mu    sync.Mutex
	until map[string]time.Time // by document id, unique in all of RAGFlow
}

func newAsked(now func() time.Time) *asked {
	if now == nil {
		now = time.Now
	}
	return &asked{now: now, until: map[string]time.Time{}}
}

// started remembers what a start has accepted.
func (a *asked) started(outcomes []vendors.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	for id, until := range a.until {
		if !now.Before(until) {
			delete(a.until, id)
		}
	}
	for _, o := range outcomes {
		if o.Result == vendors.Accepted && len(a.until) < maxAsked {
			a.until[o.DocumentID] = now.Add(askedFor)
		}
	}
}

// stopped forgets what a stop has ended.
func (a *asked) stopped(outcomes []vendors.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, o := range outcomes {
		if o.Result == vendors.Done {
			delete(a.until, o.DocumentID)
		}
	}
}

// correct turns a doubtful UNSTART into queued where a start is remembered. Any
// other state of a document ends the memory of it.
func (a *asked) correct(docs []vendors.Document) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.until) == 0 {
		return
	}
	now := a.now()
	for i := range docs {
		switch d := &docs[i]; {
		case !doubtful(*d):
			delete(a.until, d.DocumentID)
		case now.Before(a.until[d.DocumentID]):
			d.Status, d.Warnings = vendors.Queued, nil
		}
	}
}

// doubtful reports a document whose row cannot tell whether it is queued.
func doubtful(d vendors.Document) bool {
	return d.Status == vendors.NotStarted && slices.Contains(d.Warnings, doubtNote)
}

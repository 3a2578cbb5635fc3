package ragflow

import (
	"sync"
	"time"

	"kb-mcp/vendors"
)

const (
	askedFor = time.Minute // how long a start is remembered
	maxAsked = 4096        // documents remembered at most
)

// asked remembers the documents whose parsing this process has started. The Go
// back end shows UNSTART until a worker begins; without the memory an agent
// would be told to start once more what it has just started.
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

// correct turns what looks unstarted into queued where a start is remembered.
func (a *asked) correct(docs []vendors.Document) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.until) == 0 {
		return
	}
	now := a.now()
	for i := range docs {
		if d := &docs[i]; d.Status == vendors.NotStarted && now.Before(a.until[d.DocumentID]) {
			d.Status = vendors.Queued
		}
	}
}

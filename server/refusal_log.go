package server

import (
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// Bounds of what is logged of refusals.
const (
	refusalEvery  = time.Minute
	refusalValues = 50 // in that time
	refusalLength = 200
)

// refusals logs who is refused for a Host or an Origin, with the value and the
// variable that allows it: once a minute for each value. Strangers choose the
// values, so that their number is bounded.
type refusals struct {
	log *slog.Logger

	mu   sync.Mutex
	last map[string]time.Time // by header and value
	more int                  // not logged, because there were too many
}

func (r *refusals) note(header, value, variable string) {
	if len(value) > refusalLength {
		value = value[:refusalLength] + "…"
	}
	key, now := header+": "+value, time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.last[key]; ok && now.Sub(at) < refusalEvery {
		return
	}
	for k, at := range r.last {
		if now.Sub(at) >= refusalEvery {
			delete(r.last, k)
		}
	}
	if len(r.last) >= refusalValues {
		r.more++
		return
	}
	if r.last == nil {
		r.last = map[string]time.Time{}
	}
	r.last[key] = now
	r.log.Warn("a request is refused because its "+header+" is not allowed; add it to "+variable+" if it should be",
		"header", header, "value", strconv.QuoteToASCII(value), "variable", variable, "unlogged", r.more)
	r.more = 0
}

package ragflow

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// wording is a set of words that servers take for the parameter `run` (v0.21.1)
// of the document list.
type wording int32

const (
	runWords  wording = iota // v0.21.1 and newer
	taskWords                // the Go back end since September 2026, which refuses others
	noWords                  // a server that refused both
)

// filter is the values of `run` that keep all documents of a status, and whether
// they keep no others. What is queued hides behind several values.
func (w wording) filter(s vendors.Status) (run []string, exact bool) {
	if w == taskWords {
		switch s {
		case vendors.Completed:
			return []string{"COMPLETED"}, true
		case vendors.Failed:
			return []string{"FAILED"}, true
		case vendors.Cancelled:
			return []string{"STOPPED"}, true
		case vendors.NotStarted:
			return []string{"UNSTART"}, true
		case vendors.Processing: // and queued
			return []string{"RUNNING", "STOPPING", "CREATED", "SCHEDULED"}, false
		}
		return nil, false
	}
	switch s {
	case vendors.Completed:
		return []string{"DONE"}, true
	case vendors.Failed:
		return []string{"FAIL"}, true
	case vendors.Cancelled:
		return []string{"CANCEL"}, true
	case vendors.NotStarted:
		return []string{"UNSTART"}, false
	case vendors.Processing:
		return []string{"RUNNING"}, false
	}
	return nil, false
}

// filtered is a page of the rows that a query wants, as far as the server can
// filter; exact says that it gave no others. Words that it refuses are replaced
// by the other wording, which is remembered once it has worked, and then left
// out: every row is checked again.
func (c currentAPI) filtered(ctx context.Context, q vendors.PageQuery, query url.Values) ([]document, rest.Num, bool, error) {
	if q.Status == vendors.NotStarted && !c.allCounted(ctx, q.KnowledgeBaseID) {
		rows, total, err := c.rows(ctx, q.KnowledgeBaseID, query)
		return rows, total, false, err
	}
	for n, known := 0, wording(c.words.Load()); n < 2 && known != noWords; n++ {
		w := (known + wording(n)) % noWords
		run, exact := w.filter(q.Status)
		if run == nil {
			break
		}
		query["run"] = run
		rows, total, err := c.rows(ctx, q.KnowledgeBaseID, query)
		if !errors.Is(err, errFilter) {
			if err == nil {
				c.words.Store(int32(w))
			}
			return rows, total, exact, err
		}
		if n == 1 {
			c.words.Store(int32(noWords))
		}
	}
	query.Del("run")
	rows, total, err := c.rows(ctx, q.KnowledgeBaseID, query)
	return rows, total, false, err
}

// memory is what has been found out about a server's current API. It is the
// server's word until it is upgraded, and then found out again.
type memory struct {
	put       atomic.Bool  // documents are updated with PUT: v0.24 and before
	ownSearch atomic.Bool  // knowledge bases have their own search: Go back end
	ids       atomic.Bool  // documents can be listed by `ids`: v0.25.1 and later
	words     atomic.Int32 // the [wording] of its filter
	noSummary atomic.Bool  // it has no summary of a knowledge base
}

package ragflow

import (
	"context"
	"errors"
	"net/http"

	"kb-mcp/vendors/rest"
)

// summary is a server's own count of a knowledge base (since about v0.25.5):
// how many documents there are, and how many of five values of `run`. Others,
// and none at all, are in the former only.
type summary struct {
	Documents rest.Num `json:"doc_num"`
	Status    struct {
		Unstart rest.Num `json:"unstart_count"`
		Running rest.Num `json:"running_count"`
		Cancel  rest.Num `json:"cancel_count"`
		Done    rest.Num `json:"done_count"`
		Fail    rest.Num `json:"fail_count"`
	} `json:"status"`
}

// said reports that all counts are there.
func (s summary) said() bool {
	return s.Documents.Valid && s.Status.Unstart.Valid && s.Status.Running.Valid && s.Status.Cancel.Valid &&
		s.Status.Done.Valid && s.Status.Fail.Valid
}

// others is how many documents have none of the five values.
func (s summary) others() int64 {
	return s.Documents.Int - s.Status.Unstart.Int - s.Status.Running.Int - s.Status.Cancel.Int - s.Status.Done.Int - s.Status.Fail.Int
}

// errNoSummary is of a server that does not count.
var errNoSummary = errors.New("the server does not count by status")

// summarise asks for the counts of a knowledge base.
func (c currentAPI) summarise(ctx context.Context, kb string) (summary, error) {
	if c.noSummary.Load() {
		return summary{}, errNoSummary
	}
	var out answer[summary]
	err := c.rc.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"api", "v1", "datasets", kb, "ingestions", "summary"},
	}, &out)
	switch {
	case errors.Is(err, errRouteAbsent) || errors.Is(err, errMethod) || err == nil && !out.payload().said():
		c.noSummary.Store(true)
		return summary{}, errNoSummary
	case err != nil:
		return summary{}, err
	}
	return out.payload(), nil
}

// allCounted reports that every document has one of the five values that the
// server filters by. The Python server shows others, and none, as UNSTART, but
// does not find them by that word.
func (c currentAPI) allCounted(ctx context.Context, kb string) bool {
	s, err := c.summarise(ctx, kb)
	return err == nil && s.others() == 0
}

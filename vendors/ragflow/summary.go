package ragflow

import (
	"context"
	"errors"
	"net/http"

	"kb-mcp/vendors"
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

// CountByStatus counts the documents of a whole knowledge base in one request,
// where the server can: vendors.StatusCounter. Documents of none of the five
// values are unknown; the Python server lists them as UNSTART.
func (d *Driver) CountByStatus(ctx context.Context, kb string) (map[vendors.Status]int, error) {
	if err := checkPath(kb); err != nil {
		return nil, err
	}
	return request(ctx, d, func(a api) (map[vendors.Status]int, error) {
		c, ok := a.(currentAPI)
		if !ok {
			return nil, cannotCount()
		}
		s, err := c.summarise(ctx, kb)
		if errors.Is(err, errNoSummary) {
			return nil, cannotCount()
		}
		if err != nil {
			return nil, err
		}
		n := map[vendors.Status]int{}
		for status, v := range map[vendors.Status]int64{
			vendors.NotStarted: s.Status.Unstart.Int,
			vendors.Processing: s.Status.Running.Int,
			vendors.Cancelled:  s.Status.Cancel.Int,
			vendors.Completed:  s.Status.Done.Int,
			vendors.Failed:     s.Status.Fail.Int,
			vendors.Unknown:    s.others(),
		} {
			if v > 0 {
				n[status] = int(v)
			}
		}
		return n, nil
	})
}

func cannotCount() error {
	return vendors.Errorf(vendors.Unsupported, "This RAGFlow server does not count documents by status.")
}

package ragflow

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"kb-mcp/vendors"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// filtered is a page of the rows that a query asks for, as far as the server can
// filter; exact says that it gave no others. Words that it refuses are replaced
// by the other wording, which is remembered once it has worked, and then left
// out: every row is checked again.
func (c currentAPI) filtered(ctx context.Context, q vendors.PageQuery, query url.Values) (rows []document, total rest.Num, exact bool, err error) {
	if q.Status == vendors.NotStarted && !c.allCounted(ctx, q.KnowledgeBaseID) {
		rows, total, err = c.rows(ctx, q.KnowledgeBaseID, query)
		return rows, total, false, err
	}
	for n, known := 0, wording(c.words.Load()); n < 2 && known != noWords; n++ {
		w := (known + wording(n)) % noWords
		filter, ok := runFilters[w][q.Status]
		if !ok {
			break
		}
		query["run"] = filter.values
		rows, total, err = c.rows(ctx, q.KnowledgeBaseID, query)
		if !errors.Is(err, envelope.ErrFilter) {
			if err == nil {
				c.words.Store(int32(w))
			}
			return rows, total, filter.exact, err
		}
		if n == 1 {
			c.words.Store(int32(noWords))
		}
	}
	query.Del("run")
	rows, total, err = c.rows(ctx, q.KnowledgeBaseID, query)
	return rows, total, false, err
}

// summary is a server's own count of a knowledge base (since about v0.25.5):
// how many documents there are, and how many of five values of `run`. Others,
// and none at all, are in the former only.
type summary struct {
	Documents rest.Num            `json:"doc_num"`
	Status    map[string]rest.Num `json:"status"`
}

var countNames = map[string]vendors.Status{
	"unstart_count": vendors.NotStarted, "running_count": vendors.Processing, "cancel_count": vendors.Cancelled,
	"done_count": vendors.Completed, "fail_count": vendors.Failed,
}

// counts are the documents by status; those of none of the five values are
// unknown. ok says that the server gives all counts.
func (s summary) counts() (byStatus map[vendors.Status]int, ok bool) {
	byStatus = map[vendors.Status]int{}
	others := s.Documents.Int
	for name, status := range countNames {
		n := s.Status[name]
		if !n.Valid {
			return nil, false
		}
		if others -= n.Int; n.Int > 0 {
			byStatus[status] = int(n.Int)
		}
	}
	if others != 0 {
		byStatus[vendors.Unknown] = int(max(others, 0))
	}
	return byStatus, s.Documents.Valid
}

// counts reads the server's counts of a knowledge base's documents by status.
// It tries once on a server that has none.
func (c currentAPI) counts(ctx context.Context, kb string) (map[vendors.Status]int, error) {
	if c.noSummary.Load() {
		return nil, cannotCount()
	}
	var out envelope.Answer[summary]
	err := c.rc.Do(ctx, rest.Call{Method: http.MethodGet, Path: c.path(kb, "ingestions", "summary")}, &out)
	counts, ok := out.Payload().counts()
	if errors.Is(err, envelope.ErrRouteAbsent) || errors.Is(err, envelope.ErrMethod) || err == nil && !ok {
		c.noSummary.Store(true)
		return nil, cannotCount()
	}
	return counts, err
}

func cannotCount() error {
	return vendors.Errorf(vendors.Unsupported, "This RAGFlow server does not count documents by status.")
}

// allCounted reports that every document has one of the five values that the
// server filters by. The Python server shows others, and none, as UNSTART, but
// does not find them by that word.
func (c currentAPI) allCounted(ctx context.Context, kb string) bool {
	counts, err := c.counts(ctx, kb)
	_, others := counts[vendors.Unknown]
	return err == nil && !others
}

// CountByStatus implements [vendors.StatusCounter].
func (d *Driver) CountByStatus(ctx context.Context, kb string) (map[vendors.Status]int, error) {
	return onCurrent(ctx, d, "counting", func(c currentAPI) (map[vendors.Status]int, error) { return c.counts(ctx, kb) })
}

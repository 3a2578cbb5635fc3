package connection

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/paging"
)

// Bounds of what is told of knowledge bases that could not be read.
const (
	gapsTold  = 5  // with their reasons
	gapsNamed = 20 // further ones, by id
)

// Incomplete names what could not be read, and why.
type Incomplete struct {
	Vendor          string              `json:"vendor"`
	KnowledgeBaseID string              `json:"knowledge_base_id,omitempty"`
	Error           vendors.ErrorReport `json:"error"`
}

// incomplete is a knowledge base, or with "" the connection, that could not be
// read.
func (c *Connection) incomplete(ctx context.Context, kb string, err error) Incomplete {
	return Gap(c.name, kb, c.wrap(ctx, err))
}

// Gap names what could not be read, with the error in brief: an answer about
// many knowledge bases tells what one can do, and a call for this one alone says
// all. The platform's own words stay where there are no others.
func Gap(vendor, kb string, err error) Incomplete {
	r := vendors.ReportOf(err)
	r.Vendor, r.HTTPStatus = "", 0
	if r.Kind != vendors.VendorError && r.Kind != vendors.BadResponse {
		r.VendorCode, r.VendorMessage, r.RequestID = "", "", ""
	}
	return Incomplete{Vendor: vendor, KnowledgeBaseID: kb, Error: r}
}

// fewGaps names the first gaps with their reasons and the others by their ids:
// an agent must know of each, but an account may have thousands.
func (c *Connection) fewGaps(gaps []Incomplete) []Incomplete {
	slices.SortStableFunc(gaps, func(a, b Incomplete) int { return strings.Compare(a.KnowledgeBaseID, b.KnowledgeBaseID) })
	if len(gaps) <= gapsTold {
		return gaps
	}
	rest := gaps[gapsTold:]
	names := make([]string, 0, gapsNamed)
	for _, g := range rest[:min(len(rest), gapsNamed)] {
		names = append(names, g.KnowledgeBaseID)
	}
	hint := "Ask for them by knowledge_base_id, one at a time: " + strings.Join(names, ", ")
	if len(names) < len(rest) {
		hint += fmt.Sprintf(" and %d more, which list_knowledge_bases shows", len(rest)-len(names))
	}
	e := vendors.Errorf(rest[0].Error.Kind, "%d more knowledge bases could not be read whole.", len(rest)).WithHint(hint + ".")
	return append(slices.Clip(gaps[:gapsTold]), Gap(c.name, "", e))
}

// stopped is the error of a search that a bound has ended.
func stopped(why paging.Bound, err error, lost int, what string) *vendors.Error {
	e := vendors.Errorf(vendors.Timeout, "There was no time left in this call for more of the %s.", what)
	switch {
	case why == paging.LimitBound && vendors.KindOf(err) == vendors.RateLimited:
		e = vendors.Errorf(vendors.RateLimited, "The rate limit left no room for more of the %s in this call.", what)
		e.After = after(err)
	case why == paging.LimitBound:
		e = vendors.Errorf(vendors.KindOf(err), "The platform did not answer in time for more of the %s.", what)
	case why == paging.PageBound:
		e = vendors.Errorf(vendors.Unsupported, "There are more %s than one call reads (%d pages or %d rows).", what, paging.MaxPages, paging.MaxRows)
	case lost > 0:
		e = vendors.Errorf(vendors.BadResponse, "%s", lostHint(why, lost))
	}
	return e
}

// Recovered calls f and turns a panic into an error, so that the process goes
// on.
func Recovered(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &vendors.Error{Kind: vendors.Internal, Message: "kb-mcp failed while it read the platform's answer.",
				Err: fmt.Errorf("panic: %v\n%s", r, debug.Stack())}
		}
	}()
	return f()
}

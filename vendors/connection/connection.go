// Package connection is a driver with everything that all platforms share:
// checks, paging, progress, waiting, searching for unfinished documents, writes,
// stalls, and one form of errors.
package connection

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/breaker"
	"kb-mcp/vendors/internal/existence"
	"kb-mcp/vendors/internal/merge"
	"kb-mcp/vendors/internal/normal"
	"kb-mcp/vendors/internal/paging"
	"kb-mcp/vendors/internal/stall"
	"kb-mcp/vendors/recent"
	"kb-mcp/vendors/visible"
)

// Connection is one account on one platform, as tools see it. It is safe for concurrent use.
type Connection struct {
	name     string
	platform string
	driver   vendors.Driver
	reads    vendors.Driver // the driver, or its prover
	stalls   *stall.Watch
	rule     vendors.StallRule // of stalls
	gather   *merge.Gatherer
	breaker  breaker.Breaker
	sizes    *recent.Map[int]                     // rows that fit an answer, by listing
	memory   *paging.Memory                       // of listings
	refused  *recent.Map[struct{}]                // filters that the platform does not accept
	names    *recent.Map[string]                  // of knowledge bases, by id
	walked   *recent.Map[[]vendors.KnowledgeBase] // by finds, under ""
	ids      vendors.IDForm
	forms    []vendors.IDForm // of all platforms
}

// New makes the connection name on platform.
func New(name, platform string, d vendors.Driver) *Connection {
	reads := existence.Checked(d)
	return &Connection{
		name: name, platform: platform, driver: d, reads: reads, gather: merge.New(reads),
		stalls: stall.New(), rule: stallRule(d),
		sizes:   recent.New[int](recent.Size, recent.Age),
		memory:  paging.NewMemory(),
		refused: recent.New[struct{}](recent.Size, recent.Age),
		names:   recent.New[string](recent.Size, recent.Age),
		walked:  recent.New[[]vendors.KnowledgeBase](1, walkedAge),
	}
}

// defaultThreshold is the threshold of drivers without a stall rule.
const defaultThreshold = 30 * time.Minute

// stallRule is the driver's rule, or the usual one.
func stallRule(d vendors.Driver) vendors.StallRule {
	if s, ok := d.(vendors.Staller); ok {
		return s.StallRule()
	}
	return vendors.StallRule{Threshold: defaultThreshold, NextStep: "Look at the document in the platform's console."}
}

// Gather lets callers share requests for the progress of documents, as
// [merge.Gatherer.Share] says. It must come before the connection is used.
func (c *Connection) Gather(hold merge.Hold, changes func() uint64) *Connection {
	c.gather.Share(hold, changes)
	c.memory.Until(changes)
	return c
}

// Name is the connection's name, the `vendor` argument of every tool.
func (c *Connection) Name() string { return c.name }

// Platform is the kind of service.
func (c *Connection) Platform() string { return c.platform }

// Can reports whether the connection's driver has the methods of T.
func Can[T any](c *Connection) bool {
	_, ok := c.driver.(T)
	return ok
}

// Instead returns what to do on this connection instead of a tool; ok is false
// if its driver does not advise against the tool.
func (c *Connection) Instead(tool string) (hint string, ok bool) {
	if a, is := c.driver.(vendors.Adviser); is {
		hint, ok = a.Instead()[tool]
	}
	return hint, ok
}

// Diagnose returns what the driver finds; nothing if it is not a
// [vendors.Doctor].
func (c *Connection) Diagnose(ctx context.Context) []vendors.Finding {
	if d, ok := c.driver.(vendors.Doctor); ok {
		return d.Diagnose(ctx)
	}
	return nil
}

// GetDocument returns one document.
func (c *Connection) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	err := c.breaker.Check(tool(ctx))
	if err == nil {
		err = c.resolveRef(ctx, &ref)
	}
	if err != nil {
		return vendors.Document{}, c.wrap(ctx, err)
	}
	d, err := c.reads.GetDocument(ctx, ref)
	if err != nil {
		return vendors.Document{}, c.wrap(ctx, err)
	}
	normal.Document(&d, c.name, ref.KnowledgeBaseID)
	return d, nil
}

// tool returns the name of the tool that makes the call. Errors carry it, and
// the breaker remembers refusals by it.
func tool(ctx context.Context) string { return vendors.CallerOf(ctx).Tool }

// wrap is failure with the result type error.
func (c *Connection) wrap(ctx context.Context, err error) error { return c.failure(ctx, err) }

// failure returns the error of a call in the form for its caller, after the
// breaker has noted it.
func (c *Connection) failure(ctx context.Context, err error) *vendors.Error {
	c.breaker.Note(tool(ctx), err)
	return c.stamp(err)
}

// stamp sets the connection of an error that has none.
func (c *Connection) stamp(err error) *vendors.Error {
	e := *vendors.Classify(err)
	e.Vendor = c.name
	e.Message, e.Hint = visible.Line(e.Message), visible.Line(e.Hint) // both may quote the platform
	e.VendorCode, e.VendorMessage, e.RequestID = visible.Line(e.VendorCode), visible.Line(e.VendorMessage), visible.Line(e.RequestID)
	return &e
}

// hash identifies a listing, so that a cursor serves only the query it is for.
func (c *Connection) hash(op string, q ListQuery) uint32 {
	enabled := ""
	if q.Enabled != nil {
		enabled = strconv.FormatBool(*q.Enabled)
	}
	return paging.Hash(op, c.name, q.KnowledgeBaseID, string(q.Status), strings.ToLower(q.NameContains), enabled)
}

// resolve checks a caller's id of a knowledge base and replaces it by the id
// that answers carry.
func (c *Connection) resolve(ctx context.Context, id *string) error {
	err := c.checkID("knowledge_base_id", *id)
	if r, ok := c.driver.(vendors.KnowledgeBaseResolver); ok && err == nil {
		*id, err = r.ResolveKnowledgeBase(ctx, *id)
	}
	return err
}

// resolveRef is resolve for a reference to a document.
func (c *Connection) resolveRef(ctx context.Context, ref *vendors.Ref) error {
	if err := c.checkRef(*ref); err != nil {
		return err
	}
	return c.resolve(ctx, &ref.KnowledgeBaseID)
}

// maxID is longer than any platform's ids or names.
const maxID = 256

// checkID refuses what cannot be any platform's id and could change a URL, and
// what is not an id of this platform.
func (c *Connection) checkID(arg, id string) error {
	bad := ""
	switch {
	case strings.TrimSpace(id) == "":
		bad = "is empty"
	case id == "." || id == "..":
		bad = "is " + id
	case len(id) > maxID:
		bad = fmt.Sprintf("is longer than %d bytes", maxID)
	case strings.ContainsFunc(id, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar }):
		bad = "holds spaces or control characters"
	}
	if bad == "" {
		if checker, ok := c.driver.(vendors.IDChecker); ok {
			return checker.CheckID(arg, id)
		}
		return nil
	}
	return vendors.Errorf(vendors.InvalidArgument, "`%s` %s.", arg, bad).
		WithHint("Pass the id exactly as a list answer gave it, as a string.")
}

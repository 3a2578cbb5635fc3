package prompts

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// Bounds of completion. The values are the protocol's; people type on while it
// works, and a platform that does not answer soon suggests nothing.
const (
	mostValues   = 100
	completeTime = 3 * time.Second
	keepBases    = 60 * time.Second
	keepFailure  = 10 * time.Second
	mostBases    = 1000 // of a connection
)

// CompletePromptArgument suggests values of an argument. It fails only where the
// prompt or the argument is unknown.
func (s *Set) CompletePromptArgument(ctx context.Context, name string, arg mcp.CompleteArgument, given mcp.CompleteContext) (*mcp.Completion, error) {
	var prompts, names []string
	for _, p := range s.here() {
		if prompts = append(prompts, p.name); p.name == name {
			for _, a := range p.args {
				names = append(names, a.name)
			}
		}
	}
	switch {
	case names == nil:
		return nil, invalid("there is no such prompt" + meant(name, prompts))
	case !slices.Contains(names, arg.Name):
		return nil, invalid("the prompt has no such argument" + meant(arg.Name, names))
	case arg.Name == argVendor:
		return s.completeVendor(arg.Value), nil
	case arg.Name == argBase:
		return s.completeBase(ctx, arg.Value, given.Arguments[argVendor]), nil
	}
	return &mcp.Completion{Values: []string{}}, nil
}

// completeVendor suggests connections whose name begins with what is typed.
func (s *Set) completeVendor(typed string) *mcp.Completion {
	return completion(slices.DeleteFunc(s.names(), func(n string) bool { return !hasPrefix(n, typed) }), false)
}

// completeBase suggests the ids of knowledge bases, by id or name, of one
// connection or of all.
func (s *Set) completeBase(ctx context.Context, typed, vendor string) *mcp.Completion {
	caller := vendors.CallerOf(ctx)
	caller.Tool = "completion"
	ctx, cancel := context.WithTimeout(vendors.WithCaller(ctx, caller), completeTime)
	defer cancel()
	lists := make([]known, len(s.bases))
	var reading sync.WaitGroup
	for i, b := range s.bases {
		if vendor == "" || b.of.Name() == vendor {
			reading.Go(func() { lists[i] = b.get(ctx) })
		}
	}
	reading.Wait()
	ids, more := []string{}, false
	for _, l := range lists {
		more = more || l.more
		for _, b := range l.list {
			if hasPrefix(b.id, typed) || strings.Contains(strings.ToLower(b.name), strings.ToLower(typed)) {
				ids = append(ids, b.id)
			}
		}
	}
	return completion(ids, more)
}

// completion is values within the bound; more says that there may be others.
func completion(values []string, more bool) *mcp.Completion {
	c := &mcp.Completion{Values: values[:min(len(values), mostValues)], HasMore: more || len(values) > mostValues}
	if !more {
		c.Total = len(values)
	}
	return c
}

func hasPrefix(s, typed string) bool {
	return strings.HasPrefix(strings.ToLower(s), strings.ToLower(typed))
}

// known is what is known of a connection's knowledge bases.
type known struct {
	list []base
	more bool // that are not in list
}

type base struct{ id, name string }

// bases remembers the knowledge bases of one connection for a while; one caller
// reads, others wait for it.
type bases struct {
	of    *connection.Connection
	turn  chan struct{} // who holds it may use what follows
	known known
	until time.Time
}

func newBases(c *connection.Connection) *bases { return &bases{of: c, turn: make(chan struct{}, 1)} }

// get is what is known by the end of ctx. What a platform refuses or does not
// tell in time is missing, and not asked for again at once.
func (b *bases) get(ctx context.Context) known {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return known{more: true}
	}
	if time.Now().Before(b.until) {
		return b.known
	}
	k, err := b.read(ctx)
	if ctx.Err() == context.Canceled { // the client has left; that says nothing of the platform
		return k
	}
	b.known, b.until = k, time.Now().Add(keepBases)
	if err != nil {
		b.until = time.Now().Add(keepFailure)
	}
	return k
}

// read reads the list, as far as it can.
func (b *bases) read(ctx context.Context) (k known, err error) {
	q := connection.ListQuery{Limit: 100}
	for {
		page, err := b.of.ListKnowledgeBases(ctx, q)
		if err != nil {
			k.more = true
			return k, err
		}
		for _, row := range page.KnowledgeBases {
			k.list = append(k.list, base{row.KnowledgeBaseID, row.Name})
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" || len(k.list) >= mostBases {
			k.more = q.Cursor != ""
			return k, nil
		}
	}
}

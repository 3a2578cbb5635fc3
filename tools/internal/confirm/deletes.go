package confirm

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/visible"
)

// Base asks a person whether a knowledge base may be deleted: its name is
// to be typed, or its id where no list shows the name.
func (d *Desk) Base(ctx context.Context, c *connection.Connection, kb string) error {
	return d.on(ctx, c, kb, func() (Question, error) {
		id := kb
		if err := connection.Deletable[vendors.KnowledgeBaseDeleter](ctx, c, &id); err != nil {
			return Question{}, err
		}
		q := Question{Title: "Id of the knowledge base", Want: id}
		name := d.baseName(ctx, c, id)
		if name != "" {
			q.Title, q.Want = "Name of the knowledge base", name
		}
		q.Message = fmt.Sprintf("Delete the %s with all its documents, for good?", d.base(c, id, name))
		return q, nil
	})
}

// Documents asks a person whether documents may be deleted: their number
// is to be typed.
func (d *Desk) Documents(ctx context.Context, c *connection.Connection, kb string, documents []string) error {
	return d.on(ctx, c, []any{kb, documents}, func() (Question, error) {
		id, ids := kb, slices.Compact(slices.Sorted(slices.Values(documents)))
		if err := connection.Deletable[vendors.DocumentDeleter](ctx, c, &id, ids...); err != nil {
			return Question{}, err
		}
		what := "1 document"
		if len(ids) > 1 {
			what = fmt.Sprintf("%d documents", len(ids))
		}
		return Question{
			Message: fmt.Sprintf("Delete %s of the %s, for good? %s", what, d.base(c, id, d.baseName(ctx, c, id)), d.someIDs(ids)),
			Title:   "Number of documents", Want: strconv.Itoa(len(ids)),
		}, nil
	})
}

func (d *Desk) on(ctx context.Context, c *connection.Connection, args any, question func() (Question, error)) error {
	return vendors.Amended(d.Confirm(ctx, []any{c.Name(), args}, question), func(e *vendors.Error) { e.Vendor = c.Name() })
}

// base tells a person which knowledge base is meant.
func (d *Desk) base(c *connection.Connection, id, name string) string {
	if name != "" {
		name = fmt.Sprintf(" %q", name)
	}
	return fmt.Sprintf("knowledge base%s (%s) on %s", name, d.clean(visible.Line(id)), c.Name())
}

// longestName is how much a person is asked to type.
const longestName = 100

// baseName is a name as it is shown and can be typed, "" for none.
func (d *Desk) baseName(ctx context.Context, c *connection.Connection, id string) string {
	name := strings.TrimSpace(d.clean(visible.Line(c.BaseName(ctx, id))))
	if len([]rune(name)) > longestName {
		return ""
	}
	return name
}

// fewIDs is how many ids a person reads.
const fewIDs = 5

// someIDs lists ids for a person.
func (d *Desk) someIDs(ids []string) string {
	text := "Their ids: "
	if len(ids) == 1 {
		text = "Its id: "
	}
	text += d.clean(visible.Line(strings.Join(ids[:min(len(ids), fewIDs)], ", ")))
	if more := len(ids) - fewIDs; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + "."
}

package tools

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/tools/internal/confirm"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/visible"
)

// ConfirmModes are the values of [Options.Confirm]; the first is the usual one.
func ConfirmModes() []string { return confirm.Modes() }

// confirmBase asks a person whether a knowledge base may be deleted: its name is
// to be typed, or its id where no list shows the name.
func (s *Set) confirmBase(ctx context.Context, c *connection.Connection, in deleteKnowledgeBaseArgs) error {
	return s.confirm(ctx, c, in, func() (confirm.Question, error) {
		id := in.KnowledgeBaseID
		if err := connection.Deletable[vendors.KnowledgeBaseDeleter](ctx, c, &id); err != nil {
			return confirm.Question{}, err
		}
		q := confirm.Question{Title: "Id of the knowledge base", Want: id}
		name := s.baseName(ctx, c, id)
		if name != "" {
			q.Title, q.Want = "Name of the knowledge base", name
		}
		q.Message = fmt.Sprintf("Delete the %s with all its documents, for good?", s.base(c, id, name))
		return q, nil
	})
}

// confirmDocuments asks a person whether documents may be deleted: their number
// is to be typed.
func (s *Set) confirmDocuments(ctx context.Context, c *connection.Connection, in documentsArgs) error {
	return s.confirm(ctx, c, in, func() (confirm.Question, error) {
		kb, ids := in.KnowledgeBaseID, slices.Compact(slices.Sorted(slices.Values(in.DocumentIDs)))
		if err := connection.Deletable[vendors.DocumentDeleter](ctx, c, &kb, ids...); err != nil {
			return confirm.Question{}, err
		}
		documents := "1 document"
		if len(ids) > 1 {
			documents = fmt.Sprintf("%d documents", len(ids))
		}
		return confirm.Question{
			Message: fmt.Sprintf("Delete %s of the %s, for good? %s", documents, s.base(c, kb, s.baseName(ctx, c, kb)), s.someIDs(ids)),
			Title:   "Number of documents", Want: strconv.Itoa(len(ids)),
		}, nil
	})
}

func (s *Set) confirm(ctx context.Context, c *connection.Connection, in any, question func() (confirm.Question, error)) error {
	return vendors.Amended(s.desk.Confirm(ctx, []any{c.Name(), in}, question), func(e *vendors.Error) { e.Vendor = c.Name() })
}

// base tells a person which knowledge base is meant.
func (s *Set) base(c *connection.Connection, id, name string) string {
	if name != "" {
		name = fmt.Sprintf(" %q", name)
	}
	return fmt.Sprintf("knowledge base%s (%s) on %s", name, s.clean(visible.Line(id)), c.Name())
}

// longestName is how much a person is asked to type.
const longestName = 100

// baseName is a name as it is shown and can be typed, "" for none.
func (s *Set) baseName(ctx context.Context, c *connection.Connection, id string) string {
	name := strings.TrimSpace(s.clean(visible.Line(c.BaseName(ctx, id))))
	if len([]rune(name)) > longestName {
		return ""
	}
	return name
}

// fewIDs is how many ids a person reads.
const fewIDs = 5

// someIDs lists ids for a person.
func (s *Set) someIDs(ids []string) string {
	text := "Their ids: "
	if len(ids) == 1 {
		text = "Its id: "
	}
	text += s.clean(visible.Line(strings.Join(ids[:min(len(ids), fewIDs)], ", ")))
	if more := len(ids) - fewIDs; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + "."
}

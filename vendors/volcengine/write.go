package volcengine

import (
	"context"
	"errors"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/rest"
)

// What collection/create accepts, and doc/update for a document's name.
var (
	description = write.Text{Platform: "Volcengine", Most: 65535, Blank: true}
	docName     = write.Text{Platform: "Volcengine", Most: 255, Refused: `<>:"/\|?*`}
)

// CreateKnowledgeBase implements [vendors.KnowledgeBaseCreator]. The platform
// makes it of version 4 (Ultimate), which is billed, with an index of its
// choice that is ready some minutes later.
func (d *Driver) CreateKnowledgeBase(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	body := struct {
		Name        string `json:"name"`
		Project     string `json:"project"`
		Description string `json:"description,omitempty"`
	}{Name: *draft.Name, Project: d.project}
	if draft.Description != nil {
		body.Description = *draft.Description
	}
	if !baseName.MatchString(body.Name) {
		return vendors.KnowledgeBase{}, vendors.Errorf(vendors.InvalidArgument, "`name` is not a name that Volcengine accepts for a knowledge base.").
			WithHint("It begins with a letter and has at most 64 ASCII letters, digits and underscores; put other words into `description`.")
	}
	if err := description.Check("description", body.Description); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	began := d.now()
	made, _, err := write.Create(ctx,
		func(ctx context.Context) (vendors.KnowledgeBase, error) {
			data, err := post[collection](ctx, d, rest.Once, "collection/create", body)
			if err != nil {
				return vendors.KnowledgeBase{}, err
			}
			made := collection{ResourceID: data.ResourceID, Name: rest.Str(body.Name), Description: rest.Str(body.Description)}
			if c, err := d.collection(ctx, made.normal().KnowledgeBaseID); err == nil && c.ResourceID == made.ResourceID {
				made = *c // as it is, which need not be as it was asked for
			}
			return made.normal(), nil
		},
		func(ctx context.Context) ([]vendors.KnowledgeBase, error) {
			return d.createdSince(ctx, body.Name, began)
		})
	return made, err
}

// createdSince returns the knowledge base of a name, unless it is older than
// began.
func (d *Driver) createdSince(ctx context.Context, name string, began time.Time) ([]vendors.KnowledgeBase, error) {
	c, err := d.collection(ctx, name)
	switch {
	case errors.Is(err, errNoBase):
		return nil, nil
	case err != nil:
		return nil, err
	case moment(c.CreateTime).Before(began.Add(-time.Minute)): // clocks differ
		return nil, nil
	}
	return []vendors.KnowledgeBase{c.normal()}, nil
}

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater]. The change
// itself answers nothing, so it is read back and compared.
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	if change.Name != nil {
		return vendors.KnowledgeBase{}, vendors.Errorf(vendors.Unsupported, "Volcengine cannot rename a knowledge base.").
			WithHint("Change the description only, or create a knowledge base of the new name and add the documents to it.")
	}
	body := struct {
		target
		Description string `json:"description"` // "" empties it
	}{d.base(id), *change.Description}
	if err := description.Check("description", body.Description); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	if err := d.send(ctx, rest.Repeatable, "collection/update", body); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	c, _, err := await(ctx, func() (*collection, error) { return d.collection(ctx, id) },
		func(c *collection) bool { return string(c.Description) == body.Description })
	if err != nil {
		return vendors.KnowledgeBase{}, vendors.NotReadBack(err, "The description was changed")
	}
	return c.normal(), nil
}

// showTime is how long the platform may take to show what it has accepted.
const showTime = 3 * time.Second

// await reads something until it is as expected, twice at most.
func await[T any](ctx context.Context, read func() (T, error), is func(T) bool) (last T, ok bool, err error) {
	for i := range 2 {
		if i > 0 {
			select {
			case <-time.After(showTime):
			case <-ctx.Done():
			}
		}
		if last, err = read(); err != nil || is(last) {
			return last, err == nil, err
		}
	}
	return last, false, nil
}

// DeleteKnowledgeBase implements [vendors.KnowledgeBaseDeleter].
func (d *Driver) DeleteKnowledgeBase(ctx context.Context, id string) error {
	err := d.send(ctx, rest.Once, "collection/delete", d.base(id))
	d.names.Clear()
	if !vendors.Unsure(err) || ctx.Err() != nil {
		return err
	}
	if _, look := d.collection(ctx, id); errors.Is(look, errNoBase) {
		return nil
	}
	return err
}

// DeleteDocuments implements [vendors.DocumentDeleter], one request each: the
// platform does not accept a list, and checks that the document belongs to the
// knowledge base. What it accepts is gone some seconds later, so that lists
// lag.
func (d *Driver) DeleteDocuments(ctx context.Context, knowledgeBaseID string, ids []string) ([]vendors.Outcome, error) {
	return write.Documents{
		Batch: 1, Done: vendors.Accepted,
		Send: func(ctx context.Context, docs []vendors.Document) (map[string]error, error) {
			return nil, d.send(ctx, rest.Repeatable, "doc/delete", d.doc(vendors.Ref{KnowledgeBaseID: knowledgeBaseID, DocumentID: docs[0].DocumentID}))
		},
		Read: func(ctx context.Context, ids []string) (vendors.Report, error) {
			return d.Progress(ctx, vendors.ProgressQuery{KnowledgeBaseID: knowledgeBaseID, DocumentIDs: ids})
		},
		Absent: func(err error) bool { return errors.Is(err, errNoDocument) },
	}.Run(ctx, ids)
}

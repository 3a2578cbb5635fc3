package volcengine

import (
	"context"
	"regexp"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// What collection/create takes.
const (
	maxCollectionName = 64
	maxDescription    = 65535
)

var collectionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// CreateKnowledgeBase implements [vendors.KnowledgeBaseCreator]. The platform
// makes it of version 4 (Ultimate), which is billed, with an index of its
// choice that is ready some minutes later.
func (d *Driver) CreateKnowledgeBase(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	body := struct {
		Name        string `json:"name"`
		Project     string `json:"project"`
		Description string `json:"description,omitempty"`
	}{given(draft.Name), d.project, given(draft.Description)}
	if err := checkCollection(body.Name, body.Description); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	began := d.now()
	data, err := once[collection](ctx, d, body, "collection", "create")
	if vendors.Unsure(err) {
		return d.findCreated(ctx, body.Name, began, err)
	}
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	made := collection{ResourceID: data.ResourceID, Name: rest.Str(body.Name), Description: rest.Str(body.Description)}
	kb := made.normal()
	if c, err := call[collection](ctx, d, d.ofCollection(kb.KnowledgeBaseID), "collection", "info"); err == nil && c.ResourceID == made.ResourceID {
		return c.normal(), nil // as it is, which need not be as it was asked for
	}
	return kb, nil
}

// findCreated looks for a knowledge base after the answer to its creation was
// lost. One that is older than the request is somebody else's.
func (d *Driver) findCreated(ctx context.Context, name string, began time.Time, cause error) (vendors.KnowledgeBase, error) {
	if ctx.Err() == nil {
		c, err := call[collection](ctx, d, d.ofCollection(name), "collection", "info")
		if err == nil && !moment(c.CreateTime).Before(began.Add(-time.Minute)) { // clocks differ
			return c.normal(), nil
		}
	}
	return vendors.KnowledgeBase{}, cause
}

// checkCollection refuses what the platform would refuse.
func checkCollection(name, description string) error {
	switch {
	case !collectionName.MatchString(name) || len(name) > maxCollectionName:
		return vendors.Errorf(vendors.InvalidArgument, "`name` is not a name that Volcengine takes for a knowledge base.").
			WithHint("It begins with a letter and has at most 64 ASCII letters, digits and underscores; put other words into `description`.")
	case utf8.RuneCountInString(description) > maxDescription:
		return vendors.Errorf(vendors.InvalidArgument, "`description` is longer than %d characters.", maxDescription)
	}
	return nil
}

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater]. The change
// itself answers nothing, so it is read back and compared.
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	if change.Name != nil {
		return vendors.KnowledgeBase{}, vendors.Errorf(vendors.Unsupported, "Volcengine cannot rename a knowledge base.").
			WithHint("Change the description only, or create a knowledge base of the new name and add the documents to it.")
	}
	if utf8.RuneCountInString(*change.Description) > maxDescription {
		return vendors.KnowledgeBase{}, vendors.Errorf(vendors.InvalidArgument, "`description` is longer than %d characters.", maxDescription)
	}
	body := struct {
		target
		Description string `json:"description"` // "" empties it
	}{d.ofCollection(id), *change.Description}
	if err := d.client.Do(ctx, request(rest.Repeatable, body, []string{"collection", "update"}), &receipt{}); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	for i := range shows {
		if i > 0 {
			pause(ctx, showTime)
		}
		c, err := call[collection](ctx, d, d.ofCollection(id), "collection", "info")
		if err != nil {
			return vendors.KnowledgeBase{}, vendors.NotReadBack(err, "The description was changed")
		}
		if string(c.Description) == body.Description {
			return c.normal(), nil
		}
	}
	return vendors.KnowledgeBase{}, vendors.NotShown("Volcengine", "the knowledge base")
}

// How often, and how far apart, a change is looked for.
const (
	shows    = 2
	showTime = 2 * time.Second
)

// DeleteKnowledgeBase implements [vendors.KnowledgeBaseDeleter].
func (d *Driver) DeleteKnowledgeBase(ctx context.Context, id string) error {
	err := d.client.Do(ctx, request(rest.Once, d.ofCollection(id), []string{"collection", "delete"}), &receipt{})
	d.names.forget()
	if !vendors.Unsure(err) {
		return err
	}
	if ctx.Err() == nil {
		_, look := call[collection](ctx, d, d.ofCollection(id), "collection", "info")
		if vendors.KindOf(look) == vendors.ErrNotFound {
			return nil
		}
	}
	return err
}

// given is what an optional text says.
func given(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

package volcengine

import (
	"context"
	"errors"
	"fmt"
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
	if lost(err) {
		return d.findCreated(ctx, body.Name, began, err)
	}
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	c := collection{ResourceID: data.ResourceID, Name: rest.Str(body.Name), Description: rest.Str(body.Description)}
	return c.normal(), nil
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
	return vendors.KnowledgeBase{}, unsure(cause, fmt.Sprintf("the knowledge base %q was created", name),
		"Look for it with list_knowledge_bases and `name_contains` before you create it again.")
}

// checkCollection refuses what the platform would refuse.
func checkCollection(name, description string) error {
	switch {
	case !collectionName.MatchString(name) || len(name) > maxCollectionName:
		return vendors.Errorf(vendors.InvalidArgument, "`name` is no name that Volcengine takes for a knowledge base.").
			WithHint("It begins with a letter and has at most 64 ASCII letters, digits and underscores; put other words into `description`.")
	case utf8.RuneCountInString(description) > maxDescription:
		return vendors.Errorf(vendors.InvalidArgument, "`description` is longer than %d characters.", maxDescription)
	}
	return nil
}

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater]. It reads first,
// because the change itself answers nothing.
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	if change.Name != nil {
		return vendors.KnowledgeBase{}, vendors.Errorf(vendors.Unsupported, "Volcengine cannot rename a knowledge base.").
			WithHint("Change the description only, or create a knowledge base of the new name and add the documents to it.")
	}
	if utf8.RuneCountInString(*change.Description) > maxDescription {
		return vendors.KnowledgeBase{}, vendors.Errorf(vendors.InvalidArgument, "`description` is longer than %d characters.", maxDescription)
	}
	c, err := call[collection](ctx, d, d.ofCollection(id), "collection", "info")
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	body := struct {
		target
		Description string `json:"description"` // "" empties it
	}{d.ofCollection(id), *change.Description}
	if err := d.client.Do(ctx, request(false, body, []string{"collection", "update"}), &receipt{}); err != nil {
		if lost(err) {
			err = unsure(err, "the description was changed", "Look at it with list_knowledge_bases; setting it once more does no harm.")
		}
		return vendors.KnowledgeBase{}, err
	}
	c.Description, c.UpdateTime = rest.Str(body.Description), rest.Num{}
	return c.normal(), nil
}

// DeleteKnowledgeBase implements [vendors.KnowledgeBaseDeleter].
func (d *Driver) DeleteKnowledgeBase(ctx context.Context, id string) error {
	err := d.client.Do(ctx, request(true, d.ofCollection(id), []string{"collection", "delete"}), &receipt{})
	if !lost(err) {
		return err
	}
	if ctx.Err() == nil {
		_, look := call[collection](ctx, d, d.ofCollection(id), "collection", "info")
		if vendors.KindOf(look) == vendors.ErrNotFound {
			return nil
		}
	}
	return unsure(err, "the knowledge base was deleted", "Look for it with list_knowledge_bases; delete it again only if it stays there.")
}

// lost reports whether a write that failed may have happened all the same: its
// answer did not come, could not be read, or told of a fault of the platform.
func lost(err error) bool {
	var e *vendors.Error
	if !errors.As(err, &e) || e.Unsent {
		return false
	}
	switch e.Kind {
	case vendors.Timeout, vendors.Unavailable:
		return true
	case vendors.BadResponse: // redirects and unknown paths are refusals
		return e.HTTPStatus < 300 || e.HTTPStatus >= 500
	}
	return false
}

// unsure is the error of a write of which nobody knows whether it happened.
func unsure(err error, what, check string) error {
	var e *vendors.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	c.Message, c.Hint = "It is UNKNOWN whether "+what+": "+e.Message, check
	return &c
}

// given is what an optional text says.
func given(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

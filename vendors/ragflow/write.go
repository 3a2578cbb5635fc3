package ragflow

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode"

	"kb-mcp/vendors"
)

const (
	maxKBName   = 128 // bytes of UTF-8
	maxFileName = 255

	// lookTime is kept back from a create, so that a lost answer can still be
	// looked for.
	lookTime = 8 * time.Second
	// lookSize is how many of the newest rows a look reads.
	lookSize = 100
)

// CreateKnowledgeBase implements [vendors.KnowledgeBaseCreator].
func (d *Driver) CreateKnowledgeBase(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	if draft.Name == nil {
		return vendors.KnowledgeBase{}, vendors.Errorf(vendors.InvalidArgument, "`name` is missing.")
	}
	draft, err := tidy(draft)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	return request(ctx, d, func(a api) (vendors.KnowledgeBase, error) { return create(ctx, a, draft) })
}

// create makes a knowledge base, and looks for it when the answer was lost:
// which rows are new is known from the newest one before.
func create(ctx context.Context, a api, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	before, err := a.knowledgeBases(ctx, vendors.PageQuery{Page: 1, Size: 1})
	if err != nil {
		return vendors.KnowledgeBase{}, vendors.NothingDone(err)
	}
	kb, err := a.create(ctx, draft)
	if !vendors.Unsure(err) {
		return kb, err
	}
	now, lookErr := a.knowledgeBases(ctx, vendors.PageQuery{Page: 1, Size: lookSize})
	if lookErr == nil {
		fresh := newer(now.Items, before.Items, func(kb vendors.KnowledgeBase) row {
			return row{kb.KnowledgeBaseID, kb.Name, kb.CreatedAt}
		}, *draft.Name)
		switch {
		case len(fresh) == 1:
			return fresh[0], nil
		case len(fresh) == 0 && vendors.Answered(err):
			return kb, vendors.NothingDone(err)
		}
	}
	return kb, err
}

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater].
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	err := checkPath(id)
	if err == nil {
		change, err = tidy(change)
	}
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	return request(ctx, d, func(a api) (vendors.KnowledgeBase, error) {
		kb, err := a.update(ctx, id, change)
		if err == nil {
			err = notSet(kb, change)
		}
		return kb, ownersOnly(ctx, a, id, err)
	})
}

// notSet compares what was asked for with what the knowledge base has now.
func notSet(kb vendors.KnowledgeBase, change vendors.KnowledgeBaseChange) error {
	what := ""
	switch {
	case change.Name != nil && kb.Name != *change.Name:
		what = "name"
	case change.Description != nil && kb.Description != *change.Description:
		what = "description"
	default:
		return nil
	}
	return vendors.Errorf(vendors.VendorError, "RAGFlow says success, but the knowledge base's `%s` is not what was asked for.", what).
		WithHint("Look at it with list_knowledge_bases before you try again.")
}

// DeleteKnowledgeBase implements [vendors.KnowledgeBaseDeleter].
func (d *Driver) DeleteKnowledgeBase(ctx context.Context, id string) error {
	if err := checkPath(id); err != nil {
		return err
	}
	_, err := request(ctx, d, func(a api) (struct{}, error) { return struct{}{}, remove(ctx, a, id) })
	return err
}

// remove deletes a knowledge base; a lost answer is cleared up by asking for it.
func remove(ctx context.Context, a api, id string) error {
	err := ownersOnly(ctx, a, id, a.remove(ctx, id))
	if !vendors.Unsure(err) {
		return err
	}
	_, lookErr := a.knowledgeBase(ctx, id)
	if vendors.KindOf(lookErr) == vendors.ErrNotFound {
		return nil
	}
	return err
}

// tidy trims the name and refuses what RAGFlow would.
func tidy(change vendors.KnowledgeBaseChange) (vendors.KnowledgeBaseChange, error) {
	if change.Name == nil {
		return change, nil
	}
	name := strings.TrimSpace(*change.Name)
	change.Name = &name
	return change, checkName(name, maxKBName)
}

// checkName refuses names that RAGFlow does not take or that are no names.
func checkName(name string, most int) error {
	bad := ""
	switch {
	case strings.TrimSpace(name) == "":
		bad = "is blank"
	case strings.ContainsFunc(name, unicode.IsControl):
		bad = "holds control characters"
	}
	if bad != "" {
		return vendors.Errorf(vendors.InvalidArgument, "`name` %s.", bad)
	}
	if len(name) > most {
		return vendors.Errorf(vendors.InvalidArgument, "`name` has %d bytes; RAGFlow takes at most %d (a Chinese character is 3).", len(name), most).
			WithHint("Give a shorter name.")
	}
	return nil
}

// checkFileName refuses what is not a file's name: RAGFlow would rename to a path.
func checkFileName(name string) error {
	if strings.ContainsAny(name, `/\`) {
		return vendors.Errorf(vendors.InvalidArgument, "`name` is a path, but must be a file's name.")
	}
	return checkName(name, maxFileName)
}

// checkRef refuses ids that would change the path.
func checkRef(ref vendors.Ref) error {
	if err := checkPath(ref.KnowledgeBaseID); err != nil {
		return err
	}
	if strings.ContainsAny(ref.DocumentID, "/?#") {
		return vendors.Errorf(vendors.InvalidArgument, "`document_id` holds one of / ? #, and no RAGFlow id does.").
			WithHint("Pass the id exactly as list_documents gave it.")
	}
	return nil
}

// row is what tells a listed thing from another.
type row struct {
	id, name string
	created  time.Time
}

// newer gives the items that are newer than the newest one before and have the
// name, or the name as RAGFlow changes it when it is taken: "a(1).txt".
func newer[T any](now, before []T, key func(T) row, name string) []T {
	var last row
	if len(before) > 0 {
		last = key(before[0])
	}
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name, ext = name[:i], name[i:]
	}
	named := regexp.MustCompile(`^` + regexp.QuoteMeta(name) + `(\(\d+\))?` + regexp.QuoteMeta(ext) + `(\(\d+\))?$`)
	var fresh []T
	for _, item := range now {
		r := key(item)
		if r.id != last.id && !r.created.Before(last.created) && named.MatchString(r.name) {
			fresh = append(fresh, item)
		}
	}
	return fresh
}

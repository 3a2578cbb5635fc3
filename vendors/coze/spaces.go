package coze

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Page sizes of GET /v1/datasets and GET /v1/workspaces. Hosted Coze allows 300
// and 50. Studio loads every document of every knowledge base on the page, about
// 130 bytes of its answer each.
const (
	hostedDatasets = 300
	studioDatasets = 20
	mostSpaces     = 50
)

// Bounds of a search for one knowledge base, for which there is no call: it is
// looked for in the lists of the spaces.
const (
	mostSearched   = 20 // spaces
	mostLookup     = 50 // pages of a space
	mostRemembered = 4096
)

// seenBase is where, by which name and with what kind of content, which never
// changes, a knowledge base was seen.
type seenBase struct{ space, name, kind string }

// ListKnowledgeBases implements [vendors.KnowledgeBaseLister]: those of the
// configured space, or of all spaces one after the other.
func (d *Driver) ListKnowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	if d.space != "" {
		return d.spacePage(ctx, d.space, q.Page, q)
	}
	p := vendors.Page[vendors.KnowledgeBase]{Items: []vendors.KnowledgeBase{}}
	ids, err := d.spaceIDs(ctx)
	if err != nil {
		return p, err
	}
	first, page, err := parseToken(q.Token, ids)
	if err != nil {
		return p, err
	}
	for at := first; at < len(ids); at, page = at+1, 1 {
		p, err = d.spacePage(ctx, ids[at], page, q)
		if page == 1 && notOurs(err) && (first > 0 || at+1 < len(ids)) {
			d.log.WarnContext(ctx, "a space is not readable", "space_id", ids[at], "error", err)
			p = vendors.Page[vendors.KnowledgeBase]{Items: []vendors.KnowledgeBase{}}
			continue
		}
		if err != nil {
			return p, err
		}
		switch {
		case p.More:
			p.NextToken = token(ids[at], page+1)
		case at+1 < len(ids):
			p.More, p.NextToken = true, token(ids[at+1], 1)
		}
		if len(ids) > 1 {
			p.Total = nil
		}
		return p, nil
	}
	return p, nil
}

// notOurs recognizes the error of a space that the credential may not read: a
// token lists spaces that its user only visits.
func notOurs(err error) bool {
	kind := vendors.KindOf(err)
	return err != nil && (kind == vendors.PermissionDenied || kind == vendors.ErrNotFound)
}

// spacePage reads one page of one space. Knowledge bases on which no other
// endpoint works are left out, and then the count, which includes them.
func (d *Driver) spacePage(ctx context.Context, space string, page int, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	size := min(q.Size, d.kbPage)
	p := vendors.Page[vendors.KnowledgeBase]{Items: []vendors.KnowledgeBase{}, Size: size}
	r, err := d.datasets(ctx, space, page, size, q.NameContains)
	if err != nil {
		return p, err
	}
	p.Total, p.More = r.Total.Rows(), more(r, page, size)
	p.Moves = d.studio() // it sorts by the last change
	for _, w := range r.List {
		if !isID(string(w.ID)) || w.foreign() {
			p.Total = nil
			continue
		}
		p.Items = append(p.Items, w.normal(d.studio()))
	}
	return p, nil
}

// datasets reads one page of GET /v1/datasets, pages from 1 in both dialects.
// Its name filter is fuzzy, so that rows must be checked again. On studio it is
// a pattern of SQL, in which a backslash stands for no character.
func (d *Driver) datasets(ctx context.Context, space string, page, size int, name string) (datasets, error) {
	query := paged(page, size)
	query.Set("space_id", space)
	if name != "" && !strings.Contains(name, `\`) {
		query.Set("name", name)
	}
	out, err := do[datasets](ctx, d, listDatasets, rest.Call{Query: query, Rows: size})
	for _, w := range out.List {
		d.bases.Put(string(w.ID), seenBase{space, string(w.Name), nameOf(kinds, w.FormatType)})
	}
	var e *vendors.Error
	if errors.As(err, &e) && e.Kind == vendors.ErrNotFound {
		e.Hint = "Set COZE_SPACE_ID to the number after /space/ in the address of the space's page. " + d.origin()
	}
	return out, err
}

// paged is the query for a page, from 1.
func paged(page, size int) url.Values {
	return url.Values{"page_num": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(size)}}
}

// spaceIDs lists the spaces that the credential sees, which is remembered,
// because every call counts against the free plan. Studio cannot list them: it
// requires a session.
func (d *Driver) spaceIDs(ctx context.Context) ([]string, error) {
	if d.studio() {
		return nil, noSpace()
	}
	if ids, ok := d.spaces.Get(""); ok {
		return ids, nil
	}
	ids := []string{}
	read := func(page int) (workspaces, error) {
		return do[workspaces](ctx, d, listSpaces, rest.Call{Query: paged(page, mostSpaces), Rows: mostSpaces})
	}
	for r, err := range pages(10, mostSpaces, read) {
		switch e := vendors.Classify(err); {
		case err == nil || errors.Is(err, errMorePages):
		case d.dialect.is() != hosted && (e.HTTPStatus == http.StatusNotFound || e.HTTPStatus == http.StatusUnauthorized && e.Kind == vendors.Unsupported):
			return nil, noSpace() // unless hosted Coze is known to answer, a missing path means studio too
		default:
			return nil, err
		}
		for _, w := range r.List {
			if isID(string(w.ID)) && !slices.Contains(ids, string(w.ID)) {
				ids = append(ids, string(w.ID))
			}
		}
	}
	d.spaces.Put("", ids)
	return ids, nil
}

func noSpace() error {
	return vendors.Errorf(vendors.Unsupported, "A coze-studio server does not list its spaces, and COZE_SPACE_ID is not set.").
		WithHint("Set COZE_SPACE_ID to the number after /space/ in the address of the space's page; if this should be hosted Coze, check COZE_API_BASE.")
}

// token names a page of a space, so that it stays the same page when spaces
// are added.
func token(space string, page int) string { return space + "." + strconv.Itoa(page) }

// parseToken returns the index of the space and the page in it; "" is the
// start.
func parseToken(token string, ids []string) (at, page int, err error) {
	if token == "" {
		return 0, 1, nil
	}
	space, number, _ := strings.Cut(token, ".")
	at = slices.Index(ids, space)
	page, err = strconv.Atoi(number)
	if err != nil || page < 1 || at < 0 {
		return 0, 0, vendors.Errorf(vendors.InvalidArgument, "`cursor` names a space that this credential no longer sees.").
			WithHint("Leave `cursor` out to start again.")
	}
	return at, page, nil
}

// lookup finds the row of a knowledge base, by its name where it was seen
// before; nil when no space that was read has it. Those on which no other
// endpoint works are not found.
func (d *Driver) lookup(ctx context.Context, id string) (*dataset, error) {
	if base, ok := d.bases.Get(id); ok && base.name != "" {
		r, err := d.datasets(ctx, base.space, 1, d.kbPage, base.name)
		if row := r.find(id); row != nil || err != nil {
			return row, err
		}
	}
	spaces, err := []string{d.space}, error(nil)
	if d.space == "" {
		spaces, err = d.spaceIDs(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, space := range spaces[:min(len(spaces), mostSearched)] {
		row, err := d.inSpace(ctx, space, id)
		if row != nil || err != nil && (len(spaces) == 1 || !notOurs(err)) {
			return row, err
		}
	}
	return nil, nil
}

// inSpace finds a knowledge base in one space; nil when it is not there.
func (d *Driver) inSpace(ctx context.Context, space, id string) (*dataset, error) {
	read := func(page int) (datasets, error) { return d.datasets(ctx, space, page, d.kbPage, "") }
	for r, err := range pages(mostLookup, d.kbPage, read) {
		if row := r.find(id); row != nil || err != nil {
			return row, unless(err, errMorePages)
		}
	}
	return nil, nil
}

func (p datasets) find(id string) *dataset {
	i := slices.IndexFunc(p.List, func(w dataset) bool { return string(w.ID) == id && !w.foreign() })
	if i < 0 {
		return nil
	}
	return &p.List[i]
}

// CheckKnowledgeBase implements [vendors.KnowledgeBaseChecker]. Studio answers
// for an unknown knowledge base as for an empty one: where the space is known, it
// lists its knowledge bases. Those of its low-code apps are missing there.
func (d *Driver) CheckKnowledgeBase(ctx context.Context, id string) error {
	if !d.studio() {
		return nil
	}
	if d.space != "" {
		if row, err := d.lookup(ctx, id); row != nil || err != nil {
			return nil // the call itself was answered
		}
	}
	r, err := d.list(ctx, id, 1, 1, nil)
	switch {
	case err != nil || len(r.List) > 0:
		return err
	case d.space == "":
		return vendors.Errorf(vendors.ErrNotFound, "The knowledge base has no documents, or does not exist: without COZE_SPACE_ID a coze-studio server does not say which.").
			WithHint("Check the id; whoever runs kb-mcp should set COZE_SPACE_ID to the number after /space/ in the address of the space's page.")
	}
	return vendors.Errorf(vendors.ErrNotFound, "The knowledge base has no documents and is not listed in the space of COZE_SPACE_ID: it does not exist, is not accessible with this credential, or is an empty one of a low-code app.").
		WithHint("Take the id from list_knowledge_bases; for one of another space set COZE_SPACE_ID to that space. An empty knowledge base of an app takes uploads.")
}

package coze

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

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

// ListKnowledgeBases implements [vendors.KnowledgeBaseLister]: those of the
// configured space, or of all spaces one after the other.
func (d *Driver) ListKnowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	if d.space != "" {
		return d.spacePage(ctx, d.space, q.Page, q)
	}
	ids, err := d.spaceIDs(ctx)
	if err != nil {
		return vendors.Page[vendors.KnowledgeBase]{}, err
	}
	at, page, err := parseToken(q.Token, ids)
	if err != nil {
		return vendors.Page[vendors.KnowledgeBase]{}, err
	}
	p, at, err := d.readable(ctx, ids, at, page, q)
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

// readable reads a page of the space at index at. Spaces that the credential
// may not read are skipped: a token lists spaces that its user only visits. If
// it may read none, that is the error.
func (d *Driver) readable(ctx context.Context, ids []string, at, page int, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], int, error) {
	first := at
	for ; at < len(ids); at++ {
		p, err := d.spacePage(ctx, ids[at], page, q)
		if kind := vendors.KindOf(err); err == nil || page > 1 || kind != vendors.PermissionDenied && kind != vendors.ErrNotFound {
			return p, at, err
		}
		d.log.WarnContext(ctx, "a space is not readable", "space_id", ids[at], "error", err)
		if first == 0 && at+1 == len(ids) {
			return p, at, err
		}
	}
	return vendors.Page[vendors.KnowledgeBase]{Items: []vendors.KnowledgeBase{}}, at, nil
}

// spacePage reads one page of one space. Knowledge bases on which no other
// endpoint works are left out, and then the count, which includes them.
func (d *Driver) spacePage(ctx context.Context, space string, page int, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	p := vendors.Page[vendors.KnowledgeBase]{Items: []vendors.KnowledgeBase{}}
	size := min(q.Size, d.kbPage)
	r, err := d.datasets(ctx, space, page, size, q.NameContains)
	if err != nil {
		return p, err
	}
	p.Total = total(r.Total)
	for _, w := range r.List {
		if !isID(string(w.ID)) || w.foreign() {
			p.Total = nil
			continue
		}
		p.Items = append(p.Items, w.normal(d.speech.isStudio()))
	}
	p.More = len(r.List) > 0 && more(page, size, len(r.List), r.Total)
	p.Size, p.Moves = size, d.speech.isStudio() // it sorts by the last change
	return p, nil
}

// datasets reads one page of GET /v1/datasets, pages from 1 in both dialects.
// Its name filter is fuzzy, so that rows must be checked again. On studio it is
// a pattern of SQL, in which a backslash stands for no character.
func (d *Driver) datasets(ctx context.Context, space string, page, size int, name string) (datasets, error) {
	var out datasetsAnswer
	query := url.Values{
		"space_id": {space}, "page_num": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(size)},
	}
	if name != "" && !strings.Contains(name, `\`) {
		query.Set("name", name)
	}
	err := d.call(ctx, rest.Call{Method: http.MethodGet, Path: []string{"v1", "datasets"}, Query: query, Rows: size}, &out)
	d.bases.remember(space, out.payload().List)
	var e *vendors.Error
	if errors.As(err, &e) && e.Kind == vendors.ErrNotFound {
		e.Hint = "Set COZE_SPACE_ID to the number after /space/ in the address of the space's page. " + d.origin()
	}
	return out.payload(), err
}

// spacesLive is how long the list of spaces is taken from memory: every call
// counts against the free plan.
const spacesLive = 10 * time.Minute

// spaces remembers the spaces of the credential.
type spaces struct {
	mu   sync.Mutex
	ids  []string
	read time.Time
}

func (s *spaces) get() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.read) > spacesLive {
		return nil
	}
	return s.ids
}

func (s *spaces) put(ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids, s.read = ids, time.Now()
}

// spaceIDs lists the spaces that the credential sees. Studio cannot.
func (d *Driver) spaceIDs(ctx context.Context) ([]string, error) {
	if d.speech.isStudio() {
		return nil, noSpace()
	}
	if ids := d.spaces.get(); ids != nil {
		return ids, nil
	}
	ids := []string{}
	for page := 1; page <= 10; page++ {
		r, err := d.workspaces(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, w := range r.List {
			if isID(string(w.ID)) && !slices.Contains(ids, string(w.ID)) {
				ids = append(ids, string(w.ID))
			}
		}
		if len(r.List) == 0 || !more(page, mostSpaces, len(r.List), r.Total) {
			break
		}
	}
	d.spaces.put(ids)
	return ids, nil
}

// workspaces reads one page of GET /v1/workspaces. Studio asks for a session
// there; where hosted Coze is not known to answer, a missing path is studio too.
func (d *Driver) workspaces(ctx context.Context, page int) (workspaces, error) {
	var out workspacesAnswer
	err := d.call(ctx, rest.Call{Method: http.MethodGet, Path: []string{"v1", "workspaces"}, Rows: mostSpaces, Query: url.Values{
		"page_num": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(mostSpaces)},
	}}, &out)
	var e *vendors.Error
	if errors.As(err, &e) && d.speech.is() != hosted && (e.HTTPStatus == http.StatusNotFound || e.HTTPStatus == http.StatusUnauthorized && e.Kind == vendors.Unsupported) {
		return workspaces{}, noSpace()
	}
	return out.payload(), err
}

func noSpace() error {
	return vendors.Errorf(vendors.Unsupported, "A coze-studio server does not list its spaces, and COZE_SPACE_ID is not set.").
		WithHint("Set COZE_SPACE_ID to the number after /space/ in the address of the space's page; if this should be hosted Coze, check COZE_API_BASE.")
}

// token names a page of a space, so that it stays the same page when spaces
// are added.
func token(space string, page int) string { return space + "." + strconv.Itoa(page) }

// parseToken gives the index of the space and the page in it; "" is the start.
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

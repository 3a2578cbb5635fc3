package dify

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/idsearch"
	"kb-mcp/vendors/rest"
)

// pageSize is the largest page that Dify gives.
const pageSize = 100

// paging is the query of a page. A limit over 100 would be cut silently.
func paging(page, size int) url.Values {
	return url.Values{"page": {strconv.Itoa(page)}, "limit": {strconv.Itoa(size)}}
}

// get reads the resource at a path below the knowledge bases.
func get[T any](ctx context.Context, d *Driver, query url.Values, path ...string) (*T, error) {
	out := new(T)
	rows, _ := strconv.Atoi(query.Get("limit"))
	err := d.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: append([]string{"datasets"}, path...), Query: query, Rows: rows}, out)
	return out, err
}

// ListKnowledgeBases implements [vendors.KnowledgeBaseLister].
func (d *Driver) ListKnowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	query := paging(q.Page, q.Size)
	byName := q.NameContains != "" && safeForLike(q.NameContains, true)
	if byName {
		query.Set("keyword", q.NameContains)
	}
	p := vendors.Page[vendors.KnowledgeBase]{Filtered: byName}
	out, err := d.datasets(ctx, query)
	if err != nil {
		return p, err
	}
	for i := range out.Data {
		w := &out.Data[i]
		if w.ID != "" {
			w.version = out.version
			d.keep(*w)
			p.Items = append(p.Items, w.normal())
		}
	}
	turn(&p, out, q)
	return p, nil
}

// datasets reads one page of the list of knowledge bases. Without include_all,
// other members' private ones are missing.
func (d *Driver) datasets(ctx context.Context, query url.Values) (*page[dataset], error) {
	query.Set("include_all", "true")
	return get[page[dataset]](ctx, d, query)
}

// displays maps a status to the display status that selects exactly its
// documents; "" if none does (completed has three). Dify has no documents of
// the statuses that are not here. Servers before 1.10.1 ignore it and give all
// rows.
var displays = map[vendors.Status]string{
	vendors.Queued: "queuing", vendors.Processing: "indexing", vendors.Paused: "paused", vendors.Failed: "error",
	vendors.Completed: "", vendors.Unknown: "", "": "",
}

// ListDocuments implements [vendors.Driver].
func (d *Driver) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	var p vendors.Page[vendors.Document]
	display, has := displays[q.Status]
	if !has {
		p.Total, p.Filtered = new(int), true
		return p, nil
	}
	query := paging(q.Page, q.Size)
	if display != "" {
		query.Set("status", display)
	}
	byName := q.NameContains != "" && safeForLike(q.NameContains, false)
	if byName {
		query.Set("keyword", q.NameContains)
	}
	out, err := d.documents(ctx, q.KnowledgeBaseID, query)
	if err != nil {
		return p, err
	}
	p.Items = make([]vendors.Document, 0, len(out.Data))
	for i := range out.Data {
		if out.Data[i].ID != "" { // a row without an id cannot be read further
			p.Items = append(p.Items, out.Data[i].normal())
		}
	}
	p.Filtered = (q.NameContains == "" || byName) && (q.Status == "" || display != "" && since(out.version, 1, 10, 1))
	turn(&p, out, q)
	return p, nil
}

// documents reads one page of the list of documents.
func (d *Driver) documents(ctx context.Context, kb string, query url.Values) (*page[document], error) {
	return get[page[document]](ctx, d, query, kb, "documents")
}

// UnfinishedFilters implements [vendors.UnfinishedFilter]: whatever is not in
// these is available, disabled or archived, which are all completed. A status
// that this version does not know is in none of them.
func (d *Driver) UnfinishedFilters() []vendors.Status {
	return []vendors.Status{vendors.Failed, vendors.Paused, vendors.Processing, vendors.Queued}
}

// CountCompleted implements [vendors.CompletedCounter]. Servers before 1.10.1
// filter by no status.
func (d *Driver) CountCompleted(ctx context.Context, knowledgeBaseID string) (int, error) {
	sum := 0
	for _, display := range []string{"available", "disabled", "archived"} {
		query := paging(1, 1)
		query.Set("status", display)
		out, err := d.documents(ctx, knowledgeBaseID, query)
		if err != nil {
			return 0, err
		}
		total := out.Total.Count()
		if total == nil || !since(out.version, 1, 10, 1) {
			return 0, vendors.Errorf(vendors.Unsupported, "This Dify server does not filter documents by their status.")
		}
		sum += int(*total)
	}
	return sum, nil
}

// GetDocument implements [vendors.Driver]. Servers before 1.5.1 have no such
// call; their list is searched instead.
func (d *Driver) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	doc, err := d.detail(ctx, ref.KnowledgeBaseID, ref.DocumentID)
	if !noRoute(err) {
		if err == nil && doc.Status == vendors.Queued {
			// One that was paused while it waited is shown as waiting, but for its batch.
			if b, ok, _ := d.byBatch(ctx, ref.KnowledgeBaseID, ref.DocumentID); ok && b.Status == vendors.Paused {
				doc.Status, doc.VendorStatus = b.Status, b.VendorStatus
			}
		}
		return doc, err
	}
	s := idsearch.New([]string{ref.DocumentID}, strings.ToLower)
	rep, err := s.Report(d.fromList(ctx, ref.KnowledgeBaseID, s, false))
	switch {
	case len(rep.Documents) > 0:
		return rep.Documents[0], nil
	case err != nil:
		return vendors.Document{}, err
	}
	return vendors.Document{}, noDocument.Error()
}

// detail reads one document by its id.
func (d *Driver) detail(ctx context.Context, kb, id string) (vendors.Document, error) {
	out, err := get[document](ctx, d, nil, kb, "documents", id)
	if err != nil {
		return vendors.Document{}, err
	}
	return out.normal(), nil
}

// ListChunks implements [vendors.ChunkLister].
func (d *Driver) ListChunks(ctx context.Context, ref vendors.Ref, q vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	var p vendors.Page[vendors.Chunk]
	var out page[segment] // servers of 1.1 give all at once, so that no number of rows is too many
	err := d.client.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"datasets", ref.KnowledgeBaseID, "documents", ref.DocumentID, "segments"},
		Query: paging(q.Page, q.Size),
	}, &out)
	if err != nil {
		return p, err
	}
	for i := range out.Data {
		if s := &out.Data[i]; s.ID != "" {
			p.Items = append(p.Items, vendors.Chunk{
				ChunkID: string(s.ID), Position: s.Position.Count(), Content: s.text(), Enabled: s.Enabled.Ptr(),
			})
		}
	}
	turn(&p, &out, q)
	p.NewestFirst = false // by position
	return p, nil
}

// turn completes a page of a listing. Documents and knowledge bases both come
// newest first (langgenius/dify, DocumentListApi and DatasetService.get_datasets).
func turn[T, W any](p *vendors.Page[T], out *page[W], q vendors.PageQuery) {
	p.NewestFirst = true
	p.More = len(out.Data) > 0 && out.left(q.Page, q.Size) > 0
	if total := out.Total.Count(); total != nil {
		n := int(*total)
		p.Total = &n
	}
}

// safeForLike reports whether SQL's LIKE matches a needle as this program does.
// The filter of documents is case-sensitive on PostgreSQL; that of knowledge
// bases folds case, beyond ASCII as far as the database's locale goes.
// Wildcards and the escape character change their meaning from release to
// release.
func safeForLike(needle string, folds bool) bool {
	for _, r := range needle {
		cased := unicode.SimpleFold(r) != r || unicode.ToLower(r) != r
		if strings.ContainsRune(`\%_`, r) || !unicode.IsPrint(r) || cased && !(folds && r <= unicode.MaxASCII) {
			return false
		}
	}
	return strings.TrimSpace(needle) == needle
}

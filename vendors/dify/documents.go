package dify

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// ListKnowledgeBases implements [vendors.KnowledgeBaseLister]. Without
// include_all, other members' private knowledge bases are missing.
func (d *Driver) ListKnowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	query := paging(q.Page, q.Size)
	query.Set("include_all", "true")
	byName := q.NameContains != "" && likeable(q.NameContains, true)
	if byName {
		query.Set("keyword", q.NameContains)
	}
	var out page[dataset]
	err := d.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: []string{"datasets"}, Query: query, Rows: q.Size}, &out)
	if err != nil {
		return vendors.Page[vendors.KnowledgeBase]{}, err
	}
	p := vendors.Page[vendors.KnowledgeBase]{Items: []vendors.KnowledgeBase{}, Filtered: byName}
	for i := range out.Data {
		if out.Data[i].ID != "" {
			p.Items = append(p.Items, out.Data[i].normal())
			out.Data[i].version = out.version
			d.memory.keep(out.Data[i].facts())
		}
	}
	turn(&p, &out, q)
	return p, nil
}

// ListDocuments implements [vendors.Driver].
func (d *Driver) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	p := vendors.Page[vendors.Document]{Items: []vendors.Document{}}
	if err := checkID("knowledge_base_id", q.KnowledgeBaseID); err != nil {
		return p, err
	}
	if never(q.Status) {
		p.Total, p.Filtered = new(int), true
		return p, nil
	}
	query := paging(q.Page, q.Size)
	display := displayOf(q.Status)
	if display != "" {
		query.Set("status", display)
	}
	byName := q.NameContains != "" && likeable(q.NameContains, false)
	if byName {
		query.Set("keyword", q.NameContains)
	}
	out, err := d.documents(ctx, q.KnowledgeBaseID, query)
	if err != nil {
		return p, err
	}
	p.Items = make([]vendors.Document, 0, len(out.Data))
	for i := range out.Data {
		if out.Data[i].ID != "" { // nothing could be asked about it
			p.Items = append(p.Items, out.Data[i].normal())
		}
	}
	p.Filtered = (q.NameContains == "" || byName) && (q.Status == "" || display != "" && since(out.version, 1, 10, 1))
	turn(&p, out, q)
	return p, nil
}

// documents reads one page of the documents' list.
func (d *Driver) documents(ctx context.Context, kb string, query url.Values) (*page[document], error) {
	var out page[document]
	size, _ := strconv.Atoi(query.Get("limit"))
	err := d.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: []string{"datasets", kb, "documents"}, Query: query, Rows: size}, &out)
	return &out, err
}

// GetDocument implements [vendors.Driver]. Servers before 1.5.1 have no such
// call; their list is searched instead.
func (d *Driver) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	if err := checkRef(ref); err != nil {
		return vendors.Document{}, err
	}
	doc, err := d.detail(ctx, ref.KnowledgeBaseID, ref.DocumentID)
	if !noRoute(err) {
		if err == nil && doc.Status == vendors.Queued {
			d.lookPaused(ctx, ref.KnowledgeBaseID, &doc)
		}
		return doc, err
	}
	rep, err := d.fromList(ctx, ref.KnowledgeBaseID, []string{ref.DocumentID}, false)
	switch {
	case len(rep.Documents) > 0:
		return rep.Documents[0], nil
	case err != nil:
		return vendors.Document{}, err
	}
	return vendors.Document{}, noDocument.Error()
}

// lookPaused corrects a document that was paused while it waited: list and detail
// go on calling it waiting, only its batch says that it is paused.
func (d *Driver) lookPaused(ctx context.Context, kb string, doc *vendors.Document) {
	b, ok := d.batches.recall(doc.DocumentID)
	if !ok {
		return
	}
	rep, err := d.batch(ctx, kb, b.id)
	for _, seen := range rep.Documents {
		if err == nil && strings.EqualFold(seen.DocumentID, doc.DocumentID) && seen.Status == vendors.Paused {
			doc.Status, doc.VendorStatus = seen.Status, seen.VendorStatus
		}
	}
}

// detail reads one document by its id.
func (d *Driver) detail(ctx context.Context, kb, id string) (vendors.Document, error) {
	var out document
	err := d.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: []string{"datasets", kb, "documents", id}}, &out)
	if err != nil {
		return vendors.Document{}, err
	}
	return out.normal(), nil
}

// paging is the query of a page. A limit over 100 would be cut without a word.
func paging(page, size int) url.Values {
	return url.Values{"page": {strconv.Itoa(page)}, "limit": {strconv.Itoa(size)}}
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

// never reports whether Dify has no document of a status.
func never(s vendors.Status) bool {
	switch s {
	case vendors.NotStarted, vendors.Cancelled, vendors.Deleting, vendors.NotFound:
		return true
	}
	return false
}

// displayOf is the display status that selects exactly the documents of a
// status; "" where there is none (completed has three). Servers before 1.10.1
// ignore it and give all rows.
func displayOf(s vendors.Status) string {
	switch s {
	case vendors.Queued:
		return "queuing"
	case vendors.Processing:
		return "indexing"
	case vendors.Paused:
		return "paused"
	case vendors.Failed:
		return "error"
	}
	return ""
}

// likeable reports whether a needle means the same to SQL's LIKE as to us. That
// of documents' names minds the case on PostgreSQL; that of knowledge bases'
// folds it, beyond ASCII as far as the database's locale goes. Wildcards and
// the escape character mean something else from release to release.
func likeable(needle string, folds bool) bool {
	for _, r := range needle {
		cased := unicode.SimpleFold(r) != r || unicode.ToLower(r) != r
		if strings.ContainsRune(`\%_`, r) || !unicode.IsPrint(r) || cased && !(folds && r <= unicode.MaxASCII) {
			return false
		}
	}
	return strings.TrimSpace(needle) == needle
}

var (
	uuidForm  = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	batchForm = regexp.MustCompile(`^[0-9]{20}$`)
)

// checkID refuses what is not a UUID: Dify answers it with the HTML page of an
// unknown path, which looks like a wrong base URL.
func checkID(arg, id string) error {
	if uuidForm.MatchString(id) {
		return nil
	}
	e := vendors.Errorf(vendors.InvalidArgument, "`%s` holds %q, which is not a Dify id: those are UUIDs with dashes.", arg, rest.Text(id))
	if batchForm.MatchString(id) {
		return e.WithHint("This is a batch id: pass it as `batch_id` of get_ingestion_progress.")
	}
	return e.WithHint("Take the id from list_knowledge_bases or list_documents, unchanged.")
}

func checkRef(ref vendors.Ref) error {
	if err := checkID("knowledge_base_id", ref.KnowledgeBaseID); err != nil {
		return err
	}
	return checkID("document_id", ref.DocumentID)
}

// checkBatch refuses what is not a batch: with a document's id Dify would answer
// that there are no documents.
func checkBatch(id string) error {
	if batchForm.MatchString(id) {
		return nil
	}
	if uuidForm.MatchString(id) {
		return vendors.Errorf(vendors.InvalidArgument, "`batch_id` is not a batch: this is a document id.").
			WithHint("Pass it in `document_ids` instead.")
	}
	return vendors.Errorf(vendors.InvalidArgument, "`batch_id` is not a Dify batch; batches there are numbers of 20 digits.").
		WithHint("Take it from the answer of the upload, as a string; without it, pass `document_ids`, or neither for the whole knowledge base.")
}

package volcengine

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"kb-mcp/vendors"
)

// ListKnowledgeBases implements [vendors.KnowledgeBaseLister]. collection/list
// does not page: the one page holds everything, whatever size was asked for.
func (d *Driver) ListKnowledgeBases(ctx context.Context, _ vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	list, err := d.collections(ctx, d.project)
	if err != nil {
		return vendors.Page[vendors.KnowledgeBase]{}, err
	}
	items := make([]vendors.KnowledgeBase, 0, len(list))
	for _, c := range list {
		kb := c.normal()
		if kb.KnowledgeBaseID != "" {
			items = append(items, kb)
		}
		if c.ResourceID != "" && c.Name != "" {
			d.names.put(kb.Name, kb.KnowledgeBaseID, d.now())
		}
	}
	total := len(items)
	return vendors.Page[vendors.KnowledgeBase]{Items: items, Total: &total}, nil
}

// collections lists the knowledge bases of a project, "" for all.
func (d *Driver) collections(ctx context.Context, project string) ([]collection, error) {
	body := struct {
		Project string `json:"project,omitempty"`
		Brief   bool   `json:"brief"` // leaves out the index status, which is slow
	}{project, true}
	data, err := call[collectionList](ctx, d, body, "collection", "list")
	if err != nil {
		return nil, err
	}
	return data.Collections, nil
}

// ListDocuments implements [vendors.Driver]. A cursor of doc/v2/list has a
// token; one of doc/list, which older servers have instead, a page number only.
func (d *Driver) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	if q.Token != "" || q.Page <= 1 && !d.oldList.Load() {
		page, err := d.listByToken(ctx, q)
		if q.Token != "" || !unknownPath(err) {
			return page, err
		}
	}
	page, err := d.listByOffset(ctx, q)
	if err == nil {
		d.oldList.Store(true)
	}
	return page, err
}

// listByToken reads a page of doc/v2/list.
func (d *Driver) listByToken(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	body := struct {
		target
		Limit     int    `json:"limit"`
		NextToken string `json:"next_token,omitempty"` // not on the first page
	}{d.ofDoc(q.KnowledgeBaseID), q.Size, q.Token}
	data, err := call[documentList](ctx, d, body, "doc", "v2", "list")
	if err != nil {
		return vendors.Page[vendors.Document]{}, staleToken(q.Token, err)
	}
	page := data.page()
	ended := data.HasMore.Valid && !data.HasMore.Set
	if token := string(data.NextToken); !ended && token != "" {
		page.More, page.NextToken = true, token
	}
	return page, nil
}

// staleToken says what a refused request for a later page most likely means:
// the token is opaque, and how long it is good is not documented.
func staleToken(token string, err error) error {
	var e *vendors.Error
	if token != "" && errors.As(err, &e) && e.Kind == vendors.InvalidArgument {
		e.Hint = "The cursor may be too old: leave `cursor` out to start again."
	}
	return err
}

// listByOffset reads a page of doc/list. Both offset and limit are always sent:
// from 100 on the offset alone is ignored, and the first page comes for ever.
func (d *Driver) listByOffset(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	body := listBody{target: d.ofDoc(q.KnowledgeBaseID), Offset: (q.Page - 1) * q.Size, Limit: q.Size}
	data, err := call[documentList](ctx, d, body, "doc", "list")
	if err != nil {
		return vendors.Page[vendors.Document]{}, err
	}
	page := data.page()
	page.NewestFirst = true // by upload
	read := body.Offset + len(data.Documents)
	page.More = len(data.Documents) >= q.Size && (page.Total == nil || read < *page.Total)
	return page, nil
}

// listBody asks doc/list.
type listBody struct {
	target
	Offset int     `json:"offset"`
	Limit  int     `json:"limit"` // at most 100 come
	Filter *filter `json:"filter,omitempty"`
}

// filter is never sent with an empty list, which would mean "nothing".
type filter struct {
	IDs []string `json:"doc_id_list"`
}

// page gives the rows; a row without an id cannot be asked for and is dropped.
func (l *documentList) page() vendors.Page[vendors.Document] {
	page := vendors.Page[vendors.Document]{Items: make([]vendors.Document, 0, len(l.Documents))}
	for _, w := range l.Documents {
		if w.ID != "" {
			page.Items = append(page.Items, w.normal())
		}
	}
	if n := l.TotalNum.Count(); n != nil {
		total := int(*n)
		page.Total = &total
	}
	return page
}

// unknownPath reports whether a server refused a request because it does not
// have the path, as older and BytePlus regions do for v2. A knowledge base or
// document that does not exist is another matter.
func unknownPath(err error) bool {
	var e *vendors.Error
	if !errors.As(err, &e) || e.Kind == vendors.ErrNotFound {
		return false
	}
	switch e.HTTPStatus {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	said := strings.ToLower(e.VendorCode + " " + e.VendorMessage)
	for _, words := range []string{"invalidaction", "unknown path", "path not", "page not found", "no such api", "api not found", "api not exist"} {
		if strings.Contains(said, words) {
			return true
		}
	}
	return e.Kind == vendors.Unsupported
}

// docBody names one document.
type docBody struct {
	target
	DocID string `json:"doc_id"`
}

// GetDocument implements [vendors.Driver].
func (d *Driver) GetDocument(ctx context.Context, ref vendors.Ref) (vendors.Document, error) {
	w, err := d.document(ctx, ref)
	if err != nil {
		return vendors.Document{}, err
	}
	return w.normal(), nil
}

// document reads one document as the platform gives it.
func (d *Driver) document(ctx context.Context, ref vendors.Ref) (*document, error) {
	w, err := call[document](ctx, d, docBody{d.ofDoc(ref.KnowledgeBaseID), ref.DocumentID}, "doc", "info")
	if err == nil && string(w.ID) != ref.DocumentID {
		return nil, vendors.Errorf(vendors.BadResponse, "Volcengine's answer does not hold the document asked for.").
			WithHint("Look for the document with list_documents.")
	}
	return w, err
}

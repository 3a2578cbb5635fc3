package volcengine

import (
	"context"
	"errors"

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
		if kb := c.normal(); kb.KnowledgeBaseID != "" {
			items = append(items, kb)
			d.remember(kb.Name, c)
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
	data, err := read[collectionList](ctx, d, "collection/list", body)
	if err != nil {
		return nil, err
	}
	return data.Collections, nil
}

// collection reads one knowledge base.
func (d *Driver) collection(ctx context.Context, id string) (*collection, error) {
	return read[collection](ctx, d, "collection/info", d.base(id))
}

// remember keeps the id that a name stands for.
func (d *Driver) remember(name string, c collection) {
	if name != "" && c.ResourceID != "" {
		d.names.Put(name, string(c.ResourceID))
	}
}

// ResolveKnowledgeBase implements [vendors.KnowledgeBaseResolver]: a knowledge
// base has a resource id and a name, and answers carry the former. If the
// credential may not look it up, the name is kept, which every call accepts
// too.
func (d *Driver) ResolveKnowledgeBase(ctx context.Context, id string) (string, error) {
	if isResource(id) {
		return id, nil
	}
	if known, ok := d.names.Get(id); ok {
		return known, nil
	}
	c, err := d.collection(ctx, id)
	switch {
	case vendors.KindOf(err) == vendors.PermissionDenied:
		return id, nil
	case err != nil:
		return "", err
	case c.ResourceID == "":
		return id, nil
	}
	d.remember(id, *c)
	return string(c.ResourceID), nil
}

// ListDocuments implements [vendors.Driver]. A cursor of doc/v2/list has a
// token; one of doc/list, which older servers have instead, a page number only.
func (d *Driver) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	if q.Token != "" || q.Page <= 1 && !d.oldList.Load() {
		page, err := d.listByToken(ctx, q)
		if q.Token != "" || !errors.Is(err, errNoPath) {
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
	}{d.baseOf(q.KnowledgeBaseID), q.Size, q.Token}
	data, err := read[documentList](ctx, d, "doc/v2/list", body)
	if q.Token != "" { // the lifetime of a token is not documented
		err = vendors.HintFor(err, vendors.InvalidArgument, "The cursor may be too old: leave `cursor` out to start again.")
	}
	if err != nil {
		return vendors.Page[vendors.Document]{}, err
	}
	page := data.page()
	ended := data.HasMore.Valid && !data.HasMore.Set
	if token := string(data.NextToken); !ended && token != "" {
		page.More, page.NextToken = true, token
	}
	return page, nil
}

// listByOffset reads a page of doc/list. Both offset and limit are always sent:
// from 100 on the offset alone is ignored, and the first page is returned
// forever.
func (d *Driver) listByOffset(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	body := listBody{target: d.baseOf(q.KnowledgeBaseID), Offset: (q.Page - 1) * q.Size, Limit: q.Size}
	data, err := read[documentList](ctx, d, "doc/list", body)
	if err != nil {
		return vendors.Page[vendors.Document]{}, err
	}
	page := data.page()
	page.NewestFirst = true // by upload
	page.More = more(q, len(data.Documents), page.Total)
	return page, nil
}

// more reports whether another page follows one of got rows that was read by
// offset.
func more(q vendors.PageQuery, got int, total *int) bool {
	return got >= q.Size && (total == nil || (q.Page-1)*q.Size+got < *total)
}

// listBody is the body of doc/list.
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
	w, err := read[document](ctx, d, "doc/info", d.doc(ref))
	if err == nil && string(w.ID) != ref.DocumentID {
		return nil, vendors.Errorf(vendors.BadResponse, "Volcengine's answer does not hold the document asked for.").
			WithHint("Look for the document with list_documents.")
	}
	return w, err
}

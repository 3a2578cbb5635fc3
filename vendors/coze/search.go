package coze

import (
	"context"
	"errors"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// In a knowledge base for images each document is one image, and its caption is
// its only text. These captions are all that Coze's API lets one search or read:
// the chunks of other documents are closed.

// Bounds of a search through the images of one knowledge base.
const (
	imagePage  = 100
	imagePages = 20
)

// captionKey is the one entry of metadata that can be changed: a caption belongs
// to an image as metadata does to a document, and is shown where it is set.
const captionKey = "caption"

// eachImage goes through the images of a knowledge base until visit says stop.
// Hosted Coze looks for the keyword in captions; studio ignores it.
func (d *Driver) eachImage(ctx context.Context, kb, keyword string, visit func(id, name, caption string) (stop bool)) error {
	read := func(page int) (images, error) {
		query := paged(page, imagePage)
		if keyword != "" {
			query.Set("keyword", keyword)
			query.Set("has_caption", "true")
		}
		return do[images](ctx, d, listImages, rest.Call{Query: query, Rows: imagePage}, kb)
	}
	for r, err := range pages(imagePages, imagePage, read) {
		if errors.Is(err, errMorePages) {
			e := vendors.Errorf(vendors.Unsupported, "The knowledge base has more than the %d images that one call looks through.", imagePage*imagePages).
				WithHint("Look for the image in Coze's web page.")
			e.Err = err
			return e
		}
		if err != nil {
			return err
		}
		for _, w := range r.List {
			if isID(string(w.ID)) && visit(string(w.ID), string(w.Name), string(w.Caption)) {
				return nil
			}
		}
	}
	return nil
}

// caption finds an image's caption; "" where there is none.
func (d *Driver) caption(ctx context.Context, ref vendors.Ref) (caption string, err error) {
	err = d.eachImage(ctx, ref.KnowledgeBaseID, "", func(id, _, text string) bool {
		if id == ref.DocumentID {
			caption = text
		}
		return id == ref.DocumentID
	})
	return caption, err
}

// withCaption adds an image's caption to what is known of it. Without an answer
// the document is returned unchanged.
func (d *Driver) withCaption(ctx context.Context, ref vendors.Ref, doc vendors.Document) vendors.Document {
	if doc.Kind != kinds[formatImage] {
		return doc
	}
	caption, err := d.caption(ctx, ref)
	if err != nil {
		d.log.WarnContext(ctx, "the caption of an image could not be read", "document_id", ref.DocumentID, "error", err)
	}
	if caption != "" {
		doc.Metadata = map[string]any{captionKey: caption}
	}
	return doc
}

// Search implements [vendors.Searcher]: by the captions of images.
func (d *Driver) Search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	base, ok := d.bases.Get(q.KnowledgeBaseID)
	if !ok {
		row, err := d.lookup(ctx, q.KnowledgeBaseID)
		switch {
		case err != nil:
			return nil, err
		case row == nil:
			return nil, d.noBase()
		}
		base.kind = nameOf(kinds, row.FormatType)
	}
	if base.kind != kinds[formatImage] {
		return nil, noSearch()
	}
	if !d.studio() {
		hits, err := d.captions(ctx, q, q.Query)
		if err != nil || len(hits) > 0 {
			return hits, err
		}
	}
	return d.captions(ctx, q, "")
}

func noSearch() error {
	return vendors.Errorf(vendors.Unsupported, "Coze has no open search endpoint; only the captions of images can be searched, and this knowledge base does not hold images.").
		WithHint("Ask through a Coze agent or workflow that uses the knowledge base, or connect another platform.")
}

// CheckSearchable implements [vendors.SearchChecker].
func (d *Driver) CheckSearchable(kb vendors.KnowledgeBase) error {
	if kb.Kind == kinds[formatImage] {
		return nil
	}
	return noSearch()
}

// captions ranks captions by how many of the query's words they hold, the whole
// query first. With a keyword the platform has chosen.
func (d *Driver) captions(ctx context.Context, q vendors.SearchQuery, keyword string) ([]vendors.Hit, error) {
	whole := strings.ToLower(strings.TrimSpace(q.Query))
	words := strings.Fields(whole)
	hits, ranks := []vendors.Hit{}, map[string]int{} // by image
	err := d.eachImage(ctx, q.KnowledgeBaseID, keyword, func(id, name, caption string) bool {
		text, rank := strings.ToLower(caption), 0
		for _, word := range words {
			if strings.Contains(text, word) {
				rank++
			}
		}
		if strings.Contains(text, whole) || keyword != "" {
			rank += len(words)
		}
		if rank > 0 && caption != "" {
			hits, ranks[id] = append(hits, vendors.Hit{DocumentID: id, DocumentName: name, ChunkID: id, Content: caption}), rank
		}
		return false
	})
	slices.SortStableFunc(hits, func(a, b vendors.Hit) int { return ranks[b.ChunkID] - ranks[a.ChunkID] })
	if len(hits) > 0 { // correct, if incomplete
		err = unless(err, errMorePages)
	}
	return hits[:min(len(hits), q.Limit)], err
}

// ListChunks implements [vendors.ChunkLister]: the one chunk of an image is its
// caption, under the image's id.
func (d *Driver) ListChunks(ctx context.Context, ref vendors.Ref, _ vendors.PageQuery) (vendors.Page[vendors.Chunk], error) {
	p := vendors.Page[vendors.Chunk]{Items: []vendors.Chunk{}}
	row, err := d.row(ctx, ref)
	if err != nil {
		return p, err
	}
	if !row.isImage() {
		return p, vendors.Errorf(vendors.Unsupported, "Coze has no open endpoint for the chunks of a document; only an image's caption can be read.").
			WithHint("Ask through a Coze agent or workflow, or look at them in Coze's web page.")
	}
	caption, err := d.caption(ctx, ref)
	if caption != "" {
		p.Items = append(p.Items, vendors.Chunk{ChunkID: ref.DocumentID, Content: caption})
	}
	p.Total = new(len(p.Items))
	return p, err
}

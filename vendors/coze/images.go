package coze

import (
	"cmp"
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

// In a knowledge base for images each document is one image, and its caption is
// its only text. These captions are all that Coze's API lets one search or read:
// the chunks of other documents are closed.

// Bounds of a look through the images of one knowledge base.
const (
	imagePage  = 100
	imagePages = 20
)

// imagesAnswer has its payload under data, or at the top.
type imagesAnswer struct {
	head
	images
	Data images `json:"data"`
}

type images struct {
	Total rest.Num `json:"total_count"`
	List  []image  `json:"photo_infos"`
}

// image is a row of GET /v1/datasets/{id}/images. Its url is signed and never
// read.
type image struct {
	ID      rest.ID  `json:"document_id"`
	Name    rest.Str `json:"name"`
	Caption rest.Str `json:"caption"`
}

func (r images) given() bool           { return r.List != nil || r.Total.Valid }
func (a *imagesAnswer) given() bool    { return a.images.given() || a.Data.given() }
func (a *imagesAnswer) about() subject { return subject{"The knowledge base", "listPhoto"} }

func (a *imagesAnswer) payload() images {
	if a.Data.given() {
		return a.Data
	}
	return a.images
}

// images reads one page of images, from 1. Hosted Coze looks for the keyword in
// captions; studio ignores it.
func (d *Driver) images(ctx context.Context, kb string, page int, keyword string) (images, error) {
	var out imagesAnswer
	query := url.Values{"page_num": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(imagePage)}}
	if keyword != "" {
		query.Set("keyword", keyword)
		query.Set("has_caption", "true")
	}
	err := d.call(ctx, rest.Call{Method: http.MethodGet, Path: []string{"v1", "datasets", kb, "images"}, Query: query, Rows: imagePage}, &out)
	return out.payload(), err
}

// eachImage goes through the images of a knowledge base until visit says stop.
func (d *Driver) eachImage(ctx context.Context, kb, keyword string, visit func(image) (stop bool)) error {
	for page := 1; page <= imagePages; page++ {
		r, err := d.images(ctx, kb, page, keyword)
		if err != nil {
			return err
		}
		for _, w := range r.List {
			if isID(string(w.ID)) && visit(w) {
				return nil
			}
		}
		if len(r.List) == 0 || !more(page, imagePage, len(r.List), r.Total) {
			return nil
		}
	}
	e := vendors.Errorf(vendors.Unsupported, "The knowledge base has more than the %d images that one call looks through.", imagePage*imagePages).
		WithHint("Look for the image in Coze's web page.")
	e.Err = errManyImages
	return e
}

var errManyImages = errors.New("more images than are looked through")

// caption finds an image's caption; false where it is not listed.
func (d *Driver) caption(ctx context.Context, ref vendors.Ref) (caption string, found bool, err error) {
	err = d.eachImage(ctx, ref.KnowledgeBaseID, "", func(w image) bool {
		if string(w.ID) == ref.DocumentID {
			caption, found = string(w.Caption), true
		}
		return found
	})
	return caption, found, err
}

// Search implements [vendors.Searcher]: by the captions of images.
func (d *Driver) Search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error) {
	if err := checkIDs("knowledge_base_id", q.KnowledgeBaseID); err != nil {
		return nil, err
	}
	kind, err := d.kind(ctx, q.KnowledgeBaseID)
	if err != nil {
		return nil, err
	}
	if kind != "image" {
		return nil, vendors.Errorf(vendors.Unsupported, "Coze has no open search endpoint; only the captions of images can be searched, and this knowledge base does not hold images.").
			WithHint("Ask through a Coze agent or workflow that uses the knowledge base, or connect another platform.")
	}
	if !d.speech.isStudio() {
		hits, err := d.captions(ctx, q, q.Query)
		if err != nil || len(hits) > 0 {
			return hits, err
		}
	}
	return d.captions(ctx, q, "")
}

// captions ranks captions by how many of the query's words they hold, the whole
// query first. With a keyword the platform has chosen.
func (d *Driver) captions(ctx context.Context, q vendors.SearchQuery, keyword string) ([]vendors.Hit, error) {
	type ranked struct {
		hit  vendors.Hit
		rank int
	}
	whole := strings.ToLower(strings.TrimSpace(q.Query))
	words := strings.Fields(whole)
	var found []ranked
	err := d.eachImage(ctx, q.KnowledgeBaseID, keyword, func(w image) bool {
		text, rank := strings.ToLower(string(w.Caption)), 0
		for _, word := range words {
			if strings.Contains(text, word) {
				rank++
			}
		}
		if strings.Contains(text, whole) || keyword != "" {
			rank += len(words)
		}
		if rank > 0 && w.Caption != "" {
			found = append(found, ranked{vendors.Hit{
				DocumentID: string(w.ID), DocumentName: string(w.Name), ChunkID: string(w.ID), Content: string(w.Caption),
			}, rank})
		}
		return false
	})
	slices.SortStableFunc(found, func(a, b ranked) int { return cmp.Compare(b.rank, a.rank) })
	hits := make([]vendors.Hit, 0, min(len(found), q.Limit))
	for _, f := range found[:min(len(found), q.Limit)] {
		hits = append(hits, f.hit)
	}
	if len(hits) > 0 && errors.Is(err, errManyImages) { // they are true, if not all
		return hits, nil
	}
	return hits, err
}

// kind is what a knowledge base holds.
func (d *Driver) kind(ctx context.Context, kb string) (string, error) {
	if base, ok := d.bases.get(kb); ok {
		return base.kind, nil
	}
	row, err := d.lookup(ctx, kb)
	switch {
	case err != nil:
		return "", err
	case row == nil:
		return "", vendors.Errorf(vendors.ErrNotFound, "The knowledge base does not exist or is not accessible with this credential.").
			WithHint("Take the id from list_knowledge_bases. " + d.origin())
	}
	return kindOfFormat(row.FormatType), nil
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
	caption, found, err := d.caption(ctx, ref)
	if found && caption != "" {
		p.Items = append(p.Items, vendors.Chunk{ChunkID: ref.DocumentID, Content: caption})
	}
	p.Total = new(len(p.Items))
	return p, err
}

// withCaption adds an image's caption to what is known of it. Without an answer
// the document stands as it is.
func (d *Driver) withCaption(ctx context.Context, ref vendors.Ref, doc vendors.Document) vendors.Document {
	if doc.Kind != "image" {
		return doc
	}
	caption, found, err := d.caption(ctx, ref)
	if err != nil {
		d.log.WarnContext(ctx, "no caption of an image", "document_id", ref.DocumentID, "error", err)
	}
	if found && caption != "" {
		doc.Metadata = map[string]any{captionKey: caption}
	}
	return doc
}

// captionKey is the one entry of metadata that can be changed: a caption belongs
// to an image as metadata does to a document, and is shown where it is set.
const captionKey = "caption"

// setCaption changes an image's caption, and reads it again.
func (d *Driver) setCaption(ctx context.Context, ref vendors.Ref, caption string) (vendors.Document, error) {
	row, err := d.row(ctx, ref)
	switch {
	case err != nil:
		return vendors.Document{}, err
	case !row.isImage():
		return vendors.Document{}, vendors.Errorf(vendors.Unsupported, "Coze's documents have no metadata, but an image's caption, and this is not an image; nothing was changed.").
			WithHint("Pass `name` alone.")
	case d.speech.isStudio():
		return vendors.Document{}, vendors.Errorf(vendors.Unsupported, "A coze-studio server does not open captions to API tokens; nothing was changed.").
			WithHint("Change the caption in the server's web page.")
	}
	err = d.call(ctx, rest.Call{
		Method: http.MethodPut, Path: []string{"v1", "datasets", ref.KnowledgeBaseID, "images", ref.DocumentID},
		Body: updateCaption{Caption: caption}, Write: rest.Repeatable,
	}, new(captionUpdated))
	if err != nil {
		return vendors.Document{}, err
	}
	doc := d.withCaption(ctx, ref, row.normal(false))
	if now, ok := doc.Metadata[captionKey].(string); ok && now != caption {
		return vendors.Document{}, vendors.NotShown("Coze", "the image")
	}
	if doc.Metadata == nil {
		doc.Metadata = map[string]any{captionKey: caption}
	}
	return doc, nil
}

var (
	_ vendors.Searcher    = (*Driver)(nil)
	_ vendors.ChunkLister = (*Driver)(nil)
)

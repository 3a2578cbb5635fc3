package ragflow

import (
	"context"
	"errors"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/idsearch"
	"kb-mcp/vendors/ragflow/envelope"
)

// Batch implements [vendors.Batcher]. Servers that do not know the parameter
// `ids`, and before it is known those that may, are asked for all documents at
// once: their listing is read only once then.
func (d *Driver) Batch() int {
	if d.now.ids.Load() {
		return pageSize
	}
	return 0
}

// StallRule implements [vendors.Staller]. run, progress and the last line of
// work count as movement; update_time does not, it moves by itself, and neither
// do queue lines. A disabled document that was running stays so forever.
func (d *Driver) StallRule() vendors.StallRule {
	return vendors.StallRule{
		Threshold:  15 * time.Minute,
		NextStep:   "Check that a RAGFlow task executor is running and not busy with other documents; then stop_ingestion and start_ingestion, if this server allows writes.",
		UpdatesLie: true,
	}
}

// UnfinishedFilters implements [vendors.UnfinishedFilter]. RAGFlow filters by
// run: running ones hold the queued ones.
func (d *Driver) UnfinishedFilters() []vendors.Status {
	return []vendors.Status{vendors.Failed, vendors.Processing, vendors.NotStarted, vendors.Cancelled}
}

// Progress implements [vendors.Driver]. Rows of the listing carry all there is
// to know; RAGFlow has no batches of uploads.
func (d *Driver) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	if q.BatchID != "" {
		return vendors.Report{}, vendors.Errorf(vendors.Unsupported, "RAGFlow has no upload batches.").
			WithHint("Pass `document_ids`, or neither for the whole knowledge base.")
	}
	rep, err := request(ctx, d, func(a api) (vendors.Report, error) { return a.progress(ctx, q.KnowledgeBaseID, q.DocumentIDs) })
	d.started.correct(rep.Documents)
	return rep, err
}

// progress reads one or two ids one by one, and for more by the parameter `ids`
// (v0.25.1, 100 a request). A row that was not requested shows a server that
// ignores it; then this page is the first of everything.
func (c currentAPI) progress(ctx context.Context, kb string, ids []string) (vendors.Report, error) {
	s := idsearch.New(ids, nil)
	if len(ids) <= 2 {
		return s.Report(c.each(ctx, kb, s))
	}
	for batch := range slices.Chunk(ids, pageSize) {
		q, query := vendors.PageQuery{Page: 1, Size: pageSize}, newestFirst(1, pageSize)
		query["ids"] = batch
		rows, total, err := c.rows(ctx, kb, query)
		if errors.Is(err, envelope.ErrNoDocument) { // one unknown id must not hide the others
			return s.Report(c.sweepOn(ctx, kb, s, 1, vendors.Page[vendors.Document]{}))
		}
		if err != nil {
			return s.Report(err)
		}
		page := c.page(q, rows, total, false)
		enough := s.AddPage(page)
		foreign := slices.ContainsFunc(page.Items, func(d vendors.Document) bool { return !slices.Contains(batch, d.DocumentID) })
		c.ids.Store(!foreign) // or the page was everything: the next one tells
		if foreign && page.More && !enough {
			return s.Report(c.sweepOn(ctx, kb, s, 2, page))
		}
		if foreign {
			break // the page was everything, or enough
		}
	}
	return s.Report(nil)
}

// each reads every missing id in a separate request.
func (c currentAPI) each(ctx context.Context, kb string, s *idsearch.Search) error {
	read := func(id string) (vendors.Document, error) {
		return c.document(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: id})
	}
	return s.Each(read, func(err error) bool { return errors.Is(err, envelope.ErrNoDocument) })
}

// sweepOn reads the whole listing from a page on, or asks for what is missing
// one by one when that takes fewer requests.
func (c currentAPI) sweepOn(ctx context.Context, kb string, s *idsearch.Search, number int, before vendors.Page[vendors.Document]) error {
	if before.Total != nil && s.Open() < (*before.Total-1)/pageSize {
		return c.each(ctx, kb, s)
	}
	return sweep(ctx, c, kb, s, number, before)
}

// progress finds all ids in one pass over the list.
func (p previewAPI) progress(ctx context.Context, kb string, ids []string) (vendors.Report, error) {
	s := idsearch.New(ids, nil)
	return s.Report(sweep(ctx, p, kb, s, 1, vendors.Page[vendors.Document]{}))
}

// sweep reads page after page of a listing from a number on, until nothing is
// left to find or it ends. before is the page read before, if any: RAGFlow 0.13
// ignores page numbers, so a page that repeats the one before it is the last.
func sweep(ctx context.Context, a api, kb string, s *idsearch.Search, number int, before vendors.Page[vendors.Document]) error {
	for ; ; number++ {
		p, err := a.documents(ctx, vendors.PageQuery{KnowledgeBaseID: kb, Page: number, Size: pageSize})
		if err != nil {
			return err
		}
		again := slices.EqualFunc(p.Items, before.Items, func(a, b vendors.Document) bool { return a.DocumentID == b.DocumentID })
		if s.AddPage(p) || again || !p.More {
			return nil
		}
		before = p
	}
}

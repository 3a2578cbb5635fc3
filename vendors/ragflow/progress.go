package ragflow

import (
	"context"
	"errors"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
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
// do queue lines. A disabled document that was running stays so for ever.
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

// progress asks for one or two ids one by one, and for more by the parameter
// `ids` (v0.25.1, 100 a request). A row that nobody asked for shows a server
// that ignores it; then this page is the first of everything.
func (c currentAPI) progress(ctx context.Context, kb string, ids []string) (vendors.Report, error) {
	s := newIDSearch(ids)
	if len(ids) <= 2 {
		return s.report(c.each(ctx, kb, s))
	}
	for batch := range slices.Chunk(ids, pageSize) {
		query := newestFirst(1, pageSize)
		query["ids"] = batch
		rows, total, err := c.rows(ctx, kb, query)
		if errors.Is(err, errNoDocument) { // one unknown id must not hide the others
			return s.report(c.sweepOn(ctx, kb, s, 1, nil, nil))
		}
		if err != nil {
			return s.report(err)
		}
		docs := normal(rows, current)
		s.blind = s.blind || blind(rows)
		enough := s.keep(docs)
		if !slices.ContainsFunc(docs, func(d vendors.Document) bool { return !slices.Contains(batch, d.DocumentID) }) {
			c.ids.Store(true) // or the page was everything: the next one tells
			continue
		}
		c.ids.Store(false)
		n, more := turn(total, 1, pageSize, len(rows), slices.ContainsFunc(rows, document.beforeISO))
		if more && !enough {
			return s.report(c.sweepOn(ctx, kb, s, 2, docs, n))
		}
		break // the page was everything, or enough
	}
	return s.report(nil)
}

// each asks for every id still missing in a request of its own.
func (c currentAPI) each(ctx context.Context, kb string, s *idSearch) error {
	for _, id := range s.ids {
		if _, ok := s.found[id]; ok {
			continue
		}
		d, err := c.document(ctx, vendors.Ref{KnowledgeBaseID: kb, DocumentID: id})
		if err == nil {
			s.found[id] = d
		} else if !errors.Is(err, errNoDocument) {
			return err
		}
	}
	return nil
}

// sweepOn reads the whole listing from a page on, or asks for what is missing
// one by one when that takes fewer requests.
func (c currentAPI) sweepOn(ctx context.Context, kb string, s *idSearch, page int, before []vendors.Document, total *int) error {
	if total != nil && len(s.ids)-len(s.found) < (*total-1)/pageSize {
		return c.each(ctx, kb, s)
	}
	return sweep(ctx, c, kb, s, page, before)
}

// progress finds all ids in one pass over the list.
func (p previewAPI) progress(ctx context.Context, kb string, ids []string) (vendors.Report, error) {
	s := newIDSearch(ids)
	return s.report(sweep(ctx, p, kb, s, 1, nil))
}

// sweep reads page after page of a listing from a number on, until nothing is
// left to find or it ends. before is the page read before, if any: RAGFlow 0.13
// ignores page numbers, so a page that repeats the one before it is the last.
func sweep(ctx context.Context, a api, kb string, s *idSearch, number int, before []vendors.Document) error {
	for ; ; number++ {
		p, err := a.documents(ctx, vendors.PageQuery{KnowledgeBaseID: kb, Page: number, Size: pageSize})
		if err != nil {
			return err
		}
		again := slices.EqualFunc(p.Items, before, func(a, b vendors.Document) bool { return a.DocumentID == b.DocumentID })
		s.blind = s.blind || p.Blind
		if s.keep(p.Items) || again || !p.More {
			return nil
		}
		before = p.Items
	}
}

// idSearch collects the documents of given ids as pages come in.
type idSearch struct {
	ids   []string
	found map[string]vendors.Document
	blind bool // a row had no id
}

func newIDSearch(ids []string) *idSearch {
	return &idSearch{ids: ids, found: make(map[string]vendors.Document, len(ids))}
}

// keep keeps what is looked for of rows and reports whether nothing is left to
// find.
func (s *idSearch) keep(rows []vendors.Document) (enough bool) {
	for _, d := range rows {
		if _, again := s.found[d.DocumentID]; !again && slices.Contains(s.ids, d.DocumentID) {
			s.found[d.DocumentID] = d
		}
	}
	return len(s.found) == len(s.ids)
}

// report ends a search: without an error, what was not found does not exist.
func (s *idSearch) report(err error) (vendors.Report, error) {
	r := vendors.Report{Documents: make([]vendors.Document, 0, len(s.found))}
	for _, id := range s.ids {
		if d, ok := s.found[id]; ok {
			r.Documents = append(r.Documents, d)
		} else if err == nil {
			r.Missing = append(r.Missing, id)
		}
	}
	if s.blind && len(r.Missing) > 0 {
		return vendors.Report{Documents: r.Documents}, rest.NoID()
	}
	return r, err
}

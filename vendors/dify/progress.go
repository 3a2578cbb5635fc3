package dify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/idsearch"
	"kb-mcp/vendors/rest"
)

// fewIDs is up to how many documents are read one by one at once.
const fewIDs = 3

// Progress implements [vendors.Driver]. Only the status of a batch has chunk
// counts and times; no call returns the batch of a document, so documents that
// this process did not upload are read by themselves and, when they are many,
// all from the list.
func (d *Driver) Progress(ctx context.Context, q vendors.ProgressQuery) (vendors.Report, error) {
	if q.BatchID != "" {
		return d.batch(ctx, q.KnowledgeBaseID, q.BatchID)
	}
	s := idsearch.New(q.DocumentIDs, strings.ToLower)
	single := true
	if s.Open() <= fewIDs {
		err := d.each(ctx, q.KnowledgeBaseID, s)
		if !noRoute(err) {
			return s.Report(err)
		}
		single = false
	}
	return s.Report(d.fromList(ctx, q.KnowledgeBaseID, s, single))
}

// batch reads the documents of one upload.
func (d *Driver) batch(ctx context.Context, kb, id string) (vendors.Report, error) {
	var rep vendors.Report
	out, err := get[batchAnswer](ctx, d, nil, kb, "documents", id, "indexing-status")
	if err != nil {
		return rep, err
	}
	for i := range out.Data {
		if out.Data[i].ID != "" {
			rep.Documents = append(rep.Documents, out.Data[i].normal())
		}
	}
	return rep, nil
}

// uploaded is what this process remembers of an upload, because no call returns
// the batch of a document.
type uploaded struct{ batch, name string }

// byBatch reads the progress of a document by its batch. It is not found where
// that is not known, or the document was uploaded again elsewhere since.
func (d *Driver) byBatch(ctx context.Context, kb, id string) (doc vendors.Document, found bool, err error) {
	u, known := d.uploads.Get(strings.ToLower(id))
	if !known {
		return doc, false, nil
	}
	rep, err := d.batch(ctx, kb, u.batch)
	for _, doc := range rep.Documents {
		if strings.EqualFold(doc.DocumentID, id) {
			doc.Name = u.name
			return doc, true, nil
		}
	}
	if err != nil && !errors.Is(err, errNoDocument) {
		return doc, false, err
	}
	d.uploads.Forget(strings.ToLower(id))
	return doc, false, nil
}

// each reads documents one by one.
func (d *Driver) each(ctx context.Context, kb string, s *idsearch.Search) error {
	return s.Each(func(id string) (vendors.Document, error) {
		if doc, found, err := d.byBatch(ctx, kb, id); found || err != nil {
			return doc, err
		}
		return d.detail(ctx, kb, id)
	}, isMarked(errNoDocument))
}

// fromList finds documents in the list, a hundred rows a request, until all are
// found or the list ends. Documents watched together were mostly uploaded
// together and stand together; where a page shows at most one of them, and
// fewer are open than pages follow, the rest is read one by one (if single, as
// the server can do that).
func (d *Driver) fromList(ctx context.Context, kb string, s *idsearch.Search, single bool) error {
	var total int64
	for n := 1; ; n++ {
		out, err := d.documents(ctx, kb, paging(n, pageSize))
		if err != nil {
			return err
		}
		before := s.Open()
		for i := range out.Data {
			s.Add(out.Data[i].normal())
		}
		left := out.left(n, pageSize)
		// Rows that were deleted in the meantime moved others up to the page
		// before.
		shrunk := n > 1 && out.Total.Valid && out.Total.Int < total
		total = out.Total.Int
		switch {
		case s.Open() == 0:
			return nil
		case shrunk:
			n -= 2
		case left == 0 || len(out.Data) == 0:
			return nil
		case single && before-s.Open() <= 1 && s.Open() <= left:
			if err := d.each(ctx, kb, s); !noRoute(err) {
				return err
			}
			single = false
		}
	}
}

// StallRule implements [vendors.Staller]. A document that waits for minutes
// although nothing was begun is the mark of a self-hosted worker that does not
// consume the queue.
func (d *Driver) StallRule() vendors.StallRule {
	return vendors.StallRule{
		Threshold: 15 * time.Minute,
		NextStep: "On a self-hosted Dify check that a worker runs and consumes the queues dataset and priority_dataset, and look at its log; in the cloud look at the document in the Dify console. " +
			"One that was paused while it waited is shown as waiting. Uploading it again under the same name replaces it in place.",
	}
}

// batchAnswer is the indexing status of a batch.
type batchAnswer struct {
	Data []batchRow `json:"data"`
}

// accept implements payload. A batch without documents is a 404, never empty.
func (b *batchAnswer) accept(http.Header) bool { return len(b.Data) > 0 }

// batchRow is one document of a batch. Times are seconds, as floats on older
// servers.
type batchRow struct {
	ID                rest.ID  `json:"id"`
	IndexingStatus    rest.Str `json:"indexing_status"`
	Error             rest.Str `json:"error"`
	CompletedSegments rest.Num `json:"completed_segments"`
	TotalSegments     rest.Num `json:"total_segments"`
	StartedAt         rest.Num `json:"processing_started_at"`
	ParsedAt          rest.Num `json:"parsing_completed_at"`
	CleanedAt         rest.Num `json:"cleaning_completed_at"`
	SplitAt           rest.Num `json:"splitting_completed_at"`
	CompletedAt       rest.Num `json:"completed_at"`
	StoppedAt         rest.Num `json:"stopped_at"`
}

func (w *batchRow) normal() vendors.Document {
	s := stateOf(w.IndexingStatus, "")
	d := vendors.Document{
		DocumentID: string(w.ID), Status: s.status, VendorStatus: s.raw, Error: failure(s.status, w.Error),
		Ingestion: vendors.Ingestion{Stage: s.stage},
	}
	if s.status != vendors.Queued { // else an earlier ingestion's
		d.Ingestion.StartedAt = vendors.Seconds(w.StartedAt.Int)
	}
	if s.status == vendors.Processing {
		d.Ingestion.NewestAt = vendors.Seconds(max(w.StartedAt.Int, w.ParsedAt.Int, w.CleanedAt.Int, w.SplitAt.Int))
		if s.stage != "indexing" { // indexing shows in the counts instead
			d.Ingestion.MovedAt = d.Ingestion.NewestAt
		}
	}
	// Before splitting is over the counts are an earlier version's, or still grow.
	if total := w.TotalSegments.Positive(); total != nil && !s.early {
		d.Ingestion.ChunksTotal, d.Ingestion.ChunksDone = total, w.CompletedSegments.Count()
		if w.CompletedSegments.Valid {
			d.ProgressPercent = rest.Percent(w.CompletedSegments.Float / w.TotalSegments.Float)
		}
	}
	// completed_at and stopped_at may be of an earlier ingestion as well.
	switch s.status {
	case vendors.Completed:
		d.Warnings = w.missing()
		d.Ingestion.FinishedAt, d.Ingestion.ElapsedSeconds = ended(w.StartedAt, w.CompletedAt)
	case vendors.Failed:
		d.Ingestion.FinishedAt, d.Ingestion.ElapsedSeconds = ended(w.StartedAt, w.StoppedAt)
	}
	return d
}

// missing warns of a completed document whose chunks are not all there.
func (w *batchRow) missing() []string {
	done, total := w.CompletedSegments, w.TotalSegments
	switch {
	case !done.Valid || !total.Valid || done.Int >= total.Int && total.Int > 0:
		return nil
	case total.Int == 0:
		return []string{noChunks}
	}
	return []string{fmt.Sprintf("Only %d of %d chunks are indexed; searches do not find the others. Uploading the document again under the same name replaces it.", done.Int, total.Int)}
}

// ended returns the time of an end, and how long it took when the two times can
// belong together.
func ended(start, end rest.Num) (at time.Time, elapsed *float64) {
	if start.Valid && start.Float > 0 && end.Valid && end.Float >= start.Float {
		seconds := end.Float - start.Float
		elapsed = &seconds
	}
	return vendors.Seconds(end.Int), elapsed
}

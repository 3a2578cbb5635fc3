package ragflow

import (
	"context"
	"errors"
	"strings"

	"kb-mcp/vendors"
)

// DeleteDocuments implements [vendors.DocumentDeleter].
func (d *Driver) DeleteDocuments(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	return d.work(ctx, kb, ids, func(ctx context.Context, a api) ([]vendors.Outcome, error) {
		j := d.job(a, kb)
		j.needs = func(vendors.Document) (bool, vendors.Outcome) { return true, vendors.Outcome{} }
		j.fate = func(_, _ vendors.Document) fate { return untouched } // it is still there
		j.good, j.gone = vendors.Done, vendors.Done
		return a.erase(ctx, kb, j, ids)
	})
}

// StartIngestion implements [vendors.IngestionStarter]. Starting a document
// once more deletes its chunks first, so what is at work is left alone.
func (d *Driver) StartIngestion(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	out, err := d.work(ctx, kb, ids, func(ctx context.Context, a api) ([]vendors.Outcome, error) {
		j := d.job(a, kb)
		j.needs, j.fate = startable, startFate
		j.good, j.gone = vendors.Accepted, vendors.Absent
		return a.start(ctx, kb, j, ids)
	})
	d.started.begun(out)
	return out, err
}

// StopIngestion implements [vendors.IngestionStopper].
func (d *Driver) StopIngestion(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	out, err := d.work(ctx, kb, ids, func(ctx context.Context, a api) ([]vendors.Outcome, error) {
		j := d.job(a, kb)
		j.needs, j.fate = stoppable, stopFate
		j.good, j.gone = vendors.Done, vendors.Absent
		return a.stop(ctx, kb, j, ids)
	})
	d.started.ended(out)
	return out, err
}

// work runs a write over several documents in the server's generation.
func (d *Driver) work(ctx context.Context, kb string, ids []string, do func(context.Context, api) ([]vendors.Outcome, error)) ([]vendors.Outcome, error) {
	if err := checkPath(kb); err != nil {
		return nil, err
	}
	if len(ids) == 0 { // RAGFlow takes an empty list for everything
		return nil, vendors.Errorf(vendors.InvalidArgument, "`document_ids` is empty.")
	}
	return request(ctx, d, func(a api) ([]vendors.Outcome, error) { return do(ctx, a) })
}

// job is a write that knows how to read.
func (d *Driver) job(a api, kb string) job {
	return job{
		size: pageSize,
		read: func(ctx context.Context, ids []string) (vendors.Report, error) {
			rep, err := a.progress(ctx, kb, ids)
			d.started.correct(rep.Documents)
			return rep, err
		},
	}
}

// startable reports whether a document is to be started. A start deletes its
// chunks, so only the states of which that is known are: one that is at work is
// left alone, and so is one whose state nobody knows.
func startable(d vendors.Document) (bool, vendors.Outcome) {
	switch d.Status {
	case vendors.NotStarted, vendors.Completed, vendors.Failed, vendors.Cancelled:
		return true, vendors.Outcome{}
	case vendors.Queued, vendors.Processing:
		if !stopping(d) {
			return false, vendors.Outcome{Result: vendors.Accepted}
		}
		e := vendors.Errorf(vendors.Conflict, "The document is still being stopped.").
			WithHint("Wait until get_ingestion_progress shows that it is cancelled, then call again.")
		e.Retry = vendors.Later
		return false, vendors.Outcome{Result: vendors.NotDone, Err: e}
	}
	return false, vendors.Outcome{Result: vendors.NotDone, Err: vendors.Errorf(vendors.Conflict,
		"The document's state (%q) is not one that kb-mcp knows; a start would delete its chunks, so none was sent.", d.VendorStatus).
		WithHint("Look at the document in RAGFlow's web app, and start it there.")}
}

// stoppable reports whether a stop is to be sent. What the row leaves open the
// server judges.
func stoppable(d vendors.Document) (bool, vendors.Outcome) {
	switch {
	case d.Status == vendors.Cancelled:
		return false, vendors.Outcome{Result: vendors.Done}
	case stopping(d):
		return false, vendors.Outcome{Result: vendors.Accepted}
	case !d.Status.Settled() || doubtful(d):
		return true, vendors.Outcome{}
	}
	return false, vendors.Outcome{Result: vendors.NotDone, Err: nothingToStop(d)}
}

// stopping reports a document whose stop is on its way (Go back end).
func stopping(d vendors.Document) bool {
	return !d.Status.Settled() && strings.EqualFold(d.VendorStatus, "STOPPING")
}

// startFate is what a start did to a document. RAGFlow writes that it runs, and
// only then puts it into its queue, which writes the time and a line. (The time
// of an earlier start stays.)
func startFate(before, now vendors.Document) fate {
	switch {
	case now.Status.Settled() && now.Status == before.Status:
		return untouched
	case now.Status != vendors.Queued:
		return moved
	case now.Ingestion.ElapsedSeconds == nil:
		return broken // no time of any start
	case before.Ingestion.ElapsedSeconds != nil && now.Ingestion.StartedAt.Equal(before.Ingestion.StartedAt) && !now.Ingestion.StartedAt.IsZero():
		return broken
	}
	return noted
}

func stopFate(_, now vendors.Document) fate {
	if now.Status == vendors.Cancelled || stopping(now) {
		return moved
	}
	return untouched
}

// stuck is the error of a document that a start left half done: it shows RUNNING,
// and nothing works on it.
func stuck(err error) error {
	e := *vendors.Classify(err)
	e.Kind, e.Effect = vendors.VendorError, vendors.SomeEffect
	e.Message = "RAGFlow failed while it put this document into its queue; the document shows RUNNING, but nothing works on it."
	e.Hint = "Call stop_ingestion for it. Then look at vendor_message: the file may be damaged; start_ingestion tries it again."
	if errors.Is(err, errQueue) {
		e.Kind = vendors.Unavailable
		e.Hint = "Call stop_ingestion for it, and start_ingestion again when the server's queue (Redis) is up."
	}
	return &e
}

func nothingToStop(d vendors.Document) error {
	return vendors.Errorf(vendors.Conflict, "The document is not being parsed (its status is %s): there is nothing to stop.", d.Status)
}

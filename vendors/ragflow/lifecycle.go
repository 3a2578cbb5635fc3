package ragflow

import (
	"context"

	"kb-mcp/vendors"
)

// DeleteDocuments implements [vendors.DocumentDeleter].
func (d *Driver) DeleteDocuments(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	return d.work(ctx, kb, ids, func(ctx context.Context, a api) ([]vendors.Outcome, error) {
		j := d.job(a, kb)
		j.needs = func(vendors.Document) (bool, vendors.Outcome) { return true, vendors.Outcome{} }
		j.took = func(_, _ vendors.Document) bool { return false } // it is still there
		j.good, j.gone, j.what = vendors.Done, vendors.Done, "the document was deleted"
		return a.erase(ctx, kb, j, ids)
	})
}

// StartIngestion implements [vendors.IngestionStarter]. Starting a document
// once more deletes its chunks first, so what is at work is left alone.
func (d *Driver) StartIngestion(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	out, err := d.work(ctx, kb, ids, func(ctx context.Context, a api) ([]vendors.Outcome, error) {
		j := d.job(a, kb)
		j.needs = func(d vendors.Document) (bool, vendors.Outcome) {
			return !atWork(d), vendors.Outcome{Result: vendors.Accepted}
		}
		j.took = func(before, now vendors.Document) bool { return atWork(now) || now.Status != before.Status }
		j.good, j.gone, j.what = vendors.Accepted, vendors.Absent, "parsing was started"
		return a.start(ctx, kb, j, ids)
	})
	d.asked.started(out)
	return out, err
}

// StopIngestion implements [vendors.IngestionStopper].
func (d *Driver) StopIngestion(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	out, err := d.work(ctx, kb, ids, func(ctx context.Context, a api) ([]vendors.Outcome, error) {
		j := d.job(a, kb)
		j.needs = func(d vendors.Document) (bool, vendors.Outcome) {
			if d.Status == vendors.Cancelled {
				return false, vendors.Outcome{Result: vendors.Done}
			}
			return atWork(d), vendors.Outcome{Result: vendors.NotDone, Err: nothingToStop(d)}
		}
		j.took = func(_, now vendors.Document) bool { return now.Status == vendors.Cancelled }
		j.good, j.gone, j.what = vendors.Done, vendors.Absent, "parsing was stopped"
		return a.stop(ctx, kb, j, ids)
	})
	d.asked.stopped(out)
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
	return ask(ctx, d, func(a api) ([]vendors.Outcome, error) { return do(ctx, a) })
}

// job is a write that knows how to read.
func (d *Driver) job(a api, kb string) job {
	return job{
		size: pageSize,
		read: func(ctx context.Context, ids []string) (vendors.Report, error) {
			rep, err := a.progress(ctx, kb, ids)
			d.asked.correct(rep.Documents)
			return rep, err
		},
	}
}

// atWork reports that parsing has been asked for and has not ended.
func atWork(d vendors.Document) bool {
	return d.Status == vendors.Queued || d.Status == vendors.Processing
}

func nothingToStop(d vendors.Document) error {
	return vendors.Errorf(vendors.Conflict, "The document is not being parsed (its status is %s): there is nothing to stop.", d.Status)
}

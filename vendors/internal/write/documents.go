package write

import (
	"context"
	"slices"

	"kb-mcp/vendors"
)

// Documents is a write over several documents of one knowledge base.
type Documents struct {
	// Send makes one request for docs, at least one and at most Batch. On
	// success it returns the documents for which it did nothing, and why.
	Send func(ctx context.Context, docs []vendors.Document) (refused map[string]error, err error)
	// Batch is how many documents one request takes.
	Batch int
	// Done is what a success means for a document.
	Done vendors.Result

	// Read returns documents as they are now. Unless it is nil, it is called to
	// find out what a failed request did, and with ReadFirst before the first
	// request: if the platform does not check that a document belongs to the
	// knowledge base, or if Needs must know its status.
	Read      func(ctx context.Context, ids []string) (vendors.Report, error)
	ReadFirst bool
	// Needs reports whether a document needs the request, and its outcome if
	// not; nil means always.
	Needs func(d vendors.Document) (bool, vendors.Outcome)
	// Became compares the documents before and after a request that failed with
	// err: which of them have an outcome, and which are left as they were; nil
	// means [Deleted].
	Became func(err error, before, now []vendors.Document) (out []vendors.Outcome, left []vendors.Document)
	// Prove reads the documents after a success: one that is still there was
	// only accepted.
	Prove bool

	// Absent recognizes the answer that the one document of a request is not in
	// the knowledge base.
	Absent func(err error) bool
	// Again repeats a request for one document when its answer was lost: if the
	// document is then absent, the first request did it.
	Again bool
	// Midway says that the platform goes through a request one document after
	// the other, so that a refusal may come after some were done.
	Midway bool
	// Races says that a refusal may come because a document's state has changed
	// since it was read, so that the documents are read after it.
	Races bool
	// Resend recognizes a failure after which documents that are left are sent
	// again: as a batch when some of them were done, else one by one, so that
	// one bad document does not stop the others. nil means never.
	Resend func(err error) bool
	// First returns the index of the document that is sent alone before the
	// others; nil when none is.
	First func(docs []vendors.Document) int
}

// Run does the write. An error without outcomes means that nothing was done.
func (w Documents) Run(ctx context.Context, ids []string) ([]vendors.Outcome, error) {
	todo, out, err := w.todo(ctx, ids)
	if err != nil {
		return nil, err
	}
	if w.First != nil && len(todo) > 1 {
		first := w.First(todo)
		todo[0], todo[first] = todo[first], todo[0]
		done, err := w.try(ctx, todo[:1])
		if out = append(out, done...); err != nil {
			return w.ended(out, todo[len(done):], err)
		}
		todo = todo[1:]
	}
	done, left, err := w.batches(ctx, todo, w.Batch)
	return w.ended(append(out, done...), left, err)
}

// todo returns the documents that need the request, in the caller's order, and
// the outcomes of the others.
func (w Documents) todo(ctx context.Context, ids []string) (todo []vendors.Document, out []vendors.Outcome, err error) {
	if !w.ReadFirst {
		for _, id := range ids {
			todo = append(todo, vendors.Document{DocumentID: id})
		}
		return todo, nil, nil
	}
	rep, err := w.Read(ctx, ids)
	if err != nil {
		return nil, nil, vendors.NothingDone(err)
	}
	for _, id := range ids {
		d, there := Find(rep.Documents, id)
		switch {
		case !there && slices.Contains(rep.Missing, id):
			out = append(out, vendors.Outcome{DocumentID: id, Result: vendors.Absent})
		case !there:
			out = append(out, vendors.Outcome{DocumentID: id, Result: vendors.NotDone, Err: unseen()})
		case w.Needs == nil:
			todo = append(todo, d)
		default:
			need, o := w.Needs(d)
			if o.DocumentID = id; need {
				todo = append(todo, d)
			} else {
				out = append(out, o)
			}
		}
	}
	return todo, out, nil
}

// unseen is the error of a document that was not found when the knowledge base
// was read.
func unseen() error {
	return vendors.Errorf(vendors.BadResponse, "The platform did not say where this document stands, so that nothing was sent for it.").
		WithHint("Look at it with get_ingestion_progress, then call again.")
}

// ended sets the outcome of documents that the write did not reach. If no
// document has another outcome than err, and nothing was done, err is the error
// of the whole write.
func (w Documents) ended(out []vendors.Outcome, left []vendors.Document, err error) ([]vendors.Outcome, error) {
	if err == nil {
		return out, nil
	}
	if !slices.ContainsFunc(out, func(o vendors.Outcome) bool { return o.Err != err || vendors.Unsure(err) }) {
		return nil, err
	}
	return append(out, outcomes(left, vendors.NotDone, untried(err))...), nil
}

// untried is the error of a document that the write did not reach.
func untried(err error) error {
	before := vendors.Classify(err)
	e := vendors.Errorf(before.Kind, "This document was not touched, because the request before it failed.").
		WithHint("Call again with this document once the failure before it is out of the way.")
	e.Retry, e.After = before.Retry, before.After
	return e
}

// batches sends documents, at most size a request, until an error that the next
// request would meet as well; left were not reached.
func (w Documents) batches(ctx context.Context, docs []vendors.Document, size int) (out []vendors.Outcome, left []vendors.Document, err error) {
	for len(docs) > 0 {
		batch := docs[:min(size, len(docs))]
		done, err := w.try(ctx, batch)
		if out = append(out, done...); err != nil {
			return out, without(docs, done), err
		}
		docs = docs[len(batch):]
	}
	return out, nil, nil
}

// try sends one batch. An error is one that the next request would meet as well.
func (w Documents) try(ctx context.Context, docs []vendors.Document) ([]vendors.Outcome, error) {
	refused, err := w.send(ctx, docs)
	switch {
	case err == nil:
		return w.succeeded(ctx, docs, refused), nil
	case len(docs) == 1 && w.Absent != nil && w.Absent(err):
		return outcomes(docs, vendors.Absent, nil), nil
	case w.Read == nil, !w.mayHaveDone(err, docs):
		return w.failed(docs, err)
	}
	rep, lookErr := w.Read(ctx, IDs(docs))
	if lookErr != nil {
		return w.failed(docs, err)
	}
	if vendors.Answered(err) { // and what is left was seen to be as before
		err = vendors.NothingDone(err)
	}
	became := w.Became
	if became == nil {
		became = Deleted
	}
	out, left := became(err, docs, rep.Documents)
	if len(left) == 0 {
		return out, nil
	}
	if len(docs) == 1 || w.Resend == nil || !w.Resend(err) || ctx.Err() != nil {
		return append(out, outcomes(left, vendors.NotDone, err)...), nil
	}
	size := 1
	if len(left) < len(docs) {
		size = len(left)
	}
	more, _, err := w.batches(ctx, left, size)
	return append(out, more...), err
}

// send makes a request, and once more where that is safe.
func (w Documents) send(ctx context.Context, docs []vendors.Document) (map[string]error, error) {
	if !w.Again || len(docs) > 1 {
		return w.Send(ctx, docs)
	}
	var refused map[string]error
	err := Again(func() (err error) { refused, err = w.Send(ctx, docs); return err }, w.Absent)
	return refused, err
}

// mayHaveDone reports whether a request that failed may have done something.
func (w Documents) mayHaveDone(err error, docs []vendors.Document) bool {
	e := vendors.Classify(err)
	if e.Effect != vendors.NoEffect {
		return e.Effect == vendors.UnknownEffect // of any other the error says what it is
	}
	switch e.Kind {
	case vendors.RateLimited, vendors.Unauthenticated, vendors.Unsupported, vendors.QuotaExhausted:
		return false
	case vendors.PermissionDenied:
		return w.Midway
	case vendors.ErrNotFound:
		return w.Midway || w.Races
	}
	return w.Races || len(docs) > 1
}

// failed returns the outcome of documents whose request failed, if nothing more
// is known of them. A failure that is not about these documents ends the write.
func (w Documents) failed(docs []vendors.Document, err error) ([]vendors.Outcome, error) {
	e := vendors.Classify(err)
	own := e.Kind == vendors.Conflict || e.Kind == vendors.InvalidArgument || e.Kind == vendors.VendorError
	out := outcomes(docs, vendors.NotDone, err)
	if own {
		return out, nil
	}
	return out, err
}

// succeeded returns the outcome of documents whose request succeeded.
func (w Documents) succeeded(ctx context.Context, docs []vendors.Document, refused map[string]error) []vendors.Outcome {
	out := outcomes(docs, w.Done, nil)
	var still []vendors.Document
	if w.Prove {
		rep, _ := w.Read(ctx, IDs(docs)) // without it the platform's word stands
		still = rep.Documents
	}
	for i, o := range out {
		if err := refused[o.DocumentID]; err != nil {
			out[i].Result, out[i].Err = vendors.NotDone, err
		} else if _, there := Find(still, o.DocumentID); there {
			out[i].Result = vendors.Accepted
		}
	}
	return out
}

// Deleted returns what became of documents whose deletion failed.
func Deleted(_ error, before, now []vendors.Document) (out []vendors.Outcome, left []vendors.Document) {
	for _, d := range before {
		after, there := Find(now, d.DocumentID)
		switch {
		case !there:
			out = append(out, vendors.Outcome{DocumentID: d.DocumentID, Result: vendors.Done})
		case after.Status.IsLeaving():
			out = append(out, vendors.Outcome{DocumentID: d.DocumentID, Result: vendors.Accepted})
		default:
			left = append(left, after)
		}
	}
	return out, left
}

// Deletable is a [Documents.Needs]: a document that is being deleted already
// does not need the request.
func Deletable(d vendors.Document) (bool, vendors.Outcome) {
	return !d.Status.IsLeaving(), vendors.Outcome{Result: vendors.Accepted}
}

func outcomes(docs []vendors.Document, r vendors.Result, err error) []vendors.Outcome {
	out := make([]vendors.Outcome, len(docs))
	for i, d := range docs {
		out[i] = vendors.Outcome{DocumentID: d.DocumentID, Result: r, Err: err}
	}
	return out
}

// without returns the documents that have no outcome.
func without(docs []vendors.Document, out []vendors.Outcome) (left []vendors.Document) {
	for _, d := range docs {
		if !slices.ContainsFunc(out, func(o vendors.Outcome) bool { return o.DocumentID == d.DocumentID }) {
			left = append(left, d)
		}
	}
	return left
}

// IDs returns the ids of documents.
func IDs(docs []vendors.Document) []string {
	ids := make([]string, len(docs))
	for i, d := range docs {
		ids[i] = d.DocumentID
	}
	return ids
}

// Find returns the document of an id.
func Find(docs []vendors.Document, id string) (vendors.Document, bool) {
	i := slices.IndexFunc(docs, func(d vendors.Document) bool { return d.DocumentID == id })
	if i < 0 {
		return vendors.Document{}, false
	}
	return docs[i], true
}

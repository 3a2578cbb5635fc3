package ragflow

import (
	"context"
	"errors"
	"math"
	"slices"

	"kb-mcp/vendors"
)

// job is a write over several documents of one knowledge base. RAGFlow's own
// answers to one say little about each document: a call that fails may have done
// all, half or nothing. So a job reads where the documents stand before, which
// also shows that they belong to the knowledge base, and again after an error.
type job struct {
	read func(ctx context.Context, ids []string) (vendors.Report, error)
	// needs says whether a document needs the request, and its outcome if not.
	needs func(d vendors.Document) (bool, vendors.Outcome)
	// send makes one request and gives the answer's words; docs is never empty.
	send func(ctx context.Context, docs []vendors.Document) (text string, err error)
	// passed is why a successful request did nothing for a document; nil when it
	// never does.
	passed func(text string, d vendors.Document) error
	// fate tells from a document what became of it in a request that failed.
	fate func(before, now vendors.Document) fate
	// goesOn says that documents which a failed request did not come to are sent
	// again when the reason lay in another document.
	goesOn bool
	good   vendors.Result // of a document the request was for
	gone   vendors.Result // of one that is there no more
	size   int            // documents a request
	// pilot sends one document alone before the others.
	pilot bool
}

// run does the job. With an error, ids without an outcome were not come to.
func (j job) run(ctx context.Context, ids []string) ([]vendors.Outcome, error) {
	rep, err := j.read(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]vendors.Outcome, 0, len(ids))
	for _, id := range rep.Missing {
		out = append(out, vendors.Outcome{DocumentID: id, Result: vendors.Absent})
	}
	var todo []vendors.Document
	for _, d := range inOrder(rep.Documents, ids) {
		if need, o := j.needs(d); need {
			todo = append(todo, d)
		} else {
			o.DocumentID = d.DocumentID
			out = append(out, o)
		}
	}
	if j.pilot && len(todo) > 1 {
		cheapestFirst(todo)
		done, err := j.try(ctx, todo[:1])
		if out = append(out, done...); err != nil {
			return out, err
		}
		todo = todo[1:]
	}
	done, err := j.batches(ctx, todo, j.size)
	return append(out, done...), err
}

// batches sends documents, at most size a request, until an error that the next
// request would meet as well.
func (j job) batches(ctx context.Context, docs []vendors.Document, size int) (out []vendors.Outcome, err error) {
	for batch := range slices.Chunk(docs, size) {
		done, err := j.try(ctx, batch)
		if out = append(out, done...); err != nil {
			return out, err
		}
	}
	return out, nil
}

// cheapestFirst puts the document first that has least to lose: one with a file
// that is not empty (an empty one proves nothing) and the fewest chunks.
func cheapestFirst(docs []vendors.Document) {
	cost := func(d vendors.Document) int64 {
		switch {
		case d.SizeBytes != nil && *d.SizeBytes == 0:
			return math.MaxInt64
		case d.ChunkCount == nil:
			return 0
		}
		return *d.ChunkCount
	}
	best := 0
	for i, d := range docs {
		if cost(d) < cost(docs[best]) {
			best = i
		}
	}
	docs[0], docs[best] = docs[best], docs[0]
}

// try sends one batch. After an error it tells from the documents themselves
// what has happened, and tries again with what is left: as a batch when some of
// it was done, else one by one, so that one bad document does not stop the
// others. An error is one that the next request would meet as well.
func (j job) try(ctx context.Context, docs []vendors.Document) ([]vendors.Outcome, error) {
	text, err := j.send(ctx, docs)
	if err == nil {
		return j.success(text, docs), nil
	}
	switch vendors.KindOf(err) {
	case vendors.RateLimited, vendors.Unauthenticated, vendors.PermissionDenied, vendors.Unsupported:
		return nil, err // refused before anything was done
	}
	rep, lookErr := j.read(ctx, idsOf(docs))
	if lookErr != nil {
		return outcomes(docs, vendors.Outcome{Result: vendors.NotDone, Err: err}), nil
	}
	failed := vendors.Answered(err) && vendors.KindOf(err) == vendors.Unavailable // the server broke off
	ends := vendors.Unsure(err) && !(j.goesOn && errors.Is(err, errInside))
	if vendors.Answered(err) { // and what is left was seen to be as before
		err = vendors.NothingDone(err)
	}
	out, left := j.sorted(err, failed, docs, rep.Documents)
	if len(left) == 0 || len(docs) == 1 || ends || errors.Is(err, errModel) || ctx.Err() != nil {
		return append(out, outcomes(left, vendors.Outcome{Result: vendors.NotDone, Err: err})...), nil
	}
	size := 1
	if len(left) < len(docs) {
		size = len(left)
	}
	more, err := j.batches(ctx, left, size)
	return append(out, more...), err
}

// fate is what became of a document in a request that failed.
type fate int

const (
	untouched fate = iota // as before: the request did not come to it
	moved                 // the request took effect
	noted                 // its row says that the request took effect, and nothing proves it
	broken                // the request began with it and did not end
)

// sorted tells documents that the request has reached from those that are left.
//
// RAGFlow goes through a request one document after another. When it breaks off
// itself, its error wins over the rows: the document that it began with and did
// not end has failed; where none shows that, or nothing could be queued, those
// whose rows say no more than "queued" have.
func (j job) sorted(err error, failed bool, docs, now []vendors.Document) (out []vendors.Outcome, left []vendors.Document) {
	fates := make([]fate, len(docs))
	for i, before := range docs {
		if after, there := find(now, before.DocumentID); there {
			fates[i] = j.fate(before, after)
		}
	}
	guilty := slices.Contains(fates, broken) && !errors.Is(err, errQueue)
	for i, before := range docs {
		after, there := find(now, before.DocumentID)
		o := vendors.Outcome{DocumentID: before.DocumentID, Result: j.good}
		switch {
		case !there:
			o.Result = j.gone
		case fates[i] == untouched:
			left = append(left, after)
			continue
		case failed && (fates[i] == broken || fates[i] == noted && !guilty):
			o.Result, o.Err = vendors.NotDone, stuck(err)
		}
		out = append(out, o)
	}
	return out, left
}

// success is the outcome of documents whose request was answered well.
func (j job) success(text string, docs []vendors.Document) []vendors.Outcome {
	out := outcomes(docs, vendors.Outcome{Result: j.good})
	for i, d := range docs {
		if j.passed == nil {
			break
		}
		if err := j.passed(text, d); err != nil {
			out[i].Result, out[i].Err = vendors.NotDone, err
		}
	}
	return out
}

// outcomes gives every document the same outcome.
func outcomes(docs []vendors.Document, o vendors.Outcome) []vendors.Outcome {
	out := make([]vendors.Outcome, 0, len(docs))
	for _, d := range docs {
		o.DocumentID = d.DocumentID
		out = append(out, o)
	}
	return out
}

func idsOf(docs []vendors.Document) []string {
	ids := make([]string, 0, len(docs))
	for _, d := range docs {
		ids = append(ids, d.DocumentID)
	}
	return ids
}

// inOrder gives the documents in the caller's order: a request's body must not
// depend on how they were found.
func inOrder(docs []vendors.Document, ids []string) []vendors.Document {
	out := make([]vendors.Document, 0, len(docs))
	for _, id := range ids {
		if d, ok := find(docs, id); ok {
			out = append(out, d)
		}
	}
	return out
}

// find gives the row of an id.
func find(rows []vendors.Document, id string) (vendors.Document, bool) {
	i := slices.IndexFunc(rows, func(d vendors.Document) bool { return d.DocumentID == id })
	if i < 0 {
		return vendors.Document{}, false
	}
	return rows[i], true
}

package ragflow

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// StartIngestion implements [vendors.IngestionStarter]. Starting a document
// again deletes its chunks first, so documents in processing are left alone. A
// preview server whose start has failed by itself is not tried again.
func (d *Driver) StartIngestion(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	if d.generation() == preview && d.before.cannotStart.Load() {
		return nil, startFails("")
	}
	out, err := d.write(ctx, kb, ids, func(a api) write.Documents {
		w := a.starting(kb)
		w.Done, w.Needs, w.Became = vendors.Accepted, startable, startBecame
		return w
	})
	d.started.begun(out)
	return out, err
}

// StopIngestion implements [vendors.IngestionStopper].
func (d *Driver) StopIngestion(ctx context.Context, kb string, ids []string) ([]vendors.Outcome, error) {
	out, err := d.write(ctx, kb, ids, func(a api) write.Documents {
		w := a.stopping(kb)
		w.Done, w.Became, w.Resend = vendors.Done, stopBecame, refusedOne
		return w
	})
	d.started.ended(out)
	return out, err
}

// startable reports whether a document is to be started. A start deletes its
// chunks, so a document in processing is left alone, and so is one in an
// unknown state.
func startable(d vendors.Document) (bool, vendors.Outcome) {
	switch s := d.Status; {
	case s.Startable():
		return true, vendors.Outcome{}
	case s.Working():
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

// stoppable reports whether a stop is to be sent. The server decides what the
// row leaves open.
func stoppable(d vendors.Document) (bool, vendors.Outcome) {
	switch {
	case d.Status == vendors.Cancelled:
		return false, vendors.Outcome{Result: vendors.Done}
	case stopping(d):
		return false, vendors.Outcome{Result: vendors.Accepted}
	case !d.Status.Settled() || doubtful(d):
		return true, vendors.Outcome{}
	}
	return false, vendors.Outcome{Result: vendors.NotDone, Err: vendors.Errorf(vendors.Conflict,
		"The document is not being parsed (its status is %s): there is nothing to stop.", d.Status)}
}

// stopping reports a document whose stop is on its way (Go back end).
func stopping(d vendors.Document) bool {
	return !d.Status.Settled() && strings.EqualFold(d.VendorStatus, "STOPPING")
}

// refusedOne recognizes a request that was refused for one of its documents: the
// others may be sent again.
func refusedOne(err error) bool {
	switch vendors.KindOf(err) {
	case vendors.ErrNotFound, vendors.Conflict, vendors.InvalidArgument:
		return !errors.Is(err, envelope.ErrModel)
	}
	return false
}

// halfway reports a document that a start began with and did not end. RAGFlow
// writes that it runs, and only then puts it into its queue, which writes the
// time and a line. (The time of an earlier start stays.)
func halfway(before, now vendors.Document) bool {
	was, is := before.Ingestion, now.Ingestion
	sameTime := was.ElapsedSeconds != nil && is.StartedAt.Equal(was.StartedAt) && !is.StartedAt.IsZero()
	return now.Status == vendors.Queued && (is.ElapsedSeconds == nil || sameTime)
}

// startBecame separates the documents that a failed start has reached from
// those that are left.
//
// RAGFlow goes through a request one document after another. When it breaks off
// itself, its error wins over the rows: the document that it began with and did
// not end has failed; where none shows that, or nothing could be queued, those
// whose rows say no more than "queued" have.
func startBecame(err error, before, now []vendors.Document) (out []vendors.Outcome, left []vendors.Document) {
	brokeOff := vendors.Answered(err) && vendors.KindOf(err) == vendors.Unavailable
	guilty := !errors.Is(err, envelope.ErrQueue) && slices.ContainsFunc(before, func(d vendors.Document) bool {
		after, _ := write.Find(now, d.DocumentID)
		return halfway(d, after)
	})
	for _, d := range before {
		after, there := write.Find(now, d.DocumentID)
		o := vendors.Outcome{DocumentID: d.DocumentID, Result: vendors.Accepted}
		switch {
		case !there:
			o.Result = vendors.Absent
		case after.Status.Settled() && after.Status == d.Status: // the request did not reach it
			left = append(left, after)
			continue
		case brokeOff && after.Status == vendors.Queued && (halfway(d, after) || !guilty):
			o.Result, o.Err = vendors.NotDone, stuck(err)
		}
		out = append(out, o)
	}
	return out, left
}

// stuck is the error of a document that a start left half done: it shows RUNNING,
// and nothing works on it.
func stuck(err error) error {
	e := envelope.Reworded(err, vendors.VendorError,
		"RAGFlow failed while it put this document into its queue; the document shows RUNNING, but nothing works on it.",
		"Call stop_ingestion for it. Then look at vendor_message: the file may be damaged; start_ingestion tries it again.")
	if e.Effect = vendors.SomeEffect; errors.Is(err, envelope.ErrQueue) {
		e.Kind = vendors.Unavailable
		e.Hint = "Call stop_ingestion for it, and start_ingestion again when the server's queue (Redis) is up."
	}
	return e
}

// stopBecame separates the documents that a failed stop has reached from those
// that are left.
func stopBecame(_ error, before, now []vendors.Document) (out []vendors.Outcome, left []vendors.Document) {
	for _, d := range before {
		after, there := write.Find(now, d.DocumentID)
		switch {
		case !there:
			out = append(out, vendors.Outcome{DocumentID: d.DocumentID, Result: vendors.Absent})
		case after.Status == vendors.Cancelled || stopping(after):
			out = append(out, vendors.Outcome{DocumentID: d.DocumentID, Result: vendors.Done})
		default:
			left = append(left, after)
		}
	}
	return out, left
}

// documentsBody names what to start or stop.
type documentsBody struct {
	DocumentIDs []string `json:"document_ids"`
}

// ingestBody names documents of the preview, or starts those of a knowledge base
// that has a pipeline: run "1" is start, and delete makes it the same as the usual
// start, which deletes the chunks of an earlier parse. Never without documents:
// the preview takes that for all of them.
type ingestBody struct {
	DocIDs []string `json:"doc_ids"`
	Run    string   `json:"run,omitempty"`
	Delete bool     `json:"delete,omitempty"`
}

func (c currentAPI) starting(kb string) write.Documents {
	send := func(ctx context.Context, docs []vendors.Document) (map[string]error, error) {
		err := c.parse(ctx, http.MethodPost, kb, docs)
		switch {
		case errors.Is(err, envelope.ErrPipeline):
			err = c.ingest(ctx, docs)
		case errors.Is(err, envelope.ErrNoStop): // so v0.14 - v0.17 refuse to start what was ever parsed
			err = envelope.Reworded(err, vendors.Conflict, "This RAGFlow server starts only documents that have never been parsed.",
				"RAGFlow 0.18 and newer parse again. On this one, upload the file as another document and look at its chunks before you delete this one.")
		}
		return nil, err
	}
	resend := func(err error) bool { return refusedOne(err) || errors.Is(err, envelope.ErrInside) }
	return write.Documents{Send: send, Batch: pageSize, Resend: resend}
}

func (c currentAPI) stopping(kb string) write.Documents {
	send := func(ctx context.Context, docs []vendors.Document) (map[string]error, error) {
		return nil, c.parse(ctx, http.MethodDelete, kb, docs)
	}
	return write.Documents{Send: send, Batch: pageSize, Needs: stoppable}
}

// parse starts (POST) or stops (DELETE) parsing.
func (c currentAPI) parse(ctx context.Context, method, kb string, docs []vendors.Document) error {
	_, err := c.send(ctx, method, documentsBody{write.IDs(docs)}, kb, "chunks")
	return err
}

// ingest is the start for knowledge bases with a pipeline (v0.26.3). A server
// that sends there has the path; its absence says nothing about the generation.
func (c currentAPI) ingest(ctx context.Context, docs []vendors.Document) error {
	err := c.rc.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"api", "v1", "documents", "ingest"},
		Body: ingestBody{DocIDs: write.IDs(docs), Run: "1", Delete: true}, Write: rest.Once,
	}, &envelope.Ack{})
	if errors.Is(err, envelope.ErrRouteAbsent) {
		return vendors.Amended(err, func(e *vendors.Error) { e.Err = nil })
	}
	return err
}

// starting sends one document first: v0.9.0 and v0.10.0 fail for every file that
// is not empty, after they have wiped its chunks.
func (p previewAPI) starting(kb string) write.Documents {
	send := func(ctx context.Context, docs []vendors.Document) (map[string]error, error) {
		text, err := p.parse(ctx, http.MethodPost, kb, docs)
		if errors.Is(err, envelope.ErrNameError) {
			p.cannotStart.Store(true)
			err = startFails(docs[0].DocumentID)
		}
		return emptyFiles(text, docs), err
	}
	return write.Documents{Send: send, Batch: pageSize, First: cheapest, Resend: refusedOne}
}

// cheapest returns the document that has least to lose: one with a file that is
// not empty (an empty one proves nothing) and the fewest chunks.
func cheapest(docs []vendors.Document) int {
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
	return best
}

// startFails is the error of a server whose own start fails.
func startFails(id string) error {
	e := envelope.Marked(envelope.ErrNameError)
	if id != "" {
		e.Message += " It has deleted the chunks of document " + id + " and shows it as running; no other document was sent."
		e.Effect = vendors.SomeEffect
	}
	return e
}

// emptyFiles finds the documents that a start has passed over: "Empty data in
// the document: a.txt; ".
func emptyFiles(text string, docs []vendors.Document) map[string]error {
	refused := map[string]error{}
	for part := range strings.SplitSeq(text, ";") {
		_, name, _ := strings.Cut(part, "Empty data in the document: ")
		for _, d := range docs {
			if name != "" && strings.TrimSpace(name) == d.Name {
				refused[d.DocumentID] = vendors.Errorf(vendors.Conflict, "The document's file is empty: there is nothing to parse.").
					WithHint("Upload the file that was meant, as another document.")
			}
		}
	}
	return refused
}

// stopping works on enabled documents only.
func (p previewAPI) stopping(kb string) write.Documents {
	needs := func(d vendors.Document) (bool, vendors.Outcome) {
		if !d.Status.Settled() && d.Enabled != nil && !*d.Enabled {
			return false, vendors.Outcome{Result: vendors.NotDone, Err: vendors.Errorf(vendors.Conflict,
				"The document is disabled, and RAGFlow 0.8 - 0.10 stops enabled documents only.").WithHint("Stop it in RAGFlow's web app.")}
		}
		return stoppable(d)
	}
	send := func(ctx context.Context, docs []vendors.Document) (map[string]error, error) {
		_, err := p.parse(ctx, http.MethodDelete, kb, docs)
		return nil, err
	}
	return write.Documents{Send: send, Batch: pageSize, Needs: needs}
}

// parse starts (POST) or stops (DELETE) parsing, of one document or several.
func (p previewAPI) parse(ctx context.Context, method, kb string, docs []vendors.Document) (string, error) {
	below, body := []string{kb, "documents", "status"}, any(ingestBody{DocIDs: write.IDs(docs)})
	if len(docs) == 1 {
		below, body = []string{kb, "documents", docs[0].DocumentID, "status"}, nil
	}
	out, err := p.send(ctx, method, body, below...)
	return out.Text(), err
}

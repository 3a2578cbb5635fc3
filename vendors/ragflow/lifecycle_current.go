package ragflow

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// documentsBody names what to start or stop.
type documentsBody struct {
	DocumentIDs []string `json:"document_ids"`
}

// ingestBody starts the documents of a knowledge base that has a pipeline; run
// "1" is start, and delete makes it the same as the usual start, which deletes
// the chunks of an earlier parse.
type ingestBody struct {
	DocIDs []string `json:"doc_ids"`
	Run    string   `json:"run"`
	Delete bool     `json:"delete"`
}

// erase deletes by ids that were all seen in this knowledge base: servers up to
// v0.25.1 would delete those of another one too.
func (c currentAPI) erase(ctx context.Context, kb string, j job, ids []string) ([]vendors.Outcome, error) {
	j.send = func(ctx context.Context, docs []vendors.Document) (string, error) {
		var out ack
		err := c.rc.Do(ctx, rest.Call{
			Method: http.MethodDelete, Path: c.path(kb, "documents"),
			Body: idsBody{IDs: idsOf(docs)}, Write: rest.Once,
		}, &out)
		if err == nil {
			err = fewerDeleted(out, len(docs))
		}
		return "", err
	}
	return j.run(ctx, ids)
}

// fewerDeleted is the error of a success whose own count (v0.25.2) is too small.
func fewerDeleted(out ack, sent int) error {
	var done struct {
		Deleted rest.Num `json:"deleted"`
	}
	if len(out.Data) == 0 || json.Unmarshal(out.Data, &done) != nil || !done.Deleted.Valid || int(done.Deleted.Int) >= sent {
		return nil
	}
	e := vendors.Errorf(vendors.VendorError, "RAGFlow says success, but has deleted %d of %d documents.", done.Deleted.Int, sent)
	e.VendorCode, e.VendorMessage = out.code(), out.text()
	return e
}

func (c currentAPI) start(ctx context.Context, kb string, j job, ids []string) ([]vendors.Outcome, error) {
	j.send = func(ctx context.Context, docs []vendors.Document) (string, error) {
		err := c.parse(ctx, http.MethodPost, kb, docs)
		if errors.Is(err, errPipeline) {
			return "", c.ingest(ctx, docs)
		}
		return "", parsedBefore(err)
	}
	j.goesOn = true
	return j.run(ctx, ids)
}

func (c currentAPI) stop(ctx context.Context, kb string, j job, ids []string) ([]vendors.Outcome, error) {
	j.send = func(ctx context.Context, docs []vendors.Document) (string, error) {
		return "", neverStarted(c.parse(ctx, http.MethodDelete, kb, docs))
	}
	return j.run(ctx, ids)
}

// parse starts (POST) or stops (DELETE) parsing.
func (c currentAPI) parse(ctx context.Context, method, kb string, docs []vendors.Document) error {
	return c.rc.Do(ctx, rest.Call{
		Method: method, Path: c.path(kb, "chunks"),
		Body: documentsBody{DocumentIDs: idsOf(docs)}, Write: rest.Once,
	}, &ack{})
}

// ingest is the start for knowledge bases with a pipeline (v0.26.3). A server
// that sends there has the path; its absence says nothing about the generation.
func (c currentAPI) ingest(ctx context.Context, docs []vendors.Document) error {
	err := c.rc.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"api", "v1", "documents", "ingest"},
		Body: ingestBody{DocIDs: idsOf(docs), Run: "1", Delete: true}, Write: rest.Once,
	}, &ack{})
	if errors.Is(err, errRouteAbsent) {
		e := *vendors.Classify(err)
		e.Err = nil
		return &e
	}
	return err
}

// parsedBefore explains how v0.14 - v0.17 refuse to start a document that was
// ever parsed: in the words of a refused stop.
func parsedBefore(err error) error {
	var e *vendors.Error
	if !errors.As(err, &e) || !rest.WordsOf(e.VendorMessage).Have("can't stop parsing") {
		return err
	}
	c := *e
	c.Message, c.Retry = "This RAGFlow server starts only documents that have never been parsed.", vendors.Never
	c.Hint = "RAGFlow 0.18 and newer parse again. On this one, upload the file as another document and look at its chunks before you delete this one."
	return &c
}

// neverStarted explains how a stop is refused.
func neverStarted(err error) error {
	var e *vendors.Error
	if !errors.As(err, &e) || !rest.WordsOf(e.VendorMessage).Have("can't stop parsing") {
		return err
	}
	c := *e
	c.Message, c.Retry = "RAGFlow says that the document has not been started, or has ended: there is nothing to stop.", vendors.Never
	return &c
}

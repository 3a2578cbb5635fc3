package ragflow

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// docIDsBody names what to start or stop. Typed and never empty: null or an
// empty list means every document of the knowledge base.
type docIDsBody struct {
	DocIDs []string `json:"doc_ids"`
}

// erase deletes one by one; there is no other call.
func (p previewAPI) erase(ctx context.Context, kb string, j job, ids []string) ([]vendors.Outcome, error) {
	j.size = 1
	j.send = func(ctx context.Context, docs []vendors.Document) (string, error) {
		return "", p.rc.Do(ctx, rest.Call{
			Method: http.MethodDelete, Path: p.path(kb, "documents", docs[0].DocumentID), Write: rest.Once,
		}, &ack{})
	}
	return j.run(ctx, ids)
}

// start sends one document first: v0.9.0 and v0.10.0 fail for every file that is
// not empty, after they have wiped its chunks. A server that has failed so is
// not asked again.
func (p previewAPI) start(ctx context.Context, kb string, j job, ids []string) ([]vendors.Outcome, error) {
	if p.broken.Load() {
		return nil, brokenStart("")
	}
	j.pilot, j.passed = true, emptyFile
	j.send = func(ctx context.Context, docs []vendors.Document) (string, error) {
		text, err := p.parse(ctx, http.MethodPost, kb, docs)
		if errors.Is(err, errNameError) {
			p.broken.Store(true)
			return "", brokenStart(docs[0].DocumentID)
		}
		return text, err
	}
	return j.run(ctx, ids)
}

// brokenStart is the error of a server whose own start fails.
func brokenStart(id string) error {
	e := vendors.Errorf(vendors.Unsupported, "%s", brokenStartText).WithHint(brokenStartHint)
	if id != "" {
		e.Message += " It has deleted the chunks of document " + id + " and shows it as running; no other document was sent."
		e.Effect = vendors.SomeEffect
	}
	return e
}

// emptyFile finds a document among those that a start has passed over: "Empty
// data in the document: a.txt; ".
func emptyFile(text string, d vendors.Document) error {
	for part := range strings.SplitSeq(text, ";") {
		if _, name, ok := strings.Cut(part, "Empty data in the document: "); ok && strings.TrimSpace(name) == d.Name {
			return vendors.Errorf(vendors.Conflict, "The document's file is empty: there is nothing to parse.").
				WithHint("Upload the file that was meant, as another document.")
		}
	}
	return nil
}

// stop works on enabled documents only.
func (p previewAPI) stop(ctx context.Context, kb string, j job, ids []string) ([]vendors.Outcome, error) {
	needs := j.needs
	j.needs = func(d vendors.Document) (bool, vendors.Outcome) {
		if !d.Status.Settled() && d.Enabled != nil && !*d.Enabled {
			return false, vendors.Outcome{Result: vendors.NotDone, Err: vendors.Errorf(vendors.Conflict,
				"The document is disabled, and RAGFlow 0.8 - 0.10 stops enabled documents only.").WithHint("Stop it in RAGFlow's web app.")}
		}
		return needs(d)
	}
	j.send = func(ctx context.Context, docs []vendors.Document) (string, error) {
		return p.parse(ctx, http.MethodDelete, kb, docs)
	}
	return j.run(ctx, ids)
}

// parse starts (POST) or stops (DELETE) parsing, of one document or several.
func (p previewAPI) parse(ctx context.Context, method, kb string, docs []vendors.Document) (string, error) {
	call := rest.Call{Method: method, Path: p.path(kb, "documents", "status"), Write: rest.Once}
	if len(docs) == 1 {
		call.Path = p.path(kb, "documents", docs[0].DocumentID, "status")
	} else {
		call.Body = docIDsBody{DocIDs: idsOf(docs)}
	}
	var out ack
	err := p.rc.Do(ctx, call, &out)
	return out.text(), err
}

package coze

import (
	"context"
	"errors"
	"net/http"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// create makes the document. The note says what the caller may not expect.
func (d *Driver) create(ctx context.Context, body createRequest) (doc vendors.Document, note string, err error) {
	began, kb, base := d.now(), body.DatasetID, body.DocumentBases[0]
	var out createAnswer
	err = d.call(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"open_api", "knowledge", "document", "create"}, Write: rest.Once, Body: body,
	}, &out)
	if hasCode(err, queueRefused) {
		return vendors.Document{}, "", d.takeBack(ctx, err, kb, base, began)
	}
	if vendors.Unsure(err) {
		doc, err = d.lookFor(ctx, err, kb, base, began)
		return doc, "The answer to the upload was lost; this document was found as the only one that it can have made.", err
	}
	if err != nil {
		return vendors.Document{}, "", err
	}
	return out.stub().begun(base.Name), "", nil
}

// begun is a stub in our words: what its zeros leave open is left out.
func (w document) begun(name string) vendors.Document {
	if w.Name == "" {
		w.Name = rest.Str(name)
	}
	doc := w.normal(true)
	if w.CreateTime.Int <= 0 {
		doc.Kind, doc.Source = "", ""
	}
	return doc
}

// lookFor looks for a document whose create was not answered.
func (d *Driver) lookFor(ctx context.Context, lost error, kb string, base documentBase, began time.Time) (vendors.Document, error) {
	found, empty, err := d.made(ctx, kb, base, began)
	if err == nil && len(found) == 1 {
		return found[0].normal(d.speech.isStudio()), nil
	}
	// Studio's words for an unknown knowledge base are those of a broken server.
	if err == nil && empty && vendors.CodeOf(lost) == "500" && d.speech.isStudio() {
		if err := d.CheckKnowledgeBase(ctx, kb); err != nil {
			return vendors.Document{}, err
		}
	}
	if err == nil && len(found) == 0 && vendors.KindOf(lost) == vendors.VendorError { // refused, in a code that nobody knows
		lost = vendors.NothingDone(lost)
	}
	return vendors.Document{}, lost
}

// made lists the documents that a create may have made: on studio the one of
// its stored file, else those of its name that were created since. Coze may
// append the type to a name. empty says that the knowledge base holds none.
func (d *Driver) made(ctx context.Context, kb string, base documentBase, began time.Time) (found []document, empty bool, err error) {
	for page := 1; page <= getPages; page++ {
		r, err := d.list(ctx, kb, page, getSize, nil)
		if err != nil {
			return nil, false, err
		}
		empty = page == 1 && len(r.Documents) == 0
		for _, w := range r.Documents {
			same := string(w.Name) == base.Name || string(w.Name) == base.Name+"."+string(w.Type)
			if uri := base.SourceInfo.TosURI; uri != "" && w.TosURI != "" {
				same = uri == string(w.TosURI)
			} else {
				same = same && d.since(began, w.CreateTime)
			}
			if w.ID != "" && same {
				found = append(found, w)
			}
		}
		if len(r.Documents) == 0 || !more(page, getSize, len(r.Documents), r.Total) {
			break
		}
	}
	return found, empty, nil
}

// queueRefused is studio's code for a document that it has stored, but whose
// ingestion its message queue did not take: it would stay at 0 % for ever.
const queueRefused = 105000009

// takeBack deletes such a document and tells what happened.
func (d *Driver) takeBack(ctx context.Context, refusal error, kb string, base documentBase, began time.Time) error {
	var e vendors.Error
	if cause := (*vendors.Error)(nil); errors.As(refusal, &cause) {
		e = *cause
	}
	e.Message = "The coze-studio server stored the document, but its message queue did not take the job to ingest it"
	e.Hint = "The server's owner must look at its message queue (NSQ); upload the document again when it works."
	found, _, err := d.made(ctx, kb, base, began)
	sure := len(found) == 1 && base.SourceInfo.TosURI != "" && string(found[0].TosURI) == base.SourceInfo.TosURI
	if err == nil && sure { // a name alone may be somebody else's document
		err = d.deleteIDs(ctx, []string{string(found[0].ID)})
	}
	if err != nil || !sure {
		e.Message += ", and the document may still be there: it will never be ingested."
		e.Hint = "Look with list_documents (`name_contains`: the name, status `processing`) and take this document away if it is there. " + e.Hint
		e.Effect = vendors.SomeEffect
		return &e
	}
	e.Message += ". The document was taken back: nothing is left of it."
	return &e
}

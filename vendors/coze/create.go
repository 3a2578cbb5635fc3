package coze

import (
	"context"
	"net/http"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// create makes the document. The note says what the caller may not expect.
func (d *Driver) create(ctx context.Context, kb string, base documentBase) (doc vendors.Document, note string, err error) {
	began := d.now()
	var out createAnswer
	err = d.call(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"open_api", "knowledge", "document", "create"}, Write: true,
		Body: createRequest{DatasetID: kb, DocumentBases: []documentBase{base}},
	}, &out)
	if e, isLost := lost(err); isLost {
		doc, err = d.lookFor(ctx, e, kb, base.Name, began)
		return doc, "The answer to the upload was lost; this document was found by its name, as the only one created since.", err
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
func (d *Driver) lookFor(ctx context.Context, e *vendors.Error, kb, name string, began time.Time) (vendors.Document, error) {
	found, err := d.named(ctx, kb, name, began)
	if err == nil && len(found) == 1 {
		return found[0].normal(d.speech.isStudio()), nil
	}
	// Studio's words for an unknown knowledge base are those of a broken server.
	if err == nil && len(found) == 0 && e.VendorCode == "500" && d.speech.isStudio() {
		if err := d.suspect(ctx, kb); err != nil {
			return vendors.Document{}, err
		}
	}
	return vendors.Document{}, unknown(e, "the document was created",
		"Look with list_documents (`name_contains`: the name) before uploading it again; wait a minute first.")
}

// named lists the documents of a name that were created since. Coze may append
// the type to a name.
func (d *Driver) named(ctx context.Context, kb, name string, began time.Time) (found []document, err error) {
	for page := 1; page <= getPages; page++ {
		r, err := d.list(ctx, kb, page, getSize, nil)
		if err != nil {
			return nil, err
		}
		for _, w := range r.Documents {
			same := string(w.Name) == name || string(w.Name) == name+"."+string(w.Type)
			if w.ID != "" && same && d.since(began, w.CreateTime) {
				found = append(found, w)
			}
		}
		if len(r.Documents) == 0 || !more(page, getSize, len(r.Documents), r.Total) {
			break
		}
	}
	return found, nil
}

package volcengine

import (
	"context"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// UpdateDocument implements [vendors.DocumentUpdater]: the name by doc/update,
// metadata by doc/update_meta. It reads first, for the metadata that stays, and
// afterwards, because the changes answer little. If that read fails, the
// changes count as made.
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	if err := checkChange(change); err != nil {
		return vendors.Document{}, err
	}
	w, err := d.document(ctx, ref)
	if err != nil {
		return vendors.Document{}, err
	}
	if change.Metadata != nil {
		if w.Meta.unreadable {
			return vendors.Document{}, vendors.Errorf(vendors.BadResponse, "The document's present metadata cannot be read, and setting a part might lose the rest.").
				WithHint("Change the metadata in Volcengine's console.")
		}
		w.Meta.fields = w.Meta.with(change.Metadata)
	}
	if change.Name != nil {
		w.Name = rest.Str(*change.Name)
	}
	w.UpdateTime = rest.Num{} // it moves
	if err := d.change(ctx, ref, change, w); err != nil {
		return vendors.Document{}, err
	}
	got, shown, err := await(ctx, func() (*document, error) { return d.document(ctx, ref) }, func(got *document) bool {
		return (change.Name == nil || got.Name == w.Name) && (change.Metadata == nil || got.Meta.shows(w.Meta.fields))
	})
	switch {
	case err != nil:
		return w.normal(), nil
	case !shown:
		return vendors.Document{}, vendors.NotShown("the document")
	}
	return got.normal(), nil
}

// checkChange refuses what the platform cannot do.
func checkChange(change vendors.DocumentChange) error {
	if change.Enabled != nil {
		return vendors.Errorf(vendors.Unsupported, "Volcengine cannot switch a document on or off.").
			WithHint("To take a document out of searches, delete it with delete_documents; leave `enabled` out.")
	}
	if change.Name != nil {
		if err := docName.Check("name", *change.Name); err != nil {
			return err
		}
	}
	return checkMetadata(change.Metadata)
}

// change applies the changes to a document.
func (d *Driver) change(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange, w *document) error {
	if change.Name != nil {
		body := struct {
			docTarget
			DocName rest.Str `json:"doc_name"`
		}{d.doc(ref), w.Name}
		if err := d.send(ctx, rest.Repeatable, "doc/update", body); err != nil {
			return err
		}
	}
	if change.Metadata == nil {
		return nil
	}
	body := struct {
		docTarget
		Meta []field `json:"meta"`
	}{d.doc(ref), w.Meta.fields}
	err := d.send(ctx, rest.Repeatable, "doc/update_meta", body)
	if change.Name == nil {
		return err
	}
	return vendors.Amended(err, func(e *vendors.Error) {
		said := "The name was changed; the metadata was not: "
		if e.Effect == vendors.UnknownEffect {
			said = "The name was changed; it is unknown whether the metadata was: "
		}
		e.Message, e.Effect = said+e.Message, vendors.SomeEffect
	})
}

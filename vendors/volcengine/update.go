package volcengine

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// UpdateDocument implements [vendors.DocumentUpdater]: the name by doc/update,
// metadata by doc/update_meta. It reads first, for the metadata that stays, and
// afterwards, because the changes answer little. When it cannot be read then,
// the platform's word on the changes stands.
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	if err := checkChange(change); err != nil {
		return vendors.Document{}, err
	}
	w, err := d.document(ctx, ref)
	if err != nil {
		return vendors.Document{}, err
	}
	var fields []field
	if change.Metadata != nil {
		have, readable := fieldsOf(w.Meta)
		if !readable {
			return vendors.Document{}, vendors.Errorf(vendors.BadResponse, "The document's present metadata cannot be read, and setting a part might lose the rest.").
				WithHint("Change the metadata in Volcengine's console.")
		}
		fields = merged(have, change.Metadata)
	}
	if err := d.change(ctx, ref, change.Name, fields); err != nil {
		return vendors.Document{}, err
	}
	got, shown, err := await(ctx, func() (*document, error) { return d.document(ctx, ref) }, func(w *document) bool {
		return (change.Name == nil || string(w.Name) == *change.Name) && shows(w.Meta, fields)
	})
	switch {
	case err != nil:
		return w.changed(change.Name, fields).normal(), nil
	case !shown:
		return vendors.Document{}, vendors.NotShown("Volcengine", "the document")
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
	if change.Metadata != nil {
		return checkMetadata(change.Metadata)
	}
	return nil
}

// change sends what is to be set: nil leaves the name, and no fields the
// metadata.
func (d *Driver) change(ctx context.Context, ref vendors.Ref, name *string, fields []field) error {
	if name != nil {
		body := struct {
			docTarget
			DocName string `json:"doc_name"`
		}{d.doc(ref), *name}
		if err := d.send(ctx, rest.Repeatable, "doc/update", body); err != nil {
			return err
		}
	}
	if fields == nil {
		return nil
	}
	body := struct {
		docTarget
		Meta []field `json:"meta"`
	}{d.doc(ref), fields}
	err := d.send(ctx, rest.Repeatable, "doc/update_meta", body)
	var e *vendors.Error
	if name == nil || !errors.As(err, &e) {
		return err
	}
	half := *e
	half.Message = "The name was changed; the metadata was not: " + e.Message
	if vendors.Unsure(err) {
		half.Message = "The name was changed; it is unknown whether the metadata was: " + e.Message
	}
	half.Effect = vendors.SomeEffect
	return &half
}

// changed is the document as it must be after a change.
func (w document) changed(name *string, fields []field) document {
	if name != nil {
		w.Name = rest.Str(*name)
	}
	if fields != nil {
		w.Meta, _ = json.Marshal(fields) // made of JSON values: cannot fail
	}
	w.UpdateTime = rest.Num{} // it moved
	return w
}

// shows reports whether a document's metadata has the fields that were set. The
// platform may give a number as text.
func shows(meta json.RawMessage, fields []field) bool {
	have := metadata(meta, nil)
	for _, f := range fields {
		want, err := json.Marshal(f.Value)
		got, err2 := json.Marshal(typed(field{f.Name, f.Type, have[f.Name]}))
		if err != nil || err2 != nil || !sameJSON(want, got) {
			return false
		}
	}
	return true
}

// sameJSON compares two JSON texts by their values: 1.0 is 1.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

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
// once more, because the changes answer little.
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	if err := checkChange(change); err != nil {
		return vendors.Document{}, err
	}
	w, err := d.document(ctx, ref)
	if err != nil {
		return vendors.Document{}, err
	}
	fields, readable := fieldsOf(w.Meta)
	if change.Metadata != nil && !readable {
		return vendors.Document{}, vendors.Errorf(vendors.BadResponse, "The document's present metadata cannot be read, and setting a part might lose the rest.").
			WithHint("Change the metadata in Volcengine's console.")
	}
	if change.Name != nil {
		if err := d.rename(ctx, ref, *change.Name); err != nil {
			return vendors.Document{}, err
		}
	}
	fields = merged(fields, change.Metadata)
	if change.Metadata != nil {
		if err := d.setMetadata(ctx, ref, fields); err != nil {
			return vendors.Document{}, after(change.Name != nil, err)
		}
	}
	if change.Name != nil {
		w.Name = rest.Str(*change.Name)
	}
	if change.Metadata != nil {
		w.Meta, _ = json.Marshal(fields) // made of JSON values: cannot fail
	}
	w.UpdateTime = rest.Num{} // it moved
	return d.changed(ctx, ref, change, fields, w)
}

// changed reads a document until it shows what was set. When it cannot be read,
// the platform's word on the changes stands, and so does as, what it must be now.
func (d *Driver) changed(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange, fields []field, as *document) (vendors.Document, error) {
	for i := range shows {
		if i > 0 {
			pause(ctx, showTime)
		}
		w, err := d.document(ctx, ref)
		if err != nil {
			return as.normal(), nil
		}
		named := change.Name == nil || string(w.Name) == *change.Name
		if named && (change.Metadata == nil || shown(fields, w.Meta)) {
			return w.normal(), nil
		}
	}
	return vendors.Document{}, vendors.NotShown("Volcengine", "the document")
}

// shown reports whether a document's metadata has the fields that were set. The
// platform may give a number as text.
func shown(fields []field, meta json.RawMessage) bool {
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

// checkChange refuses what the platform cannot do.
func checkChange(change vendors.DocumentChange) error {
	if change.Enabled != nil {
		return vendors.Errorf(vendors.Unsupported, "Volcengine cannot switch a document on or off.").
			WithHint("To take a document out of searches, delete it with delete_documents; leave `enabled` out.")
	}
	if change.Name != nil {
		if err := checkName(*change.Name); err != nil {
			return err
		}
	}
	if change.Metadata != nil {
		return checkMetadata(change.Metadata)
	}
	return nil
}

func (d *Driver) rename(ctx context.Context, ref vendors.Ref, name string) error {
	body := struct {
		docBody
		DocName string `json:"doc_name"`
	}{docBody{d.ofDoc(ref.KnowledgeBaseID), ref.DocumentID}, name}
	return d.client.Do(ctx, request(rest.Repeatable, body, []string{"doc", "update"}), &receipt{})
}

func (d *Driver) setMetadata(ctx context.Context, ref vendors.Ref, fields []field) error {
	body := struct {
		docBody
		Meta []field `json:"meta"`
	}{docBody{d.ofDoc(ref.KnowledgeBaseID), ref.DocumentID}, fields}
	return d.client.Do(ctx, request(rest.Repeatable, body, []string{"doc", "update_meta"}), &receipt{})
}

// after says that the first of two changes was made.
func after(renamed bool, err error) error {
	var e *vendors.Error
	if renamed && errors.As(err, &e) {
		c := *e
		c.Message = "The name was changed; the metadata was not: " + e.Message
		if vendors.Unsure(err) {
			c.Message = "The name was changed; it is unknown whether the metadata was: " + e.Message
		}
		c.Effect = vendors.SomeEffect
		return &c
	}
	return err
}

package volcengine

import (
	"context"
	"encoding/json"
	"errors"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// UpdateDocument implements [vendors.DocumentUpdater]: the name by doc/update,
// metadata by doc/update_meta. It reads first, for the metadata that stays and
// because the changes answer little.
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
		if err := d.rename(ctx, ref, *change.Name, w); err != nil {
			return vendors.Document{}, err
		}
	}
	if change.Metadata != nil {
		if err := d.setMetadata(ctx, ref, merged(fields, change.Metadata), w); err != nil {
			return vendors.Document{}, after(change.Name != nil, err)
		}
	}
	w.UpdateTime = rest.Num{} // it moved
	return w.normal(), nil
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

func (d *Driver) rename(ctx context.Context, ref vendors.Ref, name string, w *document) error {
	body := struct {
		docBody
		DocName string `json:"doc_name"`
	}{docBody{d.ofDoc(ref.KnowledgeBaseID), ref.DocumentID}, name}
	err := d.client.Do(ctx, request(rest.Repeatable, body, []string{"doc", "update"}), &receipt{})
	w.Name = rest.Str(name)
	return err
}

func (d *Driver) setMetadata(ctx context.Context, ref vendors.Ref, fields []field, w *document) error {
	body := struct {
		docBody
		Meta []field `json:"meta"`
	}{docBody{d.ofDoc(ref.KnowledgeBaseID), ref.DocumentID}, fields}
	err := d.client.Do(ctx, request(rest.Repeatable, body, []string{"doc", "update_meta"}), &receipt{})
	w.Meta, _ = json.Marshal(fields) // made of JSON values: cannot fail
	return err
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

package ragflow

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// UpdateDocument implements [vendors.DocumentUpdater].
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	err := checkRef(ref)
	if err == nil && change.Name != nil {
		err = checkName(*change.Name, maxFileName)
	}
	if err != nil {
		return vendors.Document{}, err
	}
	doc, err := ask(ctx, d, func(a api) (vendors.Document, error) { return a.change(ctx, ref, change) })
	return d.corrected(doc), err
}

// documentBody is what to set of a document. chunk_method is never among it: it
// would wipe the chunks. Servers ignore keys that they do not know.
type documentBody struct {
	Name       *string         `json:"name,omitempty"`
	Enabled    *int            `json:"enabled,omitempty"` // v0.27 refuses a boolean
	MetaFields *map[string]any `json:"meta_fields,omitempty"`
}

func bodyOf(change vendors.DocumentChange) documentBody {
	b := documentBody{Name: change.Name}
	if change.Enabled != nil {
		b.Enabled = new(int)
		if *change.Enabled {
			*b.Enabled = 1
		}
	}
	if len(change.Metadata) > 0 { // an empty one changes nothing
		b.MetaFields = &change.Metadata
	}
	return b
}

// change sets, and reads again: answers range from a bare code to the row.
func (c currentAPI) change(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	err := c.patch(ctx, ref, bodyOf(change))
	if err != nil {
		return vendors.Document{}, err
	}
	doc, err := c.document(ctx, ref)
	if err == nil && change.Enabled != nil && doc.Enabled != nil && *doc.Enabled != *change.Enabled {
		return doc, vendors.Errorf(vendors.Unsupported, "RAGFlow accepted the request, but the document's `enabled` has not changed.").
			WithHint("That needs RAGFlow 0.19 or newer; on older servers use the web app.")
	}
	return doc, err
}

// patch uses PATCH, or PUT where the server has no PATCH (v0.24 and before),
// which is remembered.
func (c currentAPI) patch(ctx context.Context, ref vendors.Ref, body documentBody) error {
	call := rest.Call{
		Method: http.MethodPatch, Body: body,
		Path: []string{"api", "v1", "datasets", ref.KnowledgeBaseID, "documents", ref.DocumentID},
	}
	if c.put.Load() {
		call.Method = http.MethodPut
	}
	err := c.rc.Do(ctx, call, &ack{})
	if !errors.Is(err, errMethod) && !errors.Is(err, errRouteAbsent) {
		return err
	}
	was := call.Method
	if call.Method = http.MethodPut; was == http.MethodPut { // upgraded meanwhile
		call.Method = http.MethodPatch
	}
	err = c.rc.Do(ctx, call, &ack{})
	if !errors.Is(err, errMethod) && !errors.Is(err, errRouteAbsent) {
		c.put.Store(call.Method == http.MethodPut)
	}
	return err
}

// change renames. The server checks neither that the document is in the
// knowledge base nor takes anything but a name.
func (p previewAPI) change(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	if change.Enabled != nil || change.Metadata != nil {
		return vendors.Document{}, vendors.Errorf(vendors.Unsupported, "RAGFlow 0.8 - 0.10 can change a document's `name` only, not `enabled` or `metadata`.").
			WithHint(needsNewer)
	}
	doc, err := p.document(ctx, ref)
	if err != nil {
		return doc, err
	}
	if !strings.EqualFold(rest.Suffix(doc.Name), rest.Suffix(*change.Name)) {
		return doc, vendors.Errorf(vendors.InvalidArgument, "RAGFlow does not change the extension of a document's name, and the present name is %q.", doc.Name).
			WithHint(extensionHint)
	}
	var out ack
	err = p.rc.Do(ctx, rest.Call{
		Method: http.MethodPut, Path: []string{"api", "v1", "dataset", ref.KnowledgeBaseID, "documents", ref.DocumentID},
		Body: documentBody{Name: change.Name},
	}, &out)
	if err != nil {
		return doc, err
	}
	var w document
	if json.Unmarshal(out.Data, &w) == nil && string(w.ID) == ref.DocumentID {
		return w.normal(preview), nil
	}
	return p.document(ctx, ref)
}

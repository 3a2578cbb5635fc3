package ragflow

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// UpdateDocument implements [vendors.DocumentUpdater].
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	if change.Name != nil {
		if err := fileName.Check("name", *change.Name); err != nil {
			return vendors.Document{}, err
		}
	}
	doc, err := request(ctx, d, func(a api) (vendors.Document, error) {
		doc, err := a.change(ctx, ref, change)
		return doc, ownersOnly(ctx, a, ref.KnowledgeBaseID, err)
	})
	return d.corrected(doc), err
}

// ownersOnly distinguishes a knowledge base that may be read, but not changed
// in this way, from one that does not exist: RAGFlow uses the same text for
// both. Members of a team get it for what only the owner may do.
func ownersOnly(ctx context.Context, a api, kb string, err error) error {
	if _, ok := a.(currentAPI); !ok || !errors.Is(err, envelope.ErrNoDataset) {
		return err // the preview has its own texts
	}
	if _, look := a.knowledgeBase(ctx, kb); look != nil {
		return err
	}
	return envelope.Reworded(err, vendors.PermissionDenied, "Only the knowledge base's owner may do this in RAGFlow.",
		"Use the owner's key; a team member may read, upload, start and delete documents.")
}

// documentBody is what to set of a document. chunk_method is never among it: it
// would wipe the chunks. Servers ignore keys that they do not know.
type documentBody struct {
	Name       *string        `json:"name,omitempty"`
	Enabled    *int           `json:"enabled,omitempty"`     // v0.27 refuses a boolean
	MetaFields map[string]any `json:"meta_fields,omitempty"` // an empty one changes nothing
}

func bodyOf(change vendors.DocumentChange) documentBody {
	b := documentBody{Name: change.Name, MetaFields: change.Metadata}
	if change.Enabled != nil {
		b.Enabled = new(int)
		if *change.Enabled {
			*b.Enabled = 1
		}
	}
	return b
}

// change sets, and reads again: answers range from a bare code to the row.
// Newer servers replace all metadata (v0.24 adds), so that what the document
// has is sent with what is given.
func (c currentAPI) change(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (doc vendors.Document, err error) {
	body := bodyOf(change)
	if len(change.Metadata) > 0 {
		if body.MetaFields, err = c.merged(ctx, ref, change.Metadata); err != nil {
			return doc, err
		}
	}
	if err := c.patch(ctx, ref, body); err != nil {
		return doc, err
	}
	if doc, err = c.document(ctx, ref); err != nil {
		return doc, vendors.NotReadBack(err, "The change was accepted")
	}
	return doc, unchanged(doc, change)
}

// merged is a document's metadata with a change.
func (c currentAPI) merged(ctx context.Context, ref vendors.Ref, change map[string]any) (map[string]any, error) {
	before, err := c.row(ctx, ref)
	if err != nil {
		return nil, err
	}
	all := before.metadata()
	if all == nil && !before.hasNoMetadata() {
		return nil, vendors.Errorf(vendors.BadResponse, "The document's present metadata cannot be read, and setting a part might lose the rest; nothing was changed.").
			WithHint("Change the metadata in RAGFlow's web app.")
	}
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, change)
	return all, nil
}

// unchanged compares the requested change with the document as it is now: older
// servers accept keys that they ignore. (RAGFlow splits some texts of metadata
// into lists, so that only the names of its fields can be compared.)
func unchanged(doc vendors.Document, change vendors.DocumentChange) error {
	what, changes := "", len(change.Metadata)
	if change.Name != nil {
		if changes++; doc.Name != *change.Name {
			what = "name"
		}
	}
	if change.Enabled != nil {
		if changes++; doc.Enabled != nil && *doc.Enabled != *change.Enabled {
			what = "enabled"
		}
	}
	for key := range change.Metadata {
		if _, ok := doc.Metadata[key]; !ok {
			what = "metadata"
		}
	}
	if what == "" {
		return nil
	}
	e := vendors.Errorf(vendors.Unsupported, "RAGFlow accepted the request, but the document's `%s` has not changed.", what).
		WithHint("`enabled` needs RAGFlow 0.19 or newer, `metadata` 0.16; on older servers use the web app.")
	if changes > 1 {
		e.Effect = vendors.SomeEffect
	}
	return e
}

// patch uses PATCH, or PUT where the server has no PATCH (v0.24 and before),
// which is remembered until an upgrade.
func (c currentAPI) patch(ctx context.Context, ref vendors.Ref, body documentBody) (err error) {
	methods := []string{http.MethodPatch, http.MethodPut}
	if c.put.Load() {
		slices.Reverse(methods)
	}
	for _, method := range methods {
		_, err = c.send(ctx, method, body, ref.KnowledgeBaseID, "documents", ref.DocumentID)
		if !errors.Is(err, envelope.ErrMethod) && !errors.Is(err, envelope.ErrRouteAbsent) {
			c.put.Store(method == http.MethodPut)
			break
		}
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
			WithHint(envelope.ExtensionHint)
	}
	out, err := p.send(ctx, http.MethodPut, documentBody{Name: change.Name}, ref.KnowledgeBaseID, "documents", ref.DocumentID)
	if err != nil {
		return doc, err
	}
	var w document
	if json.Unmarshal(out.Payload(), &w) == nil && string(w.ID) == ref.DocumentID {
		return w.normal(preview), nil
	}
	if doc, err = p.document(ctx, ref); err != nil {
		return doc, vendors.NotReadBack(err, "The change was accepted")
	}
	return doc, nil
}

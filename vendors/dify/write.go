package dify

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Dify's limits in characters.
const (
	maxKBName      = 40
	maxDescription = 400
)

// kbBody is what to set of a knowledge base; what is left out stays.
type kbBody struct {
	Name        *string `json:"name,omitempty"`
	Description *string `json:"description,omitempty"`
}

// CreateKnowledgeBase implements [vendors.KnowledgeBaseCreator]. It has no
// indexing technique before its first document.
func (d *Driver) CreateKnowledgeBase(ctx context.Context, draft vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	if draft.Name == nil {
		return vendors.KnowledgeBase{}, vendors.Errorf(vendors.InvalidArgument, "`name` is missing.")
	}
	if err := checkKB(draft); err != nil {
		return vendors.KnowledgeBase{}, err
	}
	during := open()
	var out dataset
	err := d.client.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: []string{"datasets"}, Body: kbBody(draft), Write: true,
	}, &out)
	switch {
	case lost(err):
		return d.findKB(ctx, *draft.Name, during, err)
	case err != nil:
		return vendors.KnowledgeBase{}, err
	}
	return out.normal(), nil
}

// findKB tells what became of a creation whose answer was lost. Names are
// unique in a workspace.
func (d *Driver) findKB(ctx context.Context, name string, during window, lost error) (vendors.KnowledgeBase, error) {
	query := paging(1, pageSize)
	query.Set("include_all", "true")
	if !strings.Contains(name, `\`) { // SQL's escape character
		query.Set("keyword", name)
	}
	var out page[dataset]
	err := d.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: []string{"datasets"}, Query: query}, &out)
	for i := range out.Data {
		if err != nil || string(out.Data[i].Name) != name || out.Data[i].ID == "" {
			continue
		}
		if !during.holds(out.Data[i].CreatedAt, d.clock(out.date)) {
			return vendors.KnowledgeBase{}, nameTaken()
		}
		return out.Data[i].normal(), nil
	}
	return vendors.KnowledgeBase{}, unknown(lost, "the knowledge base was created",
		"Look with list_knowledge_bases and name_contains before creating it again; a second one of the same name would be refused.")
}

// UpdateKnowledgeBase implements [vendors.KnowledgeBaseUpdater].
func (d *Driver) UpdateKnowledgeBase(ctx context.Context, id string, change vendors.KnowledgeBaseChange) (vendors.KnowledgeBase, error) {
	err := checkID("knowledge_base_id", id)
	if err == nil {
		err = checkKB(change)
	}
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	d.memory.forget(id)
	var out dataset
	err = d.client.Do(ctx, rest.Call{Method: http.MethodPatch, Path: []string{"datasets", id}, Body: kbBody(change)}, &out)
	if err != nil {
		return vendors.KnowledgeBase{}, err
	}
	return out.normal(), nil
}

// DeleteKnowledgeBase implements [vendors.KnowledgeBaseDeleter].
func (d *Driver) DeleteKnowledgeBase(ctx context.Context, id string) error {
	if err := checkID("knowledge_base_id", id); err != nil {
		return err
	}
	d.memory.forget(id)
	err := d.remove(ctx, noKnowledgeBase, "datasets", id)
	if lost(err) {
		return unknown(err, "the knowledge base was deleted", "Look with list_knowledge_bases whether it is still there; deleting it again is safe.")
	}
	return err
}

func noKnowledgeBase(err error) bool { return vendors.KindOf(err) == vendors.ErrNotFound }

func checkKB(c vendors.KnowledgeBaseChange) error {
	if c.Name != nil {
		n := utf8.RuneCountInString(*c.Name)
		switch {
		case strings.TrimSpace(*c.Name) == "":
			return vendors.Errorf(vendors.InvalidArgument, "`name` is blank.")
		case n > maxKBName:
			return vendors.Errorf(vendors.InvalidArgument, "`name` has %d characters; Dify allows %d for a knowledge base.", n, maxKBName)
		}
	}
	if c.Description != nil {
		if n := utf8.RuneCountInString(*c.Description); n > maxDescription {
			return vendors.Errorf(vendors.InvalidArgument, "`description` has %d characters; Dify allows %d.", n, maxDescription)
		}
	}
	return nil
}

// UpdateDocument implements [vendors.DocumentUpdater]. Only the switch for
// searches can be set: a new name always re-indexes the document from a text
// that must be given with it, and metadata needs fields that a person defines.
func (d *Driver) UpdateDocument(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error) {
	if err := checkRef(ref); err != nil {
		return vendors.Document{}, err
	}
	switch {
	case change.Name != nil:
		return vendors.Document{}, vendors.Errorf(vendors.Unsupported, "Dify's API cannot rename a document without ingesting it anew; nothing was changed.").
			WithHint("Rename it in the Dify console, or upload its content under the new name with upload_document and delete the old document.")
	case change.Metadata != nil:
		return vendors.Document{}, vendors.Errorf(vendors.Unsupported, "kb-mcp cannot set the metadata of a Dify document; nothing was changed.").
			WithHint("Set metadata in the Dify console.")
	}
	if err := d.enable(ctx, ref, *change.Enabled); err != nil {
		return vendors.Document{}, err
	}
	doc, err := d.GetDocument(ctx, ref) // Dify skips unknown ids without a word
	if err == nil && doc.Enabled != nil && *doc.Enabled != *change.Enabled {
		return vendors.Document{}, vendors.Errorf(vendors.Conflict, "Dify accepted the change of `enabled`, but the document does not show it.").
			WithHint("An archived document must be un-archived in the Dify console first; otherwise look again with get_document_info.")
	}
	return doc, err
}

// enable switches one document on or off for searches.
func (d *Driver) enable(ctx context.Context, ref vendors.Ref, on bool) error {
	action := "disable"
	if on {
		action = "enable"
	}
	var out resultAnswer
	return d.client.Do(ctx, rest.Call{
		Method: http.MethodPatch, Path: []string{"datasets", ref.KnowledgeBaseID, "documents", "status", action},
		Body: map[string][]string{"document_ids": {ref.DocumentID}},
	}, &out)
}

// resultAnswer is the answer to a change of status.
type resultAnswer struct {
	Result rest.Str `json:"result"`
}

// accept implements payload.
func (r *resultAnswer) accept(http.Header) bool { return r.Result == "success" }

// Download implements [vendors.Downloader]. Dify gives a signed address, often
// of another host. It is a credential by itself: it is asked without the key,
// and never shown.
func (d *Driver) Download(ctx context.Context, ref vendors.Ref) (vendors.Download, error) {
	if err := checkRef(ref); err != nil {
		return vendors.Download{}, err
	}
	var out linkAnswer
	err := d.client.Do(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"datasets", ref.KnowledgeBaseID, "documents", ref.DocumentID, "download"},
	}, &out)
	switch {
	case noRoute(err):
		return vendors.Download{}, vendors.Errorf(vendors.Unsupported, "This Dify server cannot give the files of documents; that needs Dify 1.13.1 or newer.").
			WithHint("Read the document's text with list_chunks, or update Dify; if every call fails, check DIFY_BASE_URL.")
	case err != nil:
		return vendors.Download{}, err
	}
	link, err := d.base.Parse(string(out.URL))
	if err != nil || link.Host == "" || link.Scheme != "http" && link.Scheme != "https" {
		return vendors.Download{}, vendors.Errorf(vendors.BadResponse, "Dify gave an address for the file that is no web address.").
			WithHint("Set FILES_URL of the Dify server to the address at which it is reached.")
	}
	return d.fetch(ctx, ref, link)
}

// fetch opens the file behind a signed address, and finds its name.
func (d *Driver) fetch(ctx context.Context, ref vendors.Ref, link *url.URL) (vendors.Download, error) {
	s, err := d.client.Fetch(ctx, link.String())
	if err != nil {
		return vendors.Download{}, noFile(err)
	}
	name := fileName(s.Header)
	if name == "" {
		doc, err := d.GetDocument(ctx, ref)
		if err != nil {
			s.Body.Close()
			return vendors.Download{}, err
		}
		name = doc.Name
	}
	return vendors.Download{Name: name, Size: s.Size, Body: s.Body}, nil
}

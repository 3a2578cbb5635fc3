package dify

import (
	"net/http"
	"strings"
)

// action does what a route is for.
type action func(request) reply

// route is a path and what each method does there. {kb} and {id} stand for a UUID
// in either case, {word} for any text.
type route struct {
	path     string
	settings string // of the knowledge base: how another workspace's is refused
	calls    map[string]action
}

func (f *face) routes() []route {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	type calls = map[string]action
	const metadata, documents = "datasets/{kb}/metadata", "datasets/{kb}/documents"
	const segments = documents + "/{id}/segments"
	list := []route{
		{"workspaces/current/models/model-types/text-embedding", "", calls{get: f.models}},
		{"datasets", "", calls{get: f.datasets, post: f.createDataset}},
		{"datasets/tags", "", calls{get: f.tags, post: f.addTag, patch: f.renameTag, del: f.deleteTag}},
		{"datasets/tags/binding", "", calls{post: f.bindTags}},
		{"datasets/tags/unbinding", "", calls{post: f.unbindTags}},
		{"datasets/{kb}", "", calls{get: f.dataset, patch: f.updateDataset, del: f.deleteDataset}},
		{"datasets/{kb}/retrieve", "search", calls{post: f.retrieve}},
		{"datasets/{kb}/hit-testing", "search", calls{post: f.retrieve}},
		{"datasets/{kb}/tags", "search", calls{get: f.boundTags}},
		{"datasets/{kb}/document/create-by-text", "write", calls{post: f.createByText}},
		{"datasets/{kb}/document/create-by-file", "write", calls{post: f.createByFile}},
		{metadata, "documents", calls{get: f.metadata, post: f.addField}},
		{metadata + "/built-in", "documents", calls{get: f.builtIns}},
		{metadata + "/built-in/enable", "documents", calls{post: f.switchBuiltIns(true)}},
		{metadata + "/built-in/disable", "documents", calls{post: f.switchBuiltIns(false)}},
		{metadata + "/{id}", "documents", calls{patch: f.renameField, del: f.deleteField}},
		{documents, "documents", calls{get: f.documents}},
		{documents + "/metadata", "documents", calls{post: f.setMetadata}},
		{documents + "/{word}/indexing-status", "documents", calls{get: f.indexingStatus}},
		{documents + "/status/{word}", "search", calls{patch: f.setStatus}},
		{documents + "/{id}", "documents", calls{get: f.document, del: f.deleteDocument}},
		{documents + "/{id}/update-by-text", "write", calls{post: f.updateByText}},
		{documents + "/{id}/update-by-file", "write", calls{post: f.updateByFile}},
		{segments, "documents", calls{get: f.segments, post: f.addSegments}},
		{segments + "/{id}", "documents", calls{get: f.segment, post: f.updateSegment, del: f.deleteSegment}},
		{segments + "/{id}/child_chunks", "documents", calls{get: f.childChunks, post: f.addChild}},
		{segments + "/{id}/child_chunks/{id}", "documents", calls{patch: f.updateChild, del: f.deleteChild}},
	}
	if f.since(1, 13, 1) {
		list = append(list, route{documents + "/{id}/download", "documents", calls{get: f.download}})
	}
	return list
}

// target is where a path leads: a route and what the path names.
type target struct {
	route
	kb  string   // "" for none
	ids []string // of documents, chunks and the like, in the path's order
}

// target finds where a path leads; the first route that fits.
func (f *face) target(path string) (target, bool) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, r := range f.table {
		if t := (target{route: r}); t.fits(strings.Split(r.path, "/"), parts) {
			return t, true
		}
	}
	return target{}, false
}

// fits reports whether parts of a path are those of the route, and takes the ids
// out of them. Old spellings with an underline are the same.
func (t *target) fits(want, parts []string) bool {
	if len(want) != len(parts) {
		return false
	}
	for i, part := range parts {
		switch id := strings.ToLower(part); {
		case want[i] == "{kb}" && isUUID(part):
			t.kb = id
		case want[i] == "{id}" && isUUID(part):
			t.ids = append(t.ids, id)
		case want[i] == "{word}" && part != "":
			t.ids = append(t.ids, part)
		case want[i] != part && (!strings.Contains(want[i], "-by-") || want[i] != strings.ReplaceAll(part, "_", "-")):
			return false
		}
	}
	return true
}

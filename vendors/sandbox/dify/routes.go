package dify

import (
	"net/http"
	"strings"
)

// get and post are routes of one method.
func get(run action) map[string]action  { return map[string]action{http.MethodGet: run} }
func post(run action) map[string]action { return map[string]action{http.MethodPost: run} }

// route finds where a path leads. Old spellings with an underline are the same.
func (f *face) route(path string) (t target, ok bool) {
	part := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "/workspaces/current/models/model-types/text-embedding":
		return target{calls: get(f.models)}, true
	case part[0] != "datasets":
		return t, false
	case len(part) == 1:
		return target{calls: map[string]action{http.MethodGet: f.datasets, http.MethodPost: f.createDataset}}, true
	case part[1] == "tags":
		t.calls, ok = f.tagRoute(part[2:])
		return t, ok
	case !isUUID(part[1]):
		return t, false
	}
	t.kb = strings.ToLower(part[1])
	rest := part[2:]
	word := ""
	if len(rest) > 0 {
		word = rest[0]
	}
	switch {
	case len(rest) == 0:
		t.calls = map[string]action{http.MethodGet: f.dataset, http.MethodPatch: f.updateDataset, http.MethodDelete: f.deleteDataset}
	case len(rest) == 1 && (word == "retrieve" || word == "hit-testing"):
		t.calls, t.settings = post(f.retrieve), "search"
	case len(rest) == 1 && word == "tags":
		t.calls, t.settings = get(f.boundTags), "search"
	case word == "metadata":
		t.calls, t.ids, ok = f.metadataRoute(rest[1:])
		t.settings = "documents"
		return t, ok
	case len(rest) == 2 && word == "document":
		t.settings = "write"
		switch strings.ReplaceAll(rest[1], "_", "-") {
		case "create-by-text":
			t.calls = post(f.createByText)
		case "create-by-file":
			t.calls = post(f.createByFile)
		}
		return t, t.calls != nil
	case word == "documents":
		return f.documentRoute(t, rest[1:])
	}
	return t, t.calls != nil
}

// documentRoute finds the call of what follows /datasets/{id}/documents.
func (f *face) documentRoute(t target, part []string) (target, bool) {
	t.settings = "documents"
	switch {
	case len(part) == 0:
		t.calls = get(f.documents)
		return t, true
	case len(part) == 1 && part[0] == "metadata":
		t.calls = post(f.setMetadata)
		return t, true
	case len(part) == 2 && part[1] == "indexing-status" && part[0] != "":
		t.calls, t.ids = get(f.indexingStatus), part[:1]
		return t, true
	case len(part) == 2 && part[0] == "status" && part[1] != "":
		t.calls, t.ids, t.settings = map[string]action{http.MethodPatch: f.setStatus}, part[1:], "search"
		return t, true
	case !isUUID(part[0]):
		return t, false
	}
	t.ids = []string{strings.ToLower(part[0])}
	switch {
	case len(part) == 1:
		t.calls = map[string]action{http.MethodGet: f.document, http.MethodDelete: f.deleteDocument}
	case part[1] == "segments":
		return f.segmentRoute(t, part[2:])
	case len(part) != 2:
	case part[1] == "download" && f.since(1, 13, 1):
		t.calls = get(f.download)
	case strings.ReplaceAll(part[1], "_", "-") == "update-by-text":
		t.calls, t.settings = post(f.updateByText), "write"
	case strings.ReplaceAll(part[1], "_", "-") == "update-by-file":
		t.calls, t.settings = post(f.updateByFile), "write"
	}
	return t, t.calls != nil
}

// segmentRoute finds the call of what follows a document's /segments.
func (f *face) segmentRoute(t target, part []string) (target, bool) {
	for i, id := range part {
		if i != 1 && !isUUID(id) || i == 1 && id != "child_chunks" {
			return t, false
		}
		if i != 1 {
			t.ids = append(t.ids, strings.ToLower(id))
		}
	}
	switch len(part) {
	case 0:
		t.calls = map[string]action{http.MethodGet: f.segments, http.MethodPost: f.addSegments}
	case 1:
		t.calls = map[string]action{http.MethodGet: f.segment, http.MethodPost: f.updateSegment, http.MethodDelete: f.deleteSegment}
	case 2:
		t.calls = map[string]action{http.MethodGet: f.childChunks, http.MethodPost: f.addChild}
	case 3:
		t.calls = map[string]action{http.MethodPatch: f.updateChild, http.MethodDelete: f.deleteChild}
	}
	return t, t.calls != nil
}

// metadataRoute finds the call of what follows /datasets/{id}/metadata.
func (f *face) metadataRoute(part []string) (calls map[string]action, ids []string, ok bool) {
	switch {
	case len(part) == 0:
		return map[string]action{http.MethodGet: f.metadata, http.MethodPost: f.addField}, nil, true
	case len(part) == 1 && part[0] == "built-in":
		return get(f.builtIns), nil, true
	case len(part) == 2 && part[0] == "built-in" && (part[1] == "enable" || part[1] == "disable"):
		return post(f.switchBuiltIns), part[1:], true
	case len(part) == 1 && isUUID(part[0]):
		return map[string]action{http.MethodPatch: f.renameField, http.MethodDelete: f.deleteField}, []string{strings.ToLower(part[0])}, true
	}
	return nil, nil, false
}

// tagRoute finds the call of what follows /datasets/tags.
func (f *face) tagRoute(part []string) (map[string]action, bool) {
	switch {
	case len(part) == 0:
		return map[string]action{http.MethodGet: f.tags, http.MethodPost: f.addTag, http.MethodPatch: f.renameTag, http.MethodDelete: f.deleteTag}, true
	case len(part) == 1 && part[0] == "binding":
		return post(f.bindTags), true
	case len(part) == 1 && part[0] == "unbinding":
		return post(f.unbindTags), true
	}
	return nil, false
}

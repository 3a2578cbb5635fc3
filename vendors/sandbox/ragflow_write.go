package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// ragflowBody reads a request's JSON object; false when the answer is given.
func (f *ragflowFace) ragflowBody(w http.ResponseWriter, r *http.Request) (args, bool) {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	data, whole := body(r)
	if kind != "application/json" && f.server != ragGo {
		if kind == "" {
			kind = "None"
		}
		f.fail(w, 101, "Unsupported content type: Expected application/json, got "+kind)
		return nil, false
	}
	a, err := parseArgs(data)
	switch list := bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")); {
	case list && f.server != ragGo:
		f.fail(w, 101, "Invalid request payload: expected object, got list")
	case (!whole || err != nil) && f.server == ragGo:
		writeJSON(w, http.StatusBadRequest, object{"code": 101, "data": nil, "message": "Malformed JSON syntax"})
	case !whole || err != nil:
		f.fail(w, 101, "Malformed JSON syntax: Missing commas/brackets or invalid encoding")
	default:
		return a, true
	}
	return nil, false
}

// pythonExtra is the Python servers' complaint about members that a call does
// not know.
func (f *ragflowFace) pythonExtra(a args, known ...string) string {
	if f.server == ragGo {
		return ""
	}
	var lines []string
	for key, raw := range a {
		if !slices.Contains(known, key) {
			lines = append(lines, fmt.Sprintf("Field: <%s> - Message: <Extra inputs are not permitted> - Value: <%s>", key, raw))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// draft checks the body of a create or update.
func (f *ragflowFace) draft(a args, create bool) (name, description *string, wrong *ragflowFailure) {
	if problem := f.pythonExtra(a, "name", "description", "avatar", "embedding_model", "permission", "chunk_method", "parser_config",
		"language", "pagerank", "parse_type", "pipeline_id", "ext", "auto_metadata_config", "connectors"); problem != "" {
		return nil, nil, &ragflowFailure{101, problem}
	}
	if d, err := a.text("description"); err == nil {
		description = &d
	}
	text, err := a.text("name")
	switch {
	case errors.Is(err, errNotGiven) && !create:
		return nil, description, nil
	case errors.Is(err, errNotGiven) && f.server != ragGo:
		return nil, nil, &ragflowFailure{101, "Field: <name> - Message: <Field required> - Value: <{}>"}
	case err != nil && !errors.Is(err, errNotGiven):
		return nil, nil, &ragflowFailure{101, fmt.Sprintf("Field: <name> - Message: <Input should be a valid string> - Value: <%s>", a["name"])}
	}
	text = strings.TrimSpace(text)
	return &text, description, f.badName(text)
}

// badName refuses the name of a dataset. The model counts characters, what
// comes behind it bytes.
func (f *ragflowFace) badName(name string) *ragflowFailure {
	runes := utf8.RuneCountInString(name)
	switch {
	case f.server == ragGo && name == "":
		return &ragflowFailure{102, "dataset name can't be empty"}
	case f.server == ragGo && len(name) > 128:
		return &ragflowFailure{102, fmt.Sprintf("Dataset name length is %d which is large than 128", len(name))}
	case f.server == ragGo:
		return nil
	case name == "":
		return &ragflowFailure{101, "Field: <name> - Message: <String should have at least 1 character> - Value: <>"}
	case runes > 128:
		return &ragflowFailure{101, fmt.Sprintf("Field: <name> - Message: <String should have at most 128 characters> - Value: <%s...>", string([]rune(name)[:125]))}
	case len(name) > 128 && f.server == ragOld:
		return &ragflowFailure{102, fmt.Sprintf("Dataset name length is %d which is large than 128", runes)}
	case len(name) > 128:
		return &ragflowFailure{101, "Unable to serialize unknown type: <class 'quart.wrappers.response.Response'>"}
	}
	return nil
}

// createDataset makes a dataset. Go forgets its description.
func (f *ragflowFace) createDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	name, description, wrong := f.draft(a, true)
	if wrong != nil {
		f.fail(w, wrong.code, wrong.message)
		return
	}
	if description == nil || f.server == ragGo {
		description = new(string)
	}
	kb := f.s.ragflowNewKB(*name, *description)
	f.s.store.UpdateKB(RAGFlow, kb.ID, func(kb *KnowledgeBase) {
		kb.Pipeline, _ = a.text("pipeline_id")
		kb.Bare = f.server == ragGo
	})
	f.succeed(w, f.dataset(f.s.store.KB(RAGFlow, kb.ID)))
}

func (f *ragflowFace) updateDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	id := r.PathValue("ds")
	if text := f.datasetID(id); text != "" {
		if f.server != ragGo {
			text = fmt.Sprintf("Field: <dataset_id> - Message: <%s> - Value: <%s>", text, id)
		}
		f.refuse(w, 101, text, nil)
		return
	}
	name, description, wrong := f.draft(a, false)
	kb := f.s.store.KB(RAGFlow, id)
	switch {
	case wrong != nil:
		f.fail(w, wrong.code, wrong.message)
	case len(a) == 0 && f.server == ragOld:
		f.fail(w, 101, "No properties were modified")
	case len(a) == 0:
		f.fail(w, 102, "no properties were modified")
	case kb == nil:
		f.lacks(w, "dataset", id)
	case name != nil && !strings.EqualFold(*name, kb.Name) && f.s.ragflowKBNamed(*name) != nil:
		f.fail(w, 102, "Dataset name '"+*name+"' already exists")
	default:
		f.s.ragflowChangeKB(id, name, description)
		row := f.dataset(f.s.store.KB(RAGFlow, id))
		if f.server != ragOld {
			row["connectors"] = []string{}
		}
		f.succeed(w, row)
	}
}

func (s *Sandbox) ragflowChangeKB(id string, name, description *string) {
	now := s.now()
	s.store.UpdateKB(RAGFlow, id, func(kb *KnowledgeBase) {
		if name != nil {
			kb.Name = *name
		}
		if description != nil {
			kb.Description = *description
		}
		kb.Updated = now
	})
}

// deleteDatasets deletes all that are named or none. v0.24 takes null for all of
// them.
func (f *ragflowFace) deleteDatasets(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	if problem := f.pythonExtra(a, "ids", "delete_all"); problem != "" {
		f.fail(w, 101, problem)
		return
	}
	if _, given := a["ids"]; !given && f.server == ragOld {
		f.fail(w, 101, "Field: <ids> - Message: <Field required> - Value: <{}>")
		return
	}
	ids, err := a.texts("ids")
	if err != nil && !errors.Is(err, errNotGiven) {
		f.fail(w, 101, fmt.Sprintf("Field: <ids> - Message: <Input should be a valid list> - Value: <%s>", a["ids"]))
		return
	}
	if string(a["delete_all"]) == "true" && len(ids) == 0 || f.server == ragOld && string(a["ids"]) == "null" {
		for _, kb := range f.s.store.KBs(RAGFlow) {
			ids = append(ids, kb.ID)
		}
	}
	if !f.deletable(w, ids) {
		return
	}
	for _, id := range ids {
		f.s.store.RemoveKB(RAGFlow, id)
	}
	switch f.server {
	case ragOld:
		f.done(w)
	case ragGo:
		f.succeed(w, object{"deleted": append([]string{}, ids...)})
	default:
		f.succeed(w, object{"success_count": len(ids)})
	}
}

// deletable checks the ids of datasets; false when the answer is given.
func (f *ragflowFace) deletable(w http.ResponseWriter, ids []string) bool {
	for i, id := range ids {
		text := f.datasetID(id)
		if text == "" && slices.Contains(ids[:i], id) && f.server != ragGo {
			text = "Duplicate ids: '" + id + "'"
		}
		if text == "" {
			continue
		}
		if f.server != ragGo {
			text = fmt.Sprintf("Field: <ids> - Message: <%s> - Value: <%s>", text, pythonList(ids))
		}
		f.fail(w, 101, text)
		return false
	}
	for _, id := range ids {
		if f.s.store.KB(RAGFlow, id) == nil {
			f.lacks(w, "datasets:", id)
			return false
		}
	}
	return true
}

package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
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
		f.fail(w, 101, pythonComplaint("ids", "Input should be a valid list", a["ids"]))
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

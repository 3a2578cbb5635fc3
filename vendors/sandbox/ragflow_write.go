package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// ragflowBody reads a request's JSON object; false when the answer is given.
func (f *ragflowFace) ragflowBody(w http.ResponseWriter, r *http.Request) (args, bool) {
	if kind := r.Header.Get("Content-Type"); kind != "application/json" {
		ragflowFail(w, 101, "Unsupported content type: Expected application/json, got "+kind)
		return nil, false
	}
	data, ok := body(r)
	a, err := parseArgs(data)
	if !ok || err != nil {
		ragflowFail(w, 101, "Malformed JSON syntax: Missing commas/brackets or invalid encoding")
		return nil, false
	}
	return a, true
}

// ragflowExtra is the platform's complaint about members that a dataset call does not
// know.
func ragflowExtra(a args, known ...string) string {
	var lines []string
	for key, raw := range a {
		if !slices.Contains(known, key) {
			lines = append(lines, fmt.Sprintf("Field: <%s> - Message: <Extra inputs are not permitted> - Value: <%s>", key, raw))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// ragflowDraft checks the body of a create or update.
func ragflowDraft(a args, create bool) (name, description *string, problem string) {
	if problem := ragflowExtra(a, "name", "description", "avatar", "embedding_model", "permission", "chunk_method", "parser_config"); problem != "" {
		return nil, nil, problem
	}
	text, err := a.text("name")
	switch {
	case errors.Is(err, errNotGiven) && create:
		return nil, nil, "Field: <name> - Message: <Field required> - Value: <{}>"
	case errors.Is(err, errNotGiven):
	case err != nil:
		return nil, nil, fmt.Sprintf("Field: <name> - Message: <Input should be a valid string> - Value: <%s>", a["name"])
	default:
		text = strings.TrimSpace(text)
		if text == "" {
			return nil, nil, "Field: <name> - Message: <String should have at least 1 character> - Value: <>"
		}
		if len(text) > 128 {
			return nil, nil, fmt.Sprintf("Field: <name> - Message: <String should have at most 128 characters> - Value: <%s>", text)
		}
		name = &text
	}
	if d, err := a.text("description"); err == nil {
		description = &d
	}
	return name, description, ""
}

func (f *ragflowFace) createDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	name, description, problem := ragflowDraft(a, true)
	if problem != "" {
		ragflowFail(w, 101, problem)
		return
	}
	if description == nil {
		description = new(string)
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": f.s.ragflowKB(f.s.ragflowNewKB(*name, *description))})
}

func (f *ragflowFace) updateDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	id := r.PathValue("ds")
	name, description, problem := ragflowDraft(a, false)
	kb := f.s.store.KB(RAGFlow, id)
	switch {
	case problem != "":
		ragflowFail(w, 101, problem)
		return
	case kb == nil:
		ragflowFail(w, 102, ragflowNoDataset(id))
		return
	case name == nil && description == nil:
		ragflowFail(w, 101, "No properties were modified")
		return
	case name != nil && *name != kb.Name && f.s.ragflowFreeKB(*name) != *name:
		ragflowFail(w, 102, "Dataset name '"+*name+"' already exists")
		return
	}
	f.s.ragflowChangeKB(id, name, description)
	writeJSON(w, http.StatusOK, object{"code": 0, "data": f.s.ragflowKB(f.s.store.KB(RAGFlow, id))})
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

// deleteDatasets deletes all that are named or none.
func (f *ragflowFace) deleteDatasets(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	ids, err := a.texts("ids")
	problem := ragflowExtra(a, "ids", "delete_all")
	switch {
	case problem != "":
		ragflowFail(w, 101, problem)
		return
	case err != nil || len(ids) == 0:
		ragflowFail(w, 102, "should either provide dataset ids or set delete_all(true)")
		return
	}
	for _, id := range ids {
		if msg := datasetID(id); msg != "" {
			ragflowFail(w, 101, fmt.Sprintf("Field: <ids> - Message: <%s> - Value: <%s>", msg, id))
			return
		}
		if f.s.store.KB(RAGFlow, id) == nil {
			ragflowFail(w, 102, "User '"+ragflowTenant+"' lacks permission for datasets: '"+id+"'")
			return
		}
	}
	for _, id := range ids {
		f.s.store.RemoveKB(RAGFlow, id)
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": object{"success_count": len(ids)}})
}

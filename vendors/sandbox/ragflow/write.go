package ragflow

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// body reads a request's JSON object; false when the answer is given.
func (f *face) body(w http.ResponseWriter, r *http.Request) (args, bool) {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	data, whole := web.Body(r)
	if kind != "application/json" && f.server != tables.Go {
		if kind == "" {
			kind = "None"
		}
		f.fail(w, 101, "Unsupported content type: Expected application/json, got "+kind)
		return nil, false
	}
	a, err := web.ParseArgs(data)
	switch list := bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")); {
	case list && f.server != tables.Go:
		f.fail(w, 101, "Invalid request payload: expected object, got list")
	case (!whole || err != nil) && f.server == tables.Go:
		web.WriteJSON(w, http.StatusBadRequest, object{"code": 101, "data": nil, "message": "Malformed JSON syntax"})
	case !whole || err != nil:
		f.fail(w, 101, "Malformed JSON syntax: Missing commas/brackets or invalid encoding")
	default:
		return a, true
	}
	return nil, false
}

// createDataset makes a dataset. Go forgets its description.
func (f *face) createDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.body(w, r)
	if !ok {
		return
	}
	name, description, wrong := f.draft(a, true)
	if wrong != nil {
		f.fail(w, wrong.Code, wrong.Message)
		return
	}
	if description == nil || f.server == tables.Go {
		description = new(string)
	}
	kb := f.s.NewKB(*name, *description)
	f.s.UpdateKB(world.RAGFlow, kb.ID, func(kb *world.KnowledgeBase) {
		kb.Pipeline, _ = a.Text("pipeline_id")
		kb.Bare = f.server == tables.Go
	})
	f.succeed(w, f.dataset(f.s.KB(world.RAGFlow, kb.ID)))
}

func (f *face) updateDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.body(w, r)
	if !ok {
		return
	}
	id := r.PathValue("ds")
	if text := f.datasetID(id); text != "" {
		if f.server != tables.Go {
			text = fmt.Sprintf("Field: <dataset_id> - Message: <%s> - Value: <%s>", text, id)
		}
		f.refuse(w, 101, text, nil)
		return
	}
	name, description, wrong := f.draft(a, false)
	kb := f.s.KB(world.RAGFlow, id)
	switch {
	case wrong != nil:
		f.fail(w, wrong.Code, wrong.Message)
	case len(a) == 0 && f.server == tables.Old:
		f.fail(w, 101, "No properties were modified")
	case len(a) == 0:
		f.fail(w, 102, "no properties were modified")
	case kb == nil:
		f.lacks(w, "dataset", id)
	case name != nil && !strings.EqualFold(*name, kb.Name) && f.s.KbNamed(*name) != nil:
		f.fail(w, 102, "Dataset name '"+*name+"' already exists")
	default:
		f.s.ChangeKB(id, name, description)
		row := f.dataset(f.s.KB(world.RAGFlow, id))
		if f.server != tables.Old {
			row["connectors"] = []string{}
		}
		f.succeed(w, row)
	}
}

// deleteDatasets deletes all that are named or none. v0.24 takes null for all of
// them.
func (f *face) deleteDatasets(w http.ResponseWriter, r *http.Request) {
	a, ok := f.body(w, r)
	if !ok {
		return
	}
	if problem := f.pythonExtra(a, "ids", "delete_all"); problem != "" {
		f.fail(w, 101, problem)
		return
	}
	if _, given := a["ids"]; !given && f.server == tables.Old {
		f.fail(w, 101, "Field: <ids> - Message: <Field required> - Value: <{}>")
		return
	}
	ids, err := a.Texts("ids")
	if err != nil && !errors.Is(err, web.ErrNotGiven) {
		f.fail(w, 101, pythonComplaint("ids", "Input should be a valid list", a["ids"]))
		return
	}
	if string(a["delete_all"]) == "true" && len(ids) == 0 || f.server == tables.Old && string(a["ids"]) == "null" {
		for _, kb := range f.s.KBs(world.RAGFlow) {
			ids = append(ids, kb.ID)
		}
	}
	if !f.deletable(w, ids) {
		return
	}
	for _, id := range ids {
		f.s.RemoveKB(world.RAGFlow, id)
	}
	switch f.server {
	case tables.Old:
		f.done(w)
	case tables.Go:
		f.succeed(w, object{"deleted": append([]string{}, ids...)})
	default:
		f.succeed(w, object{"success_count": len(ids)})
	}
}

// deletable checks the ids of datasets; false when the answer is given.
func (f *face) deletable(w http.ResponseWriter, ids []string) bool {
	for i, id := range ids {
		text := f.datasetID(id)
		if text == "" && slices.Contains(ids[:i], id) && f.server != tables.Go {
			text = "Duplicate ids: '" + id + "'"
		}
		if text == "" {
			continue
		}
		if f.server != tables.Go {
			text = fmt.Sprintf("Field: <ids> - Message: <%s> - Value: <%s>", text, pythonList(ids))
		}
		f.fail(w, 101, text)
		return false
	}
	for _, id := range ids {
		if f.s.KB(world.RAGFlow, id) == nil {
			f.lacks(w, "datasets:", id)
			return false
		}
	}
	return true
}

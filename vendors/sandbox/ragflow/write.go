package ragflow

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// body reads a request's JSON object.
func (f *face) body(r *http.Request) args {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	data, whole := web.Body(r)
	if kind != "application/json" && f.server != tables.Go {
		panic(f.fail(101, "Unsupported content type: Expected application/json, got "+cmp.Or(kind, "None")))
	}
	a, err := web.ParseArgs(data)
	switch list := bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")); {
	case list && f.server != tables.Go:
		panic(f.fail(101, "Invalid request payload: expected object, got list"))
	case (!whole || err != nil) && f.server == tables.Go:
		panic(tables.JSON(http.StatusBadRequest, object{"code": 101, "data": nil, "message": "Malformed JSON syntax"}))
	case !whole || err != nil:
		panic(f.fail(101, "Malformed JSON syntax: Missing commas/brackets or invalid encoding"))
	}
	return a
}

// createDataset makes a dataset. Go forgets its description.
func (f *face) createDataset(r *http.Request) reply {
	a := f.body(r)
	name, description := f.draft(a, true)
	if description == nil || f.server == tables.Go {
		description = new(string)
	}
	kb := f.s.NewKB(*name, *description)
	f.s.UpdateKB(kb.ID, func(kb *world.KnowledgeBase) {
		kb.Pipeline = a.Str("pipeline_id")
		kb.Bare = f.server == tables.Go
	})
	return f.succeed(f.dataset(f.s.KB(kb.ID)))
}

func (f *face) updateDataset(r *http.Request) reply {
	a := f.body(r)
	id := r.PathValue("ds")
	if text := f.datasetID(id); text != "" {
		if f.server != tables.Go {
			text = fmt.Sprintf("Field: <dataset_id> - Message: <%s> - Value: <%s>", text, id)
		}
		return f.refuse(101, text, nil)
	}
	name, description := f.draft(a, false)
	kb := f.s.KB(id)
	switch {
	case len(a) == 0 && f.server == tables.Old:
		return f.fail(101, "No properties were modified")
	case len(a) == 0:
		return f.fail(102, "no properties were modified")
	case kb == nil:
		return f.lacks("dataset", id)
	case name != nil && !strings.EqualFold(*name, kb.Name) && f.s.KbNamed(*name) != nil:
		return f.fail(102, "Dataset name '"+*name+"' already exists")
	default:
		f.s.ChangeKB(id, name, description)
		row := f.dataset(f.s.KB(id))
		if f.server != tables.Old {
			row["connectors"] = []string{}
		}
		return f.succeed(row)
	}
}

// deleteDatasets deletes all that are named or none. v0.24 takes null for all of
// them.
func (f *face) deleteDatasets(r *http.Request) reply {
	a := f.body(r)
	f.checkExtra(a, "ids", "delete_all")
	if _, given := a["ids"]; !given && f.server == tables.Old {
		return f.fail(101, "Field: <ids> - Message: <Field required> - Value: <{}>")
	}
	ids, err := a.Texts("ids")
	if err != nil && !errors.Is(err, web.ErrNotGiven) {
		return f.fail(101, pythonComplaint("ids", "Input should be a valid list", a["ids"]))
	}
	if string(a["delete_all"]) == "true" && len(ids) == 0 || f.server == tables.Old && string(a["ids"]) == "null" {
		for _, kb := range f.s.KBs() {
			ids = append(ids, kb.ID)
		}
	}
	f.checkDatasets(ids)
	for _, id := range ids {
		f.s.RemoveKB(id)
	}
	switch f.server {
	case tables.Old:
		return f.done()
	case tables.Go:
		return f.succeed(object{"deleted": append([]string{}, ids...)})
	default:
		return f.succeed(object{"success_count": len(ids)})
	}
}

// checkDatasets refuses ids of datasets that do not exist or are malformed.
func (f *face) checkDatasets(ids []string) {
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
		panic(f.fail(101, text))
	}
	for _, id := range ids {
		if f.s.KB(id) == nil {
			panic(f.lacks("datasets:", id))
		}
	}
}

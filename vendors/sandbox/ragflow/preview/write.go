package preview

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// body reads a JSON object.
func body(r *http.Request) args {
	data, ok := web.Body(r)
	a, err := web.ParseArgs(data)
	if !ok || err != nil || len(a) > 0 && r.Header.Get("Content-Type") != "application/json" {
		panic(refuse(100, "<BadRequest '400: Bad Request'>"))
	}
	return a
}

// ok is a success with data, and the message of most handlers.
func ok(data any, message string) reply {
	return tables.JSON(http.StatusOK, object{"code": 0, "data": data, "message": message})
}

// createDataset takes "name" and nothing else, whatever that version's
// documentation says.
func (f *face) createDataset(r *http.Request) reply {
	a := body(r)
	name, err := a.Text("name")
	if err != nil {
		return refuse(101, "required argument are missing: name; ")
	}
	var extra []string
	for key := range a {
		if key != "name" {
			extra = append(extra, "'"+key+"'")
		}
	}
	slices.Sort(extra)
	switch name = strings.TrimSpace(name); {
	case len(extra) > 0:
		return fail(102, "fields: ["+strings.Join(extra, ", ")+"], are not allowed in request body.")
	case name == "":
		return fail(102, "Empty dataset name")
	}
	kb := f.s.NewKB(name, "")
	return ok(object{"dataset_id": kb.ID, "dataset_name": kb.Name}, "success")
}

func (f *face) updateDataset(r *http.Request) reply {
	a := body(r)
	id := r.PathValue("ds")
	name, nameErr := a.Text("name")
	description, descriptionErr := a.Text("description")
	kb := f.s.KB(id)
	switch {
	case len(a) == 0:
		return fail(102, "Please input at least one parameter that you want to update!")
	case kb == nil:
		return fail(103, "Only the owner of knowledgebase is authorized for this operation!")
	case nameErr == nil && name != kb.Name && f.s.FreeKB(name) != name:
		return fail(102, "Duplicated knowledgebase name.")
	}
	var newName, newText *string
	if nameErr == nil {
		newName = &name
	}
	if descriptionErr == nil {
		newText = &description
	}
	f.s.ChangeKB(id, newName, newText)
	return ok(f.kbRow(f.s.KB(id)), "success")
}

func (f *face) deleteDataset(r *http.Request) reply {
	id := r.PathValue("ds")
	if !f.s.RemoveKB(id) {
		return fail(103, "The dataset cannot be found for your current account.")
	}
	return fail(0, "Remove dataset: "+id+" successfully")
}

func (f *face) uploadDocuments(r *http.Request) reply {
	ds := r.PathValue("ds")
	files, _, whole := tables.Form(r)
	switch {
	case !whole:
		return tables.TooLarge()
	case len(files) == 0:
		return fail(101, "There is no file!")
	case len(files) > 256:
		return fail(102, fmt.Sprintf("You try to upload %d files, which exceeds the maximum number of uploading files: 256", len(files)))
	case f.s.KB(ds) == nil:
		return fail(102, "Can't find this dataset")
	}
	for _, file := range files {
		if strings.Contains(file.Name, "http") {
			return fail(101, "Remote files have not unsupported.")
		}
		if tables.Unread(file.Name) {
			return fail(102, "This type of file has not been supported yet!")
		}
	}
	rows := []object{}
	for _, file := range files {
		full := f.document(f.s.Put(ds, file.Name, "file", "", file.Content))
		row := object{}
		for _, key := range []string{"created_by", "id", "kb_id", "location", "name", "parser_config", "parser_id", "size", "thumbnail", "type"} {
			row[key] = full[key]
		}
		rows = append(rows, row)
	}
	return ok(rows, "success")
}

// updateDocument renames. It does not look whether the document is in the
// dataset.
func (f *face) updateDocument(r *http.Request) reply {
	a := body(r)
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.Document(id)
	f.checkRename(ds, id, d, a)
	name := a.Str("name")
	switch extension, taken := f.s.Rename(d, name); {
	case extension:
		return tables.JSON(http.StatusOK, object{"code": 101, "data": false, "message": "The extension of file cannot be changed"})
	case taken:
		return fail(101, "Duplicated document name in the same dataset.")
	default:
		return ok(f.document(f.s.Document(id)), "Success")
	}
}

// checkRename refuses everything but a name.
func (f *face) checkRename(ds, id string, d *world.Document, a args) {
	switch {
	case len(a) == 0:
		panic(fail(102, "Please input at least one parameter that you want to update!"))
	case f.s.KB(ds) == nil:
		panic(fail(102, "This dataset "+ds+" cannot be found!"))
	case d == nil:
		panic(fail(101, "This document "+id+" cannot be found!"))
	case a.Has("enable"):
		panic(fail(102, "Illegal value "+string(a["enable"])+" for 'enable' field."))
	}
	for key := range a {
		if key != "name" && key != "template_type" {
			panic(fail(101, key+" is an illegal parameter."))
		}
	}
	if name := a.Str("name"); name == "" {
		panic(fail(102, "There is no new name."))
	}
}

func (f *face) deleteDocument(r *http.Request) reply {
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.Document(id)
	switch {
	case d == nil:
		return fail(102, "Document "+id+" not found!")
	case d.KB != ds:
		return fail(101, fmt.Sprintf("The document %s is not in the dataset: %s, but in the dataset: %s.", id, ds, d.KB))
	default:
		f.s.Remove(id)
		return ok(true, "success")
	}
}

func (f *face) download(r *http.Request) reply {
	d := f.found(r, r.PathValue("doc"))
	if d.Text == "" {
		return fail(102, "This file is empty.")
	}
	return tables.Attachment("application/octet-stream", d.Name, d.Text)
}

// dataset refuses a dataset that is not there.
func (f *face) dataset(r *http.Request) {
	if ds := r.PathValue("ds"); f.s.KB(ds) == nil {
		panic(fail(102, "This dataset '"+ds+"' cannot be found!"))
	}
}

// found is a document of any dataset.
func (f *face) found(r *http.Request, id string) *world.Document {
	f.dataset(r)
	d := f.s.Document(id)
	if d == nil {
		panic(fail(101, "This document '"+id+"' cannot be found!"))
	}
	return d
}

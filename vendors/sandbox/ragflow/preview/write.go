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

// body reads a JSON object; false when the answer is given.
func (f *face) body(w http.ResponseWriter, r *http.Request) (args, bool) {
	data, ok := web.Body(r)
	a, err := web.ParseArgs(data)
	if !ok || err != nil || len(a) > 0 && r.Header.Get("Content-Type") != "application/json" {
		refuse(w, 100, "<BadRequest '400: Bad Request'>")
		return nil, false
	}
	return a, true
}

// ok is a success with data, and the message of most handlers.
func (f *face) ok(w http.ResponseWriter, data any, message string) {
	web.WriteJSON(w, http.StatusOK, object{"code": 0, "data": data, "message": message})
}

// createDataset takes "name" and nothing else, whatever that version's
// documentation says.
func (f *face) createDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.body(w, r)
	if !ok {
		return
	}
	name, err := a.Text("name")
	if err != nil {
		refuse(w, 101, "required argument are missing: name; ")
		return
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
		fail(w, 102, "fields: ["+strings.Join(extra, ", ")+"], are not allowed in request body.")
		return
	case name == "":
		fail(w, 102, "Empty dataset name")
		return
	}
	kb := f.s.NewKB(name, "")
	f.ok(w, object{"dataset_id": kb.ID, "dataset_name": kb.Name}, "success")
}

func (f *face) updateDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.body(w, r)
	if !ok {
		return
	}
	id := r.PathValue("ds")
	name, nameErr := a.Text("name")
	description, descriptionErr := a.Text("description")
	kb := f.s.KB(world.RAGFlow, id)
	switch {
	case len(a) == 0:
		fail(w, 102, "Please input at least one parameter that you want to update!")
		return
	case kb == nil:
		fail(w, 103, "Only the owner of knowledgebase is authorized for this operation!")
		return
	case nameErr == nil && name != kb.Name && f.s.FreeKB(name) != name:
		fail(w, 102, "Duplicated knowledgebase name.")
		return
	}
	var newName, newText *string
	if nameErr == nil {
		newName = &name
	}
	if descriptionErr == nil {
		newText = &description
	}
	f.s.ChangeKB(id, newName, newText)
	f.ok(w, f.kbRow(f.s.KB(world.RAGFlow, id)), "success")
}

func (f *face) deleteDataset(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("ds")
	if !f.s.RemoveKB(world.RAGFlow, id) {
		fail(w, 103, "The dataset cannot be found for your current account.")
		return
	}
	fail(w, 0, "Remove dataset: "+id+" successfully")
}

func (f *face) uploadDocuments(w http.ResponseWriter, r *http.Request) {
	ds := r.PathValue("ds")
	files, _, ok := tables.Form(r)
	switch {
	case !ok:
		tables.TooLarge(w)
		return
	case len(files) == 0:
		fail(w, 101, "There is no file!")
		return
	case len(files) > 256:
		fail(w, 102, fmt.Sprintf("You try to upload %d files, which exceeds the maximum number of uploading files: 256", len(files)))
		return
	case f.s.KB(world.RAGFlow, ds) == nil:
		fail(w, 102, "Can't find this dataset")
		return
	}
	for _, file := range files {
		if strings.Contains(file.Name, "http") {
			fail(w, 101, "Remote files have not unsupported.")
			return
		}
		if tables.Unread(file.Name) {
			fail(w, 102, "This type of file has not been supported yet!")
			return
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
	f.ok(w, rows, "success")
}

// updateDocument renames. It does not look whether the document is in the
// dataset.
func (f *face) updateDocument(w http.ResponseWriter, r *http.Request) {
	a, ok := f.body(w, r)
	if !ok {
		return
	}
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.Document(world.RAGFlow, id)
	if wrong := f.renames(ds, id, d, a); wrong != nil {
		fail(w, wrong.Code, wrong.Message)
		return
	}
	name, _ := a.Text("name")
	switch extension, taken := f.s.Rename(d, name); {
	case extension:
		web.WriteJSON(w, http.StatusOK, object{"code": 101, "data": false, "message": "The extension of file cannot be changed"})
	case taken:
		fail(w, 101, "Duplicated document name in the same dataset.")
	default:
		f.ok(w, f.document(f.s.Document(world.RAGFlow, id)), "Success")
	}
}

// renames refuses everything but a name.
func (f *face) renames(ds, id string, d *world.Document, a args) *tables.Failure {
	switch {
	case len(a) == 0:
		return tables.Refuse(102, "Please input at least one parameter that you want to update!")
	case f.s.KB(world.RAGFlow, ds) == nil:
		return tables.Refuse(102, "This dataset "+ds+" cannot be found!")
	case d == nil:
		return tables.Refuse(101, "This document "+id+" cannot be found!")
	case a.Has("enable"):
		return tables.Refuse(102, "Illegal value "+string(a["enable"])+" for 'enable' field.")
	}
	for key := range a {
		if key != "name" && key != "template_type" {
			return tables.Refuse(101, key+" is an illegal parameter.")
		}
	}
	if name, _ := a.Text("name"); name == "" {
		return tables.Refuse(102, "There is no new name.")
	}
	return nil
}

func (f *face) deleteDocument(w http.ResponseWriter, r *http.Request) {
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.Document(world.RAGFlow, id)
	switch {
	case d == nil:
		fail(w, 102, "Document "+id+" not found!")
	case d.KB != ds:
		fail(w, 101, fmt.Sprintf("The document %s is not in the dataset: %s, but in the dataset: %s.", id, ds, d.KB))
	default:
		f.s.Remove(world.RAGFlow, id)
		f.ok(w, true, "success")
	}
}

func (f *face) download(w http.ResponseWriter, r *http.Request) {
	if d := f.found(w, r, r.PathValue("doc")); d != nil {
		if d.Text == "" {
			fail(w, 102, "This file is empty.")
			return
		}
		tables.Attachment(w, "application/octet-stream", d.Name, d.Text)
	}
}

// found is a document of any dataset; nil when the answer is given.
func (f *face) found(w http.ResponseWriter, r *http.Request, id string) *world.Document {
	ds := r.PathValue("ds")
	if f.s.KB(world.RAGFlow, ds) == nil {
		fail(w, 102, "This dataset '"+ds+"' cannot be found!")
		return nil
	}
	d := f.s.Document(world.RAGFlow, id)
	if d == nil {
		fail(w, 101, "This document '"+id+"' cannot be found!")
	}
	return d
}

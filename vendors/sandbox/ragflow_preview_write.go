package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// previewBody reads a JSON object; false when the answer is given.
func (f *previewFace) previewBody(w http.ResponseWriter, r *http.Request) (args, bool) {
	data, ok := body(r)
	a, err := parseArgs(data)
	if !ok || err != nil || len(a) > 0 && r.Header.Get("Content-Type") != "application/json" {
		previewRefuse(w, 100, "<BadRequest '400: Bad Request'>")
		return nil, false
	}
	return a, true
}

// ok is a success with data, and the message of most handlers.
func (f *previewFace) ok(w http.ResponseWriter, data any, message string) {
	writeJSON(w, http.StatusOK, object{"code": 0, "data": data, "message": message})
}

// createDataset takes "name" and nothing else, whatever that version's
// documentation says.
func (f *previewFace) createDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.previewBody(w, r)
	if !ok {
		return
	}
	name, err := a.text("name")
	if err != nil {
		previewRefuse(w, 101, "required argument are missing: name; ")
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
		ragflowFail(w, 102, "fields: ["+strings.Join(extra, ", ")+"], are not allowed in request body.")
		return
	case name == "":
		ragflowFail(w, 102, "Empty dataset name")
		return
	}
	kb := f.s.ragflowNewKB(name, "")
	f.ok(w, object{"dataset_id": kb.ID, "dataset_name": kb.Name}, "success")
}

func (f *previewFace) updateDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.previewBody(w, r)
	if !ok {
		return
	}
	id := r.PathValue("ds")
	name, nameErr := a.text("name")
	description, descriptionErr := a.text("description")
	kb := f.s.store.KB(RAGFlow, id)
	switch {
	case len(a) == 0:
		ragflowFail(w, 102, "Please input at least one parameter that you want to update!")
		return
	case kb == nil:
		ragflowFail(w, 103, "Only the owner of knowledgebase is authorized for this operation!")
		return
	case nameErr == nil && name != kb.Name && f.s.ragflowFreeKB(name) != name:
		ragflowFail(w, 102, "Duplicated knowledgebase name.")
		return
	}
	var newName, newText *string
	if nameErr == nil {
		newName = &name
	}
	if descriptionErr == nil {
		newText = &description
	}
	f.s.ragflowChangeKB(id, newName, newText)
	f.ok(w, f.kbRow(f.s.store.KB(RAGFlow, id)), "success")
}

func (f *previewFace) deleteDataset(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("ds")
	if !f.s.store.RemoveKB(RAGFlow, id) {
		ragflowFail(w, 103, "The dataset cannot be found for your current account.")
		return
	}
	ragflowFail(w, 0, "Remove dataset: "+id+" successfully")
}

func (f *previewFace) uploadDocuments(w http.ResponseWriter, r *http.Request) {
	ds := r.PathValue("ds")
	files, _, ok := ragflowForm(r)
	switch {
	case !ok:
		ragflowTooLarge(w)
		return
	case len(files) == 0:
		ragflowFail(w, 101, "There is no file!")
		return
	case len(files) > 256:
		ragflowFail(w, 102, fmt.Sprintf("You try to upload %d files, which exceeds the maximum number of uploading files: 256", len(files)))
		return
	case f.s.store.KB(RAGFlow, ds) == nil:
		ragflowFail(w, 102, "Can't find this dataset")
		return
	}
	for _, file := range files {
		if strings.Contains(file.name, "http") {
			ragflowFail(w, 101, "Remote files have not unsupported.")
			return
		}
		if ragflowUnread(file.name) {
			ragflowFail(w, 102, "This type of file has not been supported yet!")
			return
		}
	}
	rows := []object{}
	for _, file := range files {
		full := f.document(f.s.ragflowAdd(ds, file.name, "file", "", file.content))
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
func (f *previewFace) updateDocument(w http.ResponseWriter, r *http.Request) {
	a, ok := f.previewBody(w, r)
	if !ok {
		return
	}
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.store.Document(RAGFlow, id)
	if wrong := f.renames(ds, id, d, a); wrong != nil {
		ragflowFail(w, wrong.code, wrong.message)
		return
	}
	name, _ := a.text("name")
	switch extension, taken := f.s.ragflowRename(d, name); {
	case extension:
		writeJSON(w, http.StatusOK, object{"code": 101, "data": false, "message": "The extension of file cannot be changed"})
	case taken:
		ragflowFail(w, 101, "Duplicated document name in the same dataset.")
	default:
		f.ok(w, f.document(f.s.store.Document(RAGFlow, id)), "Success")
	}
}

// renames refuses everything but a name.
func (f *previewFace) renames(ds, id string, d *Document, a args) *ragflowFailure {
	switch {
	case len(a) == 0:
		return &ragflowFailure{102, "Please input at least one parameter that you want to update!"}
	case f.s.store.KB(RAGFlow, ds) == nil:
		return &ragflowFailure{102, "This dataset " + ds + " cannot be found!"}
	case d == nil:
		return &ragflowFailure{101, "This document " + id + " cannot be found!"}
	case a.has("enable"):
		return &ragflowFailure{102, "Illegal value " + string(a["enable"]) + " for 'enable' field."}
	}
	for key := range a {
		if key != "name" && key != "template_type" {
			return &ragflowFailure{101, key + " is an illegal parameter."}
		}
	}
	if name, _ := a.text("name"); name == "" {
		return &ragflowFailure{102, "There is no new name."}
	}
	return nil
}

func (f *previewFace) deleteDocument(w http.ResponseWriter, r *http.Request) {
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.store.Document(RAGFlow, id)
	switch {
	case d == nil:
		ragflowFail(w, 102, "Document "+id+" not found!")
	case d.KB != ds:
		ragflowFail(w, 101, fmt.Sprintf("The document %s is not in the dataset: %s, but in the dataset: %s.", id, ds, d.KB))
	default:
		f.s.store.Remove(RAGFlow, id)
		f.ok(w, true, "success")
	}
}

func (f *previewFace) download(w http.ResponseWriter, r *http.Request) {
	if d := f.found(w, r, r.PathValue("doc")); d != nil {
		if d.Text == "" {
			ragflowFail(w, 102, "This file is empty.")
			return
		}
		ragflowAttachment(w, "application/octet-stream", d.Name, d.Text)
	}
}

// found is a document of any dataset; nil when the answer is given.
func (f *previewFace) found(w http.ResponseWriter, r *http.Request, id string) *Document {
	ds := r.PathValue("ds")
	if f.s.store.KB(RAGFlow, ds) == nil {
		ragflowFail(w, 102, "This dataset '"+ds+"' cannot be found!")
		return nil
	}
	d := f.s.store.Document(RAGFlow, id)
	if d == nil {
		ragflowFail(w, 101, "This document '"+id+"' cannot be found!")
	}
	return d
}

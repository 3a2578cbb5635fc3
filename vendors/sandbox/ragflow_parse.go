package sandbox

import (
	"fmt"
	"net/http"
	"strings"
)

// updateDocument takes PATCH and, as an old alias, PUT. Keys that it does not
// know are ignored.
func (f *ragflowFace) updateDocument(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	if f.s.store.KB(RAGFlow, ds) == nil {
		ragflowFail(w, 102, "You don't own the dataset.")
		return
	}
	d := f.s.ragflowIn(ds, id)
	if d == nil {
		ragflowFail(w, 102, "the dataset doesn't own the document")
		return
	}
	if wrong := f.change(d, a); wrong != nil {
		ragflowFail(w, wrong.code, wrong.message)
		return
	}
	row := f.s.ragflowDocument(f.s.store.Document(RAGFlow, id))
	row["content_hash"] = digest("hash", d.Text, 0)[:32]
	delete(row, "meta_fields")
	delete(row, "nickname")
	delete(row, "pipeline_name")
	writeJSON(w, http.StatusOK, object{"code": 0, "data": row})
}

// change checks everything before it sets anything.
func (f *ragflowFace) change(d *Document, a args) *ragflowFailure {
	var meta map[string]any
	if a.has("meta_fields") {
		var err error
		if meta, err = ragflowObject(a["meta_fields"]); err != nil {
			return &ragflowFailure{101, "Field: <meta_fields> - Message: <Only dictionary type supported> - Value: <" + string(a["meta_fields"]) + ">"}
		}
	}
	enabled := string(a["enabled"])
	if a.has("enabled") && enabled != "0" && enabled != "1" {
		return &ragflowFailure{101, "Field: <enabled> - Message: <`enabled` value invalid, only accept 0 or 1> - Value: <" + enabled + ">"}
	}
	if name, err := a.text("name"); err == nil {
		if len(name) > 255 {
			return &ragflowFailure{101, "File name must be 255 bytes or less."}
		}
		switch extension, taken := f.s.ragflowRename(d, name); {
		case extension:
			return &ragflowFailure{101, "The extension of file can't be changed"}
		case taken:
			return &ragflowFailure{102, "Duplicated document name in the same dataset."}
		}
	}
	now := f.s.now()
	f.s.store.Update(RAGFlow, d.ID, func(d *Document) {
		if enabled != "" {
			d.Disabled = enabled == "0"
		}
		if meta != nil {
			d.Metadata = ragflowFields(meta)
		}
		d.Updated = now
	})
	return nil
}

// deleteDocuments deletes all that are named or none (v0.25.2).
func (f *ragflowFace) deleteDocuments(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	ds := r.PathValue("ds")
	if f.s.store.KB(RAGFlow, ds) == nil {
		ragflowFail(w, 102, fmt.Sprintf("You don't own the dataset %s. ", ds))
		return
	}
	ids, err := a.texts("ids")
	if err != nil || len(ids) == 0 {
		ragflowFail(w, 102, "should either provide doc ids or set delete_all(true), dataset: "+ds+". ")
		return
	}
	for _, id := range ids {
		if f.s.ragflowIn(ds, id) == nil {
			ragflowFail(w, 102, "These documents do not belong to dataset "+ds+" or Document not found: "+id)
			return
		}
	}
	deleted := 0
	for _, id := range ids {
		if f.s.store.Remove(RAGFlow, id) {
			deleted++
		}
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": object{"deleted": deleted}})
}

// download sends a file, or an error as JSON with the same status.
func (f *ragflowFace) download(w http.ResponseWriter, r *http.Request) {
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.ragflowIn(ds, id)
	switch {
	case f.s.store.KB(RAGFlow, ds) == nil:
		ragflowFail(w, 102, fmt.Sprintf("You don't own the dataset %s.", ds))
	case d == nil:
		ragflowFail(w, 102, fmt.Sprintf("The dataset not own the document %s.", id))
	case d.Text == "":
		ragflowFail(w, 102, "This file is empty.")
	default:
		ragflowAttachment(w, ragflowMedia(d.Format), d.Name, d.Text)
	}
}

func ragflowMedia(format string) string {
	switch format {
	case "txt":
		return "text/plain"
	case "md":
		return "text/markdown"
	case "pdf":
		return "application/pdf"
	}
	return "application/octet-stream"
}

// parsing reads the body of a start or stop and the dataset; false when the
// answer is given.
func (f *ragflowFace) parsing(w http.ResponseWriter, r *http.Request) (ds string, ids []string, ok bool) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return "", nil, false
	}
	ds = r.PathValue("ds")
	if f.s.store.KB(RAGFlow, ds) == nil {
		ragflowFail(w, 102, fmt.Sprintf("You don't own the dataset %s.", ds))
		return "", nil, false
	}
	if ids, _ = a.texts("document_ids"); len(ids) == 0 {
		ragflowFail(w, 102, "`document_ids` is required")
		return "", nil, false
	}
	return ds, ids, true
}

// startParsing starts one after another until one is busy; unknown ones are
// named at the end.
func (f *ragflowFace) startParsing(w http.ResponseWriter, r *http.Request) {
	ds, ids, ok := f.parsing(w, r)
	if !ok {
		return
	}
	var unknown []string
	for _, id := range ids {
		d := f.s.ragflowIn(ds, id)
		switch {
		case d == nil:
			unknown = append(unknown, "'"+id+"'")
		case f.s.ragflowBusy(d):
			ragflowFail(w, 102, "Can't parse document that is currently being processed")
			return
		default:
			f.s.ragflowStart(id)
		}
	}
	if len(unknown) > 0 {
		ragflowFail(w, 102, "Documents not found: ["+strings.Join(unknown, ", ")+"]")
		return
	}
	writeJSON(w, http.StatusOK, object{"code": 0})
}

// stopParsing stops one after another until one cannot be stopped.
func (f *ragflowFace) stopParsing(w http.ResponseWriter, r *http.Request) {
	ds, ids, ok := f.parsing(w, r)
	if !ok {
		return
	}
	for _, id := range ids {
		d := f.s.ragflowIn(ds, id)
		switch {
		case d == nil:
			ragflowFail(w, 102, fmt.Sprintf("You don't own the document %s.", id))
			return
		case !f.s.ragflowBusy(d):
			writeJSON(w, http.StatusOK, object{
				"code": 102, "data": object{"error_code": "DOC_STOP_PARSING_INVALID_STATE"},
				"message": "Can't stop parsing document that has not started or already completed",
			})
			return
		}
		f.s.ragflowStop(id, "")
	}
	writeJSON(w, http.StatusOK, object{"code": 0})
}

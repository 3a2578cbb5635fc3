package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// difyJSON reads a body that must be declared and be JSON.
func difyJSON(r *http.Request) (args, *difyReply) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		no := difyError(415, "unsupported_media_type", "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.")
		return nil, &no
	}
	data, _ := body(r)
	a, err := parseArgs(data)
	if err != nil {
		no := difyError(400, "bad_request", "Failed to decode JSON object")
		return nil, &no
	}
	return a, nil
}

// difyInvalid is a refused argument.
func difyInvalid(message string) difyReply { return difyError(400, "invalid_param", message) }

// difyKBArgs reads and checks name and description; nil is not given.
func difyKBArgs(a args) (name, description *string, bad string) {
	if s, err := a.text("name"); err == nil {
		name = &s
		if n := utf8.RuneCountInString(s); n < 1 || n > 40 {
			return nil, nil, "Name must be between 1 to 40 characters."
		}
	}
	if s, err := a.text("description"); err == nil {
		description = &s
		if utf8.RuneCountInString(s) > 400 {
			return nil, nil, "Description cannot exceed 400 characters."
		}
	}
	return name, description, ""
}

// difyNamed reports whether a knowledge base other than id has a name.
func (f *difyFace) difyNamed(name, id string) bool {
	return slices.ContainsFunc(f.s.store.KBs(Dify), func(kb *KnowledgeBase) bool { return kb.Name == name && kb.ID != id })
}

// createDataset answers POST /datasets.
func (f *difyFace) createDataset(r *http.Request, _ *KnowledgeBase) difyReply {
	a, bad := difyJSON(r)
	if bad != nil {
		return *bad
	}
	name, description, wrong := difyKBArgs(a)
	switch {
	case wrong != "":
		return difyInvalid(wrong)
	case name == nil:
		return difyInvalid("name: Field required")
	case f.difyNamed(*name, ""):
		return difyError(409, "dataset_name_duplicate", "The dataset name already exists. Please modify your dataset name.")
	}
	kb := KnowledgeBase{Platform: Dify, Name: *name, Created: f.s.now(), Updated: f.s.now()}
	if description != nil {
		kb.Description = *description
	}
	kb.Technique, _ = a.text("indexing_technique")
	return difyReply{200, f.datasetRow(f.s.store.AddKB(kb))}
}

// updateDataset answers PATCH /datasets/{id}: what is not sent stays.
func (f *difyFace) updateDataset(r *http.Request, kb *KnowledgeBase) difyReply {
	a, bad := difyJSON(r)
	if bad != nil {
		return *bad
	}
	name, description, wrong := difyKBArgs(a)
	switch {
	case wrong != "":
		return difyInvalid(wrong)
	case name != nil && f.difyNamed(*name, kb.ID):
		return difyInvalid("Dataset name already exists")
	}
	f.s.store.UpdateKB(Dify, kb.ID, func(kb *KnowledgeBase) {
		if name != nil {
			kb.Name = *name
		}
		if description != nil {
			kb.Description = *description
		}
		kb.Updated = f.s.now()
	})
	return difyReply{200, f.datasetRow(f.s.store.KB(Dify, kb.ID))}
}

// gone is the answer to a delete.
func (f *difyFace) gone() difyReply {
	if f.s.opts.OldDeletes {
		return difyReply{200, 204}
	}
	return difyReply{204, nil}
}

// deleteDataset answers DELETE /datasets/{id}.
func (f *difyFace) deleteDataset(_ *http.Request, kb *KnowledgeBase) difyReply {
	f.s.store.RemoveKB(Dify, kb.ID)
	return f.gone()
}

// deleteDocument answers DELETE /datasets/{id}/documents/{document}, which is
// allowed while the document is ingested.
func (f *difyFace) deleteDocument(_ *http.Request, kb *KnowledgeBase, id string) difyReply {
	d := f.s.store.Document(Dify, id)
	switch {
	case d == nil || d.KB != kb.ID:
		return difyError(404, "not_found", "Document Not Exists.")
	case d.Archived:
		return difyError(403, "archived_document_immutable", "The archived document is not editable.")
	}
	f.s.store.Remove(Dify, id)
	return f.gone()
}

// difySettle is how long a change of status keeps the document from another.
const difySettle = time.Second

// setStatus answers PATCH /datasets/{id}/documents/status/{action}. Unknown ids
// are skipped; a document that cannot be changed refuses the whole call.
func (f *difyFace) setStatus(r *http.Request, kb *KnowledgeBase, action string) difyReply {
	if !slices.Contains([]string{"enable", "disable", "archive", "un_archive"}, action) {
		return difyError(400, "invalid_action", "Invalid action. Must be one of: enable, disable, archive, un_archive")
	}
	a, bad := difyJSON(r)
	if bad != nil {
		return *bad
	}
	ids, _ := a.texts("document_ids")
	var change []string
	for _, id := range ids {
		d := f.s.store.Document(Dify, strings.ToLower(id))
		if d == nil || d.KB != kb.ID {
			continue
		}
		switch st := f.s.state(d); {
		case f.s.now().Sub(d.Updated) < difySettle:
			return difyError(400, "invalid_action", "Document:"+d.Name+" is being indexed, please try again later")
		case st.Phase != Completed:
			return difyError(400, "invalid_action", "Document: "+d.Name+" is not completed.")
		}
		change = append(change, d.ID)
	}
	for _, id := range change {
		f.s.store.Update(Dify, id, func(d *Document) {
			switch action {
			case "enable", "disable":
				d.Disabled = action == "disable"
			default:
				d.Archived = action == "archive"
			}
			d.Updated = f.s.now()
		})
	}
	return difyReply{200, object{"result": "success"}}
}

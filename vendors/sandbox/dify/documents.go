package dify

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// displays are the display statuses that a list can be filtered by.
var displays = []string{"queuing", "indexing", "paused", "error", "available", "disabled", "archived"}

// documents answers GET /datasets/{id}/documents: newest first, keyword as SQL
// LIKE, status as a display status from 1.10.1 on; an unknown one filters nothing.
func (f *face) documents(r request) reply {
	q := r.URL.Query()
	p := f.page(q, "DocumentListQuery")
	all := f.s.Documents(r.kb.ID)
	docs := all
	if word := q.Get("keyword"); word != "" {
		docs = docs.Filter(func(d *world.Document) bool { return like(d.Name, "%"+word+"%") })
	}
	status := strings.ToLower(q.Get("status"))
	if status == "enabled" {
		status = "available"
	}
	if f.since(1, 10, 1) && slices.Contains(displays, status) {
		docs = docs.Filter(func(d *world.Document) bool { return display(d, f.s.State(d)) == status })
	}
	rows := web.Rows(docs.Window(p.from, p.size), func(d *world.Document) object { return f.listRow(r.kb, all, d) })
	return reply{200, p.answer(rows, docs.Len())}
}

// like is SQL's LIKE: % stands for any text, _ for one character, and a backslash
// for nothing but what it stands before.
func like(text, pattern string) bool {
	t, p := []rune(text), []rune(pattern)
	ti, pi, star, mark := 0, 0, -1, 0
	for ti < len(t) {
		switch {
		case pi < len(p) && p[pi] == '%':
			star, mark = pi, ti
			pi++
		case pi+1 < len(p) && p[pi] == '\\' && p[pi+1] == t[ti]:
			ti, pi = ti+1, pi+2
		case pi < len(p) && p[pi] != '\\' && (p[pi] == '_' || p[pi] == t[ti]):
			ti, pi = ti+1, pi+1
		case star >= 0:
			mark++
			ti, pi = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(string(p[pi:]), "%") == ""
}

// in finds the document that the path names in its knowledge base.
func (f *face) in(r request) *world.Document {
	if d := f.s.Document(r.ids[0]); d != nil && d.KB == r.kb.ID {
		return d
	}
	return nil
}

// noDocument is the answer about a document that is not there.
func noDocument() reply { return problem(404, "not_found", "Document not found.") }

// document answers GET /datasets/{id}/documents/{document}.
func (f *face) document(r request) reply {
	d := f.in(r)
	if d == nil {
		return noDocument()
	}
	row := f.detailRow(r.kb, f.s.Documents(r.kb.ID), d)
	switch mode := r.URL.Query().Get("metadata"); mode {
	case "", "all":
	case "only":
		row = object{"id": d.ID, "doc_type": row["doc_type"], "doc_metadata": row["doc_metadata"]}
	case "without":
		delete(row, "doc_type")
		delete(row, "doc_metadata")
	default:
		return problem(400, "invalid_metadata", "Invalid metadata value: "+mode)
	}
	return reply{200, row}
}

// indexingStatus answers GET /datasets/{id}/documents/{batch}/indexing-status.
func (f *face) indexingStatus(r request) reply {
	rows := []object{}
	for _, d := range f.s.Batch(r.ids[0]) {
		if d.KB == r.kb.ID {
			rows = append(rows, f.progressRow(r.kb, d))
		}
	}
	if len(rows) == 0 {
		return problem(404, "not_found", "Documents not found.")
	}
	return reply{200, object{"data": rows}}
}

// deleteDocument answers DELETE /datasets/{id}/documents/{document}, which is
// allowed while the document is ingested.
func (f *face) deleteDocument(r request) reply {
	d := f.in(r)
	switch {
	case d == nil:
		return problem(404, "not_found", "Document Not Exists.")
	case d.Archived:
		return problem(403, "archived_document_immutable", "The archived document is not editable.")
	}
	f.s.Remove(d.ID)
	return f.gone()
}

// settle is how long a change of status keeps the document from another.
const settle = time.Second

// setStatus answers PATCH /datasets/{id}/documents/status/{action}. Unknown ids
// are skipped; a document that cannot be changed refuses the whole call, and one
// that is so already is left alone.
func (f *face) setStatus(r request) reply {
	action := r.ids[0]
	a := f.check(r.Request, "DocumentStatusPayload")
	if !slices.Contains([]string{"enable", "disable", "archive", "un_archive"}, action) {
		return problem(400, "invalid_action", "Invalid action: "+action+". Must be one of ['enable', 'disable', 'archive', 'un_archive']")
	}
	ids, err := a.Texts("document_ids")
	if err != nil && a.Has("document_ids") {
		return broken() // its letters were taken for ids
	}
	var change []string
	for _, id := range ids {
		d := f.s.Document(strings.ToLower(id))
		if d == nil || d.KB != r.kb.ID {
			continue
		}
		switch is := f.s.State(d); {
		case f.s.Now().Before(d.Dify.Locked):
			return problem(400, "invalid_action", "Document:"+d.Name+" is being indexed, please try again later")
		case action == "disable" && is.Phase != world.Completed:
			return problem(400, "invalid_action", "Document: "+d.Name+" is not completed.")
		}
		if d.Disabled == (action == "disable") && action[0] != 'a' && action[0] != 'u' || action == "archive" && d.Archived || action == "un_archive" && !d.Archived {
			continue
		}
		change = append(change, d.ID)
	}
	for _, id := range change {
		f.s.Update(id, func(d *world.Document) {
			switch action {
			case "enable", "disable":
				d.Disabled = action == "disable"
			default:
				d.Archived = action == "archive"
			}
			d.Updated = f.s.Now()
			d.Dify.Locked = d.Updated.Add(settle)
		})
	}
	return reply{http.StatusOK, object{"result": "success"}}
}

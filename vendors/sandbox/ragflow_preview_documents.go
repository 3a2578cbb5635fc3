package sandbox

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// ordered sorts by order_by when descend is literally True or False. With
// anything else, and with neither, the rows come as the table has them.
func (f *previewFace) ordered(docs List, v url.Values) ([]*Document, *ragflowFailure) {
	all := docs.Window(0, -1)
	orderby, descend := v.Get("order_by"), v.Get("descend")
	if descend != "True" && descend != "False" {
		slices.SortFunc(all, func(a, b *Document) int { return a.Seq - b.Seq })
		return all, nil
	}
	switch orderby {
	case "", "create_time":
	case "update_time":
		f.s.sortByUpdate(all)
	default:
		return nil, &ragflowFailure{100, previewNoColumn("Document", orderby)}
	}
	if descend == "False" {
		slices.Reverse(all)
	}
	return all, nil
}

// document is one row: run is a digit, and the duration has its old spelling.
func (f *previewFace) document(d *Document) object {
	l := f.s.ragflowLife(d)
	run := l.run
	for value, word := range ragflowRuns() {
		if run == word {
			run = value
		}
	}
	var begin any
	if !d.Started.IsZero() {
		begin = previewDate(d.Started)
	}
	valid := ragflowValid(d)
	if f.stopped(d) {
		valid = "2"
	}
	return object{
		"chunk_num": l.chunks, "create_date": previewDate(d.Created), "create_time": d.Created.UnixMilli(),
		"created_by": ragflowTenant, "id": d.ID, "kb_id": d.KB, "location": d.Name, "name": d.Name,
		"parser_config": previewParser(), "parser_id": "naive",
		"process_begin_at": begin, "process_duation": l.duration,
		"progress": l.progress, "progress_msg": ragflowMessage(d, f.s.state(d), ragOld), "run": run,
		"size": d.Size, "source_type": "local", "status": valid, "thumbnail": nil,
		"token_num": l.tokens, "type": ragflowType(d.Format),
		"update_date": previewDate(l.updated), "update_time": l.updated.UnixMilli(),
	}
}

// documentStatus reads its word from the validity column, so it says RUNNING of
// every enabled document: only the progress is true. Nor does it look whether
// the document belongs to the dataset.
func (f *previewFace) documentStatus(w http.ResponseWriter, r *http.Request) {
	ds, doc := r.PathValue("ds"), r.PathValue("doc")
	if f.s.store.KB(RAGFlow, ds) == nil {
		ragflowFail(w, 102, fmt.Sprintf("This dataset: '%s' cannot be found!", ds))
		return
	}
	d := f.s.store.Document(RAGFlow, doc)
	if d == nil {
		ragflowFail(w, 102, fmt.Sprintf("This document: '%s' is not a valid document.", doc))
		return
	}
	word := "RUNNING"
	switch {
	case f.stopped(d):
		word = "CANCEL"
	case d.Disabled:
		word = "UNSTART"
	}
	writeJSON(w, http.StatusOK, object{
		"code": 0, "data": object{"progress": f.s.ragflowLife(d).progress, "status": word}, "message": "success",
	})
}

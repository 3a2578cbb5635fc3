package preview

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// ordered sorts by order_by when descend is literally True or False. With
// anything else, and with neither, the rows come as the table has them.
func (f *face) ordered(docs world.List, v url.Values) []*world.Document {
	all := docs.Window(0, -1)
	orderby, descend := v.Get("order_by"), v.Get("descend")
	if descend != "True" && descend != "False" {
		slices.SortFunc(all, func(a, b *world.Document) int { return a.Seq - b.Seq })
		return all
	}
	switch orderby {
	case "", "create_time":
	case "update_time":
		f.s.SortByUpdate(all)
	default:
		panic(fail(100, noColumn("Document", orderby)))
	}
	if descend == "False" {
		slices.Reverse(all)
	}
	return all
}

// document is one row: run is a digit, and the duration has its old spelling.
func (f *face) document(d *world.Document) object {
	l := f.s.Life(d)
	run := l.Run
	for value, word := range tables.Runs() {
		if run == word {
			run = value
		}
	}
	var begin any
	if !d.Started.IsZero() {
		begin = date(d.Started)
	}
	valid := tables.Valid(d)
	if f.stopped(d) {
		valid = "2"
	}
	return object{
		"chunk_num": l.Chunks, "create_date": date(d.Created), "create_time": d.Created.UnixMilli(),
		"created_by": tables.Tenant, "id": d.ID, "kb_id": d.KB, "location": d.Name, "name": d.Name,
		"parser_config": parserConfig(), "parser_id": "naive",
		"process_begin_at": begin, "process_duation": l.Duration,
		"progress": l.Progress, "progress_msg": tables.Message(d, f.s.State(d), tables.Old), "run": run,
		"size": d.Size, "source_type": "local", "status": valid, "thumbnail": nil,
		"token_num": l.Tokens, "type": tables.Type(d.Format),
		"update_date": date(l.Updated), "update_time": l.Updated.UnixMilli(),
	}
}

// documentStatus reads its word from the validity column, so it says RUNNING of
// every enabled document: only the progress is true. Nor does it look whether
// the document belongs to the dataset.
func (f *face) documentStatus(r *http.Request) reply {
	ds, doc := r.PathValue("ds"), r.PathValue("doc")
	if f.s.KB(ds) == nil {
		return fail(102, fmt.Sprintf("This dataset: '%s' cannot be found!", ds))
	}
	d := f.s.Document(doc)
	if d == nil {
		return fail(102, fmt.Sprintf("This document: '%s' is not a valid document.", doc))
	}
	word := "RUNNING"
	switch {
	case f.stopped(d):
		word = "CANCEL"
	case d.Disabled:
		word = "UNSTART"
	}
	return tables.JSON(http.StatusOK, object{
		"code": 0, "data": object{"progress": f.s.Life(d).Progress, "status": word}, "message": "success",
	})
}

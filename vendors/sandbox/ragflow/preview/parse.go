package preview

import (
	"net/http"

	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// startOne and its kind parse as the builds of July 2024 do; the releases v0.9.0
// and v0.10.0 fail, see [Options].
func (f *face) startOne(r *http.Request) reply {
	return fail(0, f.start(f.found(r, r.PathValue("doc"))))
}

func (f *face) startMany(r *http.Request) reply {
	all := ""
	for _, d := range f.named(r) {
		all += f.start(d)
	}
	return ok(true, all)
}

// start parses a document. The text names it when it is empty.
func (f *face) start(d *world.Document) string {
	switch {
	case d.Size == 0:
		return "Empty data in the document: " + d.Name + "; "
	case f.broken: // the chunks are gone and the row says it runs
		now := f.s.Now()
		f.s.Update(d.ID, func(d *world.Document) {
			d.Started, d.Updated = now, now
			d.Plan = world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: 1 << 62}}}
		})
		panic(fail(100, `NameError("name 'doc_parse' is not defined")`))
	}
	f.s.Start(d.ID)
	return ""
}

func (f *face) stopOne(r *http.Request) reply {
	f.stop(f.found(r, r.PathValue("doc")))
	return fail(0, "")
}

func (f *face) stopMany(r *http.Request) reply {
	for _, d := range f.named(r) {
		f.stop(d)
	}
	return ok(true, "")
}

// stop ends what is enabled and at work. The run column stays at "1": the
// validity column tells of the stop, see stopped.
func (f *face) stop(d *world.Document) {
	if !d.Disabled && f.s.Busy(d) {
		f.s.Stop(d.ID, tables.Running)
	}
}

// stopped reports a document that this generation's stop has ended.
func (f *face) stopped(d *world.Document) bool {
	st := f.s.State(d)
	return st.Phase == world.Cancelled && st.Raw == tables.Running
}

// named is the documents of "doc_ids". Null and an empty list mean all of the
// dataset.
func (f *face) named(r *http.Request) []*world.Document {
	ids, _ := body(r).Texts("doc_ids")
	if len(ids) == 0 {
		f.dataset(r)
		return f.s.Documents(r.PathValue("ds")).Window(0, -1)
	}
	docs := make([]*world.Document, len(ids))
	for i, id := range ids {
		docs[i] = f.found(r, id)
	}
	return docs
}

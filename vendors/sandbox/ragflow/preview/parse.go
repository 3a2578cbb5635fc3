package preview

import (
	"net/http"

	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// startOne and its kind parse as the builds of July 2024 do; the releases v0.9.0
// and v0.10.0 fail, see Options.BrokenStart.
func (f *face) startOne(w http.ResponseWriter, r *http.Request) {
	d := f.found(w, r, r.PathValue("doc"))
	if d == nil {
		return
	}
	text, broken := f.start(d)
	if broken != nil {
		fail(w, broken.Code, broken.Message)
		return
	}
	fail(w, 0, text)
}

func (f *face) startMany(w http.ResponseWriter, r *http.Request) {
	docs, ok := f.named(w, r)
	if !ok {
		return
	}
	all := ""
	for _, d := range docs {
		text, broken := f.start(d)
		if broken != nil {
			fail(w, broken.Code, broken.Message)
			return
		}
		all += text
	}
	f.ok(w, true, all)
}

// start parses a document. The text names it when it is empty.
func (f *face) start(d *world.Document) (string, *tables.Failure) {
	if d.Size == 0 {
		return "Empty data in the document: " + d.Name + "; ", nil
	}
	if f.broken { // the chunks are gone and the row says it runs
		now := f.s.Now()
		f.s.Update(world.RAGFlow, d.ID, func(d *world.Document) {
			d.Started, d.Updated = now, now
			d.Plan = world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: 1 << 62}}}
		})
		return "", tables.Refuse(100, `NameError("name 'doc_parse' is not defined")`)
	}
	f.s.Start(d.ID)
	return "", nil
}

func (f *face) stopOne(w http.ResponseWriter, r *http.Request) {
	if d := f.found(w, r, r.PathValue("doc")); d != nil {
		f.stop(d)
		fail(w, 0, "")
	}
}

func (f *face) stopMany(w http.ResponseWriter, r *http.Request) {
	docs, ok := f.named(w, r)
	if !ok {
		return
	}
	for _, d := range docs {
		f.stop(d)
	}
	f.ok(w, true, "")
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
func (f *face) named(w http.ResponseWriter, r *http.Request) ([]*world.Document, bool) {
	a, ok := f.body(w, r)
	if !ok {
		return nil, false
	}
	ds := r.PathValue("ds")
	ids, _ := a.Texts("doc_ids")
	if len(ids) == 0 && f.s.KB(world.RAGFlow, ds) != nil {
		return f.s.Documents(world.RAGFlow, ds).Window(0, -1), true
	}
	var docs []*world.Document
	for _, id := range ids {
		d := f.found(w, r, id)
		if d == nil {
			return nil, false
		}
		docs = append(docs, d)
	}
	if len(ids) == 0 {
		f.found(w, r, "")
	}
	return docs, len(ids) > 0
}

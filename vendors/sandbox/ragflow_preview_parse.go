package sandbox

import "net/http"

// startOne and its kind parse as the builds of July 2024 do; the releases v0.9.0
// and v0.10.0 fail, see Options.BrokenStart.
func (f *previewFace) startOne(w http.ResponseWriter, r *http.Request) {
	d := f.found(w, r, r.PathValue("doc"))
	if d == nil {
		return
	}
	text, broken := f.start(d)
	if broken != nil {
		ragflowFail(w, broken.code, broken.message)
		return
	}
	ragflowFail(w, 0, text)
}

func (f *previewFace) startMany(w http.ResponseWriter, r *http.Request) {
	docs, ok := f.named(w, r)
	if !ok {
		return
	}
	all := ""
	for _, d := range docs {
		text, broken := f.start(d)
		if broken != nil {
			ragflowFail(w, broken.code, broken.message)
			return
		}
		all += text
	}
	f.ok(w, true, all)
}

// start parses a document. The text names it when it is empty.
func (f *previewFace) start(d *Document) (string, *ragflowFailure) {
	if d.Size == 0 {
		return "Empty data in the document: " + d.Name + "; ", nil
	}
	if f.s.opts.BrokenStart { // the chunks are gone and the row says it runs
		now := f.s.now()
		f.s.store.Update(RAGFlow, d.ID, func(d *Document) {
			d.Started, d.Updated = now, now
			d.Plan = Plan{Stages: []Stage{{Phase: Queued, For: 1 << 62}}}
		})
		return "", &ragflowFailure{100, `NameError("name 'doc_parse' is not defined")`}
	}
	f.s.ragflowStart(d.ID)
	return "", nil
}

func (f *previewFace) stopOne(w http.ResponseWriter, r *http.Request) {
	if d := f.found(w, r, r.PathValue("doc")); d != nil {
		f.stop(d)
		ragflowFail(w, 0, "")
	}
}

func (f *previewFace) stopMany(w http.ResponseWriter, r *http.Request) {
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
func (f *previewFace) stop(d *Document) {
	if !d.Disabled && f.s.ragflowBusy(d) {
		f.s.ragflowStop(d.ID, ragRunning)
	}
}

// stopped reports a document that this generation's stop has ended.
func (f *previewFace) stopped(d *Document) bool {
	st := f.s.state(d)
	return st.Phase == Cancelled && st.Raw == ragRunning
}

// named is the documents of "doc_ids". Null and an empty list mean all of the
// dataset.
func (f *previewFace) named(w http.ResponseWriter, r *http.Request) ([]*Document, bool) {
	a, ok := f.previewBody(w, r)
	if !ok {
		return nil, false
	}
	ds := r.PathValue("ds")
	ids, _ := a.texts("doc_ids")
	if len(ids) == 0 && f.s.store.KB(RAGFlow, ds) != nil {
		return f.s.store.Documents(RAGFlow, ds).Window(0, -1), true
	}
	var docs []*Document
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

package sandbox

import (
	"fmt"
	"net/http"
	"strings"
)

// parsing reads the body of a start or stop and the dataset; false when the
// answer is given.
func (f *ragflowFace) parsing(w http.ResponseWriter, r *http.Request) (kb *KnowledgeBase, ids []string, ok bool) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return nil, nil, false
	}
	ds := r.PathValue("ds")
	if kb = f.s.store.KB(RAGFlow, ds); kb == nil {
		f.refuse(w, 102, fmt.Sprintf("You don't own the dataset %s.", ds), nil)
		return nil, nil, false
	}
	if r.Method == http.MethodPost && kb.Pipeline != "" && f.server == ragPython {
		f.fail(w, 101, "Datasets configured with an ingestion pipeline cannot be parsed with `/datasets/{dataset_id}/chunks`. Use `/documents/ingest` instead.")
		return nil, nil, false
	}
	if ids, _ = a.texts("document_ids"); len(ids) == 0 {
		f.refuse(w, 102, "`document_ids` is required", nil)
		return nil, nil, false
	}
	return kb, ids, true
}

// startParsing starts one after another until one is busy or cannot be put into
// the queue; unknown ones are named at the end.
func (f *ragflowFace) startParsing(w http.ResponseWriter, r *http.Request) {
	kb, ids, ok := f.parsing(w, r)
	if !ok {
		return
	}
	var unknown, twice []string
	seen := map[string]bool{}
	for _, id := range ids {
		d := f.s.ragflowIn(kb.ID, id)
		switch {
		case d == nil:
			unknown = append(unknown, id)
			continue
		case seen[id]:
			twice = append(twice, "Duplicate document ids: "+id)
			continue
		}
		if wrong := f.start(d); wrong != nil {
			f.refuse(w, wrong.code, wrong.message, nil)
			return
		}
		seen[id] = true
	}
	switch {
	case len(unknown) > 0:
		f.refuse(w, 102, "Documents not found: "+pythonList(unknown), nil)
	case len(twice) > 0:
		writeJSON(w, http.StatusOK, object{"code": 0, "data": object{"success_count": len(seen), "errors": twice},
			"message": fmt.Sprintf("Partially parsed %d documents with %d errors", len(seen), len(twice))})
	default:
		f.done(w)
	}
}

// start starts one document. The servers write that it runs before they put it
// into the queue, so that one that cannot be queued stays so.
func (f *ragflowFace) start(d *Document) *ragflowFailure {
	switch busy := f.s.ragflowBusy(d); {
	case f.server == ragGo && f.away("tables"):
		return &ragflowFailure{102, "check ingestion task for " + d.ID + ": Error 1146 (42S02): Table 'rag_flow.ingestion_task' doesn't exist"}
	case busy && f.server == ragGo:
		return &ragflowFailure{102, fmt.Sprintf("failed to enqueue document %s: document id %s already exists, status: RUNNING, task id: %s", d.ID, d.ID, digest("task", d.ID, 0)[:32])}
	case busy:
		return &ragflowFailure{102, "Can't parse document that is currently being processed"}
	case f.server != ragGo && f.s.ragflowBroken(d, f.server):
		f.s.ragflowSet(d.ID, ragflowStuck())
		if f.server == ragOld {
			return &ragflowFailure{100, `TypeError("'NoneType' object cannot be interpreted as an integer")`}
		}
		return &ragflowFailure{100, "IndexError('list index out of range')"}
	case f.away("queue"):
		f.s.ragflowSet(d.ID, Plan{Stages: []Stage{{Phase: Queued, For: ragflowForever}}})
		return &ragflowFailure{100, `AssertionError("Can't access Redis. Please check the Redis' status.")`}
	}
	f.s.ragflowStart(d.ID)
	return nil
}

// ragflowForever is longer than anybody waits.
const ragflowForever = 365 * 24 * ragflowLong * 60

// ragflowSet gives a document a life that begins now.
func (s *Sandbox) ragflowSet(id string, p Plan) {
	now := s.now()
	s.store.Update(RAGFlow, id, func(d *Document) { d.Plan, d.Started, d.Updated, d.Edited = p, now, now, nil })
}

// stopParsing stops one after another until one cannot be stopped.
func (f *ragflowFace) stopParsing(w http.ResponseWriter, r *http.Request) {
	kb, ids, ok := f.parsing(w, r)
	if !ok {
		return
	}
	for _, id := range ids {
		d := f.s.ragflowIn(kb.ID, id)
		switch {
		case d == nil && f.server == ragOld:
			f.fail(w, 102, fmt.Sprintf("You don't own the document %s.", id))
			return
		case d == nil:
			f.refuse(w, 102, "you don't own the document "+id, nil)
			return
		case f.server == ragGo && f.away("tables"):
			f.refuse(w, 500, "get ingestion task for "+id+": Error 1146 (42S02): Table 'rag_flow.ingestion_task' doesn't exist", nil)
			return
		case !f.s.ragflowBusy(d):
			f.notRunning(w)
			return
		}
		f.s.ragflowStop(id, "")
	}
	f.done(w)
}

// notRunning is how a stop is refused.
func (f *ragflowFace) notRunning(w http.ResponseWriter) {
	if f.server == ragOld {
		f.fail(w, 102, "Can't stop parsing document with progress at 0 or 1")
		return
	}
	writeJSON(w, http.StatusOK, object{
		"code": 102, "data": object{"error_code": "DOC_STOP_PARSING_INVALID_STATE"},
		"message": "Can't stop parsing document that has not started or already completed",
	})
}

// ingest starts (run "1") and stops (run "2") documents of any dataset, those with
// a pipeline too.
func (f *ragflowFace) ingest(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	ids, _ := a.texts("doc_ids")
	run := strings.Trim(string(a["run"]), `"`)
	for _, key := range []string{"doc_ids", "run"} {
		if !a.has(key) {
			writeJSON(w, http.StatusOK, object{"code": 101, "data": nil, "message": "required argument are missing: " + key + "; "})
			return
		}
	}
	for _, id := range ids {
		d := f.s.store.Document(RAGFlow, id)
		if d == nil {
			writeJSON(w, http.StatusOK, object{"code": 109, "data": nil, "message": "no authorization"})
			return
		}
		switch {
		case run == ragCancel && f.s.ragflowBusy(d):
			f.s.ragflowStop(id, "")
		case run == ragRunning:
			if wrong := f.start(d); wrong != nil {
				writeJSON(w, http.StatusOK, object{"code": wrong.code, "data": nil, "message": wrong.message})
				return
			}
		}
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": true, "message": "success"})
}

package ragflow

import (
	"fmt"
	"net/http"
	"strings"

	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// parsing reads the body of a start or stop and the dataset.
func (f *face) parsing(r *http.Request) (kb *world.KnowledgeBase, ids []string) {
	a, ds := f.body(r), r.PathValue("ds")
	kb = f.s.KB(ds)
	ids, _ = a.Texts("document_ids")
	switch {
	case kb == nil:
		panic(f.refuse(102, fmt.Sprintf("You don't own the dataset %s.", ds), nil))
	case r.Method == http.MethodPost && kb.Pipeline != "" && f.server == tables.Python:
		panic(f.fail(101, "Datasets configured with an ingestion pipeline cannot be parsed with `/datasets/{dataset_id}/chunks`. Use `/documents/ingest` instead."))
	case len(ids) == 0:
		panic(f.refuse(102, "`document_ids` is required", nil))
	}
	return kb, ids
}

// startParsing starts one after another until one is busy or cannot be put into
// the queue; unknown ones are named at the end.
func (f *face) startParsing(r *http.Request) reply {
	kb, ids := f.parsing(r)
	var unknown, twice []string
	seen := map[string]bool{}
	for _, id := range ids {
		d := f.s.In(kb.ID, id)
		switch {
		case d == nil:
			unknown = append(unknown, id)
			continue
		case seen[id]:
			twice = append(twice, "Duplicate document ids: "+id)
			continue
		}
		f.start(d, func(code int, message string) reply { return f.refuse(code, message, nil) })
		seen[id] = true
	}
	switch {
	case len(unknown) > 0:
		return f.refuse(102, "Documents not found: "+pythonList(unknown), nil)
	case len(twice) > 0:
		return tables.JSON(http.StatusOK, object{"code": 0, "data": object{"success_count": len(seen), "errors": twice},
			"message": fmt.Sprintf("Partially parsed %d documents with %d errors", len(seen), len(twice))})
	default:
		return f.done()
	}
}

// start starts one document. The servers write that it runs before they put it
// into the queue, so that one that cannot be queued stays so.
func (f *face) start(d *world.Document, refuse tables.Refusal) {
	switch busy := f.s.Busy(d); {
	case f.server == tables.Go && f.away("tables"):
		panic(refuse(102, "check ingestion task for "+d.ID+": Error 1146 (42S02): Table 'rag_flow.ingestion_task' doesn't exist"))
	case busy && f.server == tables.Go:
		panic(refuse(102, fmt.Sprintf("failed to enqueue document %s: document id %s already exists, status: RUNNING, task id: %s", d.ID, d.ID, world.Digest("task", d.ID, 0)[:32])))
	case busy:
		panic(refuse(102, "Can't parse document that is currently being processed"))
	case f.server != tables.Go && f.s.Broken(d, f.server):
		f.s.Set(d.ID, tables.Stuck())
		if f.server == tables.Old {
			panic(refuse(100, `TypeError("'NoneType' object cannot be interpreted as an integer")`))
		}
		panic(refuse(100, "IndexError('list index out of range')"))
	case f.away("queue"):
		f.s.Set(d.ID, world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: forever}}})
		panic(refuse(100, `AssertionError("Can't access Redis. Please check the Redis' status.")`))
	}
	f.s.Start(d.ID)
}

// forever is longer than anybody waits.
const forever = 365 * 24 * tables.Long * 60

// stopParsing stops one after another until one cannot be stopped.
func (f *face) stopParsing(r *http.Request) reply {
	kb, ids := f.parsing(r)
	for _, id := range ids {
		d := f.s.In(kb.ID, id)
		switch {
		case d == nil && f.server == tables.Old:
			return f.fail(102, fmt.Sprintf("You don't own the document %s.", id))
		case d == nil:
			return f.refuse(102, "you don't own the document "+id, nil)
		case f.server == tables.Go && f.away("tables"):
			return f.refuse(500, "get ingestion task for "+id+": Error 1146 (42S02): Table 'rag_flow.ingestion_task' doesn't exist", nil)
		case !f.s.Busy(d):
			return f.notRunning()
		}
		f.s.Stop(id, "")
	}
	return f.done()
}

// notRunning is how a stop is refused.
func (f *face) notRunning() reply {
	if f.server == tables.Old {
		return f.fail(102, "Can't stop parsing document with progress at 0 or 1")
	}
	return tables.JSON(http.StatusOK, object{
		"code": 102, "data": object{"error_code": "DOC_STOP_PARSING_INVALID_STATE"},
		"message": "Can't stop parsing document that has not started or already completed",
	})
}

// ingest starts (run "1") and stops (run "2") documents of any dataset, those with
// a pipeline too.
func (f *face) ingest(r *http.Request) reply {
	a := f.body(r)
	ids, _ := a.Texts("doc_ids")
	run := strings.Trim(string(a["run"]), `"`)
	refuse := func(code int, message string) reply {
		return tables.JSON(http.StatusOK, object{"code": code, "data": nil, "message": message})
	}
	for _, key := range []string{"doc_ids", "run"} {
		if !a.Has(key) {
			return refuse(101, "required argument are missing: "+key+"; ")
		}
	}
	for _, id := range ids {
		switch d := f.s.Document(id); {
		case d == nil:
			return refuse(109, "no authorization")
		case run == tables.Cancel && f.s.Busy(d):
			f.s.Stop(id, "")
		case run == tables.Running:
			f.start(d, refuse)
		}
	}
	return success(true)
}

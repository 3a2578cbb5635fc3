package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// lacks is the refusal for an unknown dataset and for a foreign one alike.
func (f *ragflowFace) lacks(w http.ResponseWriter, what, id string) {
	code, user := 102, "User"
	if f.server == ragOld {
		code = 108
	}
	if f.server == ragGo {
		user = "user"
	}
	f.fail(w, code, user+" '"+ragflowTenant+"' lacks permission for "+what+" '"+id+"'")
}

// listDatasets is the only list that is strict about its parameters. Its total
// stands beside the data, and there is no message.
func (f *ragflowFace) listDatasets(w http.ResponseWriter, r *http.Request) {
	q, problem := f.parseDatasetQuery(r.URL.Query())
	if problem != "" {
		f.refuse(w, 101, problem, nil)
		return
	}
	all := f.s.store.KBs(RAGFlow)
	unknown := func(id string) bool { return f.s.store.KB(RAGFlow, id) == nil }
	i := slices.IndexFunc(q.ids, unknown)
	switch {
	case q.id != "" && len(q.ids) > 0:
		f.fail(w, 102, "should not provide both 'id':"+q.id+" and 'ids':"+pythonList(q.ids))
		return
	case q.id != "" && unknown(q.id):
		f.lacks(w, "dataset", q.id)
		return
	case i >= 0:
		f.lacks(w, "datasets:", q.ids[i])
		return
	}
	kbs, named := []*KnowledgeBase{}, q.name == ""
	for _, kb := range all {
		named = named || kb.Name == q.name
		if q.keeps(kb) && f.hasKeywords(kb.Name, q.keywords) {
			kbs = append(kbs, kb)
		}
	}
	if !named {
		f.lacks(w, "dataset", q.name)
		return
	}
	total := len(kbs)
	sortKBs(kbs, q.orderby, q.desc)
	rows := []object{}
	for _, kb := range ragflowWindow(kbs, multiply(q.page-1, q.pageSize), q.pageSize) {
		row := f.listedDataset(kb)
		if q.parsing {
			row["parsing_status"] = f.s.ragflowStates(kb.ID)
		}
		rows = append(rows, row)
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": rows, "total_datasets": total})
}

// pythonList is a list of texts as Python shows it.
func pythonList(texts []string) string {
	return "['" + strings.Join(texts, "', '") + "']"
}

// getDataset has "size" and "connectors", which the list lacks.
func (f *ragflowFace) getDataset(w http.ResponseWriter, r *http.Request) {
	kb := f.s.store.KB(RAGFlow, r.PathValue("ds"))
	if kb == nil {
		f.lacks(w, "dataset", r.PathValue("ds"))
		return
	}
	row := f.dataset(kb)
	row["connectors"], row["size"] = []string{}, f.s.ragflowCounts(kb.ID).size
	f.succeed(w, row)
}

// ingestionSummary is the server's own count of a knowledge base.
func (f *ragflowFace) ingestionSummary(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("ds")
	if f.s.store.KB(RAGFlow, id) == nil {
		f.refuse(w, 102, "User '"+ragflowTenant+"' lacks permission for dataset '"+id+"'", nil)
		return
	}
	c := f.s.ragflowCounts(id)
	data := object{"doc_num": c.documents, "chunk_num": c.chunks, "token_num": c.tokens, "status": f.s.ragflowStates(id)}
	if f.server == ragGo {
		writeJSON(w, http.StatusOK, object{"code": 0, "data": data, "message": "success"})
		return
	}
	f.succeed(w, data)
}

// ragflowStates counts a dataset's documents by the five values of run that the
// servers count; others are in none of them.
func (s *Sandbox) ragflowStates(kb string) object {
	names := map[string]string{
		ragUnstart: "unstart_count", ragRunning: "running_count", ragCancel: "cancel_count", ragDone: "done_count", ragFail: "fail_count",
	}
	counts := object{}
	for _, name := range names {
		counts[name] = 0
	}
	docs := s.store.Documents(RAGFlow, kb)
	for i := range docs.Len() {
		if name := names[s.ragflowLife(docs.At(i)).run]; name != "" {
			counts[name] = counts[name].(int) + 1
		}
	}
	return counts
}

// metadataConfig is what a dataset's metadata are made of.
func (f *ragflowFace) metadataConfig(w http.ResponseWriter, r *http.Request) {
	kb := f.s.store.KB(RAGFlow, r.PathValue("ds"))
	if kb == nil {
		f.lacks(w, "dataset", r.PathValue("ds"))
		return
	}
	f.succeed(w, metadataFields(kb))
}

// metadataFields is the fields that somebody has set.
func metadataFields(kb *KnowledgeBase) object {
	fields := []any{}
	for _, field := range kb.Fields {
		fields = append(fields, object{"key": field.Name, "description": "", "enum": []string{}})
	}
	return object{"metadata": fields, "built_in_metadata": []any{}}
}

// setMetadataConfig sets the fields by their names.
func (f *ragflowFace) setMetadataConfig(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	id := r.PathValue("ds")
	if f.s.store.KB(RAGFlow, id) == nil {
		f.lacks(w, "dataset", id)
		return
	}
	var fields []Field
	for _, key := range []string{"metadata", "fields"} {
		for _, field := range a.objects(key) {
			for _, name := range []string{"key", "name"} {
				if text, err := field.text(name); err == nil {
					fields = append(fields, Field{Name: text, Type: "string"})
				}
			}
		}
	}
	f.s.store.UpdateKB(RAGFlow, id, func(kb *KnowledgeBase) { kb.Fields = fields })
	f.succeed(w, metadataFields(f.s.store.KB(RAGFlow, id)))
}

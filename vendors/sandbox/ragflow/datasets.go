package ragflow

import (
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// lacks is the refusal for an unknown dataset and for a foreign one alike.
func (f *face) lacks(what, id string) reply {
	code, user := 102, "User"
	if f.server == tables.Old {
		code = 108
	}
	if f.server == tables.Go {
		user = "user"
	}
	return f.fail(code, user+" '"+tables.Tenant+"' lacks permission for "+what+" '"+id+"'")
}

// listDatasets is the only list that is strict about its parameters. Its total
// stands beside the data, and there is no message.
func (f *face) listDatasets(r *http.Request) reply {
	q, problem := f.parseDatasetQuery(r.URL.Query())
	if problem != "" {
		return f.refuse(101, problem, nil)
	}
	all := f.s.KBs()
	unknown := func(id string) bool { return f.s.KB(id) == nil }
	i := slices.IndexFunc(q.ids, unknown)
	switch {
	case q.id != "" && len(q.ids) > 0:
		return f.fail(102, "should not provide both 'id':"+q.id+" and 'ids':"+pythonList(q.ids))
	case q.id != "" && unknown(q.id):
		return f.lacks("dataset", q.id)
	case i >= 0:
		return f.lacks("datasets:", q.ids[i])
	}
	kbs, named := []*world.KnowledgeBase{}, q.name == ""
	for _, kb := range all {
		named = named || kb.Name == q.name
		if q.keeps(kb) && f.hasKeywords(kb.Name, q.keywords) {
			kbs = append(kbs, kb)
		}
	}
	if !named {
		return f.lacks("dataset", q.name)
	}
	total := len(kbs)
	tables.SortKBs(kbs, q.orderby, q.desc)
	rows := []object{}
	for _, kb := range web.Window(kbs, web.Multiply(q.page-1, q.pageSize), q.pageSize) {
		row := f.listedDataset(kb)
		if q.parsing {
			row["parsing_status"] = f.s.States(kb.ID)
		}
		rows = append(rows, row)
	}
	return tables.JSON(http.StatusOK, object{"code": 0, "data": rows, "total_datasets": total})
}

// pythonList is a list of texts as Python shows it.
func pythonList(texts []string) string {
	return "['" + strings.Join(texts, "', '") + "']"
}

// getDataset has "size" and "connectors", which the list lacks.
func (f *face) getDataset(r *http.Request) reply {
	kb := f.s.KB(r.PathValue("ds"))
	if kb == nil {
		return f.lacks("dataset", r.PathValue("ds"))
	}
	row := f.dataset(kb)
	row["connectors"], row["size"] = []string{}, f.s.Counts(kb.ID).Size
	return f.succeed(row)
}

// ingestionSummary is the server's own count of a knowledge base.
func (f *face) ingestionSummary(r *http.Request) reply {
	id := r.PathValue("ds")
	if f.s.KB(id) == nil {
		return f.refuse(102, "User '"+tables.Tenant+"' lacks permission for dataset '"+id+"'", nil)
	}
	c := f.s.Counts(id)
	data := object{"doc_num": c.Documents, "chunk_num": c.Chunks, "token_num": c.Tokens, "status": f.s.States(id)}
	return f.result(data)
}

// metadataConfig is what a dataset's metadata are made of.
func (f *face) metadataConfig(r *http.Request) reply {
	kb := f.s.KB(r.PathValue("ds"))
	if kb == nil {
		return f.lacks("dataset", r.PathValue("ds"))
	}
	return f.succeed(metadataFields(kb))
}

// metadataFields is the fields that somebody has set.
func metadataFields(kb *world.KnowledgeBase) object {
	fields := []any{}
	for _, field := range kb.Fields {
		fields = append(fields, object{"key": field.Name, "description": "", "enum": []string{}})
	}
	return object{"metadata": fields, "built_in_metadata": []any{}}
}

// setMetadataConfig sets the fields by their names.
func (f *face) setMetadataConfig(r *http.Request) reply {
	a := f.body(r)
	id := r.PathValue("ds")
	if f.s.KB(id) == nil {
		return f.lacks("dataset", id)
	}
	var fields []world.Field
	for _, key := range []string{"metadata", "fields"} {
		for _, field := range a.Objects(key) {
			for _, name := range []string{"key", "name"} {
				if text, err := field.Text(name); err == nil {
					fields = append(fields, world.Field{Name: text, Type: "string"})
				}
			}
		}
	}
	f.s.UpdateKB(id, func(kb *world.KnowledgeBase) { kb.Fields = fields })
	return f.succeed(metadataFields(f.s.KB(id)))
}

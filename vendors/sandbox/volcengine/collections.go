package volcengine

import (
	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// listCollections answers everything at once: the platform does not page here.
// Without a project it is the collections of all projects.
func (f *face) listCollections(in input) object {
	var project string
	var brief bool
	in.read("project", &project).read("brief", &brief)
	rows := []object{}
	for _, kb := range f.s.KBs() {
		if project == "" || projectOf(kb) == project {
			f.sweep(kb.ID)
			rows = append(rows, f.collectionRow(kb, brief))
		}
	}
	return object{"total_num": len(rows), "collection_list": rows}
}

func (f *face) collectionInfo(in input) object {
	kb := f.collection(in, "name")
	return f.collectionRow(kb, false)
}

// collectionRow is one knowledge base; times are seconds. "doc_num" is absent
// on one in four, whose pipeline has it all the same.
func (f *face) collectionRow(kb *world.KnowledgeBase, brief bool) object {
	stat := f.pipelineStat(kb.ID)
	index := object{"index_type": "hnsw_hybrid", "index_config": object{
		"fields": fieldRows(kb), "cpu_quota": 1, "embedding_model": "doubao-embedding-large",
	}}
	if !brief {
		index["status"] = f.indexStatus(kb)
	}
	row := object{
		"collection_name": kb.Name, "resource_id": kb.ID, "project": projectOf(kb),
		"description": kb.Description, "creator": Account, "version": 4,
		"create_time": web.Seconds(kb.Created), "update_time": web.Seconds(kb.Updated),
		"pipeline_list": []object{{
			"pipeline_type": "user_define", "pipeline_stat": stat,
			"data_type": dataType(kb), "index_list": []object{index},
		}},
	}
	if kb.Seq%4 != 3 {
		row["doc_num"] = stat["doc_num"]
	}
	return row
}

// fieldRows is what filters may name: a document's id, and what the collection
// was made with.
func fieldRows(kb *world.KnowledgeBase) []object {
	fields := []object{{"field_name": "doc_id", "field_type": "string", "default_val": ""}}
	for _, f := range kb.Fields {
		fields = append(fields, object{"field_name": f.Name, "field_type": f.Type, "default_val": f.Value})
	}
	return fields
}

func dataType(kb *world.KnowledgeBase) string {
	if kb.Kind == "table" {
		return "structured_data"
	}
	return "unstructured_data"
}

// pipelineStat counts what the documents' states say at the same moment:
// finished is succeeded and failed.
func (f *face) pipelineStat(kb string) object {
	docs := f.s.Documents(kb)
	finished, succeeded, points := 0, 0, 0
	for d := range docs.All() {
		st := f.s.State(d)
		switch status(st) {
		case completed:
			finished++
			succeeded++
			points += st.ChunksTotal
		case failed:
			finished++
		}
	}
	return object{
		"doc_num": docs.Len(), "finish_doc_num": finished, "success_doc_num": succeeded, "point_num": points,
	}
}

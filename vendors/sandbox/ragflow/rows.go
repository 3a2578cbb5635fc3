package ragflow

import (
	"cmp"
	"time"

	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// date is the form of the Python servers: local time without its zone.
func date(t time.Time) string { return t.In(tables.Zone()).Format("2006-01-02T15:04:05") }

// tasks is the background jobs of a dataset. Each has two columns that are null
// until somebody starts the job.
func (f *face) tasks() []string {
	if f.server == tables.Old {
		return []string{"graphrag", "mindmap", "raptor"}
	}
	return []string{
		"graphrag", "mindmap", "raptor", "session_essence", "session_graph", "skill",
		"structure", "structure_graph", "structure_mindmap", "timeline", "wiki",
	}
}

// chunkMethod is how a knowledge base cuts its documents.
func chunkMethod(kb *world.KnowledgeBase) string {
	switch kb.Kind {
	case "table":
		return "table"
	case "image":
		return "picture"
	}
	return "naive"
}

// dataset is what the list's rows, a single dataset and the answers to writes
// have in common.
func (f *face) dataset(kb *world.KnowledgeBase) object {
	c := f.s.Counts(kb.ID)
	row := object{
		"chunk_count": c.Chunks, "create_time": kb.Created.UnixMilli(), "created_by": tables.Tenant, "document_count": c.Documents,
		"embedding_model": "BAAI/bge-large-zh-v1.5@BAAI", "id": kb.ID, "language": "English", "name": kb.Name,
		"pagerank": 0, "parser_config": f.parser(kb), "permission": "me",
		"similarity_threshold": 0.2, "tenant_id": tables.Tenant, "token_num": c.Tokens,
		"update_time": kb.Updated.UnixMilli(), "vector_similarity_weight": 0.3,
	}
	if f.server == tables.Go {
		row["parser_id"] = chunkMethod(kb)
		if kb.Description != "" || !kb.Updated.Equal(kb.Created) {
			row["description"] = kb.Description
		}
		return row
	}
	for key, value := range map[string]any{
		"avatar": nil, "chunk_method": chunkMethod(kb), "description": tables.OrNull(kb.Description), "pipeline_id": tables.OrNull(kb.Pipeline), "status": "1",
		"create_date": date(kb.Created), "update_date": date(kb.Updated),
	} {
		row[key] = value
	}
	if f.server != tables.Old {
		row["tenant_embd_id"] = nil
	}
	for _, task := range f.tasks() {
		row[task+"_task_id"], row[task+"_task_finish_at"] = nil, nil
	}
	return row
}

// listedDataset is a row of the dataset list. Go's has no time of the creation.
func (f *face) listedDataset(kb *world.KnowledgeBase) object {
	row := f.dataset(kb)
	switch f.server {
	case tables.Python:
		row["embedding_model_name"], row["nickname"], row["tenant_avatar"] = "", "sandbox", nil
	case tables.Go:
		row["avatar"], row["nickname"], row["description"] = nil, "sandbox", tables.OrNull(kb.Description)
		for _, key := range []string{"create_time", "created_by", "similarity_threshold", "vector_similarity_weight"} {
			delete(row, key)
		}
	}
	return row
}

// parser is a dataset's settings, which are its documents' too.
func (f *face) parser(kb *world.KnowledgeBase) object {
	if kb.Bare {
		return object{}
	}
	entities := []string{"organization", "person", "geo", "event", "category"}
	graph := object{"entity_types": entities, "method": "light", "use_graphrag": true}
	raptor := object{"max_cluster": 64, "max_token": 256, "prompt": "Please summarize.\n{cluster_content}", "random_seed": 0, "threshold": 0.1, "use_raptor": true}
	config := object{
		"auto_keywords": 0, "auto_questions": 0, "chunk_token_num": 512, "delimiter": "\n", "html4excel": false, "image_context_size": 0,
		"layout_recognize": "DeepDOC", "llm_id": "", "table_context_size": 0, "topn_tags": 3, "graphrag": graph, "raptor": raptor,
	}
	if f.server == tables.Old {
		return config
	}
	delete(raptor, "threshold")
	raptor["clustering_ratio"], raptor["clustering_threshold"] = 0.5, 0.3
	for key, value := range map[string]any{
		"batch_chunk_token_size": 4096, "build_subgraph_min_timeout_seconds": 600, "build_subgraph_timeout_per_chunk_seconds": 300,
		"community_timeout_seconds": 1800, "lock_acquire_timeout_seconds": 600, "merge_timeout_seconds": 180,
		"resolution_timeout_seconds": 1800, "retry_attempts": 2, "retry_backoff_max_seconds": 60.0, "retry_backoff_seconds": 2.0,
	} {
		graph[key] = value
	}
	config["children_delimiter"] = ""
	config["parent_child"] = object{"children_delimiter": "\n", "use_parent_child": false}
	return config
}

// document is what every form of a document has.
func (f *face) document(d *world.Document) object {
	l, st, kb := f.s.Life(d), f.s.State(d), f.kbOf(d)
	row := object{
		"chunk_count": l.Chunks, "create_time": d.Created.UnixMilli(), "created_by": tables.Tenant, "dataset_id": d.KB, "id": d.ID,
		"location": d.Name, "name": d.Name, "parser_config": f.parser(kb), "process_begin_at": f.begin(d, st, date),
		"process_duration": l.Duration, "progress": l.Progress, "progress_msg": f.lines(d, st), "run": f.run(l.Run), "size": d.Size,
		"source_type": source(d.Source), "status": tables.Valid(d), "suffix": d.Format, "token_count": l.Tokens,
		"type": tables.Type(d.Format), "update_time": l.Updated.UnixMilli(), "chunk_method": chunkMethod(kb),
		"create_date": date(d.Created), "update_date": date(l.Updated), "pipeline_id": nil, "thumbnail": "",
	}
	if f.server == tables.Go && l.Run == tables.Running && st.Phase == world.Queued { // the row waits for a worker, too
		row["run"], row["progress"], row["progress_msg"], row["process_begin_at"] = "UNSTART", 0, "", nil
	}
	return row
}

// kbOf is a document's knowledge base.
func (f *face) kbOf(d *world.Document) *world.KnowledgeBase {
	if kb := f.s.KB(d.KB); kb != nil {
		return kb
	}
	return &world.KnowledgeBase{} // deleted meanwhile
}

// run is a value of the column as the server shows it. Python shows what it has
// no word for as unstarted.
func (f *face) run(value string) string {
	word := tables.Runs()[value]
	switch {
	case word != "" && value != "5":
		return word
	case f.server == tables.Go:
		return value
	}
	return "UNSTART"
}

// begin is when a document was put into the queue; null for one that a start
// has left half done.
func (f *face) begin(d *world.Document, st world.State, date func(time.Time) string) any {
	if d.Started.IsZero() || tables.IsStuck(st) {
		return nil
	}
	return date(d.Started)
}

// listedDocument is one row of the document list.
func (f *face) listedDocument(d *world.Document) object {
	row := f.document(d)
	row["meta_fields"] = documentMetadata(d)
	switch f.server {
	case tables.Old:
		row["title"] = nil
		return row
	case tables.Python:
		row["nickname"], row["pipeline_name"] = "sandbox", nil
		return row
	}
	local := func(t time.Time) string { return t.In(tables.Zone()).Format(time.DateTime) }
	begin, _ := row["process_begin_at"].(string)
	if begin != "" {
		begin = local(d.Started)
	}
	for key, value := range map[string]any{
		"parser_id": row["chunk_method"], "pipeline_id": "", "pipeline_name": "", "nickname": "sandbox", "process_begin_at": begin,
		"create_date": local(d.Created), "update_date": local(f.s.Life(d).Updated),
	} {
		row[key] = value
	}
	delete(row, "source_type")
	return row
}

// changedDocument is a document as an update answers it.
func (f *face) changedDocument(d *world.Document, withMetadata bool) object {
	row := f.document(d)
	if f.server != tables.Old {
		row["content_hash"] = world.Digest("hash", d.Text, 0)[:32]
	}
	if f.server != tables.Go {
		return row
	}
	zoned := func(t time.Time) string { return t.In(tables.Zone()).Format(time.RFC3339) }
	row["parser_id"], row["create_date"], row["update_date"] = row["chunk_method"], zoned(d.Created), zoned(f.s.Life(d).Updated)
	if row["process_begin_at"] == nil {
		delete(row, "process_begin_at")
	} else {
		row["process_begin_at"] = zoned(d.Started)
	}
	if withMetadata { // only when it was sent
		row["meta_fields"] = documentMetadata(d)
	}
	for _, key := range []string{"chunk_method", "pipeline_id", "thumbnail"} {
		delete(row, key)
	}
	return row
}

// uploadedDocument is a row as an upload answers it, without times.
func (f *face) uploadedDocument(d *world.Document) object {
	full := f.document(d)
	keys := []string{
		"chunk_method", "created_by", "dataset_id", "id", "location", "name", "parser_config", "pipeline_id",
		"run", "size", "source_type", "suffix", "thumbnail", "type",
	}
	row := object{}
	if f.server == tables.Go {
		keys = []string{"chunk_count", "created_by", "dataset_id", "id", "location", "name", "parser_config",
			"run", "size", "source_type", "suffix", "token_count", "type"}
		row["parser_id"] = full["chunk_method"]
	}
	for _, key := range keys {
		row[key] = full[key]
	}
	if f.server != tables.Old {
		row["content_hash"] = world.Digest("hash", d.Text, 0)[:32]
	}
	return row
}

// documentMetadata is what somebody has set.
func documentMetadata(d *world.Document) object {
	meta := object{}
	for _, field := range d.Metadata {
		meta[field.Name] = field.Value
	}
	return meta
}

// source names the connector a document came through; web pages and
// texts are stored as files.
func source(source string) string {
	return cmp.Or(map[string]string{"notion": "notion", "lark": "lark", "object_storage": "s3", "s3": "s3", "connector": "confluence"}[source], "local")
}

// lines is progress_msg as a server writes it: Go's lines have a colon behind the
// clock, newer Python servers begin with an empty one.
func (f *face) lines(d *world.Document, st world.State) string {
	return tables.Message(d, st, f.server)
}

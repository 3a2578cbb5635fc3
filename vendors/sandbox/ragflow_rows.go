package sandbox

import (
	"time"
)

// ragflowDate is the form of the Python servers: local time without its zone.
func ragflowDate(t time.Time) string { return t.In(ragflowZone()).Format("2006-01-02T15:04:05") }

// orNull is text, or null when there is none.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// ragflowCounts sums up a dataset's documents.
type ragflowCounts struct{ documents, chunks, tokens, size int }

func (s *Sandbox) ragflowCounts(kb string) ragflowCounts {
	docs := s.store.Documents(RAGFlow, kb)
	c := ragflowCounts{documents: docs.Len()}
	for i := range docs.Len() {
		d := docs.At(i)
		l := s.ragflowLife(d)
		c.chunks += l.chunks
		c.tokens += l.tokens
		c.size += d.Size
	}
	return c
}

// tasks is the background jobs of a dataset. Each has two columns that are null
// until somebody starts the job.
func (f *ragflowFace) tasks() []string {
	if f.server == ragOld {
		return []string{"graphrag", "mindmap", "raptor"}
	}
	return []string{
		"graphrag", "mindmap", "raptor", "session_essence", "session_graph", "skill",
		"structure", "structure_graph", "structure_mindmap", "timeline", "wiki",
	}
}

// chunkMethod is how a knowledge base cuts its documents.
func chunkMethod(kb *KnowledgeBase) string {
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
func (f *ragflowFace) dataset(kb *KnowledgeBase) object {
	c := f.s.ragflowCounts(kb.ID)
	row := object{
		"chunk_count": c.chunks, "create_time": kb.Created.UnixMilli(), "created_by": ragflowTenant, "document_count": c.documents,
		"embedding_model": "BAAI/bge-large-zh-v1.5@BAAI", "id": kb.ID, "language": "English", "name": kb.Name,
		"pagerank": 0, "parser_config": f.parser(kb), "permission": "me",
		"similarity_threshold": 0.2, "tenant_id": ragflowTenant, "token_num": c.tokens,
		"update_time": kb.Updated.UnixMilli(), "vector_similarity_weight": 0.3,
	}
	if f.server == ragGo {
		row["parser_id"] = chunkMethod(kb)
		if kb.Description != "" || !kb.Updated.Equal(kb.Created) {
			row["description"] = kb.Description
		}
		return row
	}
	for key, value := range map[string]any{
		"avatar": nil, "chunk_method": chunkMethod(kb), "description": orNull(kb.Description), "pipeline_id": orNull(kb.Pipeline), "status": "1",
		"create_date": ragflowDate(kb.Created), "update_date": ragflowDate(kb.Updated),
	} {
		row[key] = value
	}
	if f.server != ragOld {
		row["tenant_embd_id"] = nil
	}
	for _, task := range f.tasks() {
		row[task+"_task_id"], row[task+"_task_finish_at"] = nil, nil
	}
	return row
}

// listedDataset is a row of the dataset list. Go's has no time of the creation.
func (f *ragflowFace) listedDataset(kb *KnowledgeBase) object {
	row := f.dataset(kb)
	switch f.server {
	case ragPython:
		row["embedding_model_name"], row["nickname"], row["tenant_avatar"] = "", "sandbox", nil
	case ragGo:
		row["avatar"], row["nickname"], row["description"] = nil, "sandbox", orNull(kb.Description)
		for _, key := range []string{"create_time", "created_by", "similarity_threshold", "vector_similarity_weight"} {
			delete(row, key)
		}
	}
	return row
}

// parser is a dataset's settings, which are its documents' too.
func (f *ragflowFace) parser(kb *KnowledgeBase) object {
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
	if f.server == ragOld {
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
func (f *ragflowFace) document(d *Document) object {
	l, st, kb := f.s.ragflowLife(d), f.s.state(d), f.kbOf(d)
	row := object{
		"chunk_count": l.chunks, "create_time": d.Created.UnixMilli(), "created_by": ragflowTenant, "dataset_id": d.KB, "id": d.ID,
		"location": d.Name, "name": d.Name, "parser_config": f.parser(kb), "process_begin_at": f.begin(d, st, ragflowDate),
		"process_duration": l.duration, "progress": l.progress, "progress_msg": f.lines(d, st), "run": f.run(l.run), "size": d.Size,
		"source_type": ragflowSource(d.Source), "status": ragflowValid(d), "suffix": d.Format, "token_count": l.tokens,
		"type": ragflowType(d.Format), "update_time": l.updated.UnixMilli(), "chunk_method": chunkMethod(kb),
		"create_date": ragflowDate(d.Created), "update_date": ragflowDate(l.updated), "pipeline_id": nil, "thumbnail": "",
	}
	if f.server == ragGo && l.run == ragRunning && st.Phase == Queued { // the row waits for a worker, too
		row["run"], row["progress"], row["progress_msg"], row["process_begin_at"] = "UNSTART", 0, "", nil
	}
	return row
}

// kbOf is a document's knowledge base.
func (f *ragflowFace) kbOf(d *Document) *KnowledgeBase {
	if kb := f.s.store.KB(RAGFlow, d.KB); kb != nil {
		return kb
	}
	return &KnowledgeBase{} // deleted meanwhile
}

// run is a value of the column as the server shows it. Python shows what it has
// no word for as unstarted.
func (f *ragflowFace) run(value string) string {
	word := ragflowRuns()[value]
	switch {
	case word != "" && value != "5":
		return word
	case f.server == ragGo:
		return value
	}
	return "UNSTART"
}

// begin is when a document was put into the queue; null for one that a start
// has left half done.
func (f *ragflowFace) begin(d *Document, st State, date func(time.Time) string) any {
	if d.Started.IsZero() || stuck(st) {
		return nil
	}
	return date(d.Started)
}

// listedDocument is one row of the document list.
func (f *ragflowFace) listedDocument(d *Document) object {
	row := f.document(d)
	row["meta_fields"] = documentMetadata(d)
	switch f.server {
	case ragOld:
		row["title"] = nil
		return row
	case ragPython:
		row["nickname"], row["pipeline_name"] = "sandbox", nil
		return row
	}
	local := func(t time.Time) string { return t.In(ragflowZone()).Format(time.DateTime) }
	begin, _ := row["process_begin_at"].(string)
	if begin != "" {
		begin = local(d.Started)
	}
	for key, value := range map[string]any{
		"parser_id": row["chunk_method"], "pipeline_id": "", "pipeline_name": "", "nickname": "sandbox", "process_begin_at": begin,
		"create_date": local(d.Created), "update_date": local(f.s.ragflowLife(d).updated),
	} {
		row[key] = value
	}
	delete(row, "source_type")
	return row
}

// changedDocument is a document as an update answers it.
func (f *ragflowFace) changedDocument(d *Document, withMetadata bool) object {
	row := f.document(d)
	if f.server != ragOld {
		row["content_hash"] = digest("hash", d.Text, 0)[:32]
	}
	if f.server != ragGo {
		return row
	}
	zoned := func(t time.Time) string { return t.In(ragflowZone()).Format(time.RFC3339) }
	row["parser_id"], row["create_date"], row["update_date"] = row["chunk_method"], zoned(d.Created), zoned(f.s.ragflowLife(d).updated)
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
func (f *ragflowFace) uploadedDocument(d *Document) object {
	full := f.document(d)
	keys := []string{
		"chunk_method", "created_by", "dataset_id", "id", "location", "name", "parser_config", "pipeline_id",
		"run", "size", "source_type", "suffix", "thumbnail", "type",
	}
	row := object{}
	if f.server == ragGo {
		keys = []string{"chunk_count", "created_by", "dataset_id", "id", "location", "name", "parser_config",
			"run", "size", "source_type", "suffix", "token_count", "type"}
		row["parser_id"] = full["chunk_method"]
	}
	for _, key := range keys {
		row[key] = full[key]
	}
	if f.server != ragOld {
		row["content_hash"] = digest("hash", d.Text, 0)[:32]
	}
	return row
}

// documentMetadata is what somebody has set.
func documentMetadata(d *Document) object {
	meta := object{}
	for _, field := range d.Metadata {
		meta[field.Name] = field.Value
	}
	return meta
}

// ragflowValid is the validity column, which has nothing to do with ingestion.
func ragflowValid(d *Document) string {
	if d.Disabled {
		return "0"
	}
	return "1"
}

func ragflowType(format string) string {
	switch format {
	case "pdf":
		return "pdf"
	case "jpg", "jpeg", "png", "gif", "webp", "bmp", "mp4", "mov", "avi", "mkv", "mpeg", "mpg", "wmv", "rmvb":
		return "visual"
	case "mp3", "wav", "aac", "flac", "ogg":
		return "aural"
	case "":
		return "other"
	}
	return "doc"
}

// ragflowSource names the connector a document came through; web pages and
// texts are stored as files.
func ragflowSource(source string) string {
	switch source {
	case "notion":
		return "notion"
	case "lark":
		return "lark"
	case "object_storage", "s3":
		return "s3"
	case "connector":
		return "confluence"
	}
	return "local"
}

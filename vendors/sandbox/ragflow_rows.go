package sandbox

import "time"

// ragflowDate is the current generation's form: local time without its zone.
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

// ragflowTasks is the background jobs of a dataset. Each has two columns that
// are null until somebody starts the job.
func ragflowTasks() []string {
	return []string{
		"graphrag", "mindmap", "raptor", "session_essence", "session_graph", "skill",
		"structure", "structure_graph", "structure_mindmap", "timeline", "wiki",
	}
}

// ragflowKB is what the rows of the list and the single dataset have in common,
// and "size".
func (s *Sandbox) ragflowKB(kb *KnowledgeBase) object {
	c := s.ragflowCounts(kb.ID)
	row := object{
		"avatar": nil, "chunk_count": c.chunks, "chunk_method": "naive",
		"create_date": ragflowDate(kb.Created), "create_time": kb.Created.UnixMilli(),
		"created_by": ragflowTenant, "description": orNull(kb.Description), "document_count": c.documents,
		"embedding_model": "BAAI/bge-large-zh-v1.5@BAAI", "id": kb.ID, "language": "English", "name": kb.Name,
		"pagerank": 0, "parser_config": ragflowParser(), "permission": "me", "pipeline_id": nil,
		"similarity_threshold": 0.2, "size": c.size, "status": "1", "tenant_embd_id": nil,
		"tenant_id": ragflowTenant, "token_num": c.tokens,
		"update_date": ragflowDate(kb.Updated), "update_time": kb.Updated.UnixMilli(),
		"vector_similarity_weight": 0.3,
	}
	for _, task := range ragflowTasks() {
		row[task+"_task_id"], row[task+"_task_finish_at"] = nil, nil
	}
	return row
}

func ragflowParser() object {
	return object{"chunk_token_num": 512, "delimiter": "\n", "raptor": object{"use_raptor": false}}
}

// ragflowDocument is one row of the document list.
func (s *Sandbox) ragflowDocument(d *Document) object {
	l := s.ragflowLife(d)
	run := l.run
	if word := ragflowRuns()[run]; word != "" && run != "5" {
		run = word // "5" has no word in the server's own table and shows as it is
	}
	meta := object{}
	for _, field := range d.Metadata {
		meta[field.Name] = field.Value
	}
	var begin any
	if !d.Started.IsZero() {
		begin = ragflowDate(d.Started)
	}
	return object{
		"chunk_count": l.chunks, "chunk_method": "naive",
		"create_date": ragflowDate(d.Created), "create_time": d.Created.UnixMilli(),
		"created_by": ragflowTenant, "dataset_id": d.KB, "id": d.ID, "location": d.Name,
		"meta_fields": meta, "name": d.Name, "nickname": "sandbox", "parser_config": ragflowParser(),
		"pipeline_id": nil, "pipeline_name": nil,
		"process_begin_at": begin, "process_duration": l.duration,
		"progress": l.progress, "progress_msg": ragflowMessage(d, s.state(d)), "run": run,
		"size": d.Size, "source_type": ragflowSource(d.Source), "status": ragflowValid(d),
		"suffix": d.Format, "thumbnail": "", "token_count": l.tokens, "type": ragflowType(d.Format),
		"update_date": ragflowDate(l.updated), "update_time": l.updated.UnixMilli(),
	}
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

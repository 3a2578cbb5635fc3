package sandbox

import (
	"cmp"
	"encoding/json"
	"unicode/utf8"
)

// difyUser created everything.
const difyUser = "ad313dd6-ef04-4dd1-a5b0-c0f0b9e2e7e4"

// difyStatus is the raw indexing_status. A paused document keeps the word of
// the stage that it was in.
func difyStatus(st State) string {
	switch {
	case st.Raw != "":
		return st.Raw
	case st.Phase == Queued, st.Phase == Unstarted:
		return "waiting"
	case st.Phase == Failed:
		return "error"
	case st.Phase == Paused && st.Stage == "":
		return "waiting"
	case st.Phase == Paused:
		return string(st.Stage)
	}
	return string(st.Phase)
}

// difyDisplay is the display_status; "" for a raw status that nobody knows.
func difyDisplay(d *Document, st State) string {
	switch status := difyStatus(st); {
	case status == "waiting":
		return "queuing"
	case status == "error":
		return status
	case status != "completed" && st.Phase == Paused:
		return "paused"
	case Phase(status).Working():
		return "indexing"
	case status != "completed":
		return ""
	case d.Archived:
		return "archived"
	case d.Disabled:
		return "disabled"
	}
	return "available"
}

// row is what list and detail have in common. all is the documents of the
// knowledge base, for the position.
func (f *difyFace) row(kb *KnowledgeBase, all List, d *Document, st State) object {
	row := object{
		"id": d.ID, "position": place(all.oldestFirst, d) + 1, "name": d.Name,
		"data_source_type": difySource(d.Source), "created_from": "api", "created_by": difyUser,
		"created_at": seconds(d.Created), "tokens": nil, "indexing_status": difyStatus(st),
		"display_status": nil, "error": nil, "enabled": !d.Disabled, "archived": d.Archived,
		"disabled_at": nil, "disabled_by": nil, "hit_count": d.Hits, "doc_form": cmp.Or(d.dify.form, "text_model"),
		"dataset_process_rule_id": f.ruleOf(kb, d).id(), "doc_metadata": nil,
	}
	if fields := f.metadataOf(kb, d); len(fields) > 0 {
		row["doc_metadata"] = fields
	}
	if f.since(1, 12, 0) {
		row["summary_index_status"], row["need_summary"] = nil, false
	}
	if st.Phase == Completed || !d.Earlier.IsZero() { // an earlier ingestion leaves its numbers behind
		row["tokens"] = difyTokens(kb, d)
	}
	if display := difyDisplay(d, st); display != "" {
		row["display_status"] = display
	}
	if st.Phase == Failed {
		row["error"] = st.Message
	}
	if d.Disabled {
		row["disabled_at"], row["disabled_by"] = seconds(d.Updated), difyUser
	}
	return row
}

// listRow is a document in the list, the only place that has word_count.
func (f *difyFace) listRow(kb *KnowledgeBase, all List, d *Document) object {
	st := f.s.state(d)
	row := f.row(kb, all, d, st)
	row["data_source_info"], row["data_source_detail_dict"], row["word_count"] = difyInfo(d), object{}, nil
	if row["data_source_type"] == "upload_file" && !d.dify.lost {
		row["data_source_detail_dict"] = object{"upload_file": difyUpload(d)}
	}
	if st.Phase == Completed || st.Stage == Indexing || !d.Earlier.IsZero() {
		row["word_count"] = difyChars(d)
	}
	return row
}

// detailRow is a document on its own, with segment counts and without
// word_count. data_source_info holds the file itself here.
func (f *difyFace) detailRow(kb *KnowledgeBase, all List, d *Document) object {
	st := f.s.state(d)
	row := f.row(kb, all, d, st)
	row["data_source_info"] = object{}
	switch row["data_source_type"] {
	case "upload_file":
		if !d.dify.lost {
			row["data_source_info"] = object{"upload_file": difyUpload(d)}
		}
	case "website_crawl", "notion_import":
		row["data_source_info"] = difyInfo(d)
	}
	row["created_at"] = f.time(d.Created)
	if !f.since(1, 10, 0) {
		row["created_at"] = difyFloat(d.Created)
	}
	row["dataset_process_rule"] = cmp.Or(kb.dify.rule, difyAutomatic).row()
	own := f.ruleOf(kb, d)
	row["document_process_rule"] = own.row()
	row["document_process_rule"].(object)["id"], row["document_process_rule"].(object)["dataset_id"] = own.id(), kb.ID
	row["doc_type"], row["doc_language"] = nil, "English"
	row["completed_at"], row["updated_at"], row["indexing_latency"] = f.completed(d, st), seconds(cozeUpdated(d, st)), nil
	row["segment_count"], row["average_segment_length"] = st.ChunksTotal, 0
	if st.Phase == Completed {
		row["indexing_latency"] = st.Elapsed.Seconds()
	}
	if st.ChunksTotal > 0 {
		row["average_segment_length"] = difyChars(d) / st.ChunksTotal
	}
	return row
}

// difyAutomatic is the rule of whoever gives none.
var difyAutomatic = &difyRule{mode: "automatic", rules: json.RawMessage(`{"pre_processing_rules":[{"id":"remove_extra_spaces","enabled":true},` +
	`{"id":"remove_urls_emails","enabled":false}],"segmentation":{"delimiter":"\n","max_tokens":500,"chunk_overlap":50}}`)}

// ruleOf is the rule that a document was split by.
func (f *difyFace) ruleOf(kb *KnowledgeBase, d *Document) *difyRule {
	return cmp.Or(d.dify.rule, kb.dify.rule, difyAutomatic)
}

func (r *difyRule) id() string { return hexID(Dify, "rule", r.number) }

func (r *difyRule) row() object { return object{"mode": r.mode, "rules": r.rules} }

// progressRow is a document in the indexing status of its batch, the only
// place where indexing_status says paused.
func (f *difyFace) progressRow(kb *KnowledgeBase, d *Document) object {
	st := f.s.state(d)
	now := f.s.now()
	began := func(phases ...Phase) any {
		for _, p := range phases {
			if at := d.Began(p, now); !at.IsZero() {
				return f.time(at)
			}
		}
		return nil
	}
	row := object{
		"id": d.ID, "indexing_status": difyStatus(st),
		"processing_started_at":  began(Parsing, Cleaning, Splitting, Indexing, Completed),
		"parsing_completed_at":   began(Cleaning, Splitting, Indexing, Completed),
		"cleaning_completed_at":  began(Indexing, Completed),
		"splitting_completed_at": began(Indexing, Completed),
		"completed_at":           f.completed(d, st), "paused_at": began(Paused),
		"stopped_at": began(Failed), "error": nil,
		"completed_segments": st.ChunksDone, "total_segments": st.ChunksTotal,
	}
	switch {
	case st.Phase == Paused || d.dify.paused:
		row["indexing_status"] = "paused"
	case st.Phase == Failed:
		row["error"] = st.Message
	}
	if kb.Technique == "economy" && st.Phase != Completed { // all at once, at the end
		row["completed_segments"] = 0
	}
	return row
}

// completed is when the document completed, or when an ingestion before the
// running one did: a server never clears it.
func (f *difyFace) completed(d *Document, st State) any {
	switch {
	case st.Phase == Completed:
		return f.time(st.Ended)
	case !d.Earlier.IsZero():
		return f.time(d.Earlier)
	}
	return nil
}

func difySource(source string) string {
	switch source {
	case "web":
		return "website_crawl"
	case "notion":
		return "notion_import"
	case "connector":
		return "online_drive"
	}
	return "upload_file"
}

// difyInfo is data_source_info in the list's form.
func difyInfo(d *Document) object {
	switch d.Source {
	case "web":
		return object{
			"url": d.URL, "provider": "firecrawl", "job_id": hexID(Dify, "job", d.Seq),
			"only_main_content": true, "mode": "crawl",
		}
	case "notion":
		return object{
			"notion_workspace_id": hexID(Dify, "workspace", 1), "notion_page_id": hexID(Dify, "page", d.Seq),
			"notion_page_icon": nil, "type": "page", "credential_id": hexID(Dify, "credential", 1),
		}
	}
	return object{"upload_file_id": hexID(Dify, "file", d.Seq)}
}

// difyUpload is the uploaded file behind a document. The size of a text is the
// number of its characters, and its suffix is always txt.
func difyUpload(d *Document) object {
	at := d.dify.uploaded
	if at.IsZero() {
		at = d.Created
	}
	row := object{
		"id": hexID(Dify, "file", d.Seq), "name": d.Name, "size": d.Size, "extension": d.Format,
		"mime_type": difyMIME(d.Format), "created_by": difyUser, "created_at": difyFloat(at),
	}
	if d.dify.text {
		row["size"], row["extension"], row["mime_type"] = difyChars(d), "txt", "text/plain"
	}
	return row
}

// difyMIME is the type of a suffix; not the system's table, which differs from
// machine to machine.
func difyMIME(suffix string) string {
	switch suffix {
	case "pdf":
		return "application/pdf"
	case "txt":
		return "text/plain"
	case "md":
		return "text/markdown"
	case "csv":
		return "text/csv"
	case "docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case "xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "application/octet-stream"
}

// difyChars is word_count, which counts characters.
func difyChars(d *Document) int { return utf8.RuneCountInString(d.Text) }

// difyTokens is 0 in economy knowledge bases: not counted.
func difyTokens(kb *KnowledgeBase, d *Document) int {
	if kb.Technique == "economy" {
		return 0
	}
	return difyChars(d) * 3 / 4
}

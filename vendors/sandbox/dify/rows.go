package dify

import (
	"cmp"
	"encoding/json"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// user created everything.
const user = "ad313dd6-ef04-4dd1-a5b0-c0f0b9e2e7e4"

// status is the raw indexing_status. A paused document keeps the word of
// the stage that it was in.
func status(st world.State) string {
	switch {
	case st.Raw != "":
		return st.Raw
	case st.Phase == world.Queued, st.Phase == world.Unstarted:
		return "waiting"
	case st.Phase == world.Failed:
		return "error"
	case st.Phase == world.Paused && st.Stage == "":
		return "waiting"
	case st.Phase == world.Paused:
		return string(st.Stage)
	}
	return string(st.Phase)
}

// display is the display_status; "" for a raw status that nobody knows.
func display(d *world.Document, st world.State) string {
	switch status := status(st); {
	case status == "waiting":
		return "queuing"
	case status == "error":
		return status
	case status != "completed" && st.Phase == world.Paused:
		return "paused"
	case world.Phase(status).Working():
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
func (f *face) row(kb *world.KnowledgeBase, all world.List, d *world.Document, st world.State) object {
	row := object{
		"id": d.ID, "position": all.Position(d), "name": d.Name,
		"data_source_type": source(d.Source), "created_from": "api", "created_by": user,
		"created_at": web.Seconds(d.Created), "tokens": nil, "indexing_status": status(st),
		"display_status": nil, "error": nil, "enabled": !d.Disabled, "archived": d.Archived,
		"disabled_at": nil, "disabled_by": nil, "hit_count": d.Hits, "doc_form": cmp.Or(d.Dify.Form, "text_model"),
		"dataset_process_rule_id": ruleID(f.ruleOf(kb, d)), "doc_metadata": nil,
	}
	if fields := f.metadataOf(kb, d); len(fields) > 0 {
		row["doc_metadata"] = fields
	}
	if f.since(1, 12, 0) {
		row["summary_index_status"], row["need_summary"] = nil, false
	}
	if st.Phase == world.Completed || !d.Earlier.IsZero() { // an earlier ingestion leaves its numbers behind
		row["tokens"] = tokens(kb, d)
	}
	if display := display(d, st); display != "" {
		row["display_status"] = display
	}
	if st.Phase == world.Failed {
		row["error"] = st.Message
	}
	if d.Disabled {
		row["disabled_at"], row["disabled_by"] = web.Seconds(d.Updated), user
	}
	return row
}

// listRow is a document in the list, the only place that has word_count.
func (f *face) listRow(kb *world.KnowledgeBase, all world.List, d *world.Document) object {
	st := f.s.State(d)
	row := f.row(kb, all, d, st)
	row["data_source_info"], row["data_source_detail_dict"], row["word_count"] = info(d), object{}, nil
	if row["data_source_type"] == "upload_file" && !d.Dify.Lost {
		row["data_source_detail_dict"] = object{"upload_file": upload(d)}
	}
	if st.Phase == world.Completed || st.Stage == world.Indexing || !d.Earlier.IsZero() {
		row["word_count"] = chars(d)
	}
	return row
}

// detailRow is a document on its own, with segment counts and without
// word_count. data_source_info holds the file itself here.
func (f *face) detailRow(kb *world.KnowledgeBase, all world.List, d *world.Document) object {
	st := f.s.State(d)
	row := f.row(kb, all, d, st)
	row["data_source_info"] = object{}
	switch row["data_source_type"] {
	case "upload_file":
		if !d.Dify.Lost {
			row["data_source_info"] = object{"upload_file": upload(d)}
		}
	case "website_crawl", "notion_import":
		row["data_source_info"] = info(d)
	}
	row["created_at"] = f.time(d.Created)
	if !f.since(1, 10, 0) {
		row["created_at"] = float(d.Created)
	}
	row["dataset_process_rule"] = ruleRow(cmp.Or(kb.Dify.Rule, automatic))
	own := f.ruleOf(kb, d)
	row["document_process_rule"] = ruleRow(own)
	row["document_process_rule"].(object)["id"], row["document_process_rule"].(object)["dataset_id"] = ruleID(own), kb.ID
	row["doc_type"], row["doc_language"] = nil, "English"
	row["completed_at"], row["updated_at"], row["indexing_latency"] = f.completed(d, st), web.Seconds(d.Changed(st)), nil
	row["segment_count"], row["average_segment_length"] = st.ChunksTotal, 0
	if st.Phase == world.Completed {
		row["indexing_latency"] = st.Elapsed.Seconds()
	}
	if st.ChunksTotal > 0 {
		row["average_segment_length"] = chars(d) / st.ChunksTotal
	}
	return row
}

// automatic is the rule of whoever gives none.
var automatic = &world.DifyRule{Mode: "automatic", Rules: json.RawMessage(`{"pre_processing_rules":[{"id":"remove_extra_spaces","enabled":true},` +
	`{"id":"remove_urls_emails","enabled":false}],"segmentation":{"delimiter":"\n","max_tokens":500,"chunk_overlap":50}}`)}

// ruleOf is the rule that a document was split by.
func (f *face) ruleOf(kb *world.KnowledgeBase, d *world.Document) *world.DifyRule {
	return cmp.Or(d.Dify.Rule, kb.Dify.Rule, automatic)
}

func ruleID(r *world.DifyRule) string { return world.HexID(world.Dify, "rule", r.Number) }

func ruleRow(r *world.DifyRule) object { return object{"mode": r.Mode, "rules": r.Rules} }

// progressRow is a document in the indexing status of its batch, the only
// place where indexing_status says paused.
func (f *face) progressRow(kb *world.KnowledgeBase, d *world.Document) object {
	st := f.s.State(d)
	now := f.s.Now()
	began := func(phases ...world.Phase) any {
		for _, p := range phases {
			if at := d.Began(p, now); !at.IsZero() {
				return f.time(at)
			}
		}
		return nil
	}
	row := object{
		"id": d.ID, "indexing_status": status(st),
		"processing_started_at":  began(world.Parsing, world.Cleaning, world.Splitting, world.Indexing, world.Completed),
		"parsing_completed_at":   began(world.Cleaning, world.Splitting, world.Indexing, world.Completed),
		"cleaning_completed_at":  began(world.Indexing, world.Completed),
		"splitting_completed_at": began(world.Indexing, world.Completed),
		"completed_at":           f.completed(d, st), "paused_at": began(world.Paused),
		"stopped_at": began(world.Failed), "error": nil,
		"completed_segments": st.ChunksDone, "total_segments": st.ChunksTotal,
	}
	switch {
	case st.Phase == world.Paused || d.Dify.Paused:
		row["indexing_status"] = "paused"
	case st.Phase == world.Failed:
		row["error"] = st.Message
	}
	if kb.Technique == "economy" && st.Phase != world.Completed { // all at once, at the end
		row["completed_segments"] = 0
	}
	return row
}

// completed is when the document completed, or when an ingestion before the
// running one did: a server never clears it.
func (f *face) completed(d *world.Document, st world.State) any {
	switch {
	case st.Phase == world.Completed:
		return f.time(st.Ended)
	case !d.Earlier.IsZero():
		return f.time(d.Earlier)
	}
	return nil
}

func source(source string) string {
	return cmp.Or(map[string]string{"web": "website_crawl", "notion": "notion_import", "connector": "online_drive"}[source], "upload_file")
}

// info is data_source_info in the list's form.
func info(d *world.Document) object {
	switch d.Source {
	case "web":
		return object{
			"url": d.URL, "provider": "firecrawl", "job_id": world.HexID(world.Dify, "job", d.Seq),
			"only_main_content": true, "mode": "crawl",
		}
	case "notion":
		return object{
			"notion_workspace_id": world.HexID(world.Dify, "workspace", 1), "notion_page_id": world.HexID(world.Dify, "page", d.Seq),
			"notion_page_icon": nil, "type": "page", "credential_id": world.HexID(world.Dify, "credential", 1),
		}
	}
	return object{"upload_file_id": world.HexID(world.Dify, "file", d.Seq)}
}

// upload is the uploaded file behind a document. The size of a text is the
// number of its characters, and its suffix is always txt.
func upload(d *world.Document) object {
	at := d.Dify.Uploaded
	if at.IsZero() {
		at = d.Created
	}
	row := object{
		"id": world.HexID(world.Dify, "file", d.Seq), "name": d.Name, "size": d.Size, "extension": d.Format,
		"mime_type": mimeType(d.Format), "created_by": user, "created_at": float(at),
	}
	if d.Dify.Text {
		row["size"], row["extension"], row["mime_type"] = chars(d), "txt", "text/plain"
	}
	return row
}

// mimeType is the type of a suffix; not the system's table, which differs from
// machine to machine.
func mimeType(suffix string) string {
	return cmp.Or(map[string]string{
		"pdf":  "application/pdf",
		"txt":  "text/plain",
		"md":   "text/markdown",
		"csv":  "text/csv",
		"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	}[suffix], "application/octet-stream")
}

// chars is word_count, which counts characters.
func chars(d *world.Document) int { return utf8.RuneCountInString(d.Text) }

// tokens is 0 in economy knowledge bases: not counted.
func tokens(kb *world.KnowledgeBase, d *world.Document) int {
	if kb.Technique == "economy" {
		return 0
	}
	return chars(d) * 3 / 4
}

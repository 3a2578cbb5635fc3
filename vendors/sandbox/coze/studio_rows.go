package coze

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

const studioCreator = "7713573770593566720"

// studioSigned is a link that must not be passed on.
func studioSigned(key string) string {
	return "http://sandbox.example:9000/opencoze/" + key + "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=REDACTED&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=REDACTED"
}

// studioDataset is a row of GET /v1/datasets.
func (s *tables) studioDataset(kb *world.KnowledgeBase) object {
	docs := s.Documents(kb.ID)
	var names []string // null when there is none
	var strategy any
	size, chunks := 0, 0
	for _, d := range studioPage(docs, 0, 0) {
		st := s.State(d)
		names, size, chunks = append(names, d.Name), size+studioSize(d, st), chunks+sliceCount(d, st)
		strategy = studioStrategy(d)
	}
	status, icon := 1, "default_icon/"+cmp.Or(kb.Kind, "text")+"_kn_default_icon.png"
	if kb.Disabled {
		status = 3
	}
	updated := web.Seconds(kb.Updated)
	if !kb.Updated.Equal(kb.Created) {
		updated /= 1000
	}
	row := object{
		"dataset_id": kb.ID, "name": kb.Name, "description": kb.Description, "status": status,
		"space_id": spaceOf(kb), "project_id": "0", "format_type": formatOf(kb.Kind), "can_edit": true,
		"doc_count": docs.Len(), "slice_count": chunks, "hit_count": 0, "bot_used_count": 0,
		"all_file_size": strconv.Itoa(size), "chunk_strategy": strategy, "file_list": nil, "failed_file_list": nil,
		"processing_file_list": nil, "processing_file_id_list": nil,
		"create_time": web.Seconds(kb.Created), "update_time": updated, "creator_id": studioCreator,
		"icon_uri": icon, "icon_url": studioSigned(icon),
	}
	if len(names) > 0 {
		row["file_list"] = names
	}
	return row
}

// studioStrategy is how a document is split; null when nobody said.
func studioStrategy(d *world.Document) any {
	if d.Coze.NoStrategy {
		return nil
	}
	return object{
		"separator": "\n", "max_tokens": 800, "remove_extra_spaces": false, "remove_urls_emails": false,
		"chunk_type": 0, "overlap": 10, "max_level": 0, "save_title": false,
	}
}

// studioRow is a document in studio's list. web_url and preview_tos_url are
// signed links to the raw file, and status_descript is the reason of a failure.
func (s *tables) studioRow(d *world.Document) object {
	st := s.State(d)
	row := s.studioStub(d)
	updated := web.Seconds(d.Changed(st))
	if d.Coze.Renamed || st.Phase == world.Failed || st.Phase.Working() {
		updated /= 1000
	}
	row["create_time"], row["update_time"], row["status"] = web.Seconds(d.Created), updated, studioStatus(d, st)
	row["size"], row["slice_count"], row["status_descript"] = studioSize(d, st), sliceCount(d, st), studioReason(d, st)
	row["web_url"], row["preview_tos_url"] = studioSigned(studioKey(d)), studioSigned(studioKey(d))
	return row
}

// studioStub is a document in the answer that made it.
func (s *tables) studioStub(d *world.Document) object {
	space := SpaceID
	if kb := s.KB(d.KB); kb != nil {
		space = spaceOf(kb)
	}
	row := object{
		"document_id": d.ID, "name": d.Name, "tos_uri": studioKey(d), "type": d.Format,
		"create_time": 0, "update_time": 0, "creator_id": studioCreator, "space_id": space, "slice_count": 0, "size": 0,
		"char_count": 0, "status": 0, "hit_count": 0, "source_type": sourceType(d.Source),
		"format_type": formatOf(kindOf(d)), "web_url": "", "preview_tos_url": "", "status_descript": "",
		"chunk_strategy": studioStrategy(d),
	}
	if kindOf(d) == "table" {
		row["table_meta"] = studioColumns(d)
		row["parsing_strategy"] = object{"parsing_type": 0, "image_extraction": false, "table_extraction": false, "image_ocr": false}
	}
	return row
}

// studioKey is where the file is stored; a text is stored, too.
func studioKey(d *world.Document) string {
	if d.Coze.URI != "" || d.Format == "" {
		return d.Coze.URI
	}
	return "FileBizType.Knowledge/" + studioCreator + "_" + d.ID + "." + d.Format
}

// studioColumns is a table's columns.
func studioColumns(d *world.Document) []object {
	var columns []object
	if json.Unmarshal([]byte(d.Coze.Columns), &columns) != nil || columns == nil {
		columns = []object{{"id": d.ID, "column_name": "_knowledge_document_slice_id", "is_semantic": false, "sequence": "-1", "column_type": 2, "desc": "主键ID"}}
	}
	return columns
}

// studioReason is why a document failed. The seeds' reasons have no code.
func studioReason(d *world.Document, st world.State) string {
	if st.Phase != world.Failed {
		return ""
	}
	if st.Code == "" {
		return st.Message
	}
	return fmt.Sprintf("code=%s message=%s", st.Code, st.Message)
}

// studioProgress is a document in studio's process answer: status_descript is
// a state word, and a document that has failed for good claims progress 100.
func (s *tables) studioProgress(d *world.Document) object {
	st := s.State(d)
	left, url := int64(math.Ceil(st.Remaining.Seconds())), ""
	if st.Phase == world.Queued {
		left = 300
	}
	if kindOf(d) == "image" {
		url = studioSigned(studioKey(d))
	}
	return object{
		"document_id": d.ID, "document_name": d.Name, "type": d.Format, "size": studioSize(d, st),
		"status": studioStatus(d, st), "status_descript": studioWord(d, st),
		"progress": percent(st), "remaining_time": left, "url": url,
	}
}

// studioSize is the characters of the chunks, 0 until there are any.
func studioSize(d *world.Document, st world.State) int {
	if st.Phase != world.Completed {
		return 0
	}
	n := 0
	for _, chunk := range d.Chunks() {
		n += utf8.RuneCountInString(chunk)
	}
	return n
}

// studioStatus folds the states into studio's four numbers: a disabled document
// looks like one at work, a table that has not begun like a finished one.
func studioStatus(d *world.Document, st world.State) int {
	switch {
	case st.Phase == world.Completed && !d.Disabled:
		return 1
	case st.Phase == world.Queued && kindOf(d) == "table":
		return 1
	case st.Phase == world.Failed:
		return 9
	case st.Phase == world.Deleting:
		return 3
	}
	return 0
}

func studioWord(d *world.Document, st world.State) string {
	switch st.Phase {
	case world.Completed:
		if d.Disabled {
			return "失效"
		}
		return "生效"
	case world.Failed:
		return "失败"
	case world.Queued:
		return "上传中"
	}
	return "切片中"
}

// photoRow is an image in the list of images, whose only text is its caption.
func (s *tables) photoRow(d *world.Document) object {
	st := s.State(d)
	return object{
		"document_id": d.ID, "name": d.Name, "url": studioSigned(studioKey(d)), "caption": d.Coze.Caption,
		"create_time": web.Seconds(d.Created), "update_time": web.Seconds(d.Changed(st)), "creator_id": studioCreator,
		"type": d.Format, "size": d.Size, "status": s.status(d, st), "source_type": 0,
	}
}

// kindOf is what a document is.
func kindOf(d *world.Document) string {
	if d.Coze.Kind != "" {
		return d.Coze.Kind
	}
	return []string{"text", "table", "image"}[suffixFormat(strings.ToLower(d.Format))]
}

// studioPlan is what becomes of a document whose ingestion begins: studio knows
// suffixes in lower case only, and its worker drops what comes into a disabled
// knowledge base.
func studioPlan(d world.Document, kb *world.KnowledgeBase, missing bool) world.Plan {
	forever := world.Plan{Stages: []world.Stage{{Phase: world.Queued, For: 1000 * time.Hour}}}
	switch {
	case kb.Disabled:
		return forever
	case d.Coze.NoStrategy:
		return world.Failing("105000021", "knowledge system error: runtime error: invalid memory address or nil pointer dereference stack=goroutine 812 [running]:")
	case missing || d.Format == "":
		return world.Failing("105000026", "get object failed")
	case !strings.Contains(" pdf txt md docx csv json xlsx jpg jpeg png ", " "+d.Format+" "):
		return world.Failing("105000028", "get parser failed: get parser failed, err: [Parse] document type not support, type="+d.Format)
	}
	return world.Plan{}
}

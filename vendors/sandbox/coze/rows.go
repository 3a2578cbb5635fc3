package coze

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// mostListed bounds the name lists of a knowledge base; Coze's own page shows
// no more documents than this.
const mostListed = 300

// datasetRow is a row of GET /v1/datasets. Its file size is a decimal string,
// and only the processing files have ids; the other lists hold names.
func (s *tables) datasetRow(kb *world.KnowledgeBase) object {
	docs := s.Documents(kb.ID)
	var size, chunks, hits int
	files, failed, busy, busyIDs := []string{}, []string{}, []string{}, []string{}
	for d := range docs.All() {
		st := s.State(d)
		size, chunks, hits = size+d.Size, chunks+sliceCount(d, st), hits+d.Hits
		switch code := s.status(d, st); {
		case code == 9 || code == 1000:
			failed = append(failed, d.Name)
		case code == 0 || code == 4 || code == 5:
			busy, busyIDs = append(busy, d.Name), append(busyIDs, d.ID)
		}
		files = append(files, d.Name)
	}
	status := 1
	if kb.Disabled {
		status = 3
	}
	return object{
		"dataset_id": kb.ID, "name": kb.Name, "description": kb.Description,
		"space_id": SpaceID, "project_id": "", "status": status,
		"format_type": formatOf(kb.Kind), "can_edit": true, "doc_count": docs.Len(),
		"slice_count": chunks, "hit_count": hits, "bot_used_count": 0,
		"all_file_size": strconv.Itoa(size), "chunk_strategy": object{},
		"file_list": files[:min(len(files), mostListed)], "failed_file_list": failed[:min(len(failed), mostListed)],
		"processing_file_list": busy, "processing_file_id_list": busyIDs,
		"create_time": web.Seconds(kb.Created), "update_time": web.Seconds(kb.Updated),
		"creator_id": "2175268956150001", "creator_name": "sandbox",
		"icon_url": signed(kb.ID + ".png"), "icon_uri": "FileBizType.BIZ_DATASET_ICON/" + kb.ID + ".png",
		"avatar_url": signed("avatar.png"),
	}
}

// documentRow is a document in the hosted document list.
func (s *tables) documentRow(d *world.Document) object {
	st := s.State(d)
	row := object{
		"document_id": d.ID, "name": d.Name, "type": d.Format, "size": d.Size,
		"char_count": charCount(d, st), "slice_count": sliceCount(d, st), "hit_count": d.Hits,
		"create_time": web.Seconds(d.Created), "update_time": web.Seconds(d.Changed(st)),
		"format_type": formatOf(kindOf(d)), "source_type": sourceType(d.Source),
		"status": s.status(d, st), "update_type": 0, "update_interval": 0,
		"chunk_strategy": object{
			"chunk_type": 0, "max_tokens": 0, "remove_extra_spaces": false,
			"remove_urls_emails": false, "separator": "",
		},
	}
	if d.Source == "web" {
		row["web_url"] = d.URL
	}
	if d.Coze.Interval > 0 {
		row["update_type"], row["update_interval"] = 1, d.Coze.Interval
	}
	return row
}

// progressRow is a document in the hosted process answer. The reason stands
// only on a failed one, whose progress claims 100.
func (s *tables) progressRow(d *world.Document) object {
	st := s.State(d)
	row := object{
		"document_id": d.ID, "document_name": d.Name, "type": d.Format, "size": d.Size,
		"status": s.status(d, st), "progress": percent(st),
		"remaining_time": int64(math.Ceil(st.Remaining.Seconds())),
		"url":            signed(d.ID), "update_type": 0, "update_interval": 0,
	}
	if st.Phase == world.Failed {
		row["status_descript"] = st.Message
	}
	return row
}

// status is the number that stands for a document's state.
func statusOf(d *world.Document, st world.State) int {
	if n, err := strconv.Atoi(st.Raw); err == nil {
		return n
	}
	switch st.Phase {
	case world.Completed:
		if d.Disabled {
			return 2
		}
		return 1
	case world.Deleting:
		return 3
	case world.Failed:
		return 9
	}
	return 0
}

// status is the number that the hosted face shows. With PlainStates it is one
// of the documented ones, which are all that the platform's libraries know.
func (s *tables) status(d *world.Document, st world.State) int {
	n := statusOf(d, st)
	if !s.plainStates {
		return n
	}
	switch n {
	case 0, 1, 9:
		return n
	case 2:
		return 1
	case 7, 1000:
		return 9
	}
	return 0
}

// percent is the progress: 100 only for what is over.
func percent(st world.State) int {
	if st.Phase == world.Completed || st.Phase == world.Failed {
		return 100
	}
	return min(int(st.Fraction*100), 99)
}

// sliceCount and charCount are 0 until the document is done.
func sliceCount(d *world.Document, st world.State) int {
	if st.Phase != world.Completed {
		return 0
	}
	return d.ChunkCount()
}

func charCount(d *world.Document, st world.State) int {
	if st.Phase != world.Completed {
		return 0
	}
	return utf8.RuneCountInString(d.Text)
}

func formatOf(kind string) int {
	return max(0, slices.Index([]string{"text", "table", "image"}, kind))
}

func suffixFormat(suffix string) int {
	return map[string]int{"xlsx": 1, "csv": 1, "png": 2, "jpg": 2, "jpeg": 2, "webp": 2}[suffix]
}

func sourceType(source string) int {
	return map[string]int{"web": 1, "text": 2}[source]
}

// signed is a link that must not be passed on.
func signed(name string) string {
	return fmt.Sprintf("https://sandbox.example.com/FileBizType.BIZ_BOT_DATASET/%s?lk3s=REDACTEDSANDBOX&x-expires=1799999999&x-signature=REDACTEDSANDBOX", name)
}

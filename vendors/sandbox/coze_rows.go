package sandbox

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// cozeListed bounds the name lists of a knowledge base; Coze's own page shows
// no more documents than this.
const cozeListed = 300

// cozeDataset is a row of GET /v1/datasets. Its file size is a decimal string,
// and only the processing files have ids; the other lists hold names.
func cozeDataset(s *Sandbox, kb *KnowledgeBase) object {
	docs := s.store.Documents(Coze, kb.ID)
	var size, chunks, hits int
	files, failed, busy, busyIDs := []string{}, []string{}, []string{}, []string{}
	for i := range docs.Len() {
		d := docs.At(i)
		st := s.state(d)
		size, chunks, hits = size+d.Size, chunks+cozeSlices(d, st), hits+d.Hits
		switch code := s.cozeStatus(d, st); {
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
		"space_id": CozeSpaceID, "project_id": "", "status": status,
		"format_type": cozeFormat(kb.Kind), "can_edit": true, "doc_count": docs.Len(),
		"slice_count": chunks, "hit_count": hits, "bot_used_count": 0,
		"all_file_size": strconv.Itoa(size), "chunk_strategy": object{},
		"file_list": files[:min(len(files), cozeListed)], "failed_file_list": failed[:min(len(failed), cozeListed)],
		"processing_file_list": busy, "processing_file_id_list": busyIDs,
		"create_time": seconds(kb.Created), "update_time": seconds(kb.Updated),
		"creator_id": "2175268956150001", "creator_name": "sandbox",
		"icon_url": cozeSigned(kb.ID + ".png"), "icon_uri": "FileBizType.BIZ_DATASET_ICON/" + kb.ID + ".png",
		"avatar_url": cozeSigned("avatar.png"),
	}
}

// cozeRow is a document in the hosted document list.
func cozeRow(s *Sandbox, d *Document) object {
	st := s.state(d)
	row := object{
		"document_id": d.ID, "name": d.Name, "type": d.Format, "size": d.Size,
		"char_count": cozeChars(d, st), "slice_count": cozeSlices(d, st), "hit_count": d.Hits,
		"create_time": seconds(d.Created), "update_time": seconds(cozeUpdated(d, st)),
		"format_type": cozeFormat(cozeDocKind(d)), "source_type": cozeSource(d.Source),
		"status": s.cozeStatus(d, st), "update_type": 0, "update_interval": 0,
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

// cozeProgress is a document in the hosted process answer. The reason stands
// only on a failed one, whose progress claims 100.
func cozeProgress(s *Sandbox, d *Document) object {
	st := s.state(d)
	row := object{
		"document_id": d.ID, "document_name": d.Name, "type": d.Format, "size": d.Size,
		"status": s.cozeStatus(d, st), "progress": cozePercent(st),
		"remaining_time": int64(math.Ceil(st.Remaining.Seconds())),
		"url":            cozeSigned(d.ID), "update_type": 0, "update_interval": 0,
	}
	if st.Phase == Failed {
		row["status_descript"] = st.Message
	}
	return row
}

// cozeStatus is the number that stands for a document's state.
func cozeStatus(d *Document, st State) int {
	if n, err := strconv.Atoi(st.Raw); err == nil {
		return n
	}
	switch st.Phase {
	case Completed:
		if d.Disabled {
			return 2
		}
		return 1
	case Deleting:
		return 3
	case Failed:
		return 9
	}
	return 0
}

// cozeStatus is the number that the hosted face shows. With PlainStates it is one
// of the documented ones, which are all that the platform's libraries know.
func (s *Sandbox) cozeStatus(d *Document, st State) int {
	n := cozeStatus(d, st)
	if !s.opts.PlainStates {
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

// cozePercent is the progress: 100 only for what is over.
func cozePercent(st State) int {
	if st.Phase == Completed || st.Phase == Failed {
		return 100
	}
	return min(int(st.Fraction*100), 99)
}

// cozeSlices and cozeChars are 0 until the document is done.
func cozeSlices(d *Document, st State) int {
	if st.Phase != Completed {
		return 0
	}
	return d.ChunkCount()
}

func cozeChars(d *Document, st State) int {
	if st.Phase != Completed {
		return 0
	}
	return utf8.RuneCountInString(d.Text)
}

// cozeUpdated is when the document last changed: its end counts.
func cozeUpdated(d *Document, st State) time.Time {
	if st.Ended.After(d.Updated) {
		return st.Ended
	}
	return d.Updated
}

func cozeFormat(kind string) int {
	return max(0, slices.Index([]string{"text", "table", "image"}, kind))
}

func cozeDocFormat(suffix string) int {
	switch suffix {
	case "xlsx", "csv":
		return 1
	case "png", "jpg", "jpeg", "webp":
		return 2
	}
	return 0
}

func cozeSource(source string) int {
	switch source {
	case "web":
		return 1
	case "text":
		return 2
	}
	return 0
}

// cozeSigned is a link that must not be passed on.
func cozeSigned(name string) string {
	return fmt.Sprintf("https://sandbox.example.com/FileBizType.BIZ_BOT_DATASET/%s?lk3s=REDACTEDSANDBOX&x-expires=1799999999&x-signature=REDACTEDSANDBOX", name)
}

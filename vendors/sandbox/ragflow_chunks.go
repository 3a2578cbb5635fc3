package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// chunked finds the document of a call about chunks; nil when the answer is given.
func (f *ragflowFace) chunked(w http.ResponseWriter, r *http.Request) *Document {
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.ragflowIn(ds, id)
	switch {
	case d != nil:
		return d
	case f.server == ragGo:
		writeJSON(w, http.StatusInternalServerError, object{"code": 500, "data": nil, "message": "document not found"})
	case f.s.store.KB(RAGFlow, ds) == nil:
		f.fail(w, 102, fmt.Sprintf("You don't own the dataset %s.", ds))
	case f.server == ragOld:
		f.fail(w, 102, fmt.Sprintf("You don't own the document %s.", id))
	default:
		f.fail(w, 102, "you don't own the document "+id)
	}
	return nil
}

// listChunks pages through a document's chunks; there are none before it is done.
func (f *ragflowFace) listChunks(w http.ResponseWriter, r *http.Request) {
	d := f.chunked(w, r)
	if d == nil {
		return
	}
	v := r.URL.Query()
	page, size, wrong := f.paging(v)
	if wrong != nil {
		f.fail(w, wrong.code, wrong.message)
		return
	}
	if page == 0 || size == 0 {
		page, size = 1, 30
	}
	pieces := slices.DeleteFunc(f.s.ragflowPieces(d), func(c Chunk) bool {
		return v.Get("id") != "" && ragflowChunkID(d, c.Number) != v.Get("id") || !hasKeywords(c.Text, v.Get("keywords"))
	})
	if id := v.Get("id"); id != "" && len(pieces) == 0 {
		f.fail(w, 102, "Chunk not found: "+d.ID+"/"+id)
		return
	}
	rows := []object{}
	for _, c := range ragflowWindow(pieces, multiply(page-1, size), size) {
		rows = append(rows, f.chunk(d, c))
	}
	body := object{"code": 0, "data": object{"chunks": rows, "doc": f.chunksDocument(d), "total": len(pieces)}}
	if f.server == ragGo {
		body["message"] = "success"
	}
	writeJSON(w, http.StatusOK, body)
}

// chunk is one row of a chunk list.
func (f *ragflowFace) chunk(d *Document, c Chunk) object {
	if f.server == ragGo {
		return object{
			"_index": "ragflow_" + ragflowTenant, "chunk_id": ragflowChunkID(d, c.Number), "content_with_weight": c.Text, "doc_type_kwd": "text",
		}
	}
	questions := []string{}
	if c.Question != "" {
		questions = strings.Split(c.Question, "\n")
	}
	return object{
		"id": ragflowChunkID(d, c.Number), "content": c.Text, "document_id": d.ID, "docnm_kwd": d.Name,
		"important_keywords": append([]string{}, c.Keywords...), "tag_kwd": []string{}, "questions": questions, "dataset_id": d.KB,
		"image_id": "", "doc_type_kwd": "text", "available": !d.Disabled && !c.Disabled, "positions": [][]int{{1, 0, 0, 0, 0}},
	}
}

// chunksDocument is the document in a chunk listing.
func (f *ragflowFace) chunksDocument(d *Document) object {
	row := f.document(d)
	if f.server != ragOld {
		row["content_hash"] = digest("hash", d.Text, 0)[:32]
	}
	if f.server == ragGo {
		row["thumbnail"], row["progress_msg"] = nil, orNull(row["progress_msg"].(string))
	}
	return row
}

// addChunk adds one to those of a document.
func (f *ragflowFace) addChunk(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	d := f.chunked(w, r)
	if d == nil {
		return
	}
	content, _ := a.text("content")
	if strings.TrimSpace(content) == "" {
		f.refuse(w, 102, "`content` is required", nil)
		return
	}
	keywords, _ := a.texts("important_keywords")
	questions, _ := a.texts("questions")
	now := f.s.now()
	d = f.s.store.EditChunks(RAGFlow, d.ID, func(parts []Chunk) []Chunk {
		return append(parts, Chunk{Number: -1, Text: content, Keywords: keywords, Question: strings.Join(questions, "\n"), Updated: now})
	})
	made := f.chunk(d, d.Edited[len(d.Edited)-1])
	made["create_time"], made["create_timestamp"] = now.In(ragflowZone()).Format(time.DateTime), float64(now.UnixMilli())/1000
	f.succeed(w, object{"chunk": made})
}

// updateChunk changes what is given of one.
func (f *ragflowFace) updateChunk(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	d := f.chunked(w, r)
	if d == nil {
		return
	}
	found, now := false, f.s.now()
	f.s.store.EditChunks(RAGFlow, d.ID, func(parts []Chunk) []Chunk {
		for i := range parts {
			c := &parts[i]
			if ragflowChunkID(d, c.Number) != r.PathValue("chunk") {
				continue
			}
			found, c.Updated = true, now
			if text, err := a.text("content"); err == nil {
				c.Text = text
			}
			if keywords, err := a.texts("important_keywords"); err == nil {
				c.Keywords = keywords
			}
			if a.has("available") {
				c.Disabled = string(a["available"]) == "false" || string(a["available"]) == "0"
			}
		}
		return parts
	})
	if !found {
		f.refuse(w, 102, "Can't find this chunk "+r.PathValue("chunk"), nil)
		return
	}
	f.done(w)
}

// deleteChunks deletes those that are named; without any, and without delete_all,
// newer servers delete none.
func (f *ragflowFace) deleteChunks(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	d := f.chunked(w, r)
	if d == nil {
		return
	}
	ids, _ := a.texts("chunk_ids")
	all := len(ids) == 0 && (f.server == ragOld || string(a["delete_all"]) == "true")
	deleted := 0
	f.s.store.EditChunks(RAGFlow, d.ID, func(parts []Chunk) []Chunk {
		return slices.DeleteFunc(parts, func(c Chunk) bool {
			gone := all || slices.Contains(ids, ragflowChunkID(d, c.Number))
			deleted += btoi(gone)
			return gone
		})
	})
	if !all && deleted != len(ids) {
		f.refuse(w, 102, fmt.Sprintf("rm_chunk deleted chunks %d, expect %d", deleted, len(ids)), nil)
		return
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "message": fmt.Sprintf("deleted %d chunks", deleted)})
}

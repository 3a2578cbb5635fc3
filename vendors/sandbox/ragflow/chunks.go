package ragflow

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// chunked finds the document of a call about chunks.
func (f *face) chunked(r *http.Request) *world.Document {
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	d := f.s.In(ds, id)
	switch {
	case d != nil:
		return d
	case f.server == tables.Go:
		panic(tables.JSON(http.StatusInternalServerError, object{"code": 500, "data": nil, "message": "document not found"}))
	case f.s.KB(ds) == nil:
		panic(f.fail(102, fmt.Sprintf("You don't own the dataset %s.", ds)))
	case f.server == tables.Old:
		panic(f.fail(102, fmt.Sprintf("You don't own the document %s.", id)))
	}
	panic(f.fail(102, "you don't own the document "+id))
}

// listChunks pages through a document's chunks; there are none before it is done.
func (f *face) listChunks(r *http.Request) reply {
	d := f.chunked(r)
	v := r.URL.Query()
	page, size := f.paging(v)
	if page == 0 || size == 0 {
		page, size = 1, 30
	}
	pieces := slices.DeleteFunc(f.s.Pieces(d), func(c world.Chunk) bool {
		return v.Get("id") != "" && tables.ChunkID(d, c.Number) != v.Get("id") || !tables.HasKeywords(c.Text, v.Get("keywords"))
	})
	if id := v.Get("id"); id != "" && len(pieces) == 0 {
		return f.fail(102, "Chunk not found: "+d.ID+"/"+id)
	}
	rows := web.Rows(web.Window(pieces, web.Multiply(page-1, size), size), func(c world.Chunk) object { return f.chunk(d, c) })
	return f.result(object{"chunks": rows, "doc": f.chunksDocument(d), "total": len(pieces)})
}

// chunk is one row of a chunk list.
func (f *face) chunk(d *world.Document, c world.Chunk) object {
	if f.server == tables.Go {
		return object{
			"_index": "ragflow_" + tables.Tenant, "chunk_id": tables.ChunkID(d, c.Number), "content_with_weight": c.Text, "doc_type_kwd": "text",
		}
	}
	questions := []string{}
	if c.Question != "" {
		questions = strings.Split(c.Question, "\n")
	}
	return object{
		"id": tables.ChunkID(d, c.Number), "content": c.Text, "document_id": d.ID, "docnm_kwd": d.Name,
		"important_keywords": append([]string{}, c.Keywords...), "tag_kwd": []string{}, "questions": questions, "dataset_id": d.KB,
		"image_id": "", "doc_type_kwd": "text", "available": !d.Disabled && !c.Disabled, "positions": [][]int{{1, 0, 0, 0, 0}},
	}
}

// chunksDocument is the document in a chunk listing.
func (f *face) chunksDocument(d *world.Document) object {
	row := f.document(d)
	if f.server != tables.Old {
		row["content_hash"] = world.Digest("hash", d.Text, 0)[:32]
	}
	if f.server == tables.Go {
		row["thumbnail"], row["progress_msg"] = nil, tables.OrNull(row["progress_msg"].(string))
	}
	return row
}

// addChunk adds one to those of a document.
func (f *face) addChunk(r *http.Request) reply {
	a := f.body(r)
	d := f.chunked(r)
	content := a.Str("content")
	if strings.TrimSpace(content) == "" {
		return f.refuse(102, "`content` is required", nil)
	}
	keywords, _ := a.Texts("important_keywords")
	questions, _ := a.Texts("questions")
	now := f.s.Now()
	d = f.s.EditChunks(d.ID, func(parts []world.Chunk) []world.Chunk {
		return append(parts, world.Chunk{Number: -1, Text: content, Keywords: keywords, Question: strings.Join(questions, "\n"), Updated: now})
	})
	made := f.chunk(d, d.Edited[len(d.Edited)-1])
	made["create_time"], made["create_timestamp"] = now.In(tables.Zone()).Format(time.DateTime), float64(now.UnixMilli())/1000
	return f.succeed(object{"chunk": made})
}

// updateChunk changes what is given of one.
func (f *face) updateChunk(r *http.Request) reply {
	a := f.body(r)
	d := f.chunked(r)
	found, now := false, f.s.Now()
	f.s.EditChunks(d.ID, func(parts []world.Chunk) []world.Chunk {
		for i := range parts {
			c := &parts[i]
			if tables.ChunkID(d, c.Number) != r.PathValue("chunk") {
				continue
			}
			found, c.Updated = true, now
			if text, err := a.Text("content"); err == nil {
				c.Text = text
			}
			if keywords, err := a.Texts("important_keywords"); err == nil {
				c.Keywords = keywords
			}
			if a.Has("available") {
				c.Disabled = string(a["available"]) == "false" || string(a["available"]) == "0"
			}
		}
		return parts
	})
	if !found {
		return f.refuse(102, "Can't find this chunk "+r.PathValue("chunk"), nil)
	}
	return f.done()
}

// deleteChunks deletes those that are named; without any, and without delete_all,
// newer servers delete none.
func (f *face) deleteChunks(r *http.Request) reply {
	a := f.body(r)
	d := f.chunked(r)
	ids, _ := a.Texts("chunk_ids")
	all := len(ids) == 0 && (f.server == tables.Old || string(a["delete_all"]) == "true")
	deleted := 0
	f.s.EditChunks(d.ID, func(parts []world.Chunk) []world.Chunk {
		return slices.DeleteFunc(parts, func(c world.Chunk) bool {
			gone := all || slices.Contains(ids, tables.ChunkID(d, c.Number))
			deleted += btoi(gone)
			return gone
		})
	})
	if !all && deleted != len(ids) {
		return f.refuse(102, fmt.Sprintf("rm_chunk deleted chunks %d, expect %d", deleted, len(ids)), nil)
	}
	return tables.JSON(http.StatusOK, object{"code": 0, "message": fmt.Sprintf("deleted %d chunks", deleted)})
}

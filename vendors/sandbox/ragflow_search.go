package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// listChunks pages through a document's chunks; there are none before it is done.
func (f *ragflowFace) listChunks(w http.ResponseWriter, r *http.Request) {
	ds, id := r.PathValue("ds"), r.PathValue("doc")
	if f.s.store.KB(RAGFlow, ds) == nil {
		ragflowFail(w, 102, fmt.Sprintf("You don't own the dataset %s.", ds))
		return
	}
	d := f.s.ragflowIn(ds, id)
	if d == nil {
		ragflowFail(w, 102, fmt.Sprintf("You don't own the document %s.", id))
		return
	}
	page, size := 1, 30
	q := r.URL.Query()
	if wrong := cmp.Or(pythonInt(q, "page", &page), pythonInt(q, "page_size", &size)); wrong != nil {
		ragflowFail(w, wrong.code, wrong.message)
		return
	}
	if size > ragflowMaxPage {
		ragflowFail(w, 100, "ValueError('page_size must be less than or equal to 100')")
		return
	}
	pieces := f.s.ragflowPieces(d)
	rows := []object{}
	for n := max(0, (page-1)*size); n < min(len(pieces), page*size); n++ {
		rows = append(rows, object{
			"id": ragflowChunkID(d, n), "content": pieces[n], "document_id": d.ID, "docnm_kwd": d.Name,
			"important_keywords": []string{}, "tag_kwd": []string{}, "questions": []string{}, "dataset_id": d.KB,
			"image_id": "", "doc_type_kwd": "text", "available": !d.Disabled, "positions": []any{},
		})
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": object{"chunks": rows, "doc": f.s.chunksDocument(d), "total": len(pieces)}})
}

// chunksDocument is the document in a chunk listing.
func (s *Sandbox) chunksDocument(d *Document) object {
	row := s.ragflowDocument(d)
	for _, key := range []string{"created_by", "meta_fields", "nickname", "parser_config", "pipeline_id", "pipeline_name", "thumbnail"} {
		delete(row, key)
	}
	return row
}

// retrieve searches datasets. Its total counts more than it gives.
func (f *ragflowFace) retrieve(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	question, _ := a.text("question")
	sets, err := a.texts("dataset_ids")
	page, err1 := a.integer("page", 1)
	size, err2 := a.integer("page_size", 30)
	switch {
	case strings.TrimSpace(question) == "":
		ragflowFail(w, 101, "required argument are missing: question; ")
		return
	case err != nil || len(sets) == 0:
		ragflowFail(w, 102, "`dataset_ids` is required.")
		return
	case errors.Join(err1, err2) != nil || page < 1 || size < 1:
		ragflowFail(w, 100, `ValueError("invalid literal for int() with base 10")`)
		return
	}
	var hits []hit
	for _, ds := range sets {
		if f.s.store.KB(RAGFlow, ds) == nil {
			ragflowFail(w, 102, fmt.Sprintf("You don't own the dataset %s.", ds))
			return
		}
		hits = append(hits, f.s.search(RAGFlow, ds, question)...)
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": ragflowHits(ragflowWindow(hits, multiply(page-1, size), size), len(hits))})
}

func ragflowHits(hits []hit, total int) object {
	chunks, counts, order := []object{}, map[*Document]int{}, []*Document{}
	for _, h := range hits {
		if counts[h.d]++; counts[h.d] == 1 {
			order = append(order, h.d)
		}
		chunks = append(chunks, object{
			"id": ragflowChunkID(h.d, h.index), "content": h.text, "content_ltks": strings.ToLower(h.text),
			"document_id": h.d.ID, "document_keyword": h.d.Name, "dataset_id": h.d.KB, "highlight": h.text,
			"image_id": "", "important_keywords": []string{""}, "tag_kwd": []string{}, "positions": []string{""},
			"similarity": h.score, "term_similarity": h.score, "vector_similarity": h.score,
		})
	}
	aggs := []object{}
	for _, d := range order {
		aggs = append(aggs, object{"count": counts[d], "doc_id": d.ID, "doc_name": d.Name})
	}
	return object{"chunks": chunks, "doc_aggs": aggs, "total": total + 7}
}

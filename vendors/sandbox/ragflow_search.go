package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// retrieve searches datasets.
func (f *ragflowFace) retrieve(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	sets, err := a.texts("dataset_ids")
	switch {
	case a.has("dataset_ids") && err != nil:
		f.fail(w, 102, "`dataset_ids` should be a list")
		return
	case len(sets) == 0:
		f.fail(w, 102, "`dataset_ids` is required.")
		return
	}
	for _, ds := range sets {
		if f.s.store.KB(RAGFlow, ds) == nil {
			f.fail(w, 102, fmt.Sprintf("You don't own the dataset %s.", ds))
			return
		}
	}
	if !a.has("question") {
		f.fail(w, 102, "`question` is required.")
		return
	}
	question, _ := a.text("question")
	page, _ := a.integer("page", 1)
	size, _ := a.integer("page_size", 30)
	page, size = max(page, 1), cmp.Or(max(size, 0), 30)
	documents, err := a.texts("document_ids")
	strange := slices.IndexFunc(documents, func(id string) bool {
		d := f.s.store.Document(RAGFlow, id)
		return d == nil || !slices.Contains(sets, d.KB)
	})
	switch {
	case strings.TrimSpace(question) == "":
		f.succeed(w, object{"chunks": []any{}, "doc_aggs": object{}, "total": 0})
	case a.has("document_ids") && err != nil:
		f.fail(w, 102, "`documents` should be a list")
	case strange >= 0:
		f.fail(w, 102, "The datasets don't own the document "+documents[strange])
	case size > ragflowMaxPage && f.server == ragPython:
		f.fail(w, 100, "ValueError('page_size must be less than or equal to 100')")
	case f.away("model"):
		f.fail(w, 100, "LookupError('Provider BAAI not found for model bge-large-zh-v1.5@BAAI.')")
	case f.away("engine"):
		f.fail(w, 100, `ConnectionError("HTTPConnection(host='es01', port=9200): Failed to establish a new connection: [Errno 111] Connection refused")`)
	case f.nothingParsed():
		f.fail(w, 102, "No chunk found! Check the chunk status please!")
	default:
		hits := f.hits(sets, documents, question)
		f.succeed(w, ragflowHits(ragflowWindow(hits, multiply(page-1, size), size), len(hits)))
	}
}

// nothingParsed reports that no document of the account was ever parsed: then
// there is no index to search.
func (f *ragflowFace) nothingParsed() bool {
	for _, kb := range f.s.store.KBs(RAGFlow) {
		docs := f.s.store.Documents(RAGFlow, kb.ID)
		for i := range docs.Len() {
			if len(f.s.ragflowPieces(docs.At(i))) > 0 {
				return false
			}
		}
	}
	return true
}

// hits searches datasets, in the given documents or in all.
func (f *ragflowFace) hits(sets, documents []string, question string) []hit {
	var hits []hit
	for _, ds := range sets {
		for _, h := range f.s.search(RAGFlow, ds, question) {
			if len(documents) == 0 || slices.Contains(documents, h.d.ID) {
				hits = append(hits, h)
			}
		}
	}
	return hits
}

func ragflowHits(hits []hit, total int) object {
	chunks := []object{}
	for _, h := range hits {
		chunks = append(chunks, object{
			"id": ragflowChunkID(h.d, h.index), "content": h.text, "content_ltks": strings.ToLower(h.text),
			"document_id": h.d.ID, "document_keyword": h.d.Name, "dataset_id": h.d.KB, "doc_type_kwd": "", "mom_id": "", "row_id": nil,
			"image_id": "", "important_keywords": []string{}, "tag_kwd": []string{}, "positions": [][]int{{1, 0, 0, 0, 0}},
			"similarity": h.score, "term_similarity": h.score, "vector_similarity": h.score,
		})
	}
	return object{"chunks": chunks, "doc_aggs": documentsOf(hits), "total": total}
}

// documentsOf counts the hits of each document.
func documentsOf(hits []hit) []object {
	counts, order := map[*Document]int{}, []*Document{}
	for _, h := range hits {
		if counts[h.d]++; counts[h.d] == 1 {
			order = append(order, h.d)
		}
	}
	aggs := []object{}
	for _, d := range order {
		aggs = append(aggs, object{"count": counts[d], "doc_id": d.ID, "doc_name": d.Name})
	}
	return aggs
}

// searchDataset is the Go server's search of one dataset, with its names.
func (f *ragflowFace) searchDataset(w http.ResponseWriter, r *http.Request) {
	a, ok := f.ragflowBody(w, r)
	if !ok {
		return
	}
	ds := r.PathValue("ds")
	question, _ := a.text("question")
	page, _ := a.integer("page", 1)
	size, _ := a.integer("size", 30)
	page, size = max(page, 1), cmp.Or(max(size, 0), 30)
	documents, _ := a.texts("doc_ids")
	switch {
	case f.s.store.KB(RAGFlow, ds) == nil:
		f.refuse(w, 102, "only owner of dataset "+ds+" is authorized for this operation", nil)
		return
	case strings.TrimSpace(question) == "":
		f.refuse(w, 101, "question is required", nil)
		return
	case f.away("engine") || f.away("model"):
		f.refuse(w, 102, `retrieval search failed: search failed: GetVector failed: Post "http://localhost:6380/embed": dial tcp 127.0.0.1:6380: connect: connection refused`, nil)
		return
	}
	hits := f.hits([]string{ds}, documents, question)
	chunks := []object{}
	for _, h := range ragflowWindow(hits, multiply(page-1, size), size) {
		chunks = append(chunks, object{
			"chunk_id": ragflowChunkID(h.d, h.index), "content_with_weight": h.text, "doc_id": h.d.ID, "docnm_kwd": h.d.Name, "kb_id": h.d.KB,
			"image_id": "", "important_kwd": []string{}, "positions": []any{}, "similarity": h.score, "term_similarity": h.score, "vector_similarity": h.score,
		})
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "data": object{"chunks": chunks, "doc_aggs": documentsOf(hits), "total": len(hits)}, "message": "success"})
}

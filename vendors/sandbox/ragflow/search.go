package ragflow

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// retrieve searches datasets.
func (f *face) retrieve(r *http.Request) reply {
	a := f.body(r)
	sets, err := a.Texts("dataset_ids")
	switch {
	case a.Has("dataset_ids") && err != nil:
		return f.fail(102, "`dataset_ids` should be a list")
	case len(sets) == 0:
		return f.fail(102, "`dataset_ids` is required.")
	}
	for _, ds := range sets {
		if f.s.KB(ds) == nil {
			return f.fail(102, fmt.Sprintf("You don't own the dataset %s.", ds))
		}
	}
	if !a.Has("question") {
		return f.fail(102, "`question` is required.")
	}
	question, offset, size := question(a, "page_size")
	documents, err := a.Texts("document_ids")
	strange := slices.IndexFunc(documents, func(id string) bool {
		d := f.s.Document(id)
		return d == nil || !slices.Contains(sets, d.KB)
	})
	switch {
	case strings.TrimSpace(question) == "":
		return f.succeed(object{"chunks": []any{}, "doc_aggs": object{}, "total": 0})
	case a.Has("document_ids") && err != nil:
		return f.fail(102, "`documents` should be a list")
	case strange >= 0:
		return f.fail(102, "The datasets don't own the document "+documents[strange])
	case size > maxPage && f.server == tables.Python:
		return f.fail(100, "ValueError('page_size must be less than or equal to 100')")
	case f.away("model"):
		return f.fail(100, "LookupError('Provider BAAI not found for model bge-large-zh-v1.5@BAAI.')")
	case f.away("engine"):
		return f.fail(100, `ConnectionError("HTTPConnection(host='es01', port=9200): Failed to establish a new connection: [Errno 111] Connection refused")`)
	case f.nothingParsed():
		return f.fail(102, "No chunk found! Check the chunk status please!")
	default:
		hits := f.hits(sets, documents, question)
		return f.succeed(hitRows(web.Window(hits, offset, size), len(hits)))
	}
}

// question reads what to look for, and which part of what is found.
func question(a args, sizeKey string) (text string, offset, size int) {
	page, _ := a.Int("page", 1)
	size, _ = a.Int(sizeKey, 30)
	size = cmp.Or(max(size, 0), 30)
	return a.Str("question"), web.Multiply(max(page, 1)-1, size), size
}

// nothingParsed reports that no document of the account was ever parsed: then
// there is no index to search.
func (f *face) nothingParsed() bool {
	for _, kb := range f.s.KBs() {
		docs := f.s.Documents(kb.ID)
		for d := range docs.All() {
			if len(f.s.Pieces(d)) > 0 {
				return false
			}
		}
	}
	return true
}

// hits searches datasets, in the given documents or in all.
func (f *face) hits(sets, documents []string, question string) []world.Hit {
	var hits []world.Hit
	for _, ds := range sets {
		for _, h := range f.s.Search(ds, question) {
			if len(documents) == 0 || slices.Contains(documents, h.Document.ID) {
				hits = append(hits, h)
			}
		}
	}
	return hits
}

func hitRows(hits []world.Hit, total int) object {
	chunks := []object{}
	for _, h := range hits {
		chunks = append(chunks, object{
			"id": tables.ChunkID(h.Document, h.Number), "content": h.Text, "content_ltks": strings.ToLower(h.Text),
			"document_id": h.Document.ID, "document_keyword": h.Document.Name, "dataset_id": h.Document.KB, "doc_type_kwd": "", "mom_id": "", "row_id": nil,
			"image_id": "", "important_keywords": []string{}, "tag_kwd": []string{}, "positions": [][]int{{1, 0, 0, 0, 0}},
			"similarity": h.Score, "term_similarity": h.Score, "vector_similarity": h.Score,
		})
	}
	return object{"chunks": chunks, "doc_aggs": documentsOf(hits), "total": total}
}

// documentsOf counts the hits of each document.
func documentsOf(hits []world.Hit) []object {
	counts, order := map[*world.Document]int{}, []*world.Document{}
	for _, h := range hits {
		if counts[h.Document]++; counts[h.Document] == 1 {
			order = append(order, h.Document)
		}
	}
	aggs := []object{}
	for _, d := range order {
		aggs = append(aggs, object{"count": counts[d], "doc_id": d.ID, "doc_name": d.Name})
	}
	return aggs
}

// searchDataset is the Go server's search of one dataset, with its names.
func (f *face) searchDataset(r *http.Request) reply {
	a := f.body(r)
	ds := r.PathValue("ds")
	question, offset, size := question(a, "size")
	documents, _ := a.Texts("doc_ids")
	switch {
	case f.s.KB(ds) == nil:
		return f.refuse(102, "only owner of dataset "+ds+" is authorized for this operation", nil)
	case strings.TrimSpace(question) == "":
		return f.refuse(101, "question is required", nil)
	case f.away("engine") || f.away("model"):
		return f.refuse(102, `retrieval search failed: search failed: GetVector failed: Post "http://localhost:6380/embed": dial tcp 127.0.0.1:6380: connect: connection refused`, nil)
	}
	hits := f.hits([]string{ds}, documents, question)
	chunks := []object{}
	for _, h := range web.Window(hits, offset, size) {
		chunks = append(chunks, object{
			"chunk_id": tables.ChunkID(h.Document, h.Number), "content_with_weight": h.Text, "doc_id": h.Document.ID, "docnm_kwd": h.Document.Name, "kb_id": h.Document.KB,
			"image_id": "", "important_kwd": []string{}, "positions": []any{}, "similarity": h.Score, "term_similarity": h.Score, "vector_similarity": h.Score,
		})
	}
	return success(object{"chunks": chunks, "doc_aggs": documentsOf(hits), "total": len(hits)})
}

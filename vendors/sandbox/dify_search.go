package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// segments answers GET /datasets/{id}/documents/{document}/segments.
func (f *difyFace) segments(r *http.Request, kb *KnowledgeBase, id string) difyReply {
	q := r.URL.Query()
	p, bad := readDifyPage(q)
	if bad != nil {
		return *bad
	}
	d := f.s.store.Document(Dify, id)
	if d == nil || d.KB != kb.ID {
		return difyError(404, "not_found", "Document not found.")
	}
	st := f.s.state(d)
	kept := []object{}
	if st.ChunksTotal > 0 {
		for i, text := range d.Chunks() {
			row := difySegment(kb, d, st, i, text)
			if wanted, has := q["status"]; has && !slices.Contains(wanted, row["status"].(string)) {
				continue
			}
			if strings.Contains(strings.ToLower(text), strings.ToLower(q.Get("keyword"))) {
				kept = append(kept, row)
			}
		}
	}
	from, to := span(len(kept), p.from, p.size)
	out := p.answer(kept[from:to], len(kept))
	out["doc_form"] = "text_model"
	return difyReply{200, out}
}

// difySegment is the i-th chunk of a document.
func difySegment(kb *KnowledgeBase, d *Document, st State, i int, text string) object {
	done := st.Phase == Completed || i < st.ChunksDone && kb.Technique != "economy"
	status, completed, tokens := "indexing", any(nil), 0
	if done {
		status, completed = "completed", seconds(cozeUpdated(d, st))
		if kb.Technique != "economy" {
			tokens = utf8.RuneCountInString(text) * 3 / 4
		}
	}
	return object{
		"id": hexID(Dify, "segment/"+d.ID, i), "position": i + 1, "document_id": d.ID,
		"content": text, "sign_content": text, "answer": nil, "word_count": utf8.RuneCountInString(text),
		"tokens": tokens, "keywords": []string{}, "hit_count": 0, "enabled": !d.Disabled, "status": status,
		"index_node_id": hexID(Dify, "node/"+d.ID, i), "index_node_hash": digest("node/"+d.ID, Dify, i),
		"created_by": difyUser, "created_at": seconds(d.Created), "updated_at": seconds(d.Updated),
		"updated_by": nil, "indexing_at": seconds(st.Since), "completed_at": completed, "error": nil,
		"stopped_at": nil, "disabled_at": nil, "disabled_by": nil, "child_chunks": []object{},
		"attachments": []object{}, "summary": nil,
	}
}

// retrieve answers POST /datasets/{id}/retrieve: the chunks that hold a word
// of the query, those with most words first.
func (f *difyFace) retrieve(r *http.Request, kb *KnowledgeBase) difyReply {
	a, bad := difyJSON(r)
	if bad != nil {
		return *bad
	}
	query, err := a.text("query")
	switch {
	case err != nil:
		return difyError(400, "invalid_param", "query: Field required")
	case utf8.RuneCountInString(query) > 250:
		return difyError(400, "invalid_param", "Query is required and cannot exceed 250 characters")
	}
	method, top, bad := difyRetrieval(a, kb)
	if bad != nil {
		return *bad
	}
	var hits []hit
	if (kb.Technique == "economy") == (method == "keyword_search") { // the other index is empty
		hits = f.s.search(Dify, kb.ID, query)
	}
	records := []object{}
	for _, h := range hits[:min(len(hits), top)] {
		records = append(records, f.record(kb, h, method))
	}
	return difyReply{200, object{"query": object{"content": query}, "records": records}}
}

// difyRetrieval reads retrieval_model, whose required members must all be
// there; without it the knowledge base's own settings count.
func difyRetrieval(a args, kb *KnowledgeBase) (method string, top int, bad *difyReply) {
	own := difyModels(kb.Technique)["retrieval_model_dict"].(object)
	method, top = own["search_method"].(string), own["top_k"].(int)
	if a.has("retrieval_model") {
		model, err := parseArgs(a["retrieval_model"])
		for _, key := range []string{"search_method", "reranking_enable", "top_k", "score_threshold_enabled"} {
			if err != nil || !model.has(key) {
				no := difyError(400, "invalid_param", "retrieval_model."+key+": Field required")
				return "", 0, &no
			}
		}
		method, _ = model.text("search_method")
		top, _ = model.integer("top_k", top)
	}
	return method, max(top, 1), nil
}

// record is a hit as retrieve gives it; a keyword search scores nothing.
func (f *difyFace) record(kb *KnowledgeBase, h hit, method string) object {
	segment := difySegment(kb, h.d, f.s.state(h.d), h.index, h.text)
	segment["document"] = object{
		"id": h.d.ID, "name": h.d.Name, "data_source_type": difySource(h.d.Source),
		"doc_type": nil, "doc_metadata": nil,
	}
	var score any
	if method != "keyword_search" {
		score = h.score
	}
	return object{
		"segment": segment, "child_chunks": nil, "score": score,
		"tsne_position": nil, "files": nil, "summary": nil,
	}
}

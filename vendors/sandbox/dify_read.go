package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// datasets answers GET /datasets. Without include_all the private knowledge
// bases of other members are missing.
func (f *difyFace) datasets(r *http.Request, _ *KnowledgeBase) difyReply {
	q := r.URL.Query()
	p, bad := readDifyPage(q)
	if bad != nil {
		return *bad
	}
	word := strings.ToLower(q.Get("keyword"))
	all := strings.EqualFold(q.Get("include_all"), "true")
	kbs := slices.DeleteFunc(f.s.store.KBs(Dify), func(kb *KnowledgeBase) bool {
		return kb.Private && !all || !strings.Contains(strings.ToLower(kb.Name), word)
	})
	rows := []object{}
	from, to := span(len(kbs), p.from, p.size)
	for _, kb := range kbs[from:to] {
		rows = append(rows, f.datasetRow(kb))
	}
	return difyReply{200, p.answer(rows, len(kbs))}
}

// dataset answers GET /datasets/{id}.
func (f *difyFace) dataset(_ *http.Request, kb *KnowledgeBase) difyReply {
	return difyReply{200, f.datasetRow(kb)}
}

func (f *difyFace) datasetRow(kb *KnowledgeBase) object {
	docs := f.s.store.Documents(Dify, kb.ID)
	words, available := 0, 0
	for i := range docs.Len() {
		d := docs.At(i)
		if f.s.state(d).Phase == Completed {
			words += difyChars(d)
			if !d.Disabled && !d.Archived {
				available++
			}
		}
	}
	permission := "all_team_members"
	if kb.Private {
		permission = "only_me"
	}
	row := object{
		"id": kb.ID, "name": kb.Name, "description": kb.Description, "provider": "vendor",
		"permission": permission, "data_source_type": "upload_file", "indexing_technique": kb.Technique,
		"app_count": 0, "document_count": docs.Len(), "total_documents": docs.Len(),
		"total_available_documents": available, "word_count": words,
		"created_by": difyUser, "created_at": seconds(kb.Created), "author_name": "sandbox", "maintainer": nil,
		"updated_by": difyUser, "updated_at": seconds(kb.Updated), "enable_api": !kb.Disabled,
		"tags": []object{}, "doc_form": "text_model", "doc_metadata": []object{}, "built_in_field_enabled": false,
		"external_knowledge_info": nil, "external_retrieval_model": nil, "summary_index_setting": nil,
		"runtime_mode": "general", "pipeline_id": nil, "chunk_structure": nil, "icon_info": nil,
		"is_published": false, "is_multimodal": false,
	}
	for k, v := range difyModels(kb.Technique) {
		row[k] = v
	}
	if kb.Technique == "" { // nothing uploaded yet
		row["indexing_technique"], row["data_source_type"], row["doc_form"] = nil, nil, nil
	}
	return row
}

// difyModels is the members of a knowledge base about embedding and retrieval.
func difyModels(technique string) object {
	retrieval := object{
		"search_method": "keyword_search", "reranking_enable": false, "reranking_mode": nil,
		"reranking_model": object{"reranking_provider_name": "", "reranking_model_name": ""},
		"weights":         nil, "top_k": 3, "score_threshold_enabled": false, "score_threshold": nil,
	}
	out := object{
		"retrieval_model_dict": retrieval, "embedding_model": nil,
		"embedding_model_provider": nil, "embedding_available": nil,
	}
	if technique == "high_quality" {
		retrieval["search_method"] = "semantic_search"
		out["embedding_model"], out["embedding_model_provider"], out["embedding_available"] = "text-embedding-3-small", "langgenius/openai/openai", true
	}
	return out
}

// documents answers GET /datasets/{id}/documents: newest first, keyword as SQL
// LIKE, status as a display status; an unknown status filters nothing.
func (f *difyFace) documents(r *http.Request, kb *KnowledgeBase) difyReply {
	q := r.URL.Query()
	p, bad := readDifyPage(q)
	if bad != nil {
		return *bad
	}
	all := f.s.store.Documents(Dify, kb.ID)
	docs := all
	if word := q.Get("keyword"); word != "" {
		docs = docs.Filter(func(d *Document) bool { return like(d.Name, "%"+word+"%") })
	}
	if status := q.Get("status"); slices.Contains(difyDisplays, status) {
		docs = docs.Filter(func(d *Document) bool { return difyDisplay(d, f.s.state(d)) == status })
	}
	rows := []object{}
	for _, d := range docs.Window(p.from, p.size) {
		rows = append(rows, f.listRow(kb, all, d))
	}
	return difyReply{200, p.answer(rows, docs.Len())}
}

// like is SQL's LIKE: % stands for any text, _ for one character.
func like(text, pattern string) bool {
	t, p := []rune(text), []rune(pattern)
	ti, pi, star, mark := 0, 0, -1, 0
	for ti < len(t) {
		switch {
		case pi < len(p) && p[pi] == '%':
			star, mark = pi, ti
			pi++
		case pi < len(p) && (p[pi] == '_' || p[pi] == t[ti]):
			ti, pi = ti+1, pi+1
		case star >= 0:
			mark++
			ti, pi = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(string(p[pi:]), "%") == ""
}

// document answers GET /datasets/{id}/documents/{document}.
func (f *difyFace) document(r *http.Request, kb *KnowledgeBase, id string) difyReply {
	d := f.s.store.Document(Dify, id)
	if d == nil || d.KB != kb.ID {
		return difyError(404, "not_found", "Document not found.")
	}
	row := f.detailRow(kb, f.s.store.Documents(Dify, kb.ID), d)
	switch mode := r.URL.Query().Get("metadata"); mode {
	case "", "all":
	case "only":
		row = object{"id": d.ID, "doc_type": row["doc_type"], "doc_metadata": row["doc_metadata"]}
	case "without":
		delete(row, "doc_type")
		delete(row, "doc_metadata")
	default:
		return difyError(400, "invalid_metadata", "Invalid metadata value: "+mode)
	}
	return difyReply{200, row}
}

// indexingStatus answers GET /datasets/{id}/documents/{batch}/indexing-status.
func (f *difyFace) indexingStatus(_ *http.Request, kb *KnowledgeBase, batch string) difyReply {
	rows := []object{}
	for _, d := range f.s.store.Batch(Dify, batch) {
		if d.KB == kb.ID {
			rows = append(rows, f.progressRow(kb, d))
		}
	}
	if len(rows) == 0 {
		return difyError(404, "not_found", "Documents not found.")
	}
	return difyReply{200, object{"data": rows}}
}

package sandbox

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// datasets answers GET /datasets. Without include_all the private knowledge
// bases of other members are missing.
func (f *difyFace) datasets(r difyAsk) difyReply {
	q := r.URL.Query()
	p, bad := f.page(q, "DatasetListQuery")
	if bad != nil {
		return *bad
	}
	all, bad := f.includeAll(q)
	switch {
	case bad != nil:
		return *bad
	case q.Has("tag_ids") && !f.since(1, 12, 0):
		return difyBroken()
	case q.Has("tag_ids") && !f.since(1, 13, 3):
		return difyValidation("DatasetListQuery", "tag_ids", "Input should be a valid list", "list_type", "'"+q.Get("tag_ids")+"'", "str")
	case f.opts.DaemonDown:
		return difyInvalid(difyDaemonText)
	}
	word := strings.ToLower(q.Get("keyword"))
	kbs := slices.DeleteFunc(f.s.store.KBs(Dify), func(kb *KnowledgeBase) bool {
		return kb.dify.workspace != r.workspace || kb.Private && !all || !f.named(kb.Name, word) || !f.more.tagged(kb.ID, q["tag_ids"])
	})
	rows := []object{}
	from, to := span(len(kbs), p.from, p.size)
	for _, kb := range kbs[from:to] {
		rows = append(rows, f.datasetRow(kb, true))
	}
	return difyReply{200, p.answer(rows, len(kbs))}
}

// named reports whether a name holds a keyword, in which older servers take % and
// _ for wildcards.
func (f *difyFace) named(name, word string) bool {
	if f.since(1, 12, 0) {
		return strings.Contains(strings.ToLower(name), word)
	}
	return like(strings.ToLower(name), "%"+word+"%")
}

func (f *difyFace) includeAll(q url.Values) (all bool, bad *difyReply) {
	word := strings.ToLower(q.Get("include_all"))
	switch {
	case slices.Contains([]string{"true", "1", "yes", "on", "t", "y"}, word):
		return true, nil
	case !f.since(1, 12, 0) || !q.Has("include_all") || slices.Contains([]string{"false", "0", "no", "off", "f", "n"}, word):
		return false, nil
	}
	no := difyValidation("DatasetListQuery", "include_all", "Input should be a valid boolean, unable to interpret input", "bool_parsing", "'"+q.Get("include_all")+"'", "str")
	return false, &no
}

// dataset answers GET /datasets/{id}.
func (f *difyFace) dataset(r difyAsk) difyReply {
	if f.opts.DaemonDown {
		return difyInvalid(difyDaemonText)
	}
	row := f.datasetRow(r.kb, true)
	return difyReply{200, row}
}

// datasetRow is a knowledge base. models says that the model list was asked for.
func (f *difyFace) datasetRow(kb *KnowledgeBase, models bool) object {
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
	row := object{
		"id": kb.ID, "name": kb.Name, "description": kb.Description, "provider": cmp.Or(kb.dify.provider, "vendor"),
		"permission": "all_team_members", "data_source_type": nil, "indexing_technique": nil, "app_count": 0,
		"document_count": docs.Len(), "word_count": words, "created_by": difyUser, "created_at": seconds(kb.Created),
		"updated_by": difyUser, "updated_at": seconds(kb.Updated), "retrieval_model_dict": f.retrievalOf(kb),
		"embedding_model": nil, "embedding_model_provider": nil, "embedding_available": nil,
		"tags": f.more.tagsOf(kb.ID, false), "doc_form": nil, "doc_metadata": shownFields(kb), "built_in_field_enabled": kb.dify.builtIns,
		"external_knowledge_info":  difyExternal(kb),
		"external_retrieval_model": object{"top_k": 2, "score_threshold": 0.0, "score_threshold_enabled": nil},
	}
	if kb.Private {
		row["permission"] = "only_me"
	}
	if kb.dify.permission != "" {
		row["permission"] = kb.dify.permission
	}
	if kb.Technique != "" {
		row["indexing_technique"] = kb.Technique
	}
	if docs.Len() > 0 || kb.dify.dataSource {
		row["data_source_type"] = "upload_file"
	}
	if form := difyFormOf(docs); form != "" {
		row["doc_form"] = form
	}
	if kb.Technique == "high_quality" {
		row["embedding_model"] = cmp.Or(kb.dify.embedding[0], "text-embedding-3-small")
		row["embedding_model_provider"] = cmp.Or(kb.dify.embedding[1], "langgenius/openai/openai")
	}
	if models {
		row["embedding_available"] = kb.Technique != "high_quality" || !strings.Contains(f.opts.Model, "does not exist")
	}
	if f.since(1, 9, 0) {
		f.newer(row, docs.Len(), available, !kb.Disabled)
	}
	return row
}

// newer adds what releases from 1.9 to 1.12 have added to a knowledge base.
func (f *difyFace) newer(row object, total, available int, open bool) {
	added := object{
		"author_name": "sandbox", "pipeline_id": nil, "runtime_mode": "general", "chunk_structure": nil,
		"icon_info":    object{"icon_type": nil, "icon": nil, "icon_background": nil, "icon_url": nil},
		"is_published": false, "total_documents": total, "total_available_documents": available, "enable_api": open, "is_multimodal": false,
		"summary_index_setting": object{"enable": nil, "model_name": nil, "model_provider_name": nil, "summary_prompt": nil},
	}
	for name, value := range added {
		row[name] = value
	}
	if f.since(1, 16, 0) {
		row["maintainer"] = nil
	}
}

func difyExternal(kb *KnowledgeBase) object {
	info := object{"external_knowledge_id": nil, "external_knowledge_api_id": nil, "external_knowledge_api_name": nil, "external_knowledge_api_endpoint": nil}
	if kb.dify.provider == "external" {
		info["external_knowledge_id"], info["external_knowledge_api_id"] = kb.dify.external[0], kb.dify.external[1]
		info["external_knowledge_api_name"], info["external_knowledge_api_endpoint"] = "elsewhere", "http://127.0.0.1:9/elsewhere"
	}
	return info
}

// retrievalOf is how a knowledge base is searched, as it says.
func (f *difyFace) retrievalOf(kb *KnowledgeBase) object {
	out := object{
		"search_method": "semantic_search", "reranking_enable": false, "reranking_mode": nil,
		"reranking_model": object{"reranking_provider_name": "", "reranking_model_name": ""},
		"weights":         nil, "top_k": 3, "score_threshold_enabled": false, "score_threshold": nil,
	}
	if kb.dify.retrieval != nil {
		json.Unmarshal(kb.dify.retrieval, &out) // was decoded when it came
	}
	if f.since(1, 12, 0) && (kb.Technique == "economy" || kb.dify.provider == "external") {
		out["search_method"] = "keyword_search"
	}
	return out
}

// difyFormOf is the form of a knowledge base: that of its documents.
func difyFormOf(docs List) string {
	if docs.Len() == 0 {
		return ""
	}
	return cmp.Or(docs.At(docs.Len()-1).dify.form, "text_model")
}

// difyNamed reports whether a knowledge base other than id has a name.
func (f *difyFace) difyNamed(name, id string) bool {
	return slices.ContainsFunc(f.s.store.KBs(Dify), func(kb *KnowledgeBase) bool { return kb.Name == name && kb.ID != id })
}

// difyKBFields is name and description, as they are checked.
func difyKBFields(required bool) []difyField {
	return []difyField{
		{name: "name", required: required, nullable: !required, min: 1, max: 40, text1x: "Name must be between 1 to 40 characters."},
		{name: "description", nullable: !required, max: 400, text1x: "Description cannot exceed 400 characters."},
		{name: "indexing_technique", nullable: true, oneOf: []string{"high_quality", "economy"}},
		{name: "permission", nullable: true, oneOf: []string{"only_me", "all_team_members", "partial_members"}},
	}
}

// createDataset answers POST /datasets.
func (f *difyFace) createDataset(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "DatasetCreatePayload", difyKBFields(true)...)
	if bad != nil {
		return *bad
	}
	name, _ := a.text("name")
	if f.difyNamed(name, "") {
		return difyError(409, "dataset_name_duplicate", "The dataset name already exists. Please modify your dataset name.")
	}
	kb := KnowledgeBase{Platform: Dify, Name: name, Created: f.s.now(), Updated: f.s.now(), dify: difyBase{workspace: r.workspace, permission: "only_me"}}
	f.settings(a, &kb)
	return difyReply{200, f.datasetRow(f.s.store.AddKB(kb), false)}
}

// settings puts what a body says into a knowledge base.
func (f *difyFace) settings(a args, kb *KnowledgeBase) {
	for name, to := range map[string]*string{
		"name": &kb.Name, "description": &kb.Description, "indexing_technique": &kb.Technique, "permission": &kb.dify.permission,
		"provider": &kb.dify.provider, "embedding_model": &kb.dify.embedding[0], "embedding_model_provider": &kb.dify.embedding[1],
		"external_knowledge_id": &kb.dify.external[0], "external_knowledge_api_id": &kb.dify.external[1],
	} {
		if s, err := a.text(name); err == nil {
			*to = s
		}
	}
	if a.has("retrieval_model") {
		kb.dify.retrieval = a["retrieval_model"]
	}
}

// updateDataset answers PATCH /datasets/{id}: what is not sent stays.
func (f *difyFace) updateDataset(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "DatasetUpdatePayload", difyKBFields(false)...)
	if bad != nil {
		return *bad
	}
	name, err := a.text("name")
	switch {
	case err == nil && f.difyNamed(name, r.kb.ID):
		return difyInvalid("Dataset name already exists")
	case r.kb.dify.provider == "external" && !a.has("external_knowledge_id"):
		return difyInvalid("External knowledge id is required.")
	case r.kb.dify.provider == "external" && !a.has("external_knowledge_api_id"):
		return difyInvalid("External knowledge api id is required.")
	}
	f.s.store.UpdateKB(Dify, r.kb.ID, func(kb *KnowledgeBase) {
		before := kb.Technique
		f.settings(a, kb)
		kb.Updated = f.s.now()
		if before == "economy" && kb.Technique != before { // its index of words stays, and grows no more
			kb.dify.words = kb.Updated
		}
	})
	row := f.datasetRow(f.s.store.KB(Dify, r.kb.ID), false)
	row["partial_member_list"] = []string{}
	return difyReply{200, row}
}

// gone is the answer to a delete.
func (f *difyFace) gone() difyReply {
	if f.s.opts.OldDeletes || f.since(1, 4, 0) && !f.since(1, 13, 0) {
		return difyReply{200, 204}
	}
	return difyReply{204, nil}
}

// deleteDataset answers DELETE /datasets/{id}.
func (f *difyFace) deleteDataset(r difyAsk) difyReply {
	f.s.store.RemoveKB(Dify, r.kb.ID)
	return f.gone()
}

// models answers GET /workspaces/current/models/model-types/text-embedding.
func (f *difyFace) models(difyAsk) difyReply {
	if f.opts.DaemonDown {
		return difyInvalid(difyDaemonText)
	}
	label := func(s string) object { return object{"zh_Hans": s, "en_US": s} }
	return difyReply{200, object{"data": []object{{
		"tenant_id": hexID(Dify, "workspace", 1), "provider": "langgenius/openai/openai", "label": label("OpenAI"),
		"icon_small": nil, "icon_small_dark": nil, "status": "active",
		"models": []object{{
			"model": "text-embedding-3-small", "label": label("text-embedding-3-small"), "model_type": "text-embedding", "features": nil,
			"fetch_from": "predefined-model", "model_properties": object{"context_size": 8192, "max_chunks": 32}, "deprecated": false,
			"status": "active", "load_balancing_enabled": false, "has_invalid_load_balancing_configs": false,
		}},
	}}}}
}

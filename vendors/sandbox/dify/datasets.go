package dify

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// datasets answers GET /datasets. Without include_all the private knowledge
// bases of other members are missing.
func (f *face) datasets(r request) reply {
	q := r.URL.Query()
	p := f.page(q, "DatasetListQuery")
	all := f.includeAll(q)
	switch {
	case q.Has("tag_ids") && !f.since(1, 12, 0):
		return broken()
	case q.Has("tag_ids") && !f.since(1, 13, 3):
		return validation("DatasetListQuery", "tag_ids", "Input should be a valid list", "list_type", "'"+q.Get("tag_ids")+"'", "str")
	case f.opts.DaemonDown:
		return invalid(daemonText)
	}
	word := strings.ToLower(q.Get("keyword"))
	kbs := slices.DeleteFunc(f.s.KBs(), func(kb *world.KnowledgeBase) bool {
		return kb.Dify.Workspace != r.workspace || kb.Private && !all || !f.named(kb.Name, word) || !f.more.tagged(kb.ID, q["tag_ids"])
	})
	rows := web.Rows(web.Window(kbs, p.from, p.size), func(kb *world.KnowledgeBase) object { return f.datasetRow(kb, true) })
	return reply{200, p.answer(rows, len(kbs))}
}

// named reports whether a name holds a keyword, in which older servers take % and
// _ for wildcards.
func (f *face) named(name, word string) bool {
	if f.since(1, 12, 0) {
		return strings.Contains(strings.ToLower(name), word)
	}
	return like(strings.ToLower(name), "%"+word+"%")
}

func (f *face) includeAll(q url.Values) bool {
	word := strings.ToLower(q.Get("include_all"))
	switch {
	case slices.Contains([]string{"true", "1", "yes", "on", "t", "y"}, word):
		return true
	case !f.since(1, 12, 0) || !q.Has("include_all") || slices.Contains([]string{"false", "0", "no", "off", "f", "n"}, word):
		return false
	}
	panic(validation("DatasetListQuery", "include_all", "Input should be a valid boolean, unable to interpret input", "bool_parsing", "'"+q.Get("include_all")+"'", "str"))
}

// dataset answers GET /datasets/{id}.
func (f *face) dataset(r request) reply {
	if f.opts.DaemonDown {
		return invalid(daemonText)
	}
	row := f.datasetRow(r.kb, true)
	return reply{200, row}
}

// datasetRow is a knowledge base. models says that the model list was asked for.
func (f *face) datasetRow(kb *world.KnowledgeBase, models bool) object {
	docs := f.s.Documents(kb.ID)
	words, available := 0, 0
	for d := range docs.All() {
		if f.s.State(d).Phase == world.Completed {
			words += chars(d)
			if !d.Disabled && !d.Archived {
				available++
			}
		}
	}
	row := object{
		"id": kb.ID, "name": kb.Name, "description": kb.Description, "provider": cmp.Or(kb.Dify.Provider, "vendor"),
		"permission": "all_team_members", "data_source_type": nil, "indexing_technique": nil, "app_count": 0,
		"document_count": docs.Len(), "word_count": words, "created_by": user, "created_at": web.Seconds(kb.Created),
		"updated_by": user, "updated_at": web.Seconds(kb.Updated), "retrieval_model_dict": f.retrievalOf(kb),
		"embedding_model": nil, "embedding_model_provider": nil, "embedding_available": nil,
		"tags": f.more.tagsOf(kb.ID, false), "doc_form": nil, "doc_metadata": shownFields(kb), "built_in_field_enabled": kb.Dify.BuiltIns,
		"external_knowledge_info":  external(kb),
		"external_retrieval_model": object{"top_k": 2, "score_threshold": 0.0, "score_threshold_enabled": nil},
	}
	if kb.Private {
		row["permission"] = "only_me"
	}
	if kb.Dify.Permission != "" {
		row["permission"] = kb.Dify.Permission
	}
	if kb.Technique != "" {
		row["indexing_technique"] = kb.Technique
	}
	if docs.Len() > 0 || kb.Dify.DataSource {
		row["data_source_type"] = "upload_file"
	}
	if form := formOf(docs); form != "" {
		row["doc_form"] = form
	}
	if kb.Technique == "high_quality" {
		row["embedding_model"] = cmp.Or(kb.Dify.Embedding[0], "text-embedding-3-small")
		row["embedding_model_provider"] = cmp.Or(kb.Dify.Embedding[1], "langgenius/openai/openai")
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
func (f *face) newer(row object, total, available int, open bool) {
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

func external(kb *world.KnowledgeBase) object {
	info := object{"external_knowledge_id": nil, "external_knowledge_api_id": nil, "external_knowledge_api_name": nil, "external_knowledge_api_endpoint": nil}
	if kb.Dify.Provider == "external" {
		info["external_knowledge_id"], info["external_knowledge_api_id"] = kb.Dify.External[0], kb.Dify.External[1]
		info["external_knowledge_api_name"], info["external_knowledge_api_endpoint"] = "elsewhere", "http://127.0.0.1:9/elsewhere"
	}
	return info
}

// retrievalOf is how a knowledge base is searched, as it says.
func (f *face) retrievalOf(kb *world.KnowledgeBase) object {
	out := object{
		"search_method": "semantic_search", "reranking_enable": false, "reranking_mode": nil,
		"reranking_model": object{"reranking_provider_name": "", "reranking_model_name": ""},
		"weights":         nil, "top_k": 3, "score_threshold_enabled": false, "score_threshold": nil,
	}
	if kb.Dify.Retrieval != nil {
		json.Unmarshal(kb.Dify.Retrieval, &out) // was decoded when it came
	}
	if f.since(1, 12, 0) && (kb.Technique == "economy" || kb.Dify.Provider == "external") {
		out["search_method"] = "keyword_search"
	}
	return out
}

// formOf is the form of a knowledge base: that of its documents.
func formOf(docs world.List) string {
	if docs.Len() == 0 {
		return ""
	}
	return cmp.Or(docs.At(docs.Len()-1).Dify.Form, "text_model")
}

// taken reports whether a knowledge base other than id has a name.
func (f *face) taken(name, id string) bool {
	return slices.ContainsFunc(f.s.KBs(), func(kb *world.KnowledgeBase) bool { return kb.Name == name && kb.ID != id })
}

// kbFields is name and description, as they are checked.
func kbFields(required bool) []field {
	return []field{
		{name: "name", required: required, nullable: !required, min: 1, max: 40, text1x: "Name must be between 1 to 40 characters."},
		{name: "description", nullable: !required, max: 400, text1x: "Description cannot exceed 400 characters."},
		{name: "indexing_technique", nullable: true, oneOf: []string{"high_quality", "economy"}},
		{name: "permission", nullable: true, oneOf: []string{"only_me", "all_team_members", "partial_members"}},
	}
}

// createDataset answers POST /datasets.
func (f *face) createDataset(r request) reply {
	a := f.check(r.Request, "DatasetCreatePayload", kbFields(true)...)
	name := a.Str("name")
	if f.taken(name, "") {
		return problem(409, "dataset_name_duplicate", "The dataset name already exists. Please modify your dataset name.")
	}
	kb := world.KnowledgeBase{Name: name, Created: f.s.Now(), Updated: f.s.Now(), Dify: world.DifyBase{Workspace: r.workspace, Permission: "only_me"}}
	f.settings(a, &kb)
	return reply{200, f.datasetRow(f.s.AddKB(kb), false)}
}

// settings puts what a body says into a knowledge base.
func (f *face) settings(a args, kb *world.KnowledgeBase) {
	for name, to := range map[string]*string{
		"name": &kb.Name, "description": &kb.Description, "indexing_technique": &kb.Technique, "permission": &kb.Dify.Permission,
		"provider": &kb.Dify.Provider, "embedding_model": &kb.Dify.Embedding[0], "embedding_model_provider": &kb.Dify.Embedding[1],
		"external_knowledge_id": &kb.Dify.External[0], "external_knowledge_api_id": &kb.Dify.External[1],
	} {
		if s, err := a.Text(name); err == nil {
			*to = s
		}
	}
	if a.Has("retrieval_model") {
		kb.Dify.Retrieval = a["retrieval_model"]
	}
}

// updateDataset answers PATCH /datasets/{id}: what is not sent stays.
func (f *face) updateDataset(r request) reply {
	a := f.check(r.Request, "DatasetUpdatePayload", kbFields(false)...)
	name, err := a.Text("name")
	switch {
	case err == nil && f.taken(name, r.kb.ID):
		return invalid("Dataset name already exists")
	case r.kb.Dify.Provider == "external" && !a.Has("external_knowledge_id"):
		return invalid("External knowledge id is required.")
	case r.kb.Dify.Provider == "external" && !a.Has("external_knowledge_api_id"):
		return invalid("External knowledge api id is required.")
	}
	f.s.UpdateKB(r.kb.ID, func(kb *world.KnowledgeBase) {
		before := kb.Technique
		f.settings(a, kb)
		kb.Updated = f.s.Now()
		if before == "economy" && kb.Technique != before { // its index of words stays, and grows no more
			kb.Dify.Words = kb.Updated
		}
	})
	row := f.datasetRow(f.s.KB(r.kb.ID), false)
	row["partial_member_list"] = []string{}
	return reply{200, row}
}

// gone is the answer to a delete.
func (f *face) gone() reply {
	if f.opts.OldDeletes || f.since(1, 4, 0) && !f.since(1, 13, 0) {
		return reply{200, 204}
	}
	return reply{204, nil}
}

// deleteDataset answers DELETE /datasets/{id}.
func (f *face) deleteDataset(r request) reply {
	f.s.RemoveKB(r.kb.ID)
	return f.gone()
}

// models answers GET /workspaces/current/models/model-types/text-embedding.
func (f *face) models(request) reply {
	if f.opts.DaemonDown {
		return invalid(daemonText)
	}
	label := func(s string) object { return object{"zh_Hans": s, "en_US": s} }
	return reply{200, object{"data": []object{{
		"tenant_id": world.HexID(world.Dify, "workspace", 1), "provider": "langgenius/openai/openai", "label": label("OpenAI"),
		"icon_small": nil, "icon_small_dark": nil, "status": "active",
		"models": []object{{
			"model": "text-embedding-3-small", "label": label("text-embedding-3-small"), "model_type": "text-embedding", "features": nil,
			"fetch_from": "predefined-model", "model_properties": object{"context_size": 8192, "max_chunks": 32}, "deprecated": false,
			"status": "active", "load_balancing_enabled": false, "has_invalid_load_balancing_configs": false,
		}},
	}}}}
}

package sandbox

import (
	"slices"
	"strings"
)

// difyMethods are the ways to search.
var difyMethods = []string{"semantic_search", "full_text_search", "hybrid_search", "keyword_search"}

// retrieve answers POST /datasets/{id}/retrieve: the chunks that hold a word
// of the query, those with most words first.
func (f *difyFace) retrieve(r difyAsk) difyReply {
	field := difyField{name: "query", required: true, max: 250, text1x: "Query is required and cannot exceed 250 characters"}
	a, bad := f.check(r.Request, "HitTestingPayload", field)
	query := ""
	if bad == nil {
		query, _ = a.text("query")
	}
	switch {
	case !f.since(1, 12, 0) && (bad != nil || query == ""):
		return difyInvalid(field.text1x)
	case bad != nil:
		return *bad
	case query == "":
		return difyInvalid("Query or attachment_ids is required")
	}
	method, top, bad := f.retrieval(a, r.kb)
	if bad != nil {
		return *bad
	}
	hits := f.s.search(Dify, r.kb.ID, query)
	if (r.kb.Technique == "economy") != (method == "keyword_search") { // the other index holds what an earlier technique left
		hits = slices.DeleteFunc(hits, func(h hit) bool { return method != "keyword_search" || h.d.Started.After(r.kb.dify.words) })
	}
	records := []object{}
	for _, h := range hits[:min(len(hits), top)] {
		records = append(records, f.record(r.kb, h, method))
	}
	return difyReply{200, object{"query": object{"content": query}, "records": records}}
}

// retrieval reads how to search; without retrieval_model the knowledge base's own
// settings count, which need not fit its technique.
func (f *difyFace) retrieval(a args, kb *KnowledgeBase) (method string, top int, bad *difyReply) {
	refuse := func(no difyReply) (string, int, *difyReply) { return "", 0, &no }
	own := f.retrievalOf(kb)
	method, _ = own["search_method"].(string)
	top = 3
	if kb.Technique != "high_quality" { // shown otherwise, and used so all the same
		method = "semantic_search"
	}
	if a.has("retrieval_model") {
		model, err := parseArgs(a["retrieval_model"])
		switch {
		case err != nil:
			return refuse(difyValidation("HitTestingPayload", "retrieval_model", "Input should be a valid dictionary", "dict_type", string(a["retrieval_model"]), "str"))
		case f.since(1, 13, 3):
			for _, key := range []string{"search_method", "reranking_enable", "top_k", "score_threshold_enabled"} {
				if !model.has(key) {
					return refuse(difyValidation("HitTestingPayload", "retrieval_model."+key, "Field required", "missing", "{}", "dict"))
				}
			}
		case !model.has("score_threshold_enabled"):
			return refuse(difyError(500, "internal_server_error", "'score_threshold_enabled'"))
		}
		method, _ = model.text("search_method")
		top, _ = model.integer("top_k", top)
		if !strings.Contains(strings.Join(difyMethods, " ")+" ", method+" ") || method == "" {
			return refuse(difyInvalid("'" + method + "' is not a valid RetrievalMethod"))
		}
	}
	if bad := f.embeds(kb, method, top, a.has("retrieval_model")); bad != nil {
		return "", 0, bad
	}
	return method, max(top, 1), nil
}

// embeds refuses a search that needs a model where none works.
func (f *difyFace) embeds(kb *KnowledgeBase, method string, top int, given bool) *difyReply {
	var no difyReply
	switch vectors := method == "semantic_search" || method == "hybrid_search"; {
	case !vectors:
		return nil
	case f.opts.DaemonDown:
		no = difyInvalid(difyDaemonText)
	case kb.Technique != "high_quality" && f.opts.NoDefaultModel && !given:
		no = difyInvalid("Default model not found for text-embedding")
	case kb.Technique != "high_quality":
		return nil
	case f.opts.Model != "":
		no = difyInvalid(f.opts.Model)
	case top == 0:
		no = difyInvalid("Number of requested results 0, cannot be negative, or zero. in query.")
	default:
		return nil
	}
	return &no
}

// record is a hit as retrieve gives it; a keyword search scores nothing.
func (f *difyFace) record(kb *KnowledgeBase, h hit, method string) object {
	part, _ := h.d.Part(h.index)
	position := 0
	for i, c := range h.d.Parts() {
		if c.Number == h.index {
			position = i
		}
	}
	segment := f.difySegment(kb, h.d, f.s.state(h.d), position, part)
	segment["document"] = object{
		"id": h.d.ID, "name": h.d.Name, "data_source_type": difySource(h.d.Source),
		"doc_type": nil, "doc_metadata": nil,
	}
	out := object{"segment": segment, "child_chunks": nil, "score": 0.0, "tsne_position": nil}
	if method != "keyword_search" {
		out["score"] = h.score
	}
	if children := h.d.childrenOf(part); len(children) > 0 {
		rows := []object{}
		for n, child := range children {
			row := difyChildRow(h.d, part, n, child)
			rows = append(rows, object{"id": row["id"], "content": row["content"], "position": row["position"], "score": h.score})
		}
		out["child_chunks"] = rows
	}
	if f.since(1, 12, 0) {
		out["files"], out["summary"] = nil, nil
	}
	return out
}

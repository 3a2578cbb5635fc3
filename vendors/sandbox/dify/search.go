package dify

import (
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// methods are the ways to search.
var methods = []string{"semantic_search", "full_text_search", "hybrid_search", "keyword_search"}

// retrieve answers POST /datasets/{id}/retrieve: the chunks that hold a word
// of the query, those with most words first.
func (f *face) retrieve(r request) reply {
	field := field{name: "query", required: true, max: 250, text1x: "Query is required and cannot exceed 250 characters", alone: true}
	a := f.check(r.Request, "HitTestingPayload", field)
	switch query := a.Str("query"); {
	case query == "" && !f.since(1, 12, 0):
		return invalid(field.text1x)
	case query == "":
		return invalid("Query or attachment_ids is required")
	}
	query := a.Str("query")
	method, top := f.retrieval(a, r.kb)
	hits := f.s.Search(r.kb.ID, query)
	if (r.kb.Technique == "economy") != (method == "keyword_search") { // the other index holds what an earlier technique left
		hits = slices.DeleteFunc(hits, func(h world.Hit) bool { return method != "keyword_search" || h.Document.Started.After(r.kb.Dify.Words) })
	}
	records := []object{}
	for _, h := range hits[:min(len(hits), top)] {
		records = append(records, f.record(r.kb, h, method))
	}
	return reply{200, object{"query": object{"content": query}, "records": records}}
}

// retrieval reads how to search; without retrieval_model the knowledge base's own
// settings count, which need not fit its technique.
func (f *face) retrieval(a args, kb *world.KnowledgeBase) (method string, top int) {
	own := f.retrievalOf(kb)
	method, _ = own["search_method"].(string)
	top = 3
	if kb.Technique != "high_quality" { // shown otherwise, and used so all the same
		method = "semantic_search"
	}
	if a.Has("retrieval_model") {
		model, err := web.ParseArgs(a["retrieval_model"])
		switch {
		case err != nil:
			panic(validation("HitTestingPayload", "retrieval_model", "Input should be a valid dictionary", "dict_type", string(a["retrieval_model"]), "str"))
		case f.since(1, 13, 3):
			for _, key := range []string{"search_method", "reranking_enable", "top_k", "score_threshold_enabled"} {
				if !model.Has(key) {
					panic(missing("HitTestingPayload", "retrieval_model."+key))
				}
			}
		case !model.Has("score_threshold_enabled"):
			panic(problem(500, "internal_server_error", "'score_threshold_enabled'"))
		}
		method = model.Str("search_method")
		top, _ = model.Int("top_k", top)
		if !strings.Contains(strings.Join(methods, " ")+" ", method+" ") || method == "" {
			panic(invalid("'" + method + "' is not a valid RetrievalMethod"))
		}
	}
	f.needModel(kb, method, top, a.Has("retrieval_model"))
	return method, max(top, 1)
}

// needModel refuses a search that needs a model where none works.
func (f *face) needModel(kb *world.KnowledgeBase, method string, top int, given bool) {
	switch own := kb.Technique == "high_quality"; {
	case method != "semantic_search" && method != "hybrid_search":
	case f.opts.DaemonDown:
		panic(invalid(daemonText))
	case !own && f.opts.NoDefaultModel && !given:
		panic(invalid("Default model not found for text-embedding"))
	case own && f.opts.Model != "":
		panic(invalid(f.opts.Model))
	case own && top == 0:
		panic(invalid("Number of requested results 0, cannot be negative, or zero. in query."))
	}
}

// record is a hit as retrieve gives it; a keyword search scores nothing.
func (f *face) record(kb *world.KnowledgeBase, h world.Hit, method string) object {
	part, _ := h.Document.Part(h.Number)
	position := 0
	for i, c := range h.Document.Parts() {
		if c.Number == h.Number {
			position = i
		}
	}
	segment := f.chunkRow(kb, h.Document, f.s.State(h.Document), position, part)
	segment["document"] = object{
		"id": h.Document.ID, "name": h.Document.Name, "data_source_type": source(h.Document.Source),
		"doc_type": nil, "doc_metadata": nil,
	}
	out := object{"segment": segment, "child_chunks": nil, "score": 0.0, "tsne_position": nil}
	if method != "keyword_search" {
		out["score"] = h.Score
	}
	if children := childrenOf(h.Document, part); len(children) > 0 {
		rows := []object{}
		for n, child := range children {
			row := childRow(h.Document, part, n, child)
			rows = append(rows, object{"id": row["id"], "content": row["content"], "position": row["position"], "score": h.Score})
		}
		out["child_chunks"] = rows
	}
	if f.since(1, 12, 0) {
		out["files"], out["summary"] = nil, nil
	}
	return out
}

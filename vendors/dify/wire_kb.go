package dify

import (
	"cmp"
	"encoding/json"
	"net/http"
	"reflect"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// dataset is a knowledge base.
type dataset struct {
	ID             rest.ID  `json:"id"`
	Name           rest.Str `json:"name"`
	Description    rest.Str `json:"description"`
	Provider       rest.Str `json:"provider"`           // vendor or external
	Technique      rest.Str `json:"indexing_technique"` // null: nothing uploaded yet
	Form           rest.Str `json:"doc_form"`
	EmbeddingModel rest.Str `json:"embedding_model"`
	// EmbeddingAvailable says whether that model is there; null in economy ones
	// and where no model list was asked for.
	EmbeddingAvailable rest.Flag    `json:"embedding_available"`
	Retrieval          retrievalRow `json:"retrieval_model_dict"`
	DocumentCount      rest.Num     `json:"document_count"`
	Total              rest.Num     `json:"total_documents"`           // from 1.9
	Available          rest.Num     `json:"total_available_documents"` // completed, and served to searches
	EnableAPI          rest.Flag    `json:"enable_api"`                // from 1.9
	CreatedAt          rest.Num     `json:"created_at"`
	UpdatedAt          rest.Num     `json:"updated_at"`
	Runtime            rest.Str     `json:"runtime_mode"` // general or rag_pipeline
	External           struct {
		ID    rest.Str `json:"external_knowledge_id"`
		APIID rest.Str `json:"external_knowledge_api_id"`
	} `json:"external_knowledge_info"`

	version string // X-Version: the server's release
}

// accept implements payload.
func (w *dataset) accept(h http.Header) bool {
	w.version = h.Get("X-Version")
	return w.ID != ""
}

func (w *dataset) normal() vendors.KnowledgeBase {
	kind := ""
	if w.Provider == "external" {
		kind = "external"
	}
	var pending *int
	if w.Available.Valid && w.Total.Int > manyDocuments && w.Available.Int == w.Total.Int {
		pending = new(int) // nothing is unfinished where everything is available
	}
	return vendors.KnowledgeBase{
		Pending: pending, Kind: kind, KnowledgeBaseID: string(w.ID), Name: string(w.Name), Description: string(w.Description),
		DocumentCount: w.DocumentCount.Count(), Enabled: w.EnableAPI.Ptr(),
		CreatedAt: vendors.Seconds(w.CreatedAt.Int), UpdatedAt: vendors.Seconds(w.UpdatedAt.Int),
	}
}

// manyDocuments is from how many on a knowledge base in which everything is
// available is not worth being read for what is unfinished.
const manyDocuments = 200

// facts is what searches and uploads need to know.
func (w *dataset) facts() facts {
	technique := string(w.Technique)
	return facts{
		id: string(w.ID), external: w.Provider == "external", technique: technique, form: string(w.Form),
		embedding: w.EmbeddingModel != "", retrieval: w.Retrieval.settings(technique),
		empty:    w.DocumentCount.Valid && w.DocumentCount.Int == 0 || technique == "",
		pipeline: w.Runtime == "rag_pipeline", version: w.version,
	}
}

// retrievalRow is how a knowledge base wants to be searched, as it says so.
type retrievalRow struct {
	SearchMethod     rest.Str        `json:"search_method"`
	RerankingEnable  rest.Flag       `json:"reranking_enable"`
	RerankingMode    json.RawMessage `json:"reranking_mode"`
	RerankingModel   json.RawMessage `json:"reranking_model"`
	Weights          json.RawMessage `json:"weights"`
	ThresholdEnabled rest.Flag       `json:"score_threshold_enabled"`
	Threshold        json.RawMessage `json:"score_threshold"`
}

// retrieval is how to search, as it is sent. Dify wants search_method,
// reranking_enable, top_k and score_threshold_enabled together.
type retrieval struct {
	SearchMethod     string          `json:"search_method"`
	RerankingEnable  bool            `json:"reranking_enable"`
	RerankingMode    json.RawMessage `json:"reranking_mode"`
	RerankingModel   json.RawMessage `json:"reranking_model"`
	Weights          json.RawMessage `json:"weights"`
	TopK             int             `json:"top_k"`
	ThresholdEnabled bool            `json:"score_threshold_enabled"`
	Threshold        json.RawMessage `json:"score_threshold"`
}

// same reports whether two settings search alike.
func (r retrieval) same(other retrieval) bool {
	r.TopK = other.TopK
	return reflect.DeepEqual(r, other)
}

// highQuality is the technique that needs an embedding model; keywordSearch is
// the one method of the other one, economy.
const (
	highQuality   = "high_quality"
	keywordSearch = "keyword_search"
)

// settings is what to send to search a knowledge base of a technique, but for
// the number of hits.
func (w *retrievalRow) settings(technique string) retrieval {
	if technique != highQuality {
		return retrieval{SearchMethod: keywordSearch}
	}
	return retrieval{
		SearchMethod:    cmp.Or(string(w.SearchMethod), "semantic_search"),
		RerankingEnable: w.RerankingEnable.Set, RerankingMode: w.RerankingMode, RerankingModel: w.RerankingModel,
		Weights: w.Weights, ThresholdEnabled: w.ThresholdEnabled.Set, Threshold: w.Threshold,
	}
}

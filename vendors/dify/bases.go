package dify

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

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
	Form           rest.Str `json:"doc_form"`           // which every document must have
	EmbeddingModel rest.Str `json:"embedding_model"`
	// EmbeddingAvailable says whether that model is there; null in economy ones
	// and where no model list was asked for.
	EmbeddingAvailable rest.Flag `json:"embedding_available"`
	Retrieval          retrieval `json:"retrieval_model_dict"`
	DocumentCount      rest.Num  `json:"document_count"`
	Total              rest.Num  `json:"total_documents"`           // from 1.9
	Available          rest.Num  `json:"total_available_documents"` // completed, and served to searches
	EnableAPI          rest.Flag `json:"enable_api"`                // from 1.9
	CreatedAt          rest.Num  `json:"created_at"`
	UpdatedAt          rest.Num  `json:"updated_at"`
	Runtime            rest.Str  `json:"runtime_mode"` // general or rag_pipeline
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

// manyDocuments is from how many on a knowledge base in which everything is
// available is not worth being read for what is unfinished.
const manyDocuments = 200

func (w *dataset) normal() vendors.KnowledgeBase {
	kb := vendors.KnowledgeBase{
		KnowledgeBaseID: string(w.ID), Name: string(w.Name), Description: string(w.Description),
		DocumentCount: w.DocumentCount.Count(), Enabled: w.EnableAPI.Ptr(),
		CreatedAt: vendors.Seconds(w.CreatedAt.Int), UpdatedAt: vendors.Seconds(w.UpdatedAt.Int),
	}
	if w.external() {
		kb.Kind = "external"
	}
	if w.Available.Valid && w.Total.Int > manyDocuments && w.Available.Int == w.Total.Int {
		kb.Pending = new(int)
	}
	return kb
}

// external reports whether another service holds the content.
func (w *dataset) external() bool { return w.Provider == "external" }

// externalRefused is the answer for an external knowledge base.
func externalRefused() error {
	return vendors.Errorf(vendors.Unsupported, "This knowledge base only points to another service (provider external); Dify's API neither searches nor fills it.").
		WithHint("Ask the service that holds its content, or use a knowledge base whose documents are in Dify.")
}

// empty reports whether there is no document. The next one may change technique
// and form.
func (w *dataset) empty() bool {
	return w.DocumentCount.Valid && w.DocumentCount.Int == 0 || w.Technique == ""
}

// pipeline reports whether a knowledge pipeline makes the documents.
func (w *dataset) pipeline() bool { return w.Runtime == "rag_pipeline" }

// Techniques. The first needs an embedding model, the second is searched by
// keywords.
const (
	highQuality = "high_quality"
	economy     = "economy"
)

// technique is that of the knowledge base, or the one to give it.
func (w *dataset) technique() string {
	if w.Technique == "" && w.EmbeddingModel != "" {
		return highQuality
	}
	return cmp.Or(string(w.Technique), economy)
}

// retrieval is how to search, as a knowledge base has it and as it is sent:
// raw, so that the server gets its own settings back.
type retrieval map[string]json.RawMessage

// keywords is a search by keywords. Dify wants search_method, reranking_enable,
// top_k and score_threshold_enabled together.
func keywords(limit int) retrieval {
	null, no := json.RawMessage("null"), json.RawMessage("false")
	return retrieval{
		"search_method": json.RawMessage(`"keyword_search"`), "top_k": json.RawMessage(strconv.Itoa(limit)),
		"reranking_enable": no, "reranking_mode": null, "reranking_model": null, "weights": null,
		"score_threshold_enabled": no, "score_threshold": null,
	}
}

// scores reports whether hits have meaningful scores.
func (r retrieval) scores() bool { return string(r["search_method"]) != `"keyword_search"` }

// retrieval is how to search the knowledge base for limit hits.
func (w *dataset) retrieval(limit int) retrieval {
	how := keywords(limit)
	if w.Technique != highQuality {
		return how
	}
	how["search_method"] = json.RawMessage(`"semantic_search"`)
	for name := range how {
		own := w.Retrieval[name]
		if said := string(own); name != "top_k" && said != "" && said != "null" && said != `""` {
			how[name] = own
		}
	}
	return how
}

// keep remembers a knowledge base for searches and uploads.
func (d *Driver) keep(w dataset) { d.bases.Put(strings.ToLower(string(w.ID)), w) }

// forget drops what is known of a knowledge base.
func (d *Driver) forget(id string) { d.bases.Forget(strings.ToLower(id)) }

// knowledgeBase returns a knowledge base as it was read lately, or reads it. An
// empty one is read every time: the first upload changes it.
func (d *Driver) knowledgeBase(ctx context.Context, id string) (w dataset, remembered bool, err error) {
	if w, ok := d.bases.Get(strings.ToLower(id)); ok && !w.empty() {
		return w, true, nil
	}
	out, err := get[dataset](ctx, d, nil, id)
	if err == nil {
		out.ID = rest.ID(id)
		d.keep(*out)
	}
	return *out, false, err
}

// readAlone reports whether a failure to read a knowledge base may leave
// searches and uploads possible.
func readAlone(err error) bool {
	switch vendors.KindOf(err) {
	case vendors.Unavailable, vendors.BadResponse, vendors.Unsupported, vendors.InvalidArgument, vendors.Conflict, vendors.VendorError:
		return true
	}
	return false
}

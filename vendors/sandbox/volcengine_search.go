package sandbox

import (
	"cmp"
	"unicode/utf8"
)

// searchKnowledge gives the hits of a query, best first. No hit is no
// result_list.
func (f *volcFace) searchKnowledge(in volcInput) (object, *volcFailure) {
	var after, before volcInput
	var rerank bool
	wrong := cmp.Or(in.read("post_processing", &after), after.read("rerank_switch", &rerank), in.read("pre_processing", &before))
	if wrong != nil {
		return nil, wrong
	}
	data, wrong := f.search(in, rerank)
	if wrong == nil && before != nil {
		data["rewrite_query"] = "" // the sandbox rewrites nothing
	}
	return data, wrong
}

// searchCollection is the older search, which knows no rewriting.
func (f *volcFace) searchCollection(in volcInput) (object, *volcFailure) {
	var rerank bool
	if wrong := in.read("rerank_switch", &rerank); wrong != nil {
		return nil, wrong
	}
	return f.search(in, rerank)
}

// search is what both searches do.
func (f *volcFace) search(in volcInput, rerank bool) (object, *volcFailure) {
	kb, wrong := f.collection(in, "name")
	if wrong != nil {
		return nil, wrong
	}
	query, wrong := in.required("query")
	limit, param := 10, volcInput{}
	wrong = cmp.Or(wrong, in.read("limit", &limit), in.read("query_param", &param))
	switch {
	case wrong != nil:
		return nil, wrong
	case utf8.RuneCountInString(query) > 8000:
		return nil, volcInvalid("query is too long")
	case limit < 1 || limit > 1000:
		return nil, volcInvalid("limit must be between 1 and 1000")
	case f.indexStatus(kb) == volcIndexBuilding:
		return nil, &volcFailure{400, 1000023, "index is not ready"}
	}
	keep, wrong := param.filter("doc_filter", kb)
	if wrong != nil {
		return nil, wrong
	}
	data := object{"collection_name": kb.Name, "count": 0, "token_usage": object{}}
	rows := []object{}
	if f.indexStatus(kb) == volcIndexBuilt { // in any other state it finds nothing
		for _, h := range f.s.search(Volcengine, kb.ID, query) {
			if len(rows) < limit && keep(h.d) {
				rows = append(rows, volcHit(h, len(rows)+1, rerank))
			}
		}
	}
	if data["count"] = len(rows); len(rows) > 0 {
		data["result_list"] = rows
	}
	return data, nil
}

// volcHit is one hit; rank is its place among the recalled. A rerank's score is
// on a scale of its own.
func volcHit(h hit, rank int, rerank bool) object {
	part, _ := h.d.Part(h.index)
	row := volcPoint(h.d, part)
	row["id"], row["score"], row["recall_position"] = row["point_id"], h.score, rank
	if rerank {
		row["rerank_score"], row["rerank_position"] = 10*h.score-5, rank
	}
	return row
}

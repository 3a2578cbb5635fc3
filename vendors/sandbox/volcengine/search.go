package volcengine

import (
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/world"
)

// searchKnowledge gives the hits of a query, best first. No hit is no
// result_list.
func (f *face) searchKnowledge(in input) object {
	rerank := false
	in.object("post_processing").read("rerank_switch", &rerank)
	before := in.object("pre_processing")
	data := f.search(in, rerank)
	if before != nil {
		data["rewrite_query"] = "" // the sandbox rewrites nothing
	}
	return data
}

// searchCollection is the older search, which knows no rewriting.
func (f *face) searchCollection(in input) object {
	var rerank bool
	in.read("rerank_switch", &rerank)
	return f.search(in, rerank)
}

// search is what both searches do.
func (f *face) search(in input, rerank bool) object {
	kb := f.collection(in, "name")
	query, limit := in.required("query"), 10
	in.read("limit", &limit)
	param := in.object("query_param")
	switch {
	case utf8.RuneCountInString(query) > 8000:
		panic(invalid("query is too long"))
	case limit < 1 || limit > 1000:
		panic(invalid("limit must be between 1 and 1000"))
	case f.indexStatus(kb) == indexBuilding:
		panic(&failure{400, 1000023, "index is not ready"})
	}
	keep := param.filter("doc_filter", kb)
	data := object{"collection_name": kb.Name, "count": 0, "token_usage": object{}}
	rows := []object{}
	if f.indexStatus(kb) == indexBuilt { // in any other state it finds nothing
		for _, h := range f.s.Search(kb.ID, query) {
			if len(rows) < limit && keep(h.Document) {
				rows = append(rows, hitRow(h, len(rows)+1, rerank))
			}
		}
	}
	if data["count"] = len(rows); len(rows) > 0 {
		data["result_list"] = rows
	}
	return data
}

// hitRow is one hit; rank is its place among the recalled. A rerank's score is
// on a scale of its own.
func hitRow(h world.Hit, rank int, rerank bool) object {
	part, _ := h.Document.Part(h.Number)
	row := pointRow(h.Document, part)
	row["id"], row["score"], row["recall_position"] = row["point_id"], h.Score, rank
	if rerank {
		row["rerank_score"], row["rerank_position"] = 10*h.Score-5, rank
	}
	return row
}

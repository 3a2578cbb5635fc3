package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// searchKnowledge gives the hits of a query, best first. No hit is no
// result_list.
func (f *volcFace) searchKnowledge(in volcInput) (object, *volcFailure) {
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
	case !f.indexBuilt(kb):
		return nil, &volcFailure{400, 1000023, "index is not ready"}
	}
	keep, wrong := param.docFilter()
	if wrong != nil {
		return nil, wrong
	}
	rows := []object{}
	for _, h := range f.s.search(Volcengine, kb.ID, query) {
		if len(rows) < limit && keep(h.d.ID) {
			rows = append(rows, volcHit(h, len(rows)+1))
		}
	}
	data := object{"collection_name": kb.Name, "count": len(rows)}
	if len(rows) > 0 {
		data["result_list"] = rows
	}
	return data, nil
}

// docFilter reads the one form of a filter that the sandbox knows, a leaf with
// "must" or "must_not" on a document's id.
func (in volcInput) docFilter() (keep func(id string) bool, wrong *volcFailure) {
	var leaf struct {
		Op    string   `json:"op"`
		Field string   `json:"field"`
		Conds []string `json:"conds"`
	}
	if wrong := in.read("doc_filter", &leaf); wrong != nil {
		return nil, wrong
	}
	switch {
	case !in.has("doc_filter"):
		return func(string) bool { return true }, nil
	case leaf.Field != "doc_id" && leaf.Field != "_sys_auto_doc_id":
		return nil, volcInvalid("field %s not in collection config", leaf.Field)
	case leaf.Op != "must" && leaf.Op != "must_not":
		return nil, volcInvalid("op %s is not supported", leaf.Op)
	}
	return func(id string) bool { return slices.Contains(leaf.Conds, id) == (leaf.Op == "must") }, nil
}

// volcHit is one hit; rank is its place among the recalled.
func volcHit(h hit, rank int) object {
	row := volcPoint(h.d, h.index, h.text)
	row["id"], row["score"], row["recall_position"] = row["point_id"], h.score, rank
	delete(row, "collection_name")
	return row
}

// volcPoint is one chunk of a document.
func volcPoint(d *Document, i int, text string) object {
	kind := "text"
	switch volcType(d) {
	case "xlsx", "faq.xlsx", "csv", "jsonl":
		kind = "structured"
	}
	return object{
		"point_id": fmt.Sprintf("%s-%d", d.ID, i), "chunk_id": i, "chunk_type": kind, "chunk_title": "",
		"content": text, "process_time": seconds(d.Started),
		"doc_info": object{
			"doc_id": d.ID, "doc_name": d.Name, "doc_type": volcType(d), "create_time": seconds(d.Created),
			"source": volcAddType(d.Source), "title": d.Name,
		},
	}
}

// listPoints gives chunks in the order of their ids as text. doc_ids is the
// filter: null is every document, an empty list none; any other key for it is
// ignored.
func (f *volcFace) listPoints(in volcInput) (object, *volcFailure) {
	kb, wrong := f.collection(in, "collection_name")
	if wrong != nil {
		return nil, wrong
	}
	offset, limit, ids := 0, volcMaxPage, []string{}
	wrong = cmp.Or(in.read("offset", &offset), in.read("limit", &limit), in.read("doc_ids", &ids))
	switch {
	case wrong != nil:
		return nil, wrong
	case offset < 0 || limit < -1:
		return nil, volcInvalid("offset or limit out of range")
	case len(ids) > 100:
		return nil, volcInvalid("doc_ids has more than 100 ids")
	}
	if limit < 0 || limit > volcMaxPage {
		limit = volcMaxPage
	}
	docs := f.s.store.Documents(Volcengine, kb.ID)
	if in.has("doc_ids") {
		docs = docs.Filter(func(d *Document) bool { return slices.Contains(ids, d.ID) })
	}
	rows := f.points(kb, docs)
	from, to := span(len(rows), offset, limit)
	data := object{"collection_name": kb.Name, "total_num": len(rows), "count": to - from}
	if from < to {
		data["point_list"] = rows[from:to]
	}
	return data, nil
}

// points are the chunks of what is imported.
func (f *volcFace) points(kb *KnowledgeBase, docs List) []object {
	var rows []object
	for i := range docs.Len() {
		d := docs.At(i)
		if f.s.state(d).Phase != Completed {
			continue
		}
		for n, text := range d.Chunks() {
			row := volcPoint(d, n, text)
			row["collection_name"] = kb.Name
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b object) int { return strings.Compare(a["point_id"].(string), b["point_id"].(string)) })
	return rows
}

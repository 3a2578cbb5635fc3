package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ragflowFailure is what went wrong with a request in the platform's words;
// nil is nothing.
type ragflowFailure struct {
	code    int
	message string
}

// documentQuery is the query of the document list.
type documentQuery struct {
	page, pageSize         int
	orderby                string
	desc                   bool
	keywords, id, name     string
	ids, run, suffix, kind []string
}

// listDocuments ignores every parameter that it does not know.
func (f *ragflowFace) listDocuments(w http.ResponseWriter, r *http.Request) {
	kb := r.PathValue("ds")
	if f.s.store.KB(RAGFlow, kb) == nil {
		ragflowFail(w, 102, fmt.Sprintf("You don't own the dataset %s. ", kb))
		return
	}
	q, wrong := parseDocumentQuery(r.URL.Query())
	if wrong == nil {
		wrong = f.unowned(kb, q)
	}
	if wrong != nil {
		ragflowFail(w, wrong.code, wrong.message)
		return
	}
	docs := f.s.store.Documents(RAGFlow, kb)
	if q.filters() {
		docs = docs.Filter(func(d *Document) bool { return f.keeps(q, d) })
	}
	if r.URL.Query().Get("type") == "filter" {
		f.filterCounts(w, docs)
		return
	}
	rows := []object{}
	for _, d := range f.pageOf(docs, q) {
		rows = append(rows, f.s.ragflowDocument(d))
	}
	writeJSON(w, http.StatusOK, object{
		"code": 0, "data": object{"docs": rows, "total": docs.Len()}, "message": "success",
	})
}

// parseDocumentQuery refuses what the server's own code stumbles over, with the
// text of the exception.
func parseDocumentQuery(v url.Values) (documentQuery, *ragflowFailure) {
	q := documentQuery{
		page: 1, pageSize: 30, orderby: "create_time",
		desc:     strings.ToLower(strings.TrimSpace(v.Get("desc"))) != "false",
		keywords: v.Get("keywords"), id: v.Get("id"), name: v.Get("name"),
		ids: v["ids"], suffix: v["suffix"], kind: v["types"],
	}
	if wrong := cmp.Or(pythonInt(v, "page", &q.page), pythonInt(v, "page_size", &q.pageSize)); wrong != nil {
		return q, wrong
	}
	if q.pageSize > ragflowMaxPage {
		return q, &ragflowFailure{100, "ValueError('page_size must be less than or equal to 100')"}
	}
	if q.page < 0 || q.pageSize < 0 {
		return q, &ragflowFailure{100, `ProgrammingError(1064, "You have an error in your SQL syntax")`}
	}
	if v.Has("orderby") {
		q.orderby = v.Get("orderby")
	}
	if q.orderby != "create_time" && q.orderby != "update_time" {
		return q, &ragflowFailure{100, fmt.Sprintf(`AttributeError("type object 'Document' has no attribute '%s'")`, q.orderby)}
	}
	for _, run := range v["run"] {
		value, ok := ragflowRunValue(run)
		if !ok {
			return q, &ragflowFailure{102, "Invalid filter run status conditions: " + run}
		}
		q.run = append(q.run, value)
	}
	if q.id != "" && len(q.ids) > 0 {
		return q, &ragflowFailure{100, "ValueError('not enough values to unpack (expected 4, got 2)')"}
	}
	return q, nil
}

// ragflowRunValue is the column's value for a word or a value of the run
// filter, which knows the five first ones only.
func ragflowRunValue(run string) (string, bool) {
	for value, word := range ragflowRuns() {
		if value != "5" && (run == value || run == word) {
			return value, true
		}
	}
	return "", false
}

// pythonInt reads a number as int() does; without the parameter n stays.
func pythonInt(v url.Values, field string, n *int) *ragflowFailure {
	if !v.Has(field) {
		return nil
	}
	got, err := strconv.Atoi(strings.TrimSpace(v.Get(field)))
	if err != nil {
		return &ragflowFailure{100, fmt.Sprintf(`ValueError("invalid literal for int() with base 10: '%s'")`, v.Get(field))}
	}
	*n = got
	return nil
}

// unowned refuses an id or a name that is not in the dataset. Unknown entries of
// "ids" are not refused: they are missing from the answer.
func (f *ragflowFace) unowned(kb string, q documentQuery) *ragflowFailure {
	if d := f.s.store.Document(RAGFlow, q.id); q.id != "" && (d == nil || d.KB != kb) {
		return &ragflowFailure{102, "you don't own the document " + q.id}
	}
	if q.name == "" {
		return nil
	}
	docs := f.s.store.Documents(RAGFlow, kb)
	for i := range docs.Len() {
		if docs.At(i).Name == q.name {
			return nil
		}
	}
	return &ragflowFailure{102, "you don't own the document " + q.name}
}

func (q documentQuery) filters() bool {
	return q.keywords+q.id+q.name != "" || len(q.ids)+len(q.run)+len(q.suffix)+len(q.kind) > 0
}

// keeps says whether the query asks for d; all its conditions have to hold.
func (f *ragflowFace) keeps(q documentQuery, d *Document) bool {
	among := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	if !hasKeywords(d.Name, q.keywords) || q.id != "" && d.ID != q.id || q.name != "" && d.Name != q.name {
		return false
	}
	if !among(q.ids, d.ID) || !among(q.suffix, d.Format) || !among(q.kind, ragflowType(d.Format)) {
		return false
	}
	return len(q.run) == 0 || slices.Contains(q.run, f.s.ragflowLife(d).run)
}

// pageOf is one page. Page or size 0 is the whole list: the server pages only
// when it has both.
func (f *ragflowFace) pageOf(docs List, q documentQuery) []*Document {
	offset, limit := (q.page-1)*q.pageSize, q.pageSize
	if q.page == 0 || q.pageSize == 0 {
		offset, limit = 0, -1
	}
	if q.orderby == "create_time" && q.desc {
		return docs.Window(offset, limit)
	}
	all := docs.Window(0, -1)
	if q.orderby == "update_time" {
		f.s.sortByUpdate(all)
	}
	if !q.desc {
		slices.Reverse(all)
	}
	return ragflowWindow(all, offset, limit)
}

// sortByUpdate puts the last touched document first, newer ones before older
// ones of the same moment.
func (s *Sandbox) sortByUpdate(docs []*Document) {
	touched := make(map[*Document]int64, len(docs))
	for _, d := range docs {
		touched[d] = s.ragflowLife(d).updated.UnixMilli()
	}
	slices.SortStableFunc(docs, func(a, b *Document) int {
		switch {
		case touched[a] > touched[b]:
			return -1
		case touched[a] < touched[b]:
			return 1
		}
		return 0
	})
}

// filterCounts answers type=filter: how many documents have each value.
func (f *ragflowFace) filterCounts(w http.ResponseWriter, docs List) {
	runs, suffixes := map[string]int{}, map[string]int{}
	for i := range docs.Len() {
		d := docs.At(i)
		runs[f.s.ragflowLife(d).run]++
		suffixes[d.Format]++
	}
	writeJSON(w, http.StatusOK, object{"code": 0, "message": "success", "data": object{
		"filter": object{"run_status": runs, "suffix": suffixes}, "total": docs.Len(),
	}})
}

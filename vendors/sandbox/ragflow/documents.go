package ragflow

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// documentQuery is the query of the document list.
type documentQuery struct {
	page, pageSize         int
	orderby                string
	desc                   bool
	keywords, id, name     string
	ids, run, suffix, kind []string
	from, to               int // create_time, epoch milliseconds; 0: any
}

// unowned is the refusal of documents of an unknown dataset.
func (f *face) unowned(kb string) reply {
	text := fmt.Sprintf("You don't own the dataset %s. ", kb)
	return f.refuse(102, strings.TrimSuffix(text, strings.Repeat(" ", btoi(f.server == tables.Go))), nil)
}

// btoi is 1 for true.
func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// listDocuments ignores every parameter that it does not know.
func (f *face) listDocuments(r *http.Request) reply {
	kb := r.PathValue("ds")
	if f.s.KB(kb) == nil {
		return f.unowned(kb)
	}
	q := f.parseDocumentQuery(r.URL.Query())
	f.checkKnown(kb, q)
	docs := f.s.Documents(kb)
	if q.filters() {
		docs = docs.Filter(func(d *world.Document) bool { return f.keeps(q, d) })
	}
	if r.URL.Query().Get("type") == "filter" && f.server != tables.Old {
		return f.filterCounts(docs)
	}
	rows := []object{}
	for _, d := range f.pageOf(docs, q) {
		if at := int(d.Created.UnixMilli()); (q.from == 0 || at >= q.from) && (q.to == 0 || at <= q.to) { // after paging
			rows = append(rows, f.listedDocument(d))
		}
	}
	if f.server == tables.Old {
		return f.succeed(object{"docs": rows, "total": docs.Len()})
	}
	return success(object{"docs": rows, "total": docs.Len()})
}

// parseDocumentQuery refuses what the server's own code stumbles over.
func (f *face) parseDocumentQuery(v url.Values) documentQuery {
	q := documentQuery{
		orderby:  "create_time",
		desc:     strings.ToLower(strings.TrimSpace(v.Get("desc"))) != "false",
		keywords: v.Get("keywords"), id: v.Get("id"), name: v.Get("name"),
		suffix: v["suffix"], kind: v["types"],
	}
	if f.server != tables.Old {
		q.ids = v["ids"]
	}
	q.page, q.pageSize = f.paging(v)
	q.from, q.to = loose(v, "create_time_from", 0), loose(v, "create_time_to", 0)
	if v.Has("orderby") {
		q.orderby = v.Get("orderby")
	}
	if !slices.Contains([]string{"create_time", "update_time", "name", "size", "process_duration", "progress", "run", "status", "type", "suffix", "id"}, q.orderby) {
		if f.server == tables.Old {
			panic(f.refuse(100, fmt.Sprintf(`AttributeError("type object 'Document' has no attribute '%s'")`, q.orderby), nil))
		}
		panic(f.refuse(101, "invalid orderby field: "+q.orderby, nil))
	}
	for _, run := range v["run"] {
		value, ok := f.runValue(run)
		if !ok {
			panic(f.refuse(102, "Invalid filter run status conditions: "+run, nil))
		}
		q.run = append(q.run, value)
	}
	for _, kind := range q.kind {
		if !slices.Contains([]string{"pdf", "doc", "visual", "aural", "virtual", "folder", "other"}, kind) {
			panic(f.refuse(102, "Invalid filter conditions: "+kind+" type", nil))
		}
	}
	if len(q.ids) > 100 && f.server == tables.Python {
		panic(f.refuse(101, "ids must contain at most 100 IDs", nil))
	}
	if q.id != "" && len(q.ids) > 0 && f.server == tables.Python {
		panic(f.refuse(100, "ValueError('not enough values to unpack (expected 4, got 2)')", nil))
	}
	return q
}

// paging is the page and its size. Newer servers take what is not a number, or
// below 1, for the default; v0.24 stumbles over the former.
func (f *face) paging(v url.Values) (page, size int) {
	usual := 30
	switch f.server {
	case tables.Go:
		usual = 10
	case tables.Old:
		page, size = 1, usual
		tables.PythonInt(v, "page", &page, f.fail)
		tables.PythonInt(v, "page_size", &size, f.fail)
		if page < 0 || size < 0 {
			panic(f.fail(100, `ProgrammingError(1064, "You have an error in your SQL syntax")`))
		}
		return page, size
	}
	page, size = max(loose(v, "page", 1), 1), loose(v, "page_size", usual)
	if size < 1 {
		size = usual
	}
	if size > maxPage && f.server == tables.Python {
		panic(f.fail(100, "ValueError('page_size must be less than or equal to 100')"))
	}
	return page, size
}

// loose is a parameter's number, def where it is none.
func loose(v url.Values, field string, def int) int {
	if n, err := strconv.Atoi(strings.TrimSpace(v.Get(field))); err == nil {
		return n
	}
	return def
}

// runValue is the column's value for a word or a value of the run filter. Newer
// servers take words in any case, and those of a schedule.
func (f *face) runValue(run string) (string, bool) {
	for value, word := range tables.Runs() {
		if f.server == tables.Old && value == "5" {
			continue
		}
		if run == value || run == word || f.server != tables.Old && strings.EqualFold(run, word) {
			return value, true
		}
	}
	return "", false
}

// checkKnown refuses an id or a name that is not in the dataset. Unknown entries
// of "ids" are not refused: they are missing from the answer.
func (f *face) checkKnown(kb string, q documentQuery) {
	nothing := object{"docs": []any{}, "total": 0}
	if q.id != "" && len(q.ids) > 0 {
		panic(f.refuse(102, fmt.Sprintf("should not provide both 'id':%s and 'ids'%v", q.id, q.ids), nothing))
	}
	missing := ""
	switch {
	case q.id != "" && f.s.In(kb, q.id) == nil:
		missing = q.id
	case q.name != "" && !f.s.Named(kb, q.name):
		missing = q.name
	default:
		return
	}
	if f.server == tables.Old {
		panic(f.fail(102, "You don't own the document "+missing+"."))
	}
	panic(f.refuse(102, "you don't own the document "+missing, nothing))
}

func (q documentQuery) filters() bool {
	return q.keywords+q.id+q.name != "" || len(q.ids)+len(q.run)+len(q.suffix)+len(q.kind) > 0
}

// keeps says whether the query asks for d; all its conditions have to hold. An
// id, since v0.25, is the only one that counts.
func (f *face) keeps(q documentQuery, d *world.Document) bool {
	among := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	if !f.hasKeywords(d.Name, q.keywords) || q.id != "" && d.ID != q.id || q.name != "" && d.Name != q.name {
		return false
	}
	if !among(q.ids, d.ID) || !among(q.suffix, d.Format) || !among(q.kind, tables.Type(d.Format)) {
		return false
	}
	return len(q.run) == 0 || slices.Contains(q.run, f.s.Life(d).Run)
}

// pageOf is one page. v0.24 gives the whole list for page or size 0.
func (f *face) pageOf(docs world.List, q documentQuery) []*world.Document {
	offset, limit := web.Multiply(q.page-1, q.pageSize), q.pageSize
	if q.page == 0 || q.pageSize == 0 {
		offset, limit = 0, -1
	}
	if q.orderby == "create_time" && q.desc {
		return docs.Window(offset, limit)
	}
	all := docs.Window(0, -1)
	switch q.orderby {
	case "create_time":
	case "update_time":
		f.s.SortByUpdate(all)
	default:
		slices.SortStableFunc(all, func(a, b *world.Document) int { return strings.Compare(b.Name, a.Name) })
	}
	if !q.desc {
		slices.Reverse(all)
	}
	return web.Window(all, offset, limit)
}

// filterCounts answers type=filter: how many documents have each value.
func (f *face) filterCounts(docs world.List) reply {
	runs, suffixes, bare := map[string]int{}, map[string]int{}, 0
	for d := range docs.All() {
		runs[f.s.Life(d).Run]++
		suffixes[d.Format]++
		bare += btoi(len(d.Metadata) == 0)
	}
	metadata := object{}
	if bare > 0 {
		metadata["empty_metadata"] = object{"true": bare}
	}
	return success(object{
		"filter": object{"run_status": runs, "suffix": suffixes, "metadata": metadata}, "total": docs.Len(),
	})
}

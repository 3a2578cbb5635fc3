package volcengine

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// maxPage is how many documents one answer holds at most.
const maxPage = 100

// documentInfo is the one place whose times are milliseconds.
func (f *face) documentInfo(in input) object {
	kb, d := f.inCollection(in)
	return f.documentRow(kb, d, time.Time.UnixMilli)
}

// listQuery is what doc/list knows.
type listQuery struct {
	offset, limit int
	ids           []string
	types         []string
	typed         bool // doc_type was sent: an empty list matches nothing
}

func parseList(in input) listQuery {
	q := listQuery{limit: -1, typed: in.has("doc_type")}
	in.read("offset", &q.offset).read("limit", &q.limit)
	filter := in.object("filter")
	var one string // the libraries send a text, the pages say a list
	if json.Unmarshal(in["doc_type"], &one) == nil && one != "" {
		q.types = []string{one}
	} else {
		in.read("doc_type", &q.types)
	}
	filter.read("doc_id_list", &q.ids)
	if q.offset < 0 || q.limit < -1 {
		panic(invalid("offset or limit out of range"))
	}
	// An offset from 100 on needs a limit beside it; alone it is ignored and
	// the first page comes again.
	if q.offset >= maxPage && !in.has("limit") {
		q.offset = 0
	}
	if q.limit < 0 || q.limit > maxPage {
		q.limit = maxPage
	}
	return q
}

func (q listQuery) keeps(d *world.Document) bool {
	return (len(q.ids) == 0 || slices.Contains(q.ids, d.ID)) && (!q.typed || slices.Contains(q.types, docType(d)))
}

// listDocuments is version 1: newest first, times in seconds. total_num is the
// collection's number of documents even when a filter leaves fewer.
func (f *face) listDocuments(in input) object {
	kb := f.collection(in, "collection_name")
	q := parseList(in)
	docs := f.s.Documents(kb.ID)
	total := docs.Len()
	if len(q.ids) > 0 || q.typed {
		docs = docs.Filter(q.keeps)
	}
	page := docs.Window(q.offset, q.limit)
	return object{"collection_name": kb.Name, "total_num": total, "count": len(page), "doc_list": f.rows(kb, page)}
}

// searchByFilter gives the documents whose metadata a filter matches.
func (f *face) searchByFilter(in input) object {
	kb := f.collection(in, "collection_name")
	limit := -1
	in.read("limit", &limit)
	if !in.has("filter") {
		panic(invalid("filter is required"))
	}
	keep := in.filter("filter", kb)
	docs := f.s.Documents(kb.ID).Filter(keep)
	page := docs.Window(0, limit)
	return object{"collection_name": kb.Name, "total_num": docs.Len(), "count": len(page), "doc_list": f.rows(kb, page)}
}

func (f *face) rows(kb *world.KnowledgeBase, docs []*world.Document) []object {
	rows := make([]object, len(docs))
	for i, d := range docs {
		rows[i] = f.documentRow(kb, d, web.Seconds)
	}
	return rows
}

// listDocumentsV2 goes on where the token says, so that documents added in the
// meantime shift nothing. total_num is null from the second page on; the last
// page's token is "" or null, and an empty list is absent.
func (f *face) listDocumentsV2(in input) object {
	kb := f.collection(in, "collection_name")
	limit, token := maxPage, ""
	in.read("limit", &limit).read("next_token", &token)
	if limit < 1 || limit > maxPage {
		panic(invalid("limit must be between 1 and 100"))
	}
	docs := f.s.Documents(kb.ID)
	data := object{"collection_name": kb.Name, "total_num": docs.Len(), "has_more": false, "next_token": ""}
	offset := 0
	if token != "" {
		at, ok := readToken(kb.ID, token)
		if !ok {
			panic(invalid("next_token is not valid"))
		}
		offset = at.after(docs)
		data["total_num"], data["next_token"] = nil, nil
	}
	page := docs.Window(offset, limit)
	data["count"] = len(page)
	if len(page) > 0 {
		data["doc_list"] = f.rows(kb, page)
	}
	if offset+len(page) < docs.Len() {
		last := page[len(page)-1]
		data["has_more"], data["next_token"] = true, place{last.Created.UnixNano(), last.Seq}.token(kb.ID)
	}
	return data
}

// place is the last document of a page. It need not exist any more.
type place struct {
	created int64
	seq     int
}

// token is the place in a form that tells nothing and cannot be altered.
func (p place) token(kb string) string {
	text := fmt.Sprintf("%d.%d", p.created, p.seq)
	return base64.RawURLEncoding.EncodeToString([]byte(text + "." + world.Digest("token/"+kb, text, 0)[:16]))
}

func readToken(kb, token string) (place, bool) {
	var p place
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return p, false
	}
	if _, err := fmt.Sscanf(strings.ReplaceAll(string(raw), ".", " "), "%d %d", &p.created, &p.seq); err != nil {
		return p, false
	}
	return p, p.token(kb) == token
}

// after is the number of documents up to and including p.
func (p place) after(docs world.List) int {
	return sort.Search(docs.Len(), func(i int) bool {
		d := docs.At(i)
		at := d.Created.UnixNano()
		return at < p.created || at == p.created && d.Seq < p.seq
	})
}

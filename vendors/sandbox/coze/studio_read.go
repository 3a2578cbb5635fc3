package coze

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// datasets answers GET /v1/datasets. It pages only when both numbers are above
// 0, and takes the name for a pattern of SQL.
func (c *studio) datasets(r *http.Request, user studioUser) studioAnswer {
	q := r.URL.Query()
	in := studioInts(q, "space_id", "page_num", "page_size", "format_type")
	space := q.Get("space_id")
	project := q.Get("project_id")
	switch {
	case !user.mayRead(space):
		return studioForeign()
	case project != "" && !web.Digits(project):
		return studioBroken()
	case in["space_id"] == 0 && (project == "" || project == "0"):
		return studioInvalid("knowledge ids, project id, space id and query can not be all empty")
	}
	var kbs []*world.KnowledgeBase
	like := studioLike(q.Get("name"))
	for _, kb := range c.s.KBs() {
		if spaceOf(kb) == space && like.MatchString(kb.Name) && (!q.Has("format_type") || formatOf(kb.Kind) == in["format_type"]) {
			kbs = append(kbs, kb)
		}
	}
	shown := kbs
	if page, size := in["page_num"], in["page_size"]; page > 0 && size > 0 {
		shown = web.Window(kbs, web.Multiply(page-1, size), size)
	}
	return studioOK("success", object{"data": object{"total_count": len(kbs), "dataset_list": web.Rows(shown, c.s.studioDataset)}, "BaseResp": nil})
}

// spaceOf is the space of a knowledge base.
func spaceOf(kb *world.KnowledgeBase) string {
	if kb.Space == "" {
		return SpaceID
	}
	return kb.Space
}

// studioLike is what LIKE '%name%' matches, in any case.
func studioLike(name string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("(?is)")
	escaped := false
	for _, r := range name {
		switch {
		case escaped:
			b.WriteString(regexp.QuoteMeta(string(r)))
			escaped = false
		case r == '\\':
			escaped = true
		case r == '%':
			b.WriteString(".*")
		case r == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile(b.String())
}

// documents answers POST /open_api/knowledge/document/list: pages count from
// 0, without a size there is no limit, and an unknown knowledge base is empty.
// The keyword is ignored.
func (c *studio) documents(r *http.Request, user studioUser) studioAnswer {
	a := bind(r, true)
	if !a.Has("dataset_id") {
		a.refuse("'dataset_id' field is a 'required' parameter, but the request body does not have this parameter 'dataset_id'")
	}
	kb := a.id("dataset_id")
	var page, size int32
	var ids []string
	a.read("page", &page).read("size", &size).read("document_ids", &ids)
	switch {
	case slices.ContainsFunc(ids, func(id string) bool { return !web.Digits(id) }):
		return studioBroken()
	case kb == "0" && len(ids) == 0:
		return studioError(200, 105000003, "MySQL operation failed: need ids or knowledge_ids")
	}
	docs := c.s.Documents(kb)
	if len(ids) > 0 {
		docs = docs.Filter(func(d *world.Document) bool { return slices.Contains(ids, d.ID) })
	}
	shown := studioPage(docs, int(page), int(size))
	if !c.ownsAll(user, shown) {
		return studioForeign()
	}
	rows := web.Rows(shown, c.s.studioRow)
	return studioOK("", object{"document_infos": rows, "total": docs.Len(), "BaseResp": nil})
}

// studioPage is a page of the list in the order of the database, oldest first.
func studioPage(docs world.List, page, size int) []*world.Document {
	if size <= 0 {
		page, size = 0, docs.Len()
	}
	all := docs.Window(0, -1)
	slices.Reverse(all)
	return web.Window(all, web.Multiply(max(page, 0), size), size)
}

// process answers POST /v1/datasets/{id}/process. The knowledge base is
// ignored, ids must be numbers, the answer has the database's order and leaves
// out what is unknown or deleted; one foreign id fails the whole call.
func (c *studio) process(r *http.Request, user studioUser, _ string) studioAnswer {
	var numbers []int64
	bind(r, false).read("document_ids", &numbers)
	ids := make([]string, len(numbers))
	for i, n := range numbers {
		ids[i] = strconv.FormatInt(n, 10)
	}
	docs := studioDocuments(c.s.Store, ids)
	if !c.ownsAll(user, docs) {
		return studioForeign()
	}
	rows := []object{}
	for _, d := range docs {
		if c.s.State(d).Phase != world.Deleting {
			rows = append(rows, c.s.studioProgress(d))
		}
	}
	return studioOK("success", object{"data": object{"data": rows}})
}

// studioDocuments finds documents by id, each once, in the order of creation.
func studioDocuments(st *world.Store, ids []string) []*world.Document {
	var list []*world.Document
	ids = slices.Clone(ids)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if d := st.Document(id); d != nil {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b *world.Document) int { return cmp.Or(a.Created.Compare(b.Created), a.Seq-b.Seq) })
	return list
}

// images answers GET /v1/datasets/{id}/images; the keyword is ignored.
func (c *studio) images(r *http.Request, user studioUser, id string) studioAnswer {
	q := r.URL.Query()
	in := studioInts(q, "page_num", "page_size")
	has, err := strconv.ParseBool(q.Get("has_caption"))
	kb := c.s.KB(id)
	switch {
	case q.Get("has_caption") != "" && err != nil:
		return studioNotBound("unable to decode '" + q.Get("has_caption") + "' as bool")
	case !user.owns(kb):
		return studioForeign()
	}
	docs := c.s.Documents(id).Filter(func(d *world.Document) bool {
		return kindOf(d) == "image" && (err != nil || has == (d.Coze.Caption != ""))
	})
	size := in["page_size"]
	if size <= 0 {
		size = docs.Len()
	}
	rows := web.Rows(docs.Window(web.Multiply(max(in["page_num"], 1)-1, size), size), c.s.photoRow)
	return studioOK("success", object{"data": object{"photo_infos": rows, "total_count": docs.Len()}, "BaseResp": nil})
}

package coze

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// workspaces answers GET /v1/workspaces: there is one space.
func (c *hosted) workspaces(r *http.Request) object {
	page, size := paging(r, 20, 50)
	all := []object{{
		"id": SpaceID, "name": "Sandbox 沙盒", "icon_url": signed("space.png"),
		"role_type": "owner", "workspace_type": "personal", "enterprise_id": "",
	}}
	return object{"data": object{"workspaces": web.Window(all, web.Multiply(page-1, size), size), "total_count": len(all)}}
}

// paging reads page_num (from 1) and page_size.
func paging(r *http.Request, def, most int) (page, size int) {
	q := r.URL.Query()
	page, err := web.QueryInt(q, "page_num", 1)
	if err != nil || page < 1 {
		panic(badField("page_num"))
	}
	size, err = web.QueryInt(q, "page_size", def)
	if err != nil || size < 1 || size > most {
		panic(badField("page_size"))
	}
	return page, size
}

// datasets answers GET /v1/datasets.
func (c *hosted) datasets(r *http.Request) object {
	page, size := paging(r, 10, 300)
	q := r.URL.Query()
	switch q.Get("space_id") {
	case SpaceID:
	case "":
		panic(badField("space_id"))
	default:
		panic(notFound())
	}
	kbs := knowledgeBases(c.s.Store, q.Get("name"), q.Get("format_type"))
	rows := web.Rows(web.Window(kbs, web.Multiply(page-1, size), size), c.s.datasetRow)
	return object{"data": object{"total_count": len(kbs), "dataset_list": rows}}
}

// shown reports whether a document that is being deleted is still in answers.
func (c *hosted) shown(d *world.Document) bool {
	return !c.s.plainStates || c.s.State(d).Phase != world.Deleting
}

// knowledgeBases is the knowledge bases whose name contains name and whose format is
// the given one; "" is any.
func knowledgeBases(st *world.Store, name, format string) []*world.KnowledgeBase {
	return slices.DeleteFunc(st.KBs(), func(kb *world.KnowledgeBase) bool {
		return !strings.Contains(strings.ToLower(kb.Name), strings.ToLower(name)) ||
			format != "" && format != strconv.Itoa(formatOf(kb.Kind))
	})
}

// documents answers POST /open_api/knowledge/document/list. Pages 0 and 1 are
// both the first.
func (c *hosted) documents(r *http.Request) object {
	a := argsOf(r)
	kb, err := a.ID("dataset_id")
	if err != nil || kb == "" {
		panic(badField("dataset_id"))
	}
	page, err := a.Int("page", 1)
	if err != nil || page < 0 {
		panic(badField("page"))
	}
	size, err := a.Int("size", 10)
	if err != nil || size < 1 {
		panic(badField("size"))
	}
	if c.s.KB(kb) == nil {
		panic(notFound())
	}
	docs := filtered(c.s.Documents(kb), a).Filter(c.shown)
	rows := []object{}
	for _, d := range docs.Window(web.Multiply(max(page, 1)-1, size), size) {
		row := c.s.documentRow(d)
		if r.Header.Get("Agw-Js-Conv") != "str" { // without it the gateway writes int64 ids as numbers
			row["document_id"] = json.Number(d.ID)
		}
		rows = append(rows, row)
	}
	return object{"total": docs.Len(), "document_infos": rows}
}

// filtered applies the filters document_ids and keyword.
func filtered(docs world.List, a args) world.List {
	ids, err := a.IDs("document_ids")
	if err != nil && err != web.ErrNotGiven {
		panic(badField("document_ids"))
	}
	if len(ids) > 0 {
		docs = docs.Filter(func(d *world.Document) bool { return slices.Contains(ids, d.ID) })
	}
	if word := a.Str("keyword"); word != "" {
		docs = docs.Filter(func(d *world.Document) bool { return strings.Contains(d.Name, word) })
	}
	return docs
}

// process answers POST /v1/datasets/{id}/process: ids that the knowledge base
// does not have are left out without a word.
func (c *hosted) process(r *http.Request) object {
	kb := r.PathValue("id")
	a := argsOf(r)
	ids, err := a.IDs("document_ids")
	if err != nil || len(ids) == 0 {
		panic(badField("document_ids"))
	}
	if c.s.KB(kb) == nil {
		panic(notFound())
	}
	rows := []object{}
	for _, id := range ids {
		if d := c.s.Document(id); d != nil && d.KB == kb && c.shown(d) {
			rows = append(rows, c.s.progressRow(d))
		}
	}
	return object{"data": object{"data": rows}}
}

// images answers GET /v1/datasets/{id}/images. The keyword is looked for in the
// captions.
func (c *hosted) images(r *http.Request) object {
	kb := r.PathValue("id")
	page, size := paging(r, 10, 299)
	q := r.URL.Query()
	has, err := strconv.ParseBool(q.Get("has_caption"))
	switch base := c.s.KB(kb); {
	case q.Get("has_caption") != "" && err != nil:
		panic(badField("has_caption"))
	case base == nil:
		panic(notFound())
	case base.Kind != "image":
		panic(badField("dataset_id"))
	}
	docs := c.s.Documents(kb).Filter(func(d *world.Document) bool {
		return strings.Contains(d.Coze.Caption, q.Get("keyword")) && (err != nil || has == (d.Coze.Caption != ""))
	})
	rows := []object{}
	for _, d := range docs.Window(web.Multiply(page-1, size), size) {
		row := c.s.photoRow(d)
		row["url"], row["creator_id"], row["source_type"] = signed(d.ID), "2175268956150001", 5
		rows = append(rows, row)
	}
	return object{"data": object{"photo_infos": rows, "total_count": docs.Len()}}
}

// file answers GET /v1/files/retrieve.
func (c *hosted) file(r *http.Request) object {
	file, ok := c.files.getID(r.URL.Query().Get("file_id"))
	if !ok {
		panic(notFound())
	}
	return object{"data": file.row(web.Seconds(c.s.Now()))}
}

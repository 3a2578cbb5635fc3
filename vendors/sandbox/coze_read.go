package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// workspaces answers GET /v1/workspaces: there is one space.
func (c *cozeFace) workspaces(r *http.Request) (object, *cozeRefusal) {
	page, size, no := cozePage(r, 20, 50)
	if no != nil {
		return nil, no
	}
	all := []object{{
		"id": CozeSpaceID, "name": "Sandbox 沙盒", "icon_url": cozeSigned("space.png"),
		"role_type": "owner", "workspace_type": "personal", "enterprise_id": "",
	}}
	from, to := span(len(all), multiply(page-1, size), size)
	return object{"data": object{"workspaces": all[from:to], "total_count": len(all)}}, nil
}

// cozePage reads page_num (from 1) and page_size.
func cozePage(r *http.Request, def, most int) (page, size int, no *cozeRefusal) {
	q := r.URL.Query()
	page, err := queryInt(q, "page_num", 1)
	if err != nil || page < 1 {
		return 0, 0, cozeBadField("page_num")
	}
	size, err = queryInt(q, "page_size", def)
	if err != nil || size < 1 || size > most {
		return 0, 0, cozeBadField("page_size")
	}
	return page, size, nil
}

// datasets answers GET /v1/datasets.
func (c *cozeFace) datasets(r *http.Request) (object, *cozeRefusal) {
	page, size, no := cozePage(r, 10, 300)
	if no != nil {
		return nil, no
	}
	q := r.URL.Query()
	switch q.Get("space_id") {
	case CozeSpaceID:
	case "":
		return nil, cozeBadField("space_id")
	default:
		return nil, cozeNotFound()
	}
	kbs := cozeKBs(c.s.store, q.Get("name"), q.Get("format_type"))
	rows := []object{}
	from, to := span(len(kbs), multiply(page-1, size), size)
	for _, kb := range kbs[from:to] {
		rows = append(rows, cozeDataset(c.s, kb))
	}
	return object{"data": object{"total_count": len(kbs), "dataset_list": rows}}, nil
}

// shown reports whether a document that is being deleted is still in answers.
func (c *cozeFace) shown(d *Document) bool {
	return !c.s.opts.PlainStates || c.s.state(d).Phase != Deleting
}

// cozeKBs is the knowledge bases whose name contains name and whose format is
// the given one; "" is any.
func cozeKBs(st *Store, name, format string) []*KnowledgeBase {
	return slices.DeleteFunc(st.KBs(Coze), func(kb *KnowledgeBase) bool {
		return !strings.Contains(strings.ToLower(kb.Name), strings.ToLower(name)) ||
			format != "" && format != strconv.Itoa(cozeFormat(kb.Kind))
	})
}

// documents answers POST /open_api/knowledge/document/list. Pages 0 and 1 are
// both the first.
func (c *cozeFace) documents(r *http.Request) (object, *cozeRefusal) {
	data, _ := body(r)
	a, err := parseArgs(data)
	if err != nil {
		return nil, cozeBadField("body")
	}
	kb, err := a.id("dataset_id")
	if err != nil || kb == "" {
		return nil, cozeBadField("dataset_id")
	}
	page, err := a.integer("page", 1)
	if err != nil || page < 0 {
		return nil, cozeBadField("page")
	}
	size, err := a.integer("size", 10)
	if err != nil || size < 1 {
		return nil, cozeBadField("size")
	}
	if c.s.store.KB(Coze, kb) == nil {
		return nil, cozeNotFound()
	}
	docs, err := cozeFiltered(c.s.store.Documents(Coze, kb), a)
	if err != nil {
		return nil, cozeBadField("document_ids")
	}
	docs = docs.Filter(func(d *Document) bool { return c.shown(d) })
	rows := []object{}
	for _, d := range docs.Window(multiply(max(page, 1)-1, size), size) {
		row := cozeRow(c.s, d)
		if r.Header.Get("Agw-Js-Conv") != "str" { // without it the gateway writes int64 ids as numbers
			row["document_id"] = json.Number(d.ID)
		}
		rows = append(rows, row)
	}
	return object{"total": docs.Len(), "document_infos": rows}, nil
}

// cozeFiltered applies the filters document_ids and keyword.
func cozeFiltered(docs List, a args) (List, error) {
	if a.has("document_ids") {
		ids, err := a.ids("document_ids")
		if err != nil {
			return List{}, err
		}
		if len(ids) > 0 {
			docs = docs.Filter(func(d *Document) bool { return slices.Contains(ids, d.ID) })
		}
	}
	if word, _ := a.text("keyword"); word != "" {
		docs = docs.Filter(func(d *Document) bool { return strings.Contains(d.Name, word) })
	}
	return docs, nil
}

// process answers POST /v1/datasets/{id}/process: ids that the knowledge base
// does not have are left out without a word.
func (c *cozeFace) process(r *http.Request, kb string) (object, *cozeRefusal) {
	data, _ := body(r)
	a, err := parseArgs(data)
	if err != nil {
		return nil, cozeBadField("body")
	}
	ids, err := a.ids("document_ids")
	if err != nil || len(ids) == 0 {
		return nil, cozeBadField("document_ids")
	}
	if c.s.store.KB(Coze, kb) == nil {
		return nil, cozeNotFound()
	}
	rows := []object{}
	for _, id := range ids {
		if d := c.s.store.Document(Coze, id); d != nil && d.KB == kb && c.shown(d) {
			rows = append(rows, cozeProgress(c.s, d))
		}
	}
	return object{"data": object{"data": rows}}, nil
}

// images answers GET /v1/datasets/{id}/images. The keyword is looked for in the
// captions.
func (c *cozeFace) images(r *http.Request, kb string) (object, *cozeRefusal) {
	page, size, no := cozePage(r, 10, 299)
	if no != nil {
		return nil, no
	}
	q := r.URL.Query()
	has, err := strconv.ParseBool(q.Get("has_caption"))
	switch base := c.s.store.KB(Coze, kb); {
	case q.Get("has_caption") != "" && err != nil:
		return nil, cozeBadField("has_caption")
	case base == nil:
		return nil, cozeNotFound()
	case base.Kind != "image":
		return nil, cozeBadField("dataset_id")
	}
	docs := c.s.store.Documents(Coze, kb).Filter(func(d *Document) bool {
		return strings.Contains(d.Coze.Caption, q.Get("keyword")) && (err != nil || has == (d.Coze.Caption != ""))
	})
	rows := []object{}
	for _, d := range docs.Window(multiply(page-1, size), size) {
		row := cozePhoto(c.s, d)
		row["url"], row["creator_id"], row["source_type"] = cozeSigned(d.ID), "2175268956150001", 5
		rows = append(rows, row)
	}
	return object{"data": object{"photo_infos": rows, "total_count": docs.Len()}}, nil
}

// file answers GET /v1/files/retrieve.
func (c *cozeFace) file(r *http.Request) (object, *cozeRefusal) {
	file, ok := c.files.getID(r.URL.Query().Get("file_id"))
	if !ok {
		return nil, cozeNotFound()
	}
	return object{"data": file.row(seconds(c.s.now()))}, nil
}

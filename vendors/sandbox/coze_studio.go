package sandbox

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// studioFace is the knowledge API of the open-source server coze-studio: the
// same paths as hosted Coze, other types, pages, words and errors. It limits
// no rate.
type studioFace struct {
	s     *Sandbox
	files cozeFiles
}

func newCozeStudio(s *Sandbox) http.Handler { return &studioFace{s: s} }

// studioAnswer is a status with the JSON to send; a text answers instead as
// text/plain when it is not empty.
type studioAnswer struct {
	status int
	json   object
	text   string
}

// studioError is an answer with nothing but code and msg.
func studioError(status, code int, msg string) studioAnswer {
	return studioAnswer{status: status, json: object{"code": code, "msg": msg}}
}

// The refusals of studio.
func studioForeign() studioAnswer {
	return studioError(200, 105000001, "unauthorized access : permission denied")
}
func studioBroken() studioAnswer { return studioError(500, 500, "internal server error") }
func studioText(err string) studioAnswer {
	return studioAnswer{status: 400, text: "bind body failed, err=" + err}
}

// ServeHTTP answers one call. The path decides before the token: an id that is
// not all digits is routed to the web session's check.
func (c *studioFace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := c.s.now()
	w.Header().Set("X-Log-ID", fingerprint(r, now)[:32])
	out := c.call(r)
	if out.text != "" {
		writeRaw(w, out.status, "text/plain; charset=utf-8", out.text)
		return
	}
	writeJSON(w, out.status, out.json)
}

func (c *studioFace) call(r *http.Request) studioAnswer {
	id, isProcess := cozeProcessPath(r.URL.Path)
	if !isProcess {
		id, _ = cozeDatasetPath(r.URL.Path)
	}
	switch {
	case id != "" && !digits(id):
		return studioError(401, 401, "missing session_key in cookie")
	case isProcess && r.Method == http.MethodPost:
		return c.authorised(r, c.process)
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /v1/datasets":
		return c.authorised(r, c.datasets)
	case "POST /open_api/knowledge/document/list":
		return c.authorised(r, c.documents)
	}
	if call := c.writeRoute(r); call != nil {
		return c.authorised(r, call)
	}
	return studioAnswer{status: 404, text: "404 page not found"}
}

// authorised makes the call when the token is known. Studio's tokens have no
// scopes: the one without them belongs to a user who owns nothing here.
func (c *studioFace) authorised(r *http.Request, call func(*http.Request, bool) studioAnswer) studioAnswer {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch token {
	case CozeToken, CozeTokenNoScope:
		return call(r, token == CozeToken)
	case "":
		return studioError(200, 700012006, "authentication failed: missing authorization in header")
	}
	return studioError(200, 700012006, "authentication failed: api key is not valid")
}

// datasets answers GET /v1/datasets; without page_size it has no limit.
func (c *studioFace) datasets(r *http.Request, own bool) studioAnswer {
	q := r.URL.Query()
	page, err := queryInt(q, "page_num", 1)
	size, err2 := queryInt(q, "page_size", -1)
	space := q.Get("space_id")
	switch {
	case err != nil || err2 != nil || !digits(space):
		return studioError(400, 400, "bind query failed, err=space_id, page_num and page_size must be numbers")
	case !own || space != CozeSpaceID:
		return studioForeign()
	}
	kbs := cozeKBs(c.s.store, q.Get("name"), q.Get("format_type"))
	rows := []object{}
	from, to := 0, len(kbs)
	if size > 0 {
		from, to = span(len(kbs), multiply(max(page, 1)-1, size), size)
	}
	for _, kb := range kbs[from:to] {
		row := cozeDataset(c.s, kb)
		row["failed_file_list"] = nil
		rows = append(rows, row)
	}
	return studioAnswer{status: 200, json: object{
		"data": object{"total_count": len(kbs), "dataset_list": rows},
		"code": 0, "msg": "success", "BaseResp": nil,
	}}
}

// documents answers POST /open_api/knowledge/document/list: pages count from
// 0, without a size there is no limit, and an unknown knowledge base is empty.
func (c *studioFace) documents(r *http.Request, own bool) studioAnswer {
	data, _ := body(r)
	a, err := parseArgs(data)
	if err != nil {
		return studioText(err.Error())
	}
	kb, err := a.text("dataset_id")
	if err != nil {
		return studioText("Mismatch type string for dataset_id: " + err.Error())
	}
	page, err := a.integer("page", 0)
	size, err2 := a.integer("size", 0)
	if err != nil || err2 != nil {
		return studioText("Mismatch type int32 for page or size")
	}
	delete(a, "keyword") // ignored
	docs, err := cozeFiltered(c.s.store.Documents(Coze, kb), a)
	switch {
	case err != nil:
		return studioText("Mismatch type string for document_ids: " + err.Error())
	case !digits(kb):
		return studioBroken()
	case !own && docs.Len() > 0:
		return studioForeign()
	}
	rows := []object{}
	for _, d := range studioPage(docs, page, size) {
		rows = append(rows, studioRow(d, c.s.state(d)))
	}
	return studioAnswer{status: 200, json: object{
		"document_infos": rows, "total": docs.Len(), "code": 0, "msg": "", "BaseResp": nil,
	}}
}

// studioPage is a page of the list in the database's order, oldest first.
func studioPage(docs List, page, size int) []*Document {
	if size <= 0 {
		page, size = 0, docs.Len()
	}
	from, to := span(docs.Len(), multiply(max(page, 0), size), size)
	out := make([]*Document, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, docs.At(docs.Len()-1-i))
	}
	return out
}

// studioRow is a document in studio's list. web_url and preview_tos_url are
// signed links to the raw file, and status_descript is the reason of a failure.
func studioRow(d *Document, st State) object {
	row := cozeRow(d, st)
	delete(row, "update_type")
	delete(row, "update_interval")
	row["status"], row["size"], row["char_count"], row["hit_count"] = studioStatus(d, st), studioSize(d, st), 0, 0
	row["status_descript"] = st.Message
	row["creator_id"], row["space_id"] = "2175268956150001", CozeSpaceID
	row["web_url"], row["preview_tos_url"] = cozeSigned(d.ID), cozeSigned("preview/"+d.ID)
	row["tos_uri"] = cmp.Or(d.Coze.URI, "FileBizType.Knowledge/"+d.ID+"."+d.Format)
	row["parsing_strategy"] = object{"parsing_type": 0}
	return row
}

// process answers POST /v1/datasets/{id}/process. The knowledge base is
// ignored, ids must be numbers, the answer has the database's order and leaves
// out what is unknown or deleted; one foreign id fails the whole call.
func (c *studioFace) process(r *http.Request, own bool) studioAnswer {
	data, _ := body(r)
	a, err := parseArgs(data)
	if err != nil {
		return studioError(400, 400, "bind body failed, err="+err.Error())
	}
	ids, err := a.numbers("document_ids")
	if err != nil {
		return studioError(400, 400, `bind body failed, err=Mismatch type int64 with value string "document_ids": `+err.Error())
	}
	rows := []object{}
	for _, d := range studioDocuments(c.s.store, ids) {
		if !own {
			return studioForeign()
		}
		if st := c.s.state(d); st.Phase != Deleting {
			rows = append(rows, studioProgress(d, st))
		}
	}
	return studioAnswer{status: 200, json: object{
		"data": object{"data": rows}, "code": 0, "msg": "success", "BaseResp": nil,
	}}
}

// studioDocuments finds documents by id, each once, in the order of creation.
func studioDocuments(st *Store, ids []string) []*Document {
	var list []*Document
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if d := st.Document(Coze, id); d != nil {
			list = inserted(list, d)
		}
	}
	return list
}

// studioProgress is a document in studio's process answer: status_descript is
// a state word, and a failed document claims progress 100.
func studioProgress(d *Document, st State) object {
	left := int64(math.Ceil(st.Remaining.Seconds()))
	if st.Phase == Queued {
		left = 300
	}
	return object{
		"document_id": d.ID, "document_name": d.Name, "type": d.Format, "size": studioSize(d, st),
		"status": studioStatus(d, st), "status_descript": studioWord(d, st),
		"progress": cozePercent(st), "remaining_time": left, "url": cozeSigned(d.ID),
	}
}

// studioSize is the characters of the chunks, 0 until there are any.
func studioSize(d *Document, st State) int {
	if st.Phase != Completed {
		return 0
	}
	n := 0
	for _, chunk := range d.Chunks() {
		n += utf8.RuneCountInString(chunk)
	}
	return n
}

// studioStatus folds the states into studio's four numbers: a disabled document
// looks like one at work, a table that has not begun like a finished one.
func studioStatus(d *Document, st State) int {
	switch {
	case st.Phase == Completed && !d.Disabled:
		return 1
	case st.Phase == Queued && cozeDocFormat(d.Format) == 1:
		return 1
	case st.Phase == Failed:
		return 9
	case st.Phase == Deleting:
		return 3
	}
	return 0
}

func studioWord(d *Document, st State) string {
	switch st.Phase {
	case Completed:
		if d.Disabled {
			return "失效"
		}
		return "生效"
	case Failed:
		return "失败"
	case Queued:
		return "上传中"
	}
	return "切片中"
}

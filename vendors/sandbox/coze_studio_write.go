package sandbox

import (
	"encoding/json"
	"net/http"
)

// studioDone is an answer without data.
func studioDone(msg string) studioAnswer {
	return studioAnswer{status: 200, json: object{"code": 0, "msg": msg, "BaseResp": nil}}
}

func studioNoKB() studioAnswer { return studioError(200, 105000011, "knowledge not exist") }
func studioNoDocument() studioAnswer {
	return studioError(200, 105000012, "knowledge document not exist")
}
func studioBind(what string) studioAnswer {
	return studioError(400, 400, "bind body failed, err=Mismatch type for "+what)
}

// studioCall is a call; own says that the caller owns what is here.
type studioCall = func(r *http.Request, own bool) studioAnswer

// writeRoute finds the call that changes something; nil when there is none.
func (c *studioFace) writeRoute(r *http.Request) studioCall {
	switch r.Method + " " + r.URL.Path {
	case "POST /v1/datasets":
		return c.createKB
	case "POST /open_api/knowledge/document/create":
		return c.createDocuments
	case "POST /open_api/knowledge/document/update":
		return c.updateDocument
	case "POST /open_api/knowledge/document/delete":
		return c.deleteDocuments
	case "POST /v1/files/upload":
		return c.uploadFile
	}
	id, ok := cozeDatasetPath(r.URL.Path)
	if !ok || r.Method != http.MethodPut && r.Method != http.MethodDelete {
		return nil
	}
	return func(r *http.Request, own bool) studioAnswer { return c.changeKB(r, own, id) }
}

// createKB answers POST /v1/datasets.
func (c *studioFace) createKB(r *http.Request, own bool) studioAnswer {
	data, _ := body(r)
	a, err := parseArgs(data)
	space, err2 := a.text("space_id")
	format, err3 := a.integer("format_type", 0)
	if err != nil || err2 != nil || err3 != nil {
		return studioBind("space_id or format_type")
	}
	name, description, no := cozeKBName(a)
	switch {
	case no != nil || format != 0 && format != 2:
		return studioError(200, 105000000, "invalid parameter : name or format_type")
	case !own || space != CozeSpaceID:
		return studioForeign()
	}
	kb := c.s.store.AddKB(cozeNewKB(c.s, name, description, format))
	return studioAnswer{status: 200, json: object{
		"data": object{"dataset_id": kb.ID}, "code": 0, "msg": "success", "BaseResp": nil,
	}}
}

// changeKB answers PUT and DELETE /v1/datasets/{id}.
func (c *studioFace) changeKB(r *http.Request, own bool, id string) studioAnswer {
	switch {
	case c.s.store.KB(Coze, id) == nil:
		return studioNoKB()
	case !own:
		return studioForeign()
	case r.Method == http.MethodDelete:
		c.s.store.RemoveKB(Coze, id)
		return studioDone("success")
	}
	data, _ := body(r)
	a, err := parseArgs(data)
	if err != nil {
		return studioBind("body")
	}
	name, description, no := cozeKBName(a)
	if no != nil {
		return studioError(200, 105000000, "invalid parameter : name")
	}
	cozeRename(c.s, id, name, description)
	return studioDone("success")
}

// studioBase is what studio reads of an entry of document_bases: hosted's
// file_base64 and web_url are ignored.
type studioBase struct {
	Name   string `json:"name"`
	Source struct {
		TosURI        string `json:"tos_uri"`
		CustomContent string `json:"custom_content"`
	} `json:"source_info"`
}

// createDocuments answers POST /open_api/knowledge/document/create. An unknown
// knowledge base is an internal error.
func (c *studioFace) createDocuments(r *http.Request, own bool) studioAnswer {
	data, _ := body(r)
	a, err := parseArgs(data)
	kb, err2 := a.text("dataset_id")
	var bases []studioBase
	if err != nil || err2 != nil || json.Unmarshal(a["document_bases"], &bases) != nil {
		return studioBind("dataset_id or document_bases")
	}
	switch {
	case c.s.store.KB(Coze, kb) == nil:
		return studioBroken()
	case !own:
		return studioForeign()
	case len(bases) == 0:
		return studioError(200, 105000000, "invalid parameter : document base is empty")
	}
	rows := []object{}
	for _, b := range bases {
		d := c.document(b)
		d.KB, d.Name = kb, b.Name
		row := cozeStub(c.s.cozeAdd(d))
		delete(row, "update_type")
		delete(row, "update_interval")
		rows = append(rows, row)
	}
	return studioAnswer{status: 200, json: object{"document_infos": rows, "code": 0, "msg": "", "BaseResp": nil}}
}

// document is the document of a base. The suffix of the key sets the type; a
// base without content becomes a document that fails.
func (c *studioFace) document(b studioBase) Document {
	if b.Source.TosURI == "" {
		d := Document{Source: "text", Format: "txt", Text: b.Source.CustomContent, Size: len(b.Source.CustomContent)}
		if d.Text == "" {
			d.Plan = Failing("", "document content is empty")
		}
		return d
	}
	d := Document{Source: "file", Format: suffix(b.Source.TosURI), Coze: CozeDetail{URI: b.Source.TosURI}}
	file, ok := c.files.get(b.Source.TosURI)
	if !ok {
		d.Plan = Failing("", "get object failed")
		return d
	}
	d.Text, d.Size = cozeText(file.name, d.Format, file.data), len(file.data)
	return d
}

// updateDocument answers POST /open_api/knowledge/document/update; update_rule
// is ignored.
func (c *studioFace) updateDocument(r *http.Request, own bool) studioAnswer {
	data, _ := body(r)
	a, err := parseArgs(data)
	id, err2 := a.text("document_id")
	name, err3 := a.text("document_name")
	switch {
	case err != nil || err2 != nil || err3 != nil && err3 != errNotGiven:
		return studioText("Mismatch type string for document_id or document_name")
	case c.s.store.Document(Coze, id) == nil:
		return studioNoDocument()
	case !own:
		return studioForeign()
	}
	cozeRenameDocument(c.s, id, name)
	return studioDone("")
}

// deleteDocuments answers POST /open_api/knowledge/document/delete: one after
// the other, so that a failure leaves those before it deleted.
func (c *studioFace) deleteDocuments(r *http.Request, own bool) studioAnswer {
	data, _ := body(r)
	a, err := parseArgs(data)
	ids, err2 := a.texts("document_ids")
	if err != nil || err2 != nil {
		return studioText("Mismatch type string for document_ids")
	}
	for _, id := range ids {
		switch {
		case c.s.store.Document(Coze, id) == nil:
			return studioNoDocument()
		case !own:
			return studioForeign()
		}
		c.s.store.Remove(Coze, id)
	}
	return studioDone("")
}

// uploadFile answers POST /v1/files/upload.
func (c *studioFace) uploadFile(r *http.Request, _ bool) studioAnswer {
	file, ok := c.files.receive(r)
	if !ok {
		return studioBind("file")
	}
	row := file.row(seconds(c.s.now()))
	row["uri"], row["url"] = file.uri, cozeSigned(file.id)
	return studioAnswer{status: 200, json: object{"data": row, "code": 0, "msg": "success", "BaseResp": nil}}
}

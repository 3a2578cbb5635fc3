package coze

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// studioMostName is the longest name that the database takes, in characters.
const studioMostName = 150

// createKB answers POST /v1/datasets. A space that nobody has is good.
func (c *studio) createKB(r *http.Request, user studioUser) studioAnswer {
	a := bind(r, false)
	var format int32
	var name, description string
	space := a.id("space_id")
	a.read("name", &name).read("description", &description).read("format_type", &format)
	switch {
	case format < 0 || format > 2:
		return studioBroken()
	case !user.mayRead(space):
		return studioForeign()
	case name == "":
		return studioInvalid("knowledge name is empty")
	case space == "0":
		return studioInvalid("knowledge space id is empty")
	case utf8.RuneCountInString(name) > studioMostName:
		return studioTooLong()
	}
	kb := c.s.newKB(name, description, int(format))
	kb.Space, kb.Owner = space, string(user)
	made := c.s.AddKB(kb)
	return studioOK("success", object{"data": object{"dataset_id": made.ID}, "BaseResp": nil})
}

// updateKB answers PUT /v1/datasets/{id}: a name that is empty is kept, a
// description is not.
func (c *studio) updateKB(r *http.Request, user studioUser, id string) studioAnswer {
	var name, description string
	bind(r, false).read("name", &name).read("description", &description)
	kb := c.s.KB(id)
	switch {
	case !user.owns(kb):
		return studioForeign()
	case id == "0":
		return studioInvalid("knowledge id is empty")
	case kb == nil:
		return studioNoKB()
	case utf8.RuneCountInString(name) > studioMostName:
		return studioTooLong()
	case name == "":
		name = kb.Name
	}
	c.s.rename(id, name, description)
	return studioOK("success", object{"BaseResp": nil})
}

// deleteKB answers DELETE /v1/datasets/{id}.
func (c *studio) deleteKB(_ *http.Request, user studioUser, id string) studioAnswer {
	switch kb := c.s.KB(id); {
	case !user.owns(kb):
		return studioForeign()
	case kb == nil:
		return studioNoKB()
	}
	c.s.RemoveKB(id)
	return studioOK("success", object{"BaseResp": nil})
}

func studioNoKB() studioAnswer {
	return studioError(200, 105000011, "knowledge not exist: knowledge not found")
}

// studioBase is what studio reads of an entry of document_bases: hosted's
// file_base64, web_url and source_file_id are ignored.
type studioBase struct {
	Name   string `json:"name"`
	Source *struct {
		TosURI        string `json:"tos_uri"`
		CustomContent string `json:"custom_content"`
	} `json:"source_info"`
	Columns []studioColumn `json:"table_meta"`
	Caption string         `json:"caption"`
}

// studioColumn is a column of a table.
type studioColumn struct {
	ID         string `json:"id"`
	Name       string `json:"column_name"`
	Semantic   bool   `json:"is_semantic"`
	Sequence   string `json:"sequence"`
	ColumnType int    `json:"column_type"`
	Desc       string `json:"desc"`
}

// createDocuments answers POST /open_api/knowledge/document/create.
func (c *studio) createDocuments(r *http.Request, user studioUser) studioAnswer {
	a := bind(r, false)
	var bases []studioBase
	var format int32
	var strategy struct {
		Caption *int `json:"caption_type"`
	}
	kb := c.s.KB(a.id("dataset_id"))
	a.read("document_bases", &bases).read("format_type", &format).read("chunk_strategy", &strategy)
	switch {
	case !user.owns(kb):
		return studioForeign()
	case kb == nil, len(bases) == 0:
		return studioBroken()
	case format == 2 && strategy.Caption == nil:
		return studioPanic()
	case format == 2 && *strategy.Caption == 0:
		return studioInvalid("auto caption type is not supported")
	}
	docs := make([]world.Document, len(bases))
	for i, b := range bases {
		switch {
		case b.Source == nil:
			return studioPanic()
		case utf8.RuneCountInString(b.Name) > studioMostName:
			return studioTooLong()
		}
		docs[i] = c.document(b, kb, int(format), !a.Has("chunk_strategy"))
	}
	rows := web.Rows(docs, func(d world.Document) object { return c.s.studioStub(c.s.addDocument(d)) })
	return studioOK("", object{"document_infos": rows, "BaseResp": nil})
}

// document is the document of a base. The suffix of the key sets the type; a
// base without content becomes a document that fails.
func (c *studio) document(b studioBase, kb *world.KnowledgeBase, format int, noStrategy bool) world.Document {
	d := world.Document{KB: kb.ID, Name: b.Name, Coze: world.CozeDetail{
		URI: b.Source.TosURI, Kind: []string{"text", "table", "image"}[min(max(format, 0), 2)], Caption: b.Caption, NoStrategy: noStrategy,
	}}
	missing := false
	switch file, ok := c.files.get(b.Source.TosURI); {
	case b.Source.TosURI != "":
		d.Source, d.Format = "file", strings.TrimPrefix(path.Ext(b.Source.TosURI), ".")
		d.Text, d.Size, missing = textOf(file.name, d.Format, file.data), len(file.data), !ok
	case b.Source.CustomContent != "":
		d.Source, d.Format, d.Text, d.Size = "text", "txt", b.Source.CustomContent, len(b.Source.CustomContent)
	default:
		d.Source, missing = "text", true
	}
	if format == 1 {
		for i := range b.Columns {
			b.Columns[i].ID = world.CozeNumber(5_000_000 + i)
		}
		columns, _ := json.Marshal(b.Columns)
		d.Coze.Columns = string(columns)
	}
	d.Plan = studioPlan(d, kb, missing)
	return d
}

// updateDocument answers POST /open_api/knowledge/document/update; update_rule
// is ignored. A table loses the columns that are not named.
func (c *studio) updateDocument(r *http.Request, user studioUser) studioAnswer {
	a := bind(r, true)
	id, name := a.id("document_id"), ""
	var columns []studioColumn
	a.read("document_name", &name).read("table_meta", &columns)
	d := c.s.Document(id)
	switch {
	case d == nil:
		return studioPanic()
	case !c.ownsAll(user, []*world.Document{d}):
		return studioForeign()
	case utf8.RuneCountInString(name) > studioMostName:
		return studioTooLong()
	}
	c.s.Update(id, func(d *world.Document) {
		if a.Has("document_name") {
			d.Name = name
		}
		if kindOf(d) == "table" && len(columns) == 0 {
			d.Coze.Dropped = true // the row goes on showing them
		} else if kindOf(d) == "table" {
			kept, _ := json.Marshal(columns)
			d.Coze.Columns = string(kept)
		}
		d.Updated, d.Coze.Renamed = c.s.Now(), true
	})
	return studioOK("", nil)
}

// deleteDocuments answers POST /open_api/knowledge/document/delete: with one
// foreign id nothing is deleted, and an unknown one counts as deleted.
func (c *studio) deleteDocuments(r *http.Request, user studioUser) studioAnswer {
	var ids []string
	bind(r, true).read("document_ids", &ids)
	docs := studioDocuments(c.s.Store, ids)
	switch {
	case len(ids) == 0, slices.ContainsFunc(ids, func(id string) bool { return !web.Digits(id) }):
		return studioBroken()
	case !c.ownsAll(user, docs):
		return studioForeign()
	}
	for _, d := range docs {
		c.s.Remove(d.ID)
	}
	return studioOK("", object{"BaseResp": nil})
}

// uploadFile answers POST /v1/files/upload.
func (c *studio) uploadFile(r *http.Request, _ studioUser) studioAnswer {
	if err := r.ParseMultipartForm(web.MaxBody); err != nil {
		return studioError(200, 104000005, "multipart form data read failed")
	}
	file, ok := c.files.receive(r)
	if !ok {
		return studioError(200, 104000006, "upload file（open）can't find file")
	}
	return studioOK("", object{"BaseResp": nil, "data": object{
		"id": file.id, "uri": file.uri, "url": studioSigned(file.uri), "file_name": file.name,
		"bytes": len(file.data), "CreatedAt": web.Seconds(c.s.Now()),
	}})
}

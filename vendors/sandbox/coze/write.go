package coze

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// Limits of the hosted face.
const (
	mostBody  = 15_000_000 // bytes of a create request
	mostBases = 10
	mostIDs   = 100
	mostName  = 100 // characters of a knowledge base's name
)

// argsOf reads a JSON body.
func argsOf(r *http.Request) args {
	data, ok := web.Body(r)
	a, err := web.ParseArgs(data)
	if !ok || len(data) > mostBody || err != nil {
		panic(badField("body"))
	}
	return a
}

// createDocuments answers POST /open_api/knowledge/document/create: all
// documents or none.
func (c *hosted) createDocuments(r *http.Request) object {
	a := argsOf(r)
	id, err := a.ID("dataset_id")
	if err != nil || id == "" {
		panic(badField("dataset_id"))
	}
	kb := c.s.KB(id)
	if kb == nil {
		panic(notFound())
	}
	var strategy struct {
		Caption int `json:"caption_type"` // 0: the platform describes images by itself
	}
	format, err := a.Int("format_type", 0)
	switch {
	case err != nil || format != formatOf(kb.Kind) || format == 1:
		panic(badField("format_type"))
	case a.Has("chunk_strategy") && json.Unmarshal(a["chunk_strategy"], &strategy) != nil,
		!a.Has("chunk_strategy") && c.s.Documents(id).Len() == 0: // the later ones take the first's
		panic(badField("chunk_strategy"))
	}
	var bases []base
	if json.Unmarshal(a["document_bases"], &bases) != nil || len(bases) == 0 || len(bases) > mostBases {
		panic(badField("document_bases"))
	}
	docs := make([]world.Document, len(bases))
	for i, b := range bases {
		docs[i] = c.document(b, kb)
		if kb.Kind == "image" && docs[i].Coze.Caption == "" && strategy.Caption == 0 {
			docs[i].Coze.Caption = "A picture: " + b.Name
		}
	}
	rows := []object{}
	for _, d := range docs {
		row := stub(c.s.addDocument(d))
		if r.Header.Get("Agw-Js-Conv") != "str" {
			row["document_id"] = json.Number(row["document_id"].(string))
		}
		rows = append(rows, row)
	}
	return object{"document_infos": rows}
}

// base is one entry of document_bases.
type base struct {
	Name   string `json:"name"`
	Source struct {
		FileBase64     []byte          `json:"file_base64"`
		FileType       string          `json:"file_type"`
		WebURL         string          `json:"web_url"`
		SourceFileID   json.RawMessage `json:"source_file_id"`
		DocumentSource int             `json:"document_source"`
	} `json:"source_info"`
	Rule    rule   `json:"update_rule"`
	Caption string `json:"caption"`
}

// rule is when a web page is fetched again.
type rule struct {
	Type     int `json:"update_type"`
	Interval int `json:"update_interval"`
}

// hours is the interval, 0 for never.
func (r rule) hours() int {
	if r.Type != 1 {
		return 0
	}
	return r.Interval
}

// document is the document to be made of a base. Images come as files that were
// uploaded before.
func (c *hosted) document(b base, kb *world.KnowledgeBase) world.Document {
	d := world.Document{KB: kb.ID, Name: b.Name, Coze: world.CozeDetail{Kind: kb.Kind, Caption: b.Caption}}
	isImage := kb.Kind == "image"
	switch s := b.Source; {
	case b.Name == "":
		panic(badField("name"))
	case s.DocumentSource == 0 && !isImage && len(s.FileBase64) > 0 && slices.Contains([]string{"pdf", "txt", "doc", "docx"}, s.FileType):
		d.Source, d.Format, d.Size = "file", s.FileType, len(s.FileBase64)
		d.Text = textOf(b.Name, s.FileType, s.FileBase64)
	case s.DocumentSource == 1 && !isImage && (strings.HasPrefix(s.WebURL, "http://") || strings.HasPrefix(s.WebURL, "https://")):
		d.Source, d.URL, d.Text = "web", s.WebURL, "Text of the page "+s.WebURL
		d.Size, d.Coze.Interval = len(d.Text), b.Rule.hours()
	case s.DocumentSource == 5:
		id, _ := web.ParseID(s.SourceFileID)
		file, ok := c.files.getID(id)
		d.Source, d.Format, d.Size = "file", world.Suffix(file.name), len(file.data)
		if !ok || isImage != (suffixFormat(d.Format) == 2) {
			panic(badField("source_info"))
		}
		d.Text = textOf(file.name, d.Format, file.data)
	default:
		panic(badField("source_info"))
	}
	return d
}

// caption answers PUT /v1/datasets/{id}/images/{document}.
func (c *hosted) caption(r *http.Request) object {
	kb, id := r.PathValue("id"), r.PathValue("document")
	a := argsOf(r)
	caption, err := a.Text("caption")
	if err != nil {
		panic(badField("caption"))
	}
	if d := c.s.Document(id); d == nil || d.KB != kb || kindOf(d) != "image" {
		panic(notFound())
	}
	c.s.Update(id, func(d *world.Document) { d.Coze.Caption, d.Updated = caption, c.s.Now() })
	return nil
}

// updateDocument answers POST /open_api/knowledge/document/update.
func (c *hosted) updateDocument(r *http.Request) object {
	a := argsOf(r)
	id, err := a.ID("document_id")
	name, err2 := a.Text("document_name")
	var rule rule
	if a.Has("update_rule") && json.Unmarshal(a["update_rule"], &rule) != nil {
		panic(badField("update_rule"))
	}
	switch {
	case err != nil || id == "":
		panic(badField("document_id"))
	case err2 != nil && err2 != web.ErrNotGiven || err2 == nil && name == "":
		panic(badField("document_name"))
	case !c.s.renameDocument(id, name):
		panic(notFound())
	}
	c.s.Update(id, func(d *world.Document) { d.Coze.Interval = rule.hours() }) // none is the default
	return nil
}

// renameDocument renames a document when a name is given.
func (s *tables) renameDocument(id, name string) bool {
	return s.Update(id, func(d *world.Document) {
		if name != "" {
			d.Name, d.Updated = name, s.Now()
		}
	}) != nil
}

// deleteDocuments answers POST /open_api/knowledge/document/delete: with one
// unknown id nothing is deleted.
func (c *hosted) deleteDocuments(r *http.Request) object {
	a := argsOf(r)
	ids, err := a.IDs("document_ids")
	if err != nil || len(ids) == 0 || len(ids) > mostIDs {
		panic(badField("document_ids"))
	}
	for _, id := range ids {
		if c.s.Document(id) == nil {
			panic(notFound())
		}
	}
	for _, id := range ids {
		c.s.Remove(id)
	}
	return nil
}

// uploadFile answers POST /v1/files/upload.
func (c *hosted) uploadFile(r *http.Request) object {
	file, ok := c.files.receive(r)
	if !ok {
		panic(badField("file"))
	}
	return object{"data": file.row(web.Seconds(c.s.Now()))}
}

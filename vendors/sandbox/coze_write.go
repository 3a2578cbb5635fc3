package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Limits of the hosted face.
const (
	cozeMostBody  = 15_000_000 // bytes of a create request
	cozeMostBases = 10
	cozeMostIDs   = 100
	cozeMostName  = 100 // characters of a knowledge base's name
)

// cozeDatasetPath takes the id out of /v1/datasets/{id}.
func cozeDatasetPath(path string) (id string, ok bool) {
	id, ok = strings.CutPrefix(path, "/v1/datasets/")
	if !ok || strings.Contains(id, "/") {
		return "", false
	}
	return id, id != ""
}

// writeRoute finds the call that changes something, and its permission.
func (c *cozeFace) writeRoute(r *http.Request) (cozeAnswer, string) {
	switch r.Method + " " + r.URL.Path {
	case "POST /v1/datasets":
		return c.createKB, "createKnowledge"
	case "POST /open_api/knowledge/document/create":
		return c.createDocuments, "createDocument"
	case "POST /open_api/knowledge/document/update":
		return c.updateDocument, "updateDocument"
	case "POST /open_api/knowledge/document/delete":
		return c.deleteDocuments, "deleteDocument"
	case "POST /v1/files/upload":
		return c.uploadFile, "uploadFile"
	}
	if rest, document, found := strings.Cut(r.URL.Path, "/images/"); found && r.Method == http.MethodPut {
		if kb, ok := cozeDatasetPath(rest); ok && document != "" {
			return func(r *http.Request) (object, *cozeRefusal) { return c.caption(r, kb, document) }, "updatePhoto"
		}
	}
	id, ok := cozeDatasetPath(r.URL.Path)
	switch {
	case ok && r.Method == http.MethodPut:
		return func(r *http.Request) (object, *cozeRefusal) { return c.updateKB(r, id) }, "update"
	case ok && r.Method == http.MethodDelete:
		return func(*http.Request) (object, *cozeRefusal) { return c.deleteKB(id) }, "delete"
	}
	return nil, ""
}

// cozeArgs reads a JSON body.
func cozeArgs(r *http.Request) (args, *cozeRefusal) {
	data, ok := body(r)
	a, err := parseArgs(data)
	if !ok || len(data) > cozeMostBody || err != nil {
		return nil, cozeBadField("body")
	}
	return a, nil
}

// createDocuments answers POST /open_api/knowledge/document/create: all
// documents or none.
func (c *cozeFace) createDocuments(r *http.Request) (object, *cozeRefusal) {
	a, no := cozeArgs(r)
	if no != nil {
		return nil, no
	}
	id, err := a.id("dataset_id")
	if err != nil || id == "" {
		return nil, cozeBadField("dataset_id")
	}
	kb := c.s.store.KB(Coze, id)
	if kb == nil {
		return nil, cozeNotFound()
	}
	var strategy struct {
		Caption int `json:"caption_type"` // 0: the platform describes images by itself
	}
	format, err := a.integer("format_type", 0)
	switch {
	case err != nil || format != cozeFormat(kb.Kind) || format == 1:
		return nil, cozeBadField("format_type")
	case a.has("chunk_strategy") && json.Unmarshal(a["chunk_strategy"], &strategy) != nil,
		!a.has("chunk_strategy") && c.s.store.Documents(Coze, id).Len() == 0: // the later ones take the first's
		return nil, cozeBadField("chunk_strategy")
	}
	var bases []cozeBase
	if json.Unmarshal(a["document_bases"], &bases) != nil || len(bases) == 0 || len(bases) > cozeMostBases {
		return nil, cozeBadField("document_bases")
	}
	docs := make([]Document, len(bases))
	for i, b := range bases {
		if docs[i], no = c.document(b, kb); no != nil {
			return nil, no
		}
		if kb.Kind == "image" && docs[i].Coze.Caption == "" && strategy.Caption == 0 {
			docs[i].Coze.Caption = "A picture: " + b.Name
		}
	}
	rows := []object{}
	for _, d := range docs {
		row := cozeStub(c.s.cozeAdd(d))
		if r.Header.Get("Agw-Js-Conv") != "str" {
			row["document_id"] = json.Number(row["document_id"].(string))
		}
		rows = append(rows, row)
	}
	return object{"document_infos": rows}, nil
}

// cozeBase is one entry of document_bases.
type cozeBase struct {
	Name   string `json:"name"`
	Source struct {
		FileBase64     []byte          `json:"file_base64"`
		FileType       string          `json:"file_type"`
		WebURL         string          `json:"web_url"`
		SourceFileID   json.RawMessage `json:"source_file_id"`
		DocumentSource int             `json:"document_source"`
	} `json:"source_info"`
	Rule    cozeRule `json:"update_rule"`
	Caption string   `json:"caption"`
}

// cozeRule is when a web page is fetched again.
type cozeRule struct {
	Type     int `json:"update_type"`
	Interval int `json:"update_interval"`
}

// hours is the interval, 0 for never.
func (r cozeRule) hours() int {
	if r.Type != 1 {
		return 0
	}
	return r.Interval
}

// document is the document to be made of a base. Images come as files that were
// uploaded before.
func (c *cozeFace) document(b cozeBase, kb *KnowledgeBase) (Document, *cozeRefusal) {
	d := Document{KB: kb.ID, Name: b.Name, Coze: CozeDetail{Kind: kb.Kind, Caption: b.Caption}}
	isImage := kb.Kind == "image"
	switch s := b.Source; {
	case b.Name == "":
		return d, cozeBadField("name")
	case s.DocumentSource == 0 && !isImage && len(s.FileBase64) > 0 && slices.Contains([]string{"pdf", "txt", "doc", "docx"}, s.FileType):
		d.Source, d.Format, d.Size = "file", s.FileType, len(s.FileBase64)
		d.Text = cozeText(b.Name, s.FileType, s.FileBase64)
	case s.DocumentSource == 1 && !isImage && (strings.HasPrefix(s.WebURL, "http://") || strings.HasPrefix(s.WebURL, "https://")):
		d.Source, d.URL, d.Text = "web", s.WebURL, "Text of the page "+s.WebURL
		d.Size, d.Coze.Interval = len(d.Text), b.Rule.hours()
	case s.DocumentSource == 5:
		id, _ := idOf(s.SourceFileID)
		file, ok := c.files.getID(id)
		d.Source, d.Format, d.Size = "file", suffix(file.name), len(file.data)
		if !ok || isImage != (cozeDocFormat(d.Format) == 2) {
			return d, cozeBadField("source_info")
		}
		d.Text = cozeText(file.name, d.Format, file.data)
	default:
		return d, cozeBadField("source_info")
	}
	return d, nil
}

// caption answers PUT /v1/datasets/{id}/images/{document}.
func (c *cozeFace) caption(r *http.Request, kb, id string) (object, *cozeRefusal) {
	a, no := cozeArgs(r)
	if no != nil {
		return nil, no
	}
	caption, err := a.text("caption")
	if err != nil {
		return nil, cozeBadField("caption")
	}
	if d := c.s.store.Document(Coze, id); d == nil || d.KB != kb || cozeDocKind(d) != "image" {
		return nil, cozeNotFound()
	}
	c.s.store.Update(Coze, id, func(d *Document) { d.Coze.Caption, d.Updated = caption, c.s.now() })
	return nil, nil
}

// updateDocument answers POST /open_api/knowledge/document/update.
func (c *cozeFace) updateDocument(r *http.Request) (object, *cozeRefusal) {
	a, no := cozeArgs(r)
	if no != nil {
		return nil, no
	}
	id, err := a.id("document_id")
	name, err2 := a.text("document_name")
	var rule cozeRule
	if a.has("update_rule") && json.Unmarshal(a["update_rule"], &rule) != nil {
		return nil, cozeBadField("update_rule")
	}
	switch {
	case err != nil || id == "":
		return nil, cozeBadField("document_id")
	case err2 != nil && err2 != errNotGiven || err2 == nil && name == "":
		return nil, cozeBadField("document_name")
	case !cozeRenameDocument(c.s, id, name):
		return nil, cozeNotFound()
	}
	c.s.store.Update(Coze, id, func(d *Document) { d.Coze.Interval = rule.hours() }) // none is the default
	return nil, nil
}

// cozeRenameDocument renames a document when a name is given.
func cozeRenameDocument(s *Sandbox, id, name string) bool {
	return s.store.Update(Coze, id, func(d *Document) {
		if name != "" {
			d.Name, d.Updated = name, s.now()
		}
	}) != nil
}

// deleteDocuments answers POST /open_api/knowledge/document/delete: with one
// unknown id nothing is deleted.
func (c *cozeFace) deleteDocuments(r *http.Request) (object, *cozeRefusal) {
	a, no := cozeArgs(r)
	if no != nil {
		return nil, no
	}
	ids, err := a.ids("document_ids")
	if err != nil || len(ids) == 0 || len(ids) > cozeMostIDs {
		return nil, cozeBadField("document_ids")
	}
	for _, id := range ids {
		if c.s.store.Document(Coze, id) == nil {
			return nil, cozeNotFound()
		}
	}
	for _, id := range ids {
		c.s.store.Remove(Coze, id)
	}
	return nil, nil
}

// uploadFile answers POST /v1/files/upload.
func (c *cozeFace) uploadFile(r *http.Request) (object, *cozeRefusal) {
	file, ok := c.files.receive(r)
	if !ok {
		return nil, cozeBadField("file")
	}
	return object{"data": file.row(seconds(c.s.now()))}, nil
}

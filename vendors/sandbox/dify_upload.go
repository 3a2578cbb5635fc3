package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Types and size that the face takes, as a server without the Unstructured
// extractor does.
const (
	difySuffixes = "txt markdown md mdx pdf html htm xlsx xls docx csv vtt properties"
	difyMaxFile  = 15 << 20
)

// difyContent is what an upload brings: its name, text and options.
type difyContent struct {
	name, format, text string
	size               int
	asText             bool
	args               args
	rule               *difyRule // nil for none
}

// createByText answers POST /datasets/{id}/document/create-by-text.
func (f *difyFace) createByText(r difyAsk) difyReply {
	const missing = "Missing required parameter in the JSON body"
	fields := []difyField{{name: "name", required: true, text1x: missing}, {name: "text", required: true, text1x: missing}}
	a, bad := f.check(r.Request, "DocumentTextCreatePayload", fields...)
	if bad != nil {
		return *bad
	}
	technique, _ := a.text("indexing_technique")
	switch {
	case f.opts.Plan != "":
		return difyError(403, "forbidden", f.opts.Plan)
	case r.kb.dify.provider == "external" && f.since(1, 13, 0):
		return difyInvalid("External datasets are not supported.")
	case r.kb.Technique == "" && technique == "" && f.since(1, 12, 0):
		return difyBroken()
	case r.kb.Technique == "" && technique == "":
		return difyInvalid("indexing_technique is required.")
	}
	c := difyContent{format: "txt", asText: true, args: a}
	c.name, _ = a.text("name")
	c.text, _ = a.text("text")
	c.size = len(c.text)
	if bad := f.config(&c, technique); bad != nil {
		return *bad
	}
	if !f.since(1, 12, 0) && c.rule == nil && !a.has("original_document_id") { // it looks for the latest one only where there is no member
		return difyBroken()
	}
	return f.create(r, c, technique)
}

// createByFile answers POST /datasets/{id}/document/create-by-file. The technique
// may be left out where the knowledge base has one.
func (f *difyFace) createByFile(r difyAsk) difyReply {
	if f.opts.Plan != "" {
		return difyError(403, "forbidden", f.opts.Plan)
	}
	form, bad := f.form(r.Request)
	if bad != nil {
		return *bad
	}
	defer form.RemoveAll()
	technique, _ := form.args.text("indexing_technique")
	if technique = cmp.Or(technique, r.kb.Technique); technique == "" {
		return difyInvalid("indexing_technique is required.")
	}
	c, bad := form.content()
	switch {
	case bad != nil && bad.status == http.StatusUnsupportedMediaType: // unlike update-by-file
		return difyInvalid("")
	case bad != nil:
		return *bad
	}
	if bad := f.config(&c, technique); bad != nil {
		return *bad
	}
	if !f.since(1, 12, 0) && c.rule == nil && r.kb.dify.rule == nil && f.s.store.Documents(Dify, r.kb.ID).Len() == 0 && !c.args.has("original_document_id") {
		return difyInvalid("process_rule is required.")
	}
	return f.create(r, c, technique)
}

// config checks the options of a new document.
func (f *difyFace) config(c *difyContent, technique string) *difyReply {
	raw, given := c.args["indexing_technique"]
	var no difyReply
	switch {
	case technique == "" && !given && f.since(1, 12, 0):
		no = difyValidation("KnowledgeConfig", "indexing_technique", "Field required", "missing", "{...}", "dict")
		return &no
	case technique != "economy" && technique != "high_quality":
		if !given {
			raw = json.RawMessage("null")
		}
		value, typ := pythonValue(raw)
		no = difyValidation("KnowledgeConfig", "indexing_technique", "Input should be 'high_quality' or 'economy'", "literal_error", value, typ)
		return &no
	}
	return f.splitting(c)
}

// splitting reads the rule that a body brings.
func (f *difyFace) splitting(c *difyContent) *difyReply {
	if !c.args.has("process_rule") {
		return nil
	}
	rule, err := parseArgs(c.args["process_rule"])
	mode, _ := rule.text("mode")
	var no difyReply
	switch {
	case err != nil || !slices.Contains([]string{"automatic", "custom", "hierarchical"}, mode):
		no = difyValidation("KnowledgeConfig", "process_rule.mode", "Input should be 'automatic', 'custom' or 'hierarchical'", "literal_error", "'"+mode+"'", "str")
		return &no
	case mode == "automatic":
		c.rule = &difyRule{mode: mode, rules: difyAutomatic.rules}
	case !rule.has("rules"):
		no = difyInvalid("Process rule rules is required")
		return &no
	default:
		c.rule = &difyRule{mode: mode, rules: rule["rules"]}
	}
	c.rule.number = f.more.next()
	return nil
}

// create adds a document, or puts its content into the one that is named or that
// is enabled and has its name.
func (f *difyFace) create(r difyAsk, c difyContent, technique string) difyReply {
	kb, docs := r.kb, f.s.store.Documents(Dify, r.kb.ID)
	form, _ := c.args.text("doc_form")
	form = cmp.Or(form, "text_model")
	if own := difyFormOf(docs); own != "" && own != form {
		return difyInvalid("doc_form is different from the dataset doc_form.")
	}
	f.s.store.UpdateKB(Dify, kb.ID, func(kb *KnowledgeBase) {
		kb.Technique, kb.dify.dataSource = cmp.Or(kb.Technique, technique), true
		kb.dify.rule = cmp.Or(c.rule, kb.dify.rule, difyAutomatic)
	})
	if id, err := c.args.text("original_document_id"); err == nil {
		return f.update(r, strings.ToLower(id), c)
	}
	replaces := string(c.args["duplicate"]) != "false"
	for i := range docs.Len() {
		if d := docs.At(i); replaces && d.Name == c.name && !d.Disabled && difySource(d.Source) == "upload_file" {
			return f.replace(d, c)
		}
	}
	now := f.s.now()
	d := f.s.store.Add(Document{
		Platform: Dify, KB: kb.ID, Name: c.name, Format: c.format, Source: "file", Size: c.size, Text: c.text,
		Created: now, Updated: now, Started: now, dify: difyPart{form: form, text: c.asText, uploaded: now, rule: c.rule},
	})
	plan := difyLife(d.Seq)
	if d.Seq%8 == 5 { // one in eight
		plan = Failing("", "Unsupported file type")
	}
	d = f.s.store.Update(Dify, d.ID, func(d *Document) { d.Plan = plan.sped(f.s.opts.Speed) })
	return f.uploaded(d)
}

// difyLife is the life of an upload: indexing takes four to eight seconds.
func difyLife(seq int) Plan {
	p := Normal()
	p.Stages[len(p.Stages)-1].For = time.Duration(4+seq%5) * time.Second
	return p
}

// replace gives a document new content under its id, and a new batch. What an
// earlier ingestion left behind stays until this one has passed it.
func (f *difyFace) replace(old *Document, c difyContent) difyReply {
	now, st := f.s.now(), f.s.state(old)
	batch := batchID(now, old.Seq)
	for n := 1; len(f.s.store.Batch(Dify, batch)) > 0; n++ {
		batch = batchID(now, old.Seq+n)
	}
	d := f.s.store.Update(Dify, old.ID, func(d *Document) {
		d.Name, d.Format, d.Text, d.Size, d.Pieces, d.Edited = c.name, c.format, c.text, c.size, 0, nil
		d.Batch, d.Updated, d.Started, d.Plan = batch, now, now, difyLife(d.Seq).sped(f.s.opts.Speed)
		d.dify.text, d.dify.uploaded, d.dify.rule, d.dify.children = c.asText, now, cmp.Or(c.rule, d.dify.rule), nil
		if st.Phase == Completed {
			d.Earlier = st.Ended
		}
	})
	return f.uploaded(d)
}

// uploaded is the answer to every upload.
func (f *difyFace) uploaded(d *Document) difyReply {
	if d == nil { // deleted by another call meanwhile
		return difyNoDocument()
	}
	kb := f.s.store.KB(Dify, d.KB)
	if kb == nil {
		return difyError(404, "not_found", "Dataset not found.")
	}
	return difyReply{200, object{"document": f.listRow(kb, f.s.store.Documents(Dify, d.KB), d), "batch": d.Batch}}
}

// updateByText answers POST /datasets/{id}/documents/{document}/update-by-text.
func (f *difyFace) updateByText(r difyAsk) difyReply {
	a, bad := f.check(r.Request, "DocumentTextUpdate", difyField{name: "name", nullable: true}, difyField{name: "text", nullable: true})
	if bad != nil {
		return *bad
	}
	c := difyContent{format: "txt", asText: true, args: a}
	switch {
	case a.has("text") && !a.has("name"):
		if !f.since(1, 12, 0) {
			return difyInvalid("Both text and name must be strings.")
		}
		return difyValidation("DocumentTextUpdate", "", "Value error, name is required when text is provided", "value_error", string(a["text"]), "dict")
	case !a.has("text") && !a.has("process_rule"):
		return difyInvalid("Data source or Process rule is required")
	}
	if bad := f.splitting(&c); bad != nil {
		return *bad
	}
	c.name, _ = a.text("name")
	c.text, _ = a.text("text")
	c.size = len(c.text)
	if !a.has("text") { // the same content, by another rule
		if d := f.in(r); d != nil {
			c.name, c.text, c.size, c.format, c.asText = cmp.Or(c.name, d.Name), d.Text, d.Size, d.Format, d.dify.text
		}
	}
	return f.update(r, r.ids[0], c)
}

// updateByFile answers POST /datasets/{id}/documents/{document}/update-by-file.
func (f *difyFace) updateByFile(r difyAsk) difyReply {
	form, bad := f.form(r.Request)
	if bad != nil {
		return *bad
	}
	defer form.RemoveAll()
	c, bad := form.content()
	if bad != nil && bad.body.(object)["code"] == "no_file_uploaded" { // the same content, by another rule
		d := f.in(r)
		switch c.args = form.args; {
		case !c.args.has("process_rule"):
			return difyInvalid("Data source or Process rule is required")
		case d == nil:
			return difyError(404, "not_found", "Document not found")
		}
		c.name, c.text, c.size, c.format, c.asText, bad = d.Name, d.Text, d.Size, d.Format, d.dify.text, nil
	}
	if bad == nil {
		bad = f.splitting(&c)
	}
	if bad != nil {
		return *bad
	}
	return f.update(r, r.ids[0], c)
}

// update gives a document new content, if it may have some.
func (f *difyFace) update(r difyAsk, id string, c difyContent) difyReply {
	d := f.s.store.Document(Dify, id)
	switch {
	case d == nil || d.KB != r.kb.ID:
		return difyError(404, "not_found", "Document not found")
	case difyDisplay(d, f.s.state(d)) != "available":
		return difyInvalid("Document is not available")
	}
	return f.replace(d, c)
}

// difyForm is a multipart body.
type difyForm struct {
	*http.Request
	args args
}

// RemoveAll drops the files that were kept of the form.
func (m difyForm) RemoveAll() {
	if m.MultipartForm != nil {
		m.MultipartForm.RemoveAll()
	}
}

// form reads a multipart body and the options in it.
func (f *difyFace) form(r *http.Request) (difyForm, *difyReply) {
	m := difyForm{r, args{}}
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			no := difyError(413, "request_entity_too_large", "The data value transmitted exceeds the capacity limit.")
			return m, &no
		}
		return m, nil // no form: neither options nor a file
	}
	if data := r.FormValue("data"); data != "" && json.Unmarshal([]byte(data), &m.args) != nil {
		no := difyInvalid("Expecting value: line 1 column 1 (char 0)")
		return m, &no
	}
	return m, nil
}

// content reads the file of a form.
func (m difyForm) content() (c difyContent, bad *difyReply) {
	refuse := func(status int, code, message string) (difyContent, *difyReply) {
		no := difyError(status, code, message)
		return c, &no
	}
	if m.MultipartForm == nil || len(m.MultipartForm.File["file"]) == 0 {
		return refuse(400, "no_file_uploaded", "Please upload your file.")
	}
	files := m.MultipartForm.File["file"]
	if len(m.MultipartForm.File) > 1 || len(files) > 1 {
		return refuse(400, "too_many_files", "Only one file is allowed.")
	}
	c.args, c.name, c.format = m.args, files[0].Filename, suffix(files[0].Filename)
	if !slices.Contains(strings.Fields(difySuffixes), c.format) || files[0].Size > difyMaxFile {
		return refuse(415, "unsupported_file_type", "File type not allowed.")
	}
	file, err := files[0].Open()
	if err != nil {
		return refuse(500, "internal_server_error", "The file could not be read.")
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return refuse(500, "internal_server_error", "The file could not be read.")
	}
	c.text, c.size = string(text), len(text)
	return c, nil
}

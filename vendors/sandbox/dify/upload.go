package dify

import (
	"cmp"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/world"
)

// Types and size that the face takes, as a server without the Unstructured
// extractor does.
const (
	suffixes = "txt markdown md mdx pdf html htm xlsx xls docx csv vtt properties"
	maxFile  = 15 << 20
)

// content is what an upload brings: its name, text and options.
type content struct {
	name, format, text string
	size               int
	asText             bool
	args               args
	rule               *world.DifyRule // nil for none
}

// createByText answers POST /datasets/{id}/document/create-by-text.
func (f *face) createByText(r request) reply {
	const old = "Missing required parameter in the JSON body"
	a := f.check(r.Request, "DocumentTextCreatePayload", field{name: "name", required: true, text1x: old}, field{name: "text", required: true, text1x: old})
	technique := a.Str("indexing_technique")
	switch {
	case f.opts.Plan != "":
		return problem(403, "forbidden", f.opts.Plan)
	case r.kb.Dify.Provider == "external" && f.since(1, 13, 0):
		return invalid("External datasets are not supported.")
	case r.kb.Technique == "" && technique == "" && f.since(1, 12, 0):
		return broken()
	case r.kb.Technique == "" && technique == "":
		return invalid("indexing_technique is required.")
	}
	c := content{name: a.Str("name"), text: a.Str("text"), size: len(a.Str("text")), format: "txt", asText: true, args: a}
	f.config(&c, technique)
	if !f.since(1, 12, 0) && c.rule == nil && !a.Has("original_document_id") { // it looks for the latest one only where there is no member
		return broken()
	}
	return f.create(r, c, technique)
}

// createByFile answers POST /datasets/{id}/document/create-by-file. The technique
// may be left out where the knowledge base has one.
func (f *face) createByFile(r request) reply {
	if f.opts.Plan != "" {
		return problem(403, "forbidden", f.opts.Plan)
	}
	form := f.form(r.Request)
	defer form.RemoveAll()
	technique, _ := form.args.Text("indexing_technique")
	if technique = cmp.Or(technique, r.kb.Technique); technique == "" {
		return invalid("indexing_technique is required.")
	}
	c := form.content(invalid("")) // unlike update-by-file
	f.config(&c, technique)
	if !f.since(1, 12, 0) && c.rule == nil && r.kb.Dify.Rule == nil && f.s.Documents(r.kb.ID).Len() == 0 && !c.args.Has("original_document_id") {
		return invalid("process_rule is required.")
	}
	return f.create(r, c, technique)
}

// config checks the options of a new document.
func (f *face) config(c *content, technique string) {
	raw, given := c.args["indexing_technique"]
	switch {
	case technique == "" && !given && f.since(1, 12, 0):
		panic(validation("KnowledgeConfig", "indexing_technique", "Field required", "missing", "{...}", "dict"))
	case technique != "economy" && technique != "high_quality":
		if !given {
			raw = json.RawMessage("null")
		}
		value, typ := pythonValue(raw)
		panic(validation("KnowledgeConfig", "indexing_technique", "Input should be 'high_quality' or 'economy'", "literal_error", value, typ))
	}
	f.splitting(c)
}

// splitting reads the rule that a body brings.
func (f *face) splitting(c *content) {
	if !c.args.Has("process_rule") {
		return
	}
	rule, err := web.ParseArgs(c.args["process_rule"])
	mode := rule.Str("mode")
	c.rule = &world.DifyRule{Mode: mode, Rules: rule["rules"]}
	switch {
	case err != nil || !slices.Contains([]string{"automatic", "custom", "hierarchical"}, mode):
		panic(validation("KnowledgeConfig", "process_rule.mode", "Input should be 'automatic', 'custom' or 'hierarchical'", "literal_error", "'"+mode+"'", "str"))
	case mode == "automatic":
		c.rule.Rules = automatic.Rules
	case !rule.Has("rules"):
		panic(invalid("Process rule rules is required"))
	}
	c.rule.Number = f.more.next()
}

// create adds a document, or puts its content into the one that is named or that
// is enabled and has its name.
func (f *face) create(r request, c content, technique string) reply {
	kb, docs := r.kb, f.s.Documents(r.kb.ID)
	form, _ := c.args.Text("doc_form")
	form = cmp.Or(form, "text_model")
	if own := formOf(docs); own != "" && own != form {
		return invalid("doc_form is different from the dataset doc_form.")
	}
	f.s.UpdateKB(kb.ID, func(kb *world.KnowledgeBase) {
		kb.Technique, kb.Dify.DataSource = cmp.Or(kb.Technique, technique), true
		kb.Dify.Rule = cmp.Or(c.rule, kb.Dify.Rule, automatic)
	})
	if id, err := c.args.Text("original_document_id"); err == nil {
		return f.update(r, strings.ToLower(id), c)
	}
	replaces := string(c.args["duplicate"]) != "false"
	for d := range docs.All() {
		if replaces && d.Name == c.name && !d.Disabled && source(d.Source) == "upload_file" {
			return f.replace(d, c)
		}
	}
	now := f.s.Now()
	d := f.s.Add(world.Document{
		KB: kb.ID, Name: c.name, Format: c.format, Source: "file", Size: c.size, Text: c.text,
		Created: now, Updated: now, Started: now, Dify: world.DifyPart{Form: form, Text: c.asText, Uploaded: now, Rule: c.rule},
	})
	plan := life(d.Seq)
	if d.Seq%8 == 5 { // one in eight
		plan = world.Failing("", "Unsupported file type")
	}
	d = f.s.Update(d.ID, func(d *world.Document) { d.Plan = plan.Sped(f.s.Speed()) })
	return f.uploaded(d)
}

// life is the life of an upload: indexing takes four to eight seconds.
func life(seq int) world.Plan {
	p := world.Normal()
	p.Stages[len(p.Stages)-1].For = time.Duration(4+seq%5) * time.Second
	return p
}

// replace gives a document new content under its id, and a new batch. What an
// earlier ingestion left behind stays until this one has passed it.
func (f *face) replace(old *world.Document, c content) reply {
	now, st := f.s.Now(), f.s.State(old)
	batch := world.BatchID(now, old.Seq)
	for n := 1; len(f.s.Batch(batch)) > 0; n++ {
		batch = world.BatchID(now, old.Seq+n)
	}
	d := f.s.Update(old.ID, func(d *world.Document) {
		d.Name, d.Format, d.Text, d.Size, d.Pieces, d.Edited = c.name, c.format, c.text, c.size, 0, nil
		d.Batch, d.Updated, d.Started, d.Plan = batch, now, now, life(d.Seq).Sped(f.s.Speed())
		d.Dify.Text, d.Dify.Uploaded, d.Dify.Rule, d.Dify.Children = c.asText, now, cmp.Or(c.rule, d.Dify.Rule), nil
		if st.Phase == world.Completed {
			d.Earlier = st.Ended
		}
	})
	return f.uploaded(d)
}

// uploaded is the answer to every upload.
func (f *face) uploaded(d *world.Document) reply {
	if d == nil { // deleted by another call meanwhile
		return noDocument()
	}
	kb := f.s.KB(d.KB)
	if kb == nil {
		return problem(404, "not_found", "Dataset not found.")
	}
	return reply{200, object{"document": f.listRow(kb, f.s.Documents(d.KB), d), "batch": d.Batch}}
}

// updateByText answers POST /datasets/{id}/documents/{document}/update-by-text.
func (f *face) updateByText(r request) reply {
	a := f.check(r.Request, "DocumentTextUpdate", field{name: "name", nullable: true}, field{name: "text", nullable: true})
	c := content{name: a.Str("name"), text: a.Str("text"), size: len(a.Str("text")), format: "txt", asText: true, args: a}
	switch {
	case a.Has("text") && !a.Has("name"):
		if !f.since(1, 12, 0) {
			return invalid("Both text and name must be strings.")
		}
		return validation("DocumentTextUpdate", "", "Value error, name is required when text is provided", "value_error", string(a["text"]), "dict")
	case !a.Has("text") && !a.Has("process_rule"):
		return invalid("Data source or Process rule is required")
	}
	if d := f.in(r); d != nil && !a.Has("text") { // the same content, by another rule
		c = contentOf(d, a)
		c.name = cmp.Or(a.Str("name"), d.Name)
	}
	f.splitting(&c)
	return f.update(r, r.ids[0], c)
}

// updateByFile answers POST /datasets/{id}/documents/{document}/update-by-file.
func (f *face) updateByFile(r request) reply {
	form := f.form(r.Request)
	defer form.RemoveAll()
	var c content
	if len(form.files()) > 0 {
		c = form.content(problem(415, "unsupported_file_type", "File type not allowed."))
	} else { // the same content, by another rule
		d := f.in(r)
		switch {
		case !form.args.Has("process_rule"):
			return invalid("Data source or Process rule is required")
		case d == nil:
			return problem(404, "not_found", "Document not found")
		}
		c = contentOf(d, form.args)
	}
	f.splitting(&c)
	return f.update(r, r.ids[0], c)
}

// contentOf is the content that a document has.
func contentOf(d *world.Document, a args) content {
	return content{name: d.Name, text: d.Text, size: d.Size, format: d.Format, asText: d.Dify.Text, args: a}
}

// update gives a document new content, if it may have some.
func (f *face) update(r request, id string, c content) reply {
	d := f.s.Document(id)
	switch {
	case d == nil || d.KB != r.kb.ID:
		return problem(404, "not_found", "Document not found")
	case display(d, f.s.State(d)) != "available":
		return invalid("Document is not available")
	}
	return f.replace(d, c)
}

// form is a multipart body.
type form struct {
	*http.Request
	args args
}

// RemoveAll drops the files that were kept of the form.
func (m form) RemoveAll() {
	if m.MultipartForm != nil {
		m.MultipartForm.RemoveAll()
	}
}

// files are the files of the form.
func (m form) files() []*multipart.FileHeader {
	if m.MultipartForm == nil {
		return nil
	}
	return m.MultipartForm.File["file"]
}

// form reads a multipart body and the options in it.
func (f *face) form(r *http.Request) form {
	m := form{r, args{}}
	r.Body = http.MaxBytesReader(nil, r.Body, web.MaxBody)
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			panic(problem(413, "request_entity_too_large", "The data value transmitted exceeds the capacity limit."))
		}
		return m // no form: neither options nor a file
	}
	if data := r.FormValue("data"); data != "" && json.Unmarshal([]byte(data), &m.args) != nil {
		panic(invalid("Expecting value: line 1 column 1 (char 0)"))
	}
	return m
}

// content reads the file of a form; other is the refusal of one of a type that
// Dify does not take.
func (m form) content(other reply) content {
	files := m.files()
	switch {
	case len(files) == 0:
		panic(problem(400, "no_file_uploaded", "Please upload your file."))
	case len(m.MultipartForm.File) > 1 || len(files) > 1:
		panic(problem(400, "too_many_files", "Only one file is allowed."))
	}
	c := content{args: m.args, name: files[0].Filename, format: world.Suffix(files[0].Filename)}
	if !slices.Contains(strings.Fields(suffixes), c.format) || files[0].Size > maxFile {
		panic(other)
	}
	text, err := web.ReadPart(files[0])
	if err != nil {
		panic(problem(500, "internal_server_error", "The file could not be read."))
	}
	c.text, c.size = text, len(text)
	return c
}

package sandbox

import (
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
	args               args
}

// readDifyText reads the body of create-by-text and update-by-text.
func readDifyText(r *http.Request) (c difyContent, bad *difyReply) {
	if c.args, bad = difyJSON(r); bad != nil {
		return c, bad
	}
	c.format = "txt"
	var err, err2 error
	c.name, err = c.args.text("name")
	c.text, err2 = c.args.text("text")
	if err != nil || err2 != nil {
		no := difyInvalid("Both 'text' and 'name' must be non-null values.")
		return c, &no
	}
	return c, nil
}

// readDifyFile reads the form of create-by-file and update-by-file.
func readDifyFile(r *http.Request) (c difyContent, bad *difyReply) {
	refuse := func(status int, code, message string) (difyContent, *difyReply) {
		no := difyError(status, code, message)
		return c, &no
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return refuse(413, "request_entity_too_large", "The data value transmitted exceeds the capacity limit.")
		}
		return refuse(400, "no_file_uploaded", "Please upload your file.")
	}
	defer r.MultipartForm.RemoveAll()
	files := r.MultipartForm.File["file"]
	switch {
	case len(files) == 0:
		return refuse(400, "no_file_uploaded", "Please upload your file.")
	case len(r.MultipartForm.File) > 1 || len(files) > 1:
		return refuse(400, "too_many_files", "Only one file is allowed.")
	}
	c.args = args{}
	if data := r.FormValue("data"); data != "" && json.Unmarshal([]byte(data), &c.args) != nil {
		return refuse(400, "bad_request", "Failed to decode JSON object")
	}
	c.name, c.format = files[0].Filename, suffix(files[0].Filename)
	if !slices.Contains(strings.Fields(difySuffixes), c.format) || files[0].Size > difyMaxFile {
		return refuse(400, "invalid_param", "") // without a word
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
	c.text = string(text)
	return c, nil
}

// createByText answers POST /datasets/{id}/document/create-by-text.
func (f *difyFace) createByText(r *http.Request, kb *KnowledgeBase) difyReply {
	c, bad := readDifyText(r)
	if bad != nil {
		return *bad
	}
	return f.create(kb, c)
}

// createByFile answers POST /datasets/{id}/document/create-by-file.
func (f *difyFace) createByFile(r *http.Request, kb *KnowledgeBase) difyReply {
	c, bad := readDifyFile(r)
	if bad != nil {
		return *bad
	}
	return f.create(kb, c)
}

// create adds a document, or puts its content into the enabled one that has its
// name.
func (f *difyFace) create(kb *KnowledgeBase, c difyContent) difyReply {
	technique, _ := c.args.text("indexing_technique")
	form, err := c.args.text("doc_form")
	docs := f.s.store.Documents(Dify, kb.ID)
	switch {
	case kb.Technique == "" && technique == "":
		return difyInvalid("indexing_technique is required.")
	case technique != "" && technique != "economy" && technique != "high_quality":
		return difyInvalid("indexing_technique is not valid.")
	case kb.Technique != "" && err == nil && form != "text_model":
		return difyInvalid("doc_form is different from the dataset doc_form.")
	case docs.Len() == 0 && !c.args.has("process_rule"):
		return difyInvalid("process_rule is required.")
	}
	if kb.Technique == "" {
		f.s.store.UpdateKB(Dify, kb.ID, func(kb *KnowledgeBase) { kb.Technique = technique })
	}
	replaces := string(c.args["duplicate"]) != "false"
	for i := range docs.Len() {
		if d := docs.At(i); replaces && d.Name == c.name && !d.Disabled && difySource(d.Source) == "upload_file" {
			return f.replace(d, c)
		}
	}
	now := f.s.now()
	d := f.s.store.Add(Document{
		Platform: Dify, KB: kb.ID, Name: c.name, Format: c.format, Source: "file", Size: len(c.text), Text: c.text,
		Created: now, Updated: now, Started: now,
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
		d.Name, d.Format, d.Text, d.Size, d.Pieces = c.name, c.format, c.text, len(c.text), 0
		d.Batch, d.Updated, d.Started, d.Plan = batch, now, now, difyLife(d.Seq).sped(f.s.opts.Speed)
		if st.Phase == Completed {
			d.Earlier = st.Ended
		}
	})
	return f.uploaded(d)
}

// uploaded is the answer to every upload.
func (f *difyFace) uploaded(d *Document) difyReply {
	if d == nil { // deleted by another call meanwhile
		return difyError(404, "not_found", "Document not found.")
	}
	kb := f.s.store.KB(Dify, d.KB)
	if kb == nil {
		return difyError(404, "not_found", "Dataset not found.")
	}
	return difyReply{200, object{"document": f.listRow(kb, f.s.store.Documents(Dify, d.KB), d), "batch": d.Batch}}
}

// updateByText answers POST /datasets/{id}/documents/{document}/update-by-text.
func (f *difyFace) updateByText(r *http.Request, kb *KnowledgeBase, id string) difyReply {
	a, bad := difyJSON(r)
	if bad != nil {
		return *bad
	}
	d, bad := f.updatable(kb, id)
	switch {
	case bad != nil:
		return *bad
	case !a.has("text") && !a.has("process_rule"):
		return difyInvalid("Data source or Process rule is required")
	}
	c := difyContent{name: d.Name, format: d.Format, text: d.Text}
	if text, err := a.text("text"); err == nil {
		c.text, c.format = text, "txt"
	}
	if name, err := a.text("name"); err == nil {
		c.name = name
	} else if a.has("text") {
		return difyInvalid("Both text and name must be strings.")
	}
	return f.replace(d, c)
}

// updateByFile answers POST /datasets/{id}/documents/{document}/update-by-file.
func (f *difyFace) updateByFile(r *http.Request, kb *KnowledgeBase, id string) difyReply {
	d, bad := f.updatable(kb, id)
	if bad != nil {
		return *bad
	}
	c, bad := readDifyFile(r)
	switch {
	case bad == nil:
		return f.replace(d, c)
	case bad.body.(object)["message"] == "": // unlike create-by-file
		return difyError(415, "unsupported_file_type", "File type not allowed.")
	}
	return *bad
}

// updatable finds a document that may be given new content.
func (f *difyFace) updatable(kb *KnowledgeBase, id string) (*Document, *difyReply) {
	d := f.s.store.Document(Dify, id)
	if d == nil || d.KB != kb.ID {
		no := difyError(404, "not_found", "Document not found.")
		return nil, &no
	}
	if difyDisplay(d, f.s.state(d)) != "available" {
		no := difyInvalid("Document is not available")
		return nil, &no
	}
	return d, nil
}

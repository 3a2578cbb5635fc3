package dify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

const (
	maxName      = 200      // characters; Dify would cut a longer name
	maxCloudFile = 15 << 20 // self-hosted servers may take more
)

// Suffixes that Dify takes: plain ones everywhere, more with the Unstructured
// extractor.
const (
	plainSuffixes = "txt markdown md mdx pdf html htm xlsx xls docx csv vtt properties"
	moreSuffixes  = "doc eml msg pptx xml epub"
)

// Upload implements [vendors.Uploader].
func (d *Driver) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	if err := d.checkUpload(u); err != nil {
		return vendors.Uploaded{}, err
	}
	kb, err := d.knowledgeBase(ctx, u.KnowledgeBaseID)
	if err != nil && readAlone(err) {
		kb, err = d.knowledgeBaseByDocuments(ctx, u.KnowledgeBaseID, err)
	}
	switch {
	case err != nil:
		return vendors.Uploaded{}, err
	case kb.external:
		return vendors.Uploaded{}, externalRefused()
	}
	during := open()
	out, sent, err := d.create(ctx, u, kb)
	switch {
	case vendors.Unsure(err):
		return d.findUploaded(ctx, u, during, err)
	case err != nil:
		return vendors.Uploaded{}, fileRefused(err, u)
	}
	if batchForm.MatchString(string(out.Batch)) {
		d.batches.keep(string(out.Document.ID), batch{string(out.Batch), string(out.Document.Name)})
	}
	notes := append(out.notes(sent.kb), d.splitNotes(ctx, out, sent)...)
	doc := out.normal()
	if doc.Name != "" && doc.Name != u.Name {
		notes = append(notes, fmt.Sprintf("Dify gave the document another name than %q.", rest.Text(u.Name)))
	}
	doc.SizeBytes = out.Document.file().Size.Count()
	if u.File == nil { // Dify gives the characters
		size := int64(len(u.Text))
		doc.SizeBytes = &size
	}
	return vendors.Uploaded{Document: doc, BatchID: string(out.Batch), Notes: notes}, nil
}

// create sends the document, and once more where the knowledge base refuses the
// options because it is no longer as it was read. A refused upload leaves its
// file on the server, so the same options are not sent twice.
func (d *Driver) create(ctx context.Context, u vendors.Upload, kb facts) (out created, sent plan, err error) {
	if sent, err = d.plan(ctx, u, kb); err != nil {
		return out, sent, err
	}
	err = d.send(ctx, sent, &out)
	if !errors.Is(err, errOptions) && !errors.Is(err, errWantsRule) {
		return out, sent, err
	}
	again := sent
	if errors.Is(err, errWantsRule) {
		again.automatic(u)
	} else {
		d.memory.forget(kb.id)
		var failed error
		if kb, failed = d.knowledgeBase(ctx, kb.id); failed != nil {
			return out, sent, failed
		}
		if again, failed = d.plan(ctx, u, kb); failed != nil {
			return out, sent, failed
		}
	}
	if again.same(sent.options) {
		return out, sent, err
	}
	err = d.send(ctx, again, &out)
	return out, again, err
}

// send sends the document once.
func (d *Driver) send(ctx context.Context, p plan, out *created) error {
	to := []string{"datasets", p.upload.KnowledgeBaseID, "document"}
	if p.upload.File == nil {
		return d.client.Do(ctx, rest.Call{
			Method: http.MethodPost, Path: append(to, "create-by-text"), Write: rest.Once,
			Body: textBody{Name: p.upload.Name, Text: p.upload.Text, options: p.options},
		}, out)
	}
	data, err := json.Marshal(p.options)
	if err != nil {
		return err
	}
	return d.client.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: append(to, "create-by-file"), Write: rest.Once,
		Form: &rest.Form{Fields: [][2]string{{"data", string(data)}}, Field: "file", Name: p.upload.Name, File: *p.upload.File},
	}, out)
}

// textBody creates a document from a text.
type textBody struct {
	Name string `json:"name"`
	Text string `json:"text"`
	options
}

// created is the answer to an upload.
type created struct {
	Document document `json:"document"`
	Batch    rest.Str `json:"batch"`

	date time.Time // the server's clock
}

// accept implements payload.
func (c *created) accept(h http.Header) bool {
	c.date = dateOf(h)
	return c.Document.ID != ""
}

// normal is the new document. Dify says 0 for what it has not counted yet.
func (c *created) normal() vendors.Document {
	doc := c.Document.normal()
	if doc.CharCount != nil && *doc.CharCount == 0 {
		doc.CharCount = nil
	}
	return doc
}

// replacedAge is the age from which a document in the answer to its upload was
// there before: Dify keeps id and creation time of one that it replaces.
const replacedAge = time.Minute

// notes says what Dify did beside adding the document.
func (c *created) notes(kb facts) []string {
	var notes []string
	if c.Batch != "" {
		notes = append(notes, "Keep batch_id: with it get_ingestion_progress shows chunk counts, and it cannot be looked up later.")
	}
	age := time.Duration(0)
	if at := c.Document.CreatedAt; at.Valid && at.Int > 0 && !c.date.IsZero() {
		age = c.date.Sub(time.Unix(at.Int, 0))
	}
	if age >= replacedAge {
		notes = append(notes, "A document of this name was there: Dify replaced its content in place; it keeps its id and is ingested again.")
	} else {
		notes = append(notes, "Dify replaces an enabled document of the same name in place: had there been one, its content is replaced and its id is kept.")
	}
	if c.Document.Archived.Set {
		notes = append(notes, "The document is archived and stays so: searches do not find it until it is un-archived in the Dify console.")
	}
	if technique := kb.first(); technique != "" {
		notes = append(notes, fmt.Sprintf("This first document makes the knowledge base %s%s; the Dify console can change that.",
			technique, map[string]string{"economy": " (searched by keywords)"}[technique]))
	}
	return notes
}

// findUploaded tells what became of an upload whose answer was lost. A document
// that was replaced cannot be told from one that was there.
func (d *Driver) findUploaded(ctx context.Context, u vendors.Upload, during window, lost error) (vendors.Uploaded, error) {
	out, err := d.documents(ctx, u.KnowledgeBaseID, paging(1, pageSize)) // newest first
	var found []document
	if err == nil {
		found = slices.DeleteFunc(out.Data, func(w document) bool {
			return w.ID == "" || string(w.Name) != u.Name || !during.holds(w.CreatedAt, d.clock(out.date))
		})
	}
	if len(found) != 1 {
		return vendors.Uploaded{}, lost
	}
	return vendors.Uploaded{Document: found[0].normal(), Notes: []string{
		"Dify's answer to the upload was lost; this document of the same name was created during it. Its batch_id is not known: ask for its progress by document_ids.",
	}}, nil
}

// checkUpload refuses what Dify would refuse, or silently change.
func (d *Driver) checkUpload(u vendors.Upload) error {
	if err := checkID("knowledge_base_id", u.KnowledgeBaseID); err != nil {
		return err
	}
	if u.URL != "" {
		return vendors.Errorf(vendors.Unsupported, "Dify's API takes no URL; nothing was uploaded.").
			WithHint("Fetch the page and upload its text with `text` and `name`.")
	}
	n := utf8.RuneCountInString(u.Name)
	switch {
	case strings.TrimSpace(u.Name) == "":
		return vendors.Errorf(vendors.InvalidArgument, "`name` is blank; Dify needs one.")
	case n > maxName:
		return vendors.Errorf(vendors.InvalidArgument, "`name` has %d characters; Dify cuts names after %d.", n, maxName)
	case u.File != nil:
		return d.checkFile(u)
	case strings.TrimSpace(u.Text) == "":
		return vendors.Errorf(vendors.InvalidArgument, "`text` is blank.")
	}
	return nil
}

func (d *Driver) checkFile(u vendors.Upload) error {
	suffix := strings.ToLower(strings.TrimPrefix(path.Ext(u.Name), "."))
	known := slices.Contains(strings.Fields(plainSuffixes+" "+moreSuffixes), suffix)
	switch {
	case strings.ContainsAny(u.Name, `/\`):
		return vendors.Errorf(vendors.InvalidArgument, "`name` holds a slash, which Dify refuses in a file's name.")
	case !known:
		return vendors.Errorf(vendors.InvalidArgument, "Dify does not accept files of the type %q.", suffix).WithHint(acceptedTypes)
	case d.cloud && u.File.Size > maxCloudFile:
		return vendors.Errorf(vendors.InvalidArgument, "The file has %d bytes; Dify's cloud takes %d at most.", u.File.Size, maxCloudFile).
			WithHint("Split the file, or upload its text.")
	}
	return nil
}

// acceptedTypes is the hint about a file of another type.
const acceptedTypes = "Give a file of one of these types: " + plainSuffixes + " (with Dify's Unstructured extractor also " + moreSuffixes + "), or upload its content as `text`."

// fileRefused explains a refusal of a file without a word, which is what Dify
// answers when it is too large or of a wrong type.
func fileRefused(err error, u vendors.Upload) error {
	e := vendors.Classify(err)
	if u.File == nil || e.HTTPStatus != http.StatusBadRequest || e.VendorMessage != "" || e.Kind != vendors.InvalidArgument {
		return err
	}
	c := *e
	c.Message = "Dify refused the file without a word: its type is not supported there, or it is larger than the server accepts (15 MB by default)."
	return c.WithHint(acceptedTypes)
}

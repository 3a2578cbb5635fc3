package dify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/rest"
)

// maxCloudFile is the largest file of the cloud; self-hosted servers may accept
// larger ones.
const maxCloudFile = 15 << 20

// Suffixes that Dify accepts: plain ones everywhere, more with the Unstructured
// extractor.
const (
	plainSuffixes = "txt markdown md mdx pdf html htm xlsx xls docx csv vtt properties"
	moreSuffixes  = "doc eml msg pptx xml epub"
)

// acceptedTypes is the hint for a file of another type.
const acceptedTypes = "Give a file of one of these types: " + plainSuffixes + " (with Dify's Unstructured extractor also " + moreSuffixes + "), or upload its content as `text`."

// checkUpload refuses what Dify would refuse, or silently change: it cuts names.
func (d *Driver) checkUpload(u vendors.Upload) error {
	if u.URL != "" {
		return vendors.Errorf(vendors.Unsupported, "Dify's API does not accept URLs; nothing was uploaded.").
			WithHint("Fetch the page and upload its text with `text` and `name`.")
	}
	name := write.Text{Platform: "Dify", Most: 200}
	if u.File != nil {
		name.Refused = `/\`
	}
	if err := name.Check("name", u.Name); err != nil {
		return err
	}
	if u.File == nil {
		if strings.TrimSpace(u.Text) == "" {
			return vendors.Errorf(vendors.InvalidArgument, "`text` is blank.")
		}
		return nil
	}
	suffix := strings.ToLower(strings.TrimPrefix(path.Ext(u.Name), "."))
	if !slices.Contains(strings.Fields(plainSuffixes+" "+moreSuffixes), suffix) {
		return vendors.Errorf(vendors.InvalidArgument, "Dify does not accept files of the type %q.", suffix).WithHint(acceptedTypes)
	}
	if d.cloud {
		return write.CheckSize("Dify's cloud", u.File.Size, maxCloudFile)
	}
	return nil
}

// Upload implements [vendors.Uploader].
func (d *Driver) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	if err := d.checkUpload(u); err != nil {
		return vendors.Uploaded{}, err
	}
	kb, _, err := d.knowledgeBase(ctx, u.KnowledgeBaseID)
	if err != nil && readAlone(err) {
		kb, err = d.knowledgeBaseByDocuments(ctx, u.KnowledgeBaseID, err)
	}
	switch {
	case err != nil:
		return vendors.Uploaded{}, err
	case kb.external():
		return vendors.Uploaded{}, externalRefused()
	}
	var sent plan
	during := write.Open()
	out, found, err := write.Create(ctx, func(ctx context.Context) (out created, err error) {
		out, sent, err = d.create(ctx, u, kb)
		return out, err
	}, func(ctx context.Context) ([]created, error) { return d.findUploaded(ctx, u, during) })
	if err != nil {
		return vendors.Uploaded{}, fileRefused(err, u)
	}
	doc := out.normal()
	if found {
		return vendors.Uploaded{Document: doc, Notes: []string{write.FoundNote, "Its batch_id is not known: ask for its progress by document_ids."}}, nil
	}
	if batchForm.MatchString(string(out.Batch)) {
		d.uploads.Put(strings.ToLower(doc.DocumentID), uploaded{string(out.Batch), doc.Name})
	}
	notes := d.notes(ctx, out, sent)
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

// knowledgeBaseByDocuments returns a knowledge base that cannot be read itself
// (without its plugin daemon Dify still lists and accepts documents) as far as
// an upload needs it, from its newest document. Where there is a document,
// there is a technique, which stays whatever is sent.
func (d *Driver) knowledgeBaseByDocuments(ctx context.Context, id string, unread error) (dataset, error) {
	out, err := d.documents(ctx, id, paging(1, 1))
	if err != nil || len(out.Data) == 0 {
		return dataset{}, unread
	}
	return dataset{ID: rest.ID(id), Technique: economy, Form: out.Data[0].Form, version: out.version}, nil
}

// create sends the document, and once more where the knowledge base refuses the
// options because it is no longer as it was read. A refused upload leaves its
// file on the server, so the same options are not sent twice.
func (d *Driver) create(ctx context.Context, u vendors.Upload, kb dataset) (out created, sent plan, err error) {
	if sent, err = d.plan(ctx, u, kb); err != nil {
		return out, sent, err
	}
	err = d.send(ctx, sent, &out)
	again := sent
	switch {
	case errors.Is(err, errWantsRule):
		again.upload, again.Rule = u, automatic()
	case errors.Is(err, errOptions):
		d.forget(u.KnowledgeBaseID)
		now, _, failed := d.knowledgeBase(ctx, u.KnowledgeBaseID)
		if failed == nil {
			again, failed = d.plan(ctx, u, now)
		}
		if failed != nil {
			return out, sent, failed
		}
	}
	if reflect.DeepEqual(again.options, sent.options) {
		return out, sent, err
	}
	err = d.send(ctx, again, &out)
	return out, again, err
}

// send sends the document once.
func (d *Driver) send(ctx context.Context, p plan, out *created) error {
	call := rest.Call{Method: http.MethodPost, Path: []string{"datasets", p.upload.KnowledgeBaseID, "document", "create-by-text"}, Write: rest.Once}
	if p.upload.File == nil {
		call.Body = textBody{Name: p.upload.Name, Text: p.upload.Text, options: p.options}
		return d.client.Do(ctx, call, out)
	}
	data, err := json.Marshal(p.options)
	if err != nil {
		return err
	}
	call.Path[3] = "create-by-file"
	call.Form = &rest.Form{Fields: [][2]string{{"data", string(data)}}, Field: "file", Name: p.upload.Name, File: *p.upload.File}
	return d.client.Do(ctx, call, out)
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
	c.date, _ = http.ParseTime(h.Get("Date"))
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

// replaced reports whether the document was there before.
func (c *created) replaced() bool {
	made := vendors.Seconds(c.Document.CreatedAt.Int)
	return !made.IsZero() && !c.date.IsZero() && c.date.Sub(made) >= replacedAge
}

// notes returns what Dify did that the caller may not expect.
func (d *Driver) notes(ctx context.Context, c created, sent plan) (notes []string) {
	technique, ruled, emptied := sent.kb.technique(), sent.Rule != nil, sent.kb.empty() && sent.kb.Technique != ""
	parents := ruled && string(sent.Rule.Rules) == parentChild
	if technique == economy {
		technique += " (searched by keywords)"
	}
	for _, n := range []struct {
		applies bool
		text    string
	}{
		{c.Batch != "", "Keep batch_id: with it get_ingestion_progress shows chunk counts, and it cannot be looked up later."},
		{c.replaced(), "A document of this name was there: Dify replaced its content in place; it keeps its id and is ingested again."},
		{!c.replaced(), "Dify replaces an enabled document of the same name in place: if there was one, its content is replaced and its id is kept."},
		{c.Document.Archived.Set, "The document is archived and stays so: searches do not find it until it is un-archived in the Dify console."},
		{sent.kb.Technique == "", "This first document makes the knowledge base " + technique + "; the Dify console can change that."},
		{sent.kb.pipeline(), "This knowledge base is filled by a knowledge pipeline, which Dify's API does not run: the document is ingested by the form and rule of the knowledge base alone."},
		{parents, "The knowledge base is parent-child and had no rule to go by, so the rule of Dify's console is used: paragraphs of up to 1024 characters as parents, lines of up to 512 as children."},
		{emptied && ruled && !parents, "The knowledge base was empty, so the document is split by Dify's automatic rule."},
		{emptied && !ruled && d.wasParents(ctx, c, sent), "The knowledge base was emptied and so lost its parent-child form: this document makes it plain text, split by the parents' rule. To make it parent-child again, upload the first document in the Dify console."},
	} {
		if n.applies {
			notes = append(notes, n.text)
		}
	}
	return notes
}

// findUploaded finds the document that an upload whose answer was lost has
// made. One that was replaced cannot be distinguished from one that was there,
// so that only a list without the name says that there is none.
func (d *Driver) findUploaded(ctx context.Context, u vendors.Upload, during write.Window) (found []created, err error) {
	out, err := d.documents(ctx, u.KnowledgeBaseID, paging(1, pageSize)) // newest first
	if err != nil {
		return nil, err
	}
	older := out.left(1, pageSize) > 0
	for _, w := range out.Data {
		switch {
		case w.ID == "" || string(w.Name) != u.Name:
		case during.Holds(vendors.Seconds(w.CreatedAt.Int), d.clock(out.date)):
			found = append(found, created{Document: w})
		default:
			older = true
		}
	}
	if len(found) == 0 && older {
		return nil, vendors.Errorf(vendors.Unsupported, "Dify does not say whether it replaced a document.")
	}
	return found, nil
}

// fileRefused explains a refusal of a file without a reason, which is Dify's
// answer to a file that is too large or of a wrong type.
func fileRefused(err error, u vendors.Upload) error {
	e := *vendors.Classify(err)
	if u.File == nil || e.HTTPStatus != http.StatusBadRequest || e.VendorMessage != "" || e.Kind != vendors.InvalidArgument {
		return err
	}
	e.Message = "Dify refused the file without a reason: its type is not supported there, or it is larger than the server accepts (15 MB by default)."
	return e.WithHint(acceptedTypes)
}

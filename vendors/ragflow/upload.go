package ragflow

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// maxUpload is what the web front before RAGFlow accepts (its nginx.conf).
const maxUpload = 1 << 30

// needsStart is the note on every upload.
const needsStart = "RAGFlow does not parse an upload by itself: call start_ingestion with this document_id."

// Upload implements [vendors.Uploader].
func (d *Driver) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	u, notes := prepared(u)
	if err := fileName.Check("name", u.Name); err != nil {
		return vendors.Uploaded{}, err
	}
	if u.File != nil {
		if err := write.CheckSize("RAGFlow", u.File.Size, maxUpload); err != nil {
			return vendors.Uploaded{}, err
		}
	}
	return request(ctx, d, func(a api) (vendors.Uploaded, error) { return upload(ctx, a, u, notes) })
}

// prepared gives every upload a name, and a text the form of a file.
func prepared(u vendors.Upload) (vendors.Upload, []string) {
	notes := []string{}
	switch {
	case u.URL != "":
		u.Name = cmp.Or(u.Name, addressName(u.URL))
	case u.File == nil:
		if lower := strings.ToLower(u.Name); !strings.HasSuffix(lower, ".txt") && !strings.HasSuffix(lower, ".md") {
			u.Name += ".txt"
			notes = append(notes, fmt.Sprintf("RAGFlow stores a text as a file, whose name shows its type: it is called %q.", u.Name))
		}
		u.File = vendors.TextFile(u.Text)
	}
	return u, notes
}

// addressName makes a name of an address: its last part, or its host.
func addressName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "page"
	}
	if name := path.Base(u.Path); name != "/" && name != "." {
		return name
	}
	return u.Hostname()
}

// upload sends one file, once. It reads the knowledge base's newest document
// before: RAGFlow up to v0.24 accepts uploads into other people's knowledge
// bases, and what a lost answer made is looked for behind that document.
func upload(ctx context.Context, a api, u vendors.Upload, notes []string) (vendors.Uploaded, error) {
	if _, ok := a.(previewAPI); ok {
		if err := previewAccepts(u); err != nil {
			return vendors.Uploaded{}, err
		}
	}
	before, err := a.documents(ctx, vendors.PageQuery{KnowledgeBaseID: u.KnowledgeBaseID, Page: 1, Size: 1})
	if err != nil {
		return vendors.Uploaded{}, vendors.NothingDone(err)
	}
	send := func(ctx context.Context) (vendors.Document, error) { return a.upload(ctx, u) }
	doc, found, err := write.Create(ctx, send, func(ctx context.Context) ([]vendors.Document, error) {
		name := u.Name
		if u.URL != "" && !strings.HasSuffix(strings.ToLower(name), ".pdf") {
			name += ".pdf"
		}
		now, err := a.documents(ctx, vendors.PageQuery{KnowledgeBaseID: u.KnowledgeBaseID, Page: 1, Size: newest})
		key := func(d vendors.Document) row { return row{d.DocumentID, d.Name, d.CreatedAt} }
		return newer(now.Items, before.Items, key, name), err
	})
	if err != nil {
		return vendors.Uploaded{}, err
	}
	if found {
		notes = append(notes, write.FoundNote)
	}
	if size := doc.SizeBytes; u.File != nil && size != nil && *size != u.File.Size {
		notes = append(notes, fmt.Sprintf("RAGFlow stored %d bytes of a file of %d: look at it before you rely on it.", *size, u.File.Size))
	}
	if doc.Name != u.Name {
		notes = append(notes, fmt.Sprintf("RAGFlow stored it as %q.", doc.Name))
	}
	return vendors.Uploaded{Document: doc, Notes: append(notes, needsStart)}, nil
}

// previewAccepts refuses what the preview does not accept.
func previewAccepts(u vendors.Upload) error {
	switch {
	case u.URL != "":
		return vendors.Errorf(vendors.Unsupported, "RAGFlow 0.8 - 0.10 cannot fetch a document from an address.").WithHint(pageHint)
	case strings.Contains(u.Name, "http"):
		return vendors.Errorf(vendors.InvalidArgument, "`name` holds \"http\", which RAGFlow 0.8 - 0.10 refuses in a file's name.").
			WithHint("Give another name.")
	}
	return nil
}

const pageHint = "Fetch the page yourself and upload it as `text` or `path`."

// upload sends a file, or an address for RAGFlow to fetch (v0.25.1). A refusal of
// code 500 that begins with the file's name is about that file, so that trying
// again will not help.
func (s server) upload(ctx context.Context, u vendors.Upload) (vendors.Document, error) {
	call := rest.Call{Method: http.MethodPost, Path: s.path(u.KnowledgeBaseID, "documents"), Write: rest.Once}
	if u.URL != "" {
		call.Query = url.Values{"type": {"web"}}
		call.Form = &rest.Form{Fields: [][2]string{{"name", u.Name}, {"url", u.URL}}}
	} else {
		call.Form = &rest.Form{Field: "file", Name: u.Name, File: *u.File}
	}
	var out envelope.Ack
	err := s.rc.Do(ctx, call, &out)
	switch {
	case err == nil:
		return s.stored(out.Payload())
	case u.URL != "" && errors.Is(err, envelope.ErrNoFile):
		err = envelope.Reworded(err, vendors.Unsupported, "This RAGFlow server cannot fetch a document from an address.",
			"That needs RAGFlow 0.25.1 or newer. "+pageHint)
	case errors.Is(err, envelope.ErrInside) && strings.HasPrefix(vendors.Classify(err).VendorMessage, u.Name+": "):
		err = envelope.Reworded(err, vendors.VendorError, "RAGFlow did not accept the file.", "vendor_message says what RAGFlow found wrong with it.")
	}
	return vendors.Document{}, err
}

// stored is the document of an upload's answer, which holds a list, or one
// object for an upload by address.
func (s server) stored(data json.RawMessage) (vendors.Document, error) {
	if data = bytes.TrimSpace(data); bytes.HasPrefix(data, []byte("{")) {
		data = slices.Concat([]byte("["), data, []byte("]"))
	}
	var rows []document
	if err := json.Unmarshal(data, &rows); err != nil || len(rows) == 0 || rows[0].ID == "" {
		return vendors.Document{}, envelope.NoPayload()
	}
	d := rows[0].normal(s.generation)
	d.Warnings = nil // of a parse that cannot have been requested yet
	if w := rows[0]; w.Run == "" && w.IngestionStatus == "" {
		d.Status = vendors.NotStarted // the preview does not say: an upload starts nothing
	}
	return d, nil
}

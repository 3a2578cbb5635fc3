package ragflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// maxUpload is what the web front before RAGFlow takes (its nginx.conf).
const maxUpload = 1 << 30

// needsStart is said of every upload.
const needsStart = "RAGFlow does not parse an upload by itself: call start_ingestion with this document_id."

// Upload implements [vendors.Uploader].
func (d *Driver) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	if err := checkPath(u.KnowledgeBaseID); err != nil {
		return vendors.Uploaded{}, err
	}
	u, note, err := prepared(u)
	if err != nil {
		return vendors.Uploaded{}, err
	}
	up, err := request(ctx, d, func(a api) (vendors.Uploaded, error) { return upload(ctx, a, u) })
	if err == nil && note != "" {
		up.Notes = append([]string{note}, up.Notes...)
	}
	return up, err
}

// prepared gives every upload a name that RAGFlow takes, and a text the form of
// a file.
func prepared(u vendors.Upload) (vendors.Upload, string, error) {
	note := ""
	switch {
	case u.URL != "":
		if u.Name == "" {
			u.Name = addressName(u.URL)
		}
	case u.File == nil:
		if lower := strings.ToLower(u.Name); !strings.HasSuffix(lower, ".txt") && !strings.HasSuffix(lower, ".md") {
			u.Name += ".txt"
			note = fmt.Sprintf("A text becomes a file in RAGFlow, which tells types by the name: it is called %q.", u.Name)
		}
		text := u.Text
		u.File = &vendors.File{Size: int64(len(text)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(text)), nil
		}}
	}
	if err := checkFileName(u.Name); err != nil {
		return u, "", err
	}
	if u.File != nil && u.File.Size > maxUpload {
		return u, "", vendors.Errorf(vendors.InvalidArgument, "The file has %d bytes; RAGFlow takes at most %d (1 GiB).", u.File.Size, maxUpload).
			WithHint("Split the file.")
	}
	return u, note, nil
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
// before: RAGFlow up to v0.24 takes uploads into other people's knowledge
// bases, and a lost answer can be looked for behind that document.
func upload(ctx context.Context, a api, u vendors.Upload) (vendors.Uploaded, error) {
	if err := a.takes(u); err != nil {
		return vendors.Uploaded{}, err
	}
	before, err := a.documents(ctx, vendors.PageQuery{KnowledgeBaseID: u.KnowledgeBaseID, Page: 1, Size: 1})
	if err != nil {
		return vendors.Uploaded{}, vendors.NothingDone(err)
	}
	send, cancel := sparing(ctx)
	defer cancel()
	up := vendors.Uploaded{Notes: []string{}}
	up.Document, err = a.upload(send, u)
	if vendors.Unsure(err) {
		if up.Document, err = sought(ctx, a, u, before.Items, err); err == nil {
			up.Notes = append(up.Notes, "RAGFlow's answer was lost; the document was found afterwards in the list.")
		}
	}
	if err != nil {
		return vendors.Uploaded{}, err
	}
	if size := up.Document.SizeBytes; u.File != nil && size != nil && *size != u.File.Size {
		up.Notes = append(up.Notes, fmt.Sprintf("RAGFlow stored %d bytes of a file of %d: look at it before you rely on it.", *size, u.File.Size))
	}
	if up.Document.Name != u.Name {
		up.Notes = append(up.Notes, fmt.Sprintf("RAGFlow stored it as %q.", up.Document.Name))
	}
	up.Notes = append(up.Notes, needsStart)
	return up, nil
}

// sparing keeps the time of a look back from an upload, which may take as long
// as its call.
func sparing(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok || time.Until(end) < 2*lookTime {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-lookTime))
}

// sought looks for a document whose upload's answer was lost.
func sought(ctx context.Context, a api, u vendors.Upload, before []vendors.Document, lost error) (vendors.Document, error) {
	now, err := a.documents(ctx, vendors.PageQuery{KnowledgeBaseID: u.KnowledgeBaseID, Page: 1, Size: lookSize})
	if err == nil {
		name := u.Name
		if u.URL != "" && !strings.HasSuffix(strings.ToLower(name), ".pdf") {
			name += ".pdf"
		}
		fresh := newer(now.Items, before, func(d vendors.Document) row { return row{d.DocumentID, d.Name, d.CreatedAt} }, name)
		switch {
		case len(fresh) == 1:
			return fresh[0], nil
		case len(fresh) == 0 && vendors.Answered(lost):
			return vendors.Document{}, vendors.NothingDone(lost)
		}
	}
	return vendors.Document{}, lost
}

// stored is the document of an upload's answer, which holds a list, or one
// object for an upload by address.
func stored(data json.RawMessage, g generation) (vendors.Document, error) {
	var rows []document
	if data = bytes.TrimSpace(data); bytes.HasPrefix(data, []byte("{")) {
		data = slices.Concat([]byte("["), data, []byte("]"))
	}
	if err := json.Unmarshal(data, &rows); err != nil || len(rows) == 0 || rows[0].ID == "" {
		return vendors.Document{}, noPayload()
	}
	d := rows[0].normal(g)
	d.Warnings = nil // of a parse that nobody can have asked for yet
	if w := rows[0]; w.Run == "" && w.IngestionStatus == "" {
		d.Status = vendors.NotStarted // the preview does not say: an upload starts nothing
	}
	return d, nil
}

func (c currentAPI) takes(vendors.Upload) error { return nil }

// upload sends a file, or an address for RAGFlow to fetch (v0.25.1).
func (c currentAPI) upload(ctx context.Context, u vendors.Upload) (vendors.Document, error) {
	call := rest.Call{
		Method: http.MethodPost, Path: c.path(u.KnowledgeBaseID, "documents"), Write: rest.Once,
	}
	if u.URL != "" {
		call.Query = url.Values{"type": {"web"}}
		call.Form = &rest.Form{Fields: [][2]string{{"name", u.Name}, {"url", u.URL}}}
	} else {
		call.Form = &rest.Form{Field: "file", Name: u.Name, File: *u.File}
	}
	var out ack
	err := c.rc.Do(ctx, call, &out)
	if u.URL != "" && errors.Is(err, errNoFile) {
		e := *vendors.Classify(err)
		e.Kind, e.Message = vendors.Unsupported, "This RAGFlow server cannot fetch a document from an address."
		e.Hint = "That needs RAGFlow 0.25.1 or newer; fetch the page yourself and upload it as `text` or `path`."
		return vendors.Document{}, &e
	}
	if err != nil {
		return vendors.Document{}, aboutFile(err, u.Name)
	}
	return stored(out.Data, current)
}

// aboutFile explains a refusal of code 500 that begins with the file's name: it
// is about that file, so that trying again will not help.
func aboutFile(err error, name string) error {
	e := vendors.Classify(err)
	if !errors.Is(err, errInside) || !strings.HasPrefix(e.VendorMessage, name+": ") {
		return err
	}
	c := *e
	c.Kind, c.Message = vendors.VendorError, "RAGFlow did not take the file."
	c.Hint = "vendor_message says what RAGFlow found wrong with it."
	return &c
}

// takes refuses what this generation cannot take.
func (p previewAPI) takes(u vendors.Upload) error {
	switch {
	case u.URL != "":
		return vendors.Errorf(vendors.Unsupported, "RAGFlow 0.8 - 0.10 cannot fetch a document from an address.").
			WithHint("Fetch the page yourself and upload it as `text` or `path`.")
	case strings.Contains(u.Name, "http"):
		return vendors.Errorf(vendors.InvalidArgument, "`name` holds \"http\", which RAGFlow 0.8 - 0.10 refuses in a file's name.").
			WithHint("Give another name.")
	}
	return nil
}

func (p previewAPI) upload(ctx context.Context, u vendors.Upload) (vendors.Document, error) {
	var out ack
	err := p.rc.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: p.path(u.KnowledgeBaseID, "documents"), Write: rest.Once,
		Form: &rest.Form{Field: "file", Name: u.Name, File: *u.File},
	}, &out)
	if err != nil {
		return vendors.Document{}, err
	}
	return stored(out.Data, preview)
}

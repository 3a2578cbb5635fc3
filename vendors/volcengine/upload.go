package volcengine

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/rest"
)

// addition is the body of doc/v2/add.
type addition struct {
	docTarget
	URI     string `json:"uri"`
	DocName string `json:"doc_name,omitempty"` // the platform makes one of the address
	DocType string `json:"doc_type"`
}

// added is the data of doc/v2/add.
type added struct {
	DocID rest.ID `json:"doc_id"`
	Dedup struct {
		Skip rest.Flag `json:"skip"` // nothing was added: the content exists already
		Same []string  `json:"same_doc_ids"`
	} `json:"dedup_info"`
}

// Upload implements [vendors.Uploader] with doc/v2/add. The document's id is
// ours, so that it can be looked for when the answer is lost.
func (d *Driver) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	docType, err := checkUpload(u)
	if err != nil {
		return vendors.Uploaded{}, err
	}
	ref := vendors.Ref{KnowledgeBaseID: u.KnowledgeBaseID, DocumentID: d.newID()}
	body := addition{d.doc(ref), u.URL, u.Name, docType}
	made, _, err := write.Create(ctx,
		func(ctx context.Context) (vendors.Uploaded, error) { return d.add(ctx, ref, body) },
		func(ctx context.Context) ([]vendors.Uploaded, error) { return d.find(ctx, ref) })
	if err != nil {
		made.Document.DocumentID = ref.DocumentID
	}
	return made, err
}

// Replace implements [vendors.Replacer]: what is added under the id of a document
// overwrites it (documented for doc/add). An unknown id would make a new one.
func (d *Driver) Replace(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	docType, err := checkUpload(u)
	if err != nil {
		return vendors.Uploaded{}, err
	}
	ref := vendors.Ref{KnowledgeBaseID: u.KnowledgeBaseID, DocumentID: u.DocumentID}
	old, err := d.GetDocument(ctx, ref)
	switch {
	case err != nil:
		return vendors.Uploaded{}, err
	case !issuable.MatchString(u.DocumentID):
		return vendors.Uploaded{}, vendors.Errorf(vendors.Unsupported, "Volcengine made the id of this document itself, and does not accept it for new content.").
			WithHint("Upload the new version without document_id: it becomes a document of its own beside the old one.")
	}
	body := addition{d.doc(ref), u.URL, cmp.Or(u.Name, old.Name), docType}
	data, err := post[added](ctx, d, rest.Once, "doc/v2/add", body)
	switch {
	case err != nil:
		return vendors.Uploaded{}, err
	case data.Dedup.Skip.Set:
		return vendors.Uploaded{}, skipped(data.Dedup.Same)
	}
	up := d.shown(ctx, ref, body)
	up.Notes = append(up.Notes, "The content was replaced: the document keeps its id and is ingested again.")
	return up, nil
}

// issuable are the ids that doc/v2/add accepts.
var issuable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// add adds a document and returns what the platform shows of it so far.
func (d *Driver) add(ctx context.Context, ref vendors.Ref, body addition) (vendors.Uploaded, error) {
	data, err := post[added](ctx, d, rest.Once, "doc/v2/add", body)
	switch {
	case errors.Is(err, errDuplicate): // so is a repeated request whose first try succeeded
		if doc, lookErr := d.GetDocument(ctx, ref); lookErr == nil {
			return vendors.Uploaded{Document: doc, Notes: []string{write.FoundNote}}, nil
		}
		return vendors.Uploaded{}, err
	case err != nil:
		return vendors.Uploaded{}, err
	case data.Dedup.Skip.Set:
		return vendors.Uploaded{}, skipped(data.Dedup.Same)
	}
	ref.DocumentID = cmp.Or(string(data.DocID), ref.DocumentID)
	return d.shown(ctx, ref, body), nil
}

// shown is what the platform shows so far of a document that was added.
func (d *Driver) shown(ctx context.Context, ref vendors.Ref, body addition) vendors.Uploaded {
	doc, err := d.GetDocument(ctx, ref)
	up := vendors.Uploaded{Document: doc}
	switch {
	case err != nil:
		up.Document = body.document(ref.DocumentID)
		up.Notes = []string{"Volcengine accepted the document, but it could not be read back yet: it may take some seconds to appear."}
	case body.DocName != "" && doc.Name != body.DocName:
		up.Notes = []string{"Volcengine did not keep the name that was given: it shows the document as it is named here."}
	}
	return up
}

// document is what was added, as it must be.
func (b addition) document(id string) vendors.Document {
	w := document{ID: rest.ID(id), Name: rest.Str(b.DocName), Type: rest.Str(b.DocType), AddType: "url", URL: rest.Str(b.URI)}
	if at, err := pathOf(b.URI); err == nil && b.DocName == "" {
		w.Name = rest.Str(path.Base(at))
	}
	if strings.HasPrefix(b.URI, "tos:") {
		w.AddType, w.URL = "tos", ""
	}
	doc := w.normal()
	doc.Status = vendors.Queued // it was accepted
	return doc
}

// skipped is the error of an addition that was answered with success and did
// nothing.
func skipped(same []string) error {
	e := duplicate.Error()
	if len(same) > 0 {
		e.VendorMessage = "same_doc_ids: " + strings.Join(same[:min(len(same), 10)], ", ")
	}
	return e
}

// find looks for a document that may have been added. The platform takes some
// seconds to show a new one.
func (d *Driver) find(ctx context.Context, ref vendors.Ref) ([]vendors.Uploaded, error) {
	rep, _, err := await(ctx,
		func() (vendors.Report, error) {
			return d.Progress(ctx, vendors.ProgressQuery{KnowledgeBaseID: ref.KnowledgeBaseID, DocumentIDs: []string{ref.DocumentID}})
		},
		func(rep vendors.Report) bool { return len(rep.Documents) > 0 })
	if err != nil || len(rep.Documents) == 0 {
		return nil, err
	}
	return []vendors.Uploaded{{Document: rep.Documents[0], Notes: []string{write.FoundNote}}}, nil
}

// checkUpload refuses what the platform would refuse, and gives the type.
func checkUpload(u vendors.Upload) (docType string, err error) {
	if u.URL == "" {
		return "", vendors.Errorf(vendors.Unsupported, "Volcengine does not accept texts or files, only addresses of files.").
			WithHint("Put the file at a URL that Volcengine can reach, or into TOS, and pass `url` (https://... or tos://bucket/key).")
	}
	at, err := pathOf(u.URL)
	if err != nil {
		return "", err
	}
	if u.Name != "" {
		if err := docName.Check("name", u.Name); err != nil {
			return "", err
		}
	}
	if t := cmp.Or(typeOfName(u.Name), typeOfName(at)); t != "" {
		return t, nil
	}
	return "", vendors.Errorf(vendors.InvalidArgument, "Neither `name` nor the path of `url` ends in a suffix that Volcengine accepts.").
		WithHint("Give a `name` with the file's suffix, one of: md, jpg, " + strings.Join(slices.Sorted(maps.Keys(fileKinds)), ", ") + ".")
}

// pathOf is the path of an address that the platform can fetch.
func pathOf(address string) (string, error) {
	u, err := url.Parse(address)
	spaced := strings.ContainsFunc(address, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	switch {
	case err != nil || spaced:
	case (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "":
		return u.Path, nil
	case u.Scheme == "tos" && u.Host != "" && len(u.Path) > 1:
		return u.Path, nil
	}
	return "", vendors.Errorf(vendors.InvalidArgument, "`url` is not an address that Volcengine can fetch.").
		WithHint("Pass a whole URL that begins with http:// or https://, or tos://bucket/key, percent-encoded where it needs to be.")
}

// typeOfName is the doc_type that a file's name stands for; "" for none.
func typeOfName(name string) string {
	suffix := rest.Suffix(name)
	switch {
	case strings.HasSuffix(strings.ToLower(name), ".faq.xlsx"):
		return "faq.xlsx"
	case suffix == "md":
		return "markdown"
	case suffix == "jpg":
		return "jpeg"
	case fileKinds[suffix] != "":
		return suffix
	}
	return ""
}

// newDocumentID makes an id that doc/v2/add takes: a letter first.
func newDocumentID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return "d" + hex.EncodeToString(b)
}

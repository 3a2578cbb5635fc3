package volcengine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Upload implements [vendors.Uploader] with doc/v2/add. The document's id is
// ours, so that it can be looked for when the answer is lost.
func (d *Driver) Upload(ctx context.Context, u vendors.Upload) (vendors.Uploaded, error) {
	if u.URL == "" {
		return vendors.Uploaded{}, vendors.Errorf(vendors.Unsupported, "Volcengine takes no text and no files, only addresses of files.").
			WithHint("Put the file at a URL that Volcengine can reach, or into TOS, and pass `url` (https://... or tos://bucket/key).")
	}
	docType, err := checkUpload(u)
	if err != nil {
		return vendors.Uploaded{}, err
	}
	body := struct {
		target
		DocID   string `json:"doc_id"`
		URI     string `json:"uri"`
		DocName string `json:"doc_name,omitempty"` // the platform makes one of the address
		DocType string `json:"doc_type"`
	}{d.ofDoc(u.KnowledgeBaseID), d.newID(), u.URL, u.Name, docType}
	ref := vendors.Ref{KnowledgeBaseID: u.KnowledgeBaseID, DocumentID: body.DocID}
	answer, err := once[addition](ctx, d, body, "doc", "v2", "add")
	switch {
	case err == nil && answer.Dedup.Skip.Set:
		return vendors.Uploaded{}, skipped(answer.Dedup.Same)
	case err == nil:
		if answer.DocID != "" {
			ref.DocumentID = string(answer.DocID)
		}
		return d.added(ctx, ref, u, docType), nil
	case vendors.Unsure(err):
		return d.found(ctx, ref, 2, err)
	case vendors.CodeOf(err) == "1001002": // the copy of a request that went through is a duplicate too
		return d.found(ctx, ref, 1, err)
	}
	return vendors.Uploaded{}, err
}

// addition is the data of doc/v2/add.
type addition struct {
	DocID rest.ID `json:"doc_id"`
	Dedup struct {
		Skip rest.Flag `json:"skip"` // nothing was added: the content is there
		Same []string  `json:"same_doc_ids"`
	} `json:"dedup_info"`
}

// skipped is the error of an addition that was answered with success and did
// nothing.
func skipped(same []string) error {
	e := duplicate()
	if len(same) > 0 {
		e.VendorMessage = "same_doc_ids: " + strings.Join(same[:min(len(same), 10)], ", ")
	}
	return e
}

// added is a document that was accepted, as far as it shows by now.
func (d *Driver) added(ctx context.Context, ref vendors.Ref, u vendors.Upload, docType string) vendors.Uploaded {
	doc, err := d.GetDocument(ctx, ref)
	if err == nil {
		up := vendors.Uploaded{Document: doc}
		if u.Name != "" && doc.Name != u.Name {
			up.Notes = append(up.Notes, "Volcengine did not keep the name that was given: it shows the document as it is named here.")
		}
		return up
	}
	w := document{ID: rest.ID(ref.DocumentID), Name: rest.Str(u.Name), Type: rest.Str(docType), AddType: "url", URL: rest.Str(u.URL)}
	if at, err := pathOf(u.URL); err == nil && u.Name == "" {
		w.Name = rest.Str(path.Base(at))
	}
	if strings.HasPrefix(u.URL, "tos:") {
		w.AddType, w.URL = "tos", ""
	}
	doc = w.normal()
	doc.Status = vendors.Queued // it was accepted
	return vendors.Uploaded{Document: doc, Notes: []string{"Volcengine accepted the document, but it could not be read back yet: it may take some seconds to appear."}}
}

// found looks for a document that may have been added; missing is the error
// when it does not show. The platform takes some seconds to show a new one.
func (d *Driver) found(ctx context.Context, ref vendors.Ref, looks int, missing error) (vendors.Uploaded, error) {
	for i := range looks {
		if i > 0 {
			pause(ctx, 3*time.Second)
		}
		if ctx.Err() != nil {
			break
		}
		doc, err := d.GetDocument(ctx, ref)
		if err == nil {
			return vendors.Uploaded{Document: doc, Notes: []string{"The answer to the upload was lost; the document was looked for and is there."}}, nil
		}
		if !unknownDocument(err) {
			break
		}
	}
	return vendors.Uploaded{Document: vendors.Document{DocumentID: ref.DocumentID}}, missing
}

// pause waits, but not beyond ctx.
func pause(ctx context.Context, t time.Duration) {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// checkUpload refuses what the platform would refuse, and gives the type.
func checkUpload(u vendors.Upload) (docType string, err error) {
	at, err := pathOf(u.URL)
	if err != nil {
		return "", err
	}
	if u.Name != "" {
		if err := checkName(u.Name); err != nil {
			return "", err
		}
	}
	for _, name := range []string{u.Name, at} {
		if t := typeOfName(name); t != "" {
			return t, nil
		}
	}
	return "", vendors.Errorf(vendors.InvalidArgument, "Neither `name` nor the path of `url` ends in a suffix that Volcengine takes.").
		WithHint("Give a `name` with the file's suffix, one of: md, jpg, " + strings.Join(docTypes(), ", ") + ".")
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

// What doc_name takes.
const (
	maxName  = 255
	notNames = `<>:"/\|?*`
)

// checkName refuses a document's name that the platform would refuse.
func checkName(name string) error {
	bad := ""
	switch {
	case strings.TrimSpace(name) == "":
		bad = "is empty"
	case utf8.RuneCountInString(name) > maxName:
		bad = "is too long"
	case strings.ContainsAny(name, notNames) || strings.ContainsFunc(name, unicode.IsControl):
		bad = "holds a character that Volcengine does not take"
	default:
		return nil
	}
	return vendors.Errorf(vendors.InvalidArgument, "`name` %s.", bad).
		WithHint(fmt.Sprintf("A document's name has 1 to %d characters, none of them %s or a control character.", maxName, notNames))
}

// docTypes are what doc_type takes for a file.
func docTypes() []string {
	return []string{"txt", "doc", "docx", "pdf", "markdown", "pptx", "ppt", "faq.xlsx", "xlsx", "csv", "jsonl",
		"jpeg", "png", "webp", "bmp", "mp4", "mp3", "wav", "aac", "flac", "ogg"}
}

// typeOfName is the doc_type that a file's name stands for; "" for none.
func typeOfName(name string) string {
	if strings.HasSuffix(strings.ToLower(name), ".faq.xlsx") {
		return "faq.xlsx"
	}
	switch s := rest.Suffix(name); {
	case s == "md":
		return "markdown"
	case s == "jpg":
		return "jpeg"
	case slices.Contains(docTypes(), s):
		return s
	}
	return ""
}

// newDocumentID makes an id that doc/v2/add takes: a letter first.
func newDocumentID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return "d" + hex.EncodeToString(b)
}

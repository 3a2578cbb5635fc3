package tools

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

const downloadDocumentDoc = `Gets the file that was uploaded as a document: as text if it is text and fits into an answer, else into a new file at path. Use it to read a document whole; for what was indexed use list_chunks. Not every platform gives files back.`

type downloadDocumentArgs struct {
	Vendor          string `arg:"vendor"`
	KnowledgeBaseID string `arg:"knowledge_base_id" required:"true"`
	DocumentID      string `arg:"document_id" required:"true"`
	Path            string `arg:"path" max:"4096"`
}

// downloaded is a file's content, or where it went.
type downloaded struct {
	DocumentID string `json:"document_id"`
	Name       string `json:"name"`
	SizeBytes  *int64 `json:"size_bytes,omitempty"`
	Text       string `json:"text,omitempty"`
	Path       string `json:"path,omitempty"`
	Truncated  bool   `json:"truncated,omitempty"`
	Hint       string `json:"hint,omitempty"`
}

// maxText is how much of a file fits into an answer, in bytes.
const maxText = 64 << 10

const beginning = "Only the beginning is shown; pass `path` to write the whole file."

func (s *Set) downloadDocumentTool() tool {
	return on(s, face{
		name: "download_document", title: "Download a document", doc: downloadDocumentDoc,
		brief:  "the original, as text or into a file under an upload root",
		effect: adds, needs: connection.Can[vendors.Downloader],
	}, s.downloadDocument)
}

func (s *Set) downloadDocument(ctx context.Context, c *connection.Connection, in downloadDocumentArgs) (downloaded, error) {
	out := downloaded{DocumentID: in.DocumentID}
	if in.Path != "" {
		return s.downloadTo(ctx, c, in)
	}
	ref := vendors.Ref{KnowledgeBaseID: in.KnowledgeBaseID, DocumentID: in.DocumentID}
	d, err := c.Download(ctx, ref)
	if err != nil {
		return out, err
	}
	defer d.Body.Close()
	b, err := io.ReadAll(io.LimitReader(d.Body, maxText+utf8.UTFMax))
	if err != nil {
		return out, broken(err)
	}
	out.Name = d.Name
	size := int64(len(b))
	if size <= maxText {
		out.SizeBytes = &size
		out.show(b, true)
		return out, whole(ctx, c, ref, d.Size, size)
	}
	if d.Size >= 0 {
		out.SizeBytes = &d.Size
	}
	out.show(between(b[:maxText]), false)
	return out, nil
}

// show puts content into the answer, if it is text.
func (d *downloaded) show(content []byte, whole bool) {
	switch {
	case bytes.IndexByte(content, 0) >= 0 || !utf8.Valid(content):
		d.Truncated, d.Hint = true, "The file is not text in UTF-8; pass `path` to write it into a file."
	case whole:
		d.Text = string(content)
	default:
		d.Text, d.Truncated, d.Hint = string(content), true, beginning
	}
}

// between takes the part of a character off the end of b.
func between(b []byte) []byte {
	for n := range min(utf8.UTFMax, len(b)) {
		if rest := b[:len(b)-n]; len(rest) > 0 {
			if r, size := utf8.DecodeLastRune(rest); r != utf8.RuneError || size > 1 {
				return rest
			}
		}
	}
	return b
}

// Len makes a long text fit by shortening it: n is percent of what was read.
func (d downloaded) Len() int { return 100 }

// Fit keeps n percent of the text.
func (d downloaded) Fit(n int) any {
	r := []rune(d.Text)
	d.Text = string(r[:len(r)*max(n, 0)/100])
	d.Truncated, d.Hint = true, beginning
	return d
}

// downloadTo writes the file.
func (s *Set) downloadTo(ctx context.Context, v *connection.Connection, in downloadDocumentArgs) (out downloaded, err error) {
	out = downloaded{DocumentID: in.DocumentID, Path: in.Path}
	f, err := s.roots.Create(in.Path)
	if err != nil {
		return out, err
	}
	defer f.Discard()
	ref := vendors.Ref{KnowledgeBaseID: in.KnowledgeBaseID, DocumentID: in.DocumentID}
	d, err := v.Download(ctx, ref)
	if err != nil {
		return out, err
	}
	defer d.Body.Close()
	if d.Size > s.maxDownload {
		return out, s.tooLarge()
	}
	n, err := io.Copy(f, io.LimitReader(d.Body, s.maxDownload+1))
	switch {
	case err != nil:
		return out, broken(err)
	case n > s.maxDownload:
		return out, s.tooLarge()
	}
	if err := whole(ctx, v, ref, d.Size, n); err != nil {
		return out, err
	}
	if err := f.Keep(); err != nil {
		return out, err
	}
	out.Name, out.SizeBytes = d.Name, &n
	return out, nil
}

// whole checks that a file of n bytes, which was read to its end, is all of it.
// Where the answer did not tell its length, the end of a connection looks like
// the end of the file, and the platform is asked for the document's size.
func whole(ctx context.Context, v *connection.Connection, ref vendors.Ref, told, n int64) error {
	if told < 0 {
		doc, err := v.GetDocument(ctx, ref)
		if err != nil || doc.SizeBytes == nil {
			return nil // nothing says otherwise
		}
		told = *doc.SizeBytes
	}
	if n >= told {
		return nil
	}
	return vendors.Errorf(vendors.Unavailable, "The file ended after %d of %d bytes.", n, told).WithHint("Try again.")
}

// tooLarge is the error of a file beyond the bound.
func (s *Set) tooLarge() error {
	return vendors.Errorf(vendors.BadResponse, "The file is larger than the %d bytes that this server takes.", s.maxDownload).
		WithHint("Its owner can raise KB_MCP_MAX_DOWNLOAD; or read the document with list_chunks.")
}

// broken is the error of a file that was not read, or not written, to its end.
func broken(err error) error {
	var here *fs.PathError
	if errors.As(err, &here) {
		return &vendors.Error{Kind: vendors.Unavailable, Message: "The file could not be written on this server.",
			Hint: "Its owner must see to the disk of the upload roots: it may be full.", Err: err}
	}
	return &vendors.Error{Kind: vendors.Unavailable, Message: "The file could not be read to its end.", Hint: "Try again.", Err: err}
}

package tools

import (
	"bytes"
	"context"
	"io"
	"unicode/utf8"

	"kb-mcp/vendors"
)

const downloadDocumentDoc = `Gets the file that was uploaded as a document: as text when it is text and fits into an answer, otherwise into a new file at path, under the server's upload roots. Use it to read a document whole; for what a platform indexed use list_chunks. Not every platform gives files back: list_vendors says where it works.`

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

func (s *Set) downloadDocument(ctx context.Context, in downloadDocumentArgs) (downloaded, error) {
	out := downloaded{DocumentID: in.DocumentID}
	v, err := s.vendor(in.Vendor)
	if err != nil {
		return out, err
	}
	if in.Path != "" {
		return s.downloadTo(ctx, v, in)
	}
	d, err := v.Download(ctx, vendors.Ref{KnowledgeBaseID: in.KnowledgeBaseID, DocumentID: in.DocumentID})
	if err != nil {
		return out, err
	}
	defer d.Body.Close()
	b, err := io.ReadAll(io.LimitReader(d.Body, maxText+utf8.UTFMax))
	if err != nil {
		return out, broken(err)
	}
	out.Name = d.Name
	whole := len(b) <= maxText
	if size := int64(len(b)); whole {
		out.SizeBytes = &size
	} else if d.Size >= 0 {
		out.SizeBytes = &d.Size
	}
	if !whole {
		b = between(b[:maxText])
	}
	switch {
	case bytes.IndexByte(b, 0) >= 0 || !utf8.Valid(b):
		out.Truncated, out.Hint = true, "The file is not text in UTF-8; pass `path` to write it into a file."
	case whole:
		out.Text = string(b)
	default:
		out.Text, out.Truncated, out.Hint = string(b), true, beginning
	}
	return out, nil
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

// downloadTo writes the file; what was begun and not finished is removed.
func (s *Set) downloadTo(ctx context.Context, v *vendors.Vendor, in downloadDocumentArgs) (out downloaded, err error) {
	out = downloaded{DocumentID: in.DocumentID, Path: in.Path}
	f, done, err := s.roots.create(in.Path)
	if err != nil {
		return out, err
	}
	written := false // also after a panic
	defer func() {
		if ended := done(written); err == nil && ended != nil {
			err = broken(ended)
		}
	}()
	d, err := v.Download(ctx, vendors.Ref{KnowledgeBaseID: in.KnowledgeBaseID, DocumentID: in.DocumentID})
	if err != nil {
		return out, err
	}
	defer d.Body.Close()
	n, err := io.Copy(f, d.Body)
	if err != nil {
		return out, broken(err)
	}
	out.Name, out.SizeBytes, written = d.Name, &n, true
	return out, nil
}

func broken(err error) error {
	return &vendors.Error{Kind: vendors.Unavailable, Message: "The file could not be read to its end.", Hint: "Try again.", Err: err}
}

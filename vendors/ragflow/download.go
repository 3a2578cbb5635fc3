package ragflow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Download implements [vendors.Downloader].
func (d *Driver) Download(ctx context.Context, ref vendors.Ref) (vendors.Download, error) {
	return request(ctx, d, func(a api) (vendors.Download, error) {
		file, err := a.download(ctx, ref)
		return file, notEmpty(ctx, a, ref, err)
	})
}

// notEmpty tells a file store that is away from an empty file, for which RAGFlow
// has the same words, by the size of the document.
func notEmpty(ctx context.Context, a api, ref vendors.Ref, err error) error {
	if !errors.Is(err, errEmptyFile) {
		return err
	}
	doc, look := a.document(ctx, ref)
	if look != nil || doc.SizeBytes == nil || *doc.SizeBytes == 0 {
		return err
	}
	return reworded(err, vendors.Unavailable, fmt.Sprintf("RAGFlow's file store does not give the file, which has %d bytes.", *doc.SizeBytes),
		"Try again in a minute; if it stays, the server's operator must look at its file store (MinIO).")
}

// isFile tells a file from an error, which has status 200 as well: only a file
// is an attachment.
func isFile(status int, h http.Header) bool {
	return status == http.StatusOK && h.Get("Content-Disposition") != ""
}

// download takes the name from the answer; a server that gives none there is
// asked for the document, and so is one whose answer does not show its end.
func (c currentAPI) download(ctx context.Context, ref vendors.Ref) (vendors.Download, error) {
	s, err := c.rc.Stream(ctx, rest.Call{
		Method: http.MethodGet, Path: c.path(ref.KnowledgeBaseID, "documents", ref.DocumentID),
	}, isFile)
	if err != nil {
		return vendors.Download{}, err
	}
	name := rest.FileName(s.Header)
	if name == "" || !s.Framed {
		doc, err := c.document(ctx, ref)
		if err != nil {
			s.Body.Close()
			return vendors.Download{}, err
		}
		s.Expect(doc.SizeBytes)
		name = cmp.Or(name, doc.Name)
	}
	return vendors.Download{Name: name, Size: s.Size, Body: s.Body}, nil
}

// download looks the document up first, because the server gives any file of
// the account whatever knowledge base is named.
func (p previewAPI) download(ctx context.Context, ref vendors.Ref) (vendors.Download, error) {
	doc, err := p.document(ctx, ref)
	if err != nil {
		return vendors.Download{}, err
	}
	s, err := p.rc.Stream(ctx, rest.Call{
		Method: http.MethodGet, Path: p.path(ref.KnowledgeBaseID, "documents", ref.DocumentID),
	}, isFile)
	s.Expect(doc.SizeBytes)
	return vendors.Download{Name: doc.Name, Size: s.Size, Body: s.Body}, err
}

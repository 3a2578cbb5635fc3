package ragflow

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"kb-mcp/vendors"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// Download implements [vendors.Downloader].
func (d *Driver) Download(ctx context.Context, ref vendors.Ref) (vendors.Download, error) {
	return request(ctx, d, func(a api) (vendors.Download, error) {
		file, err := a.download(ctx, ref)
		return file, notEmpty(ctx, a, ref, err)
	})
}

// notEmpty distinguishes a file store that is down from an empty file, for
// which RAGFlow has the same text, by the size of the document.
func notEmpty(ctx context.Context, a api, ref vendors.Ref, err error) error {
	if !errors.Is(err, envelope.ErrEmptyFile) {
		return err
	}
	doc, look := a.document(ctx, ref)
	if look != nil || doc.SizeBytes == nil || *doc.SizeBytes == 0 {
		return err
	}
	return envelope.Reworded(err, vendors.Unavailable, fmt.Sprintf("RAGFlow's file store does not give the file, which has %d bytes.", *doc.SizeBytes),
		"Try again in a minute; if that does not help, the server's operator must look at its file store (MinIO).")
}

// isFile distinguishes a file from an error, which has status 200 as well: only
// a file is an attachment.
func isFile(status int, h http.Header) bool {
	return status == http.StatusOK && h.Get("Content-Disposition") != ""
}

// file is a document's file. look gives the document, where the answer leaves its
// name or its end open.
func (s server) file(ctx context.Context, ref vendors.Ref, look func() (vendors.Document, error)) (vendors.Download, error) {
	call := rest.Call{Method: http.MethodGet, Path: s.path(ref.KnowledgeBaseID, "documents", ref.DocumentID)}
	stream, err := s.rc.Stream(ctx, call, isFile)
	if err != nil {
		return vendors.Download{}, err
	}
	return stream.File(look)
}

func (c currentAPI) download(ctx context.Context, ref vendors.Ref) (vendors.Download, error) {
	return c.file(ctx, ref, func() (vendors.Document, error) { return c.document(ctx, ref) })
}

// download looks the document up first, because the server gives any file of
// the account whatever knowledge base is named.
func (p previewAPI) download(ctx context.Context, ref vendors.Ref) (vendors.Download, error) {
	doc, err := p.document(ctx, ref)
	if err != nil {
		return vendors.Download{}, err
	}
	file, err := p.file(ctx, ref, func() (vendors.Document, error) { return doc, nil })
	file.Name = doc.Name
	return file, err
}

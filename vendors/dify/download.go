package dify

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Download implements [vendors.Downloader]. Dify gives a signed address, often
// of another host. It is a credential by itself: it is asked without the key,
// and never shown.
func (d *Driver) Download(ctx context.Context, ref vendors.Ref) (vendors.Download, error) {
	out, err := get[linkAnswer](ctx, d, nil, ref.KnowledgeBaseID, "documents", ref.DocumentID, "download")
	switch {
	case noRoute(err):
		return vendors.Download{}, vendors.Errorf(vendors.Unsupported, "This Dify server cannot give the files of documents; that needs Dify 1.13.1 or newer.").
			WithHint("Read the document's text with list_chunks, or update Dify; if every call fails, check DIFY_BASE_URL.")
	case err != nil:
		return vendors.Download{}, err
	}
	link, err := d.base.Parse(string(out.URL))
	if err != nil || link.Host == "" || link.Scheme != "http" && link.Scheme != "https" {
		return vendors.Download{}, vendors.Errorf(vendors.BadResponse, "Dify gave an address for the file that is not a web address.").
			WithHint("Set FILES_URL of the Dify server to the address at which it is reached.")
	}
	return d.fetch(ctx, ref, link)
}

// fetch opens the file behind a signed address, and finds its name, and its size
// where the answer does not show its end.
func (d *Driver) fetch(ctx context.Context, ref vendors.Ref, link *url.URL) (vendors.Download, error) {
	s, err := d.client.Fetch(ctx, link.String())
	if err != nil {
		return vendors.Download{}, noFile(err)
	}
	name := rest.FileName(s.Header)
	if name == "" || !s.Framed {
		doc, err := d.GetDocument(ctx, ref)
		if err != nil {
			s.Body.Close()
			return vendors.Download{}, err
		}
		s.Expect(doc.SizeBytes)
		name = cmp.Or(name, doc.Name)
	}
	return vendors.Download{Name: name, Size: s.Size, Body: s.Body}, nil
}

// linkAnswer is where the file of a document is.
type linkAnswer struct {
	URL rest.Str `json:"url"`
}

// accept implements payload.
func (l *linkAnswer) accept(http.Header) bool { return l.URL != "" }

// noFile says of a file's own address what went wrong: another server answered
// there, so that a refusal is not about this connection's key.
func noFile(err error) error {
	c := *vendors.Classify(err)
	if c.HTTPStatus >= 400 && c.HTTPStatus < 500 && c.Kind != vendors.RateLimited {
		c.Kind = vendors.BadResponse
	}
	c.Message = "Dify gave an address for the file, but reading it failed: " + c.Message
	c.Hint = "Try again; if it stays, make sure that kb-mcp can reach the address in FILES_URL of the Dify server (or its file storage)."
	return &c
}

package dify

import (
	"context"
	"net/http"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Download implements [vendors.Downloader]. Dify gives a signed address, often
// of another host. It is a credential by itself: it is fetched without the key,
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
	s, err := d.client.Fetch(ctx, link.String())
	if err != nil {
		return vendors.Download{}, noFile(err)
	}
	return s.File(func() (vendors.Document, error) { return d.GetDocument(ctx, ref) })
}

// linkAnswer is where the file of a document is.
type linkAnswer struct {
	URL rest.Str `json:"url"`
}

// accept implements payload.
func (l *linkAnswer) accept(http.Header) bool { return l.URL != "" }

// noFile rewords an error of a file's own address: another server answered
// there, so that a refusal is not about this connection's key.
func noFile(err error) error {
	return vendors.Amended(err, func(e *vendors.Error) {
		if e.HTTPStatus >= 400 && e.HTTPStatus < 500 && e.Kind != vendors.RateLimited {
			e.Kind = vendors.BadResponse
		}
		e.Message = "Dify gave an address for the file, but reading it failed: " + e.Message
		e.Hint = "Try again; if that does not help, make sure that kb-mcp can reach the address in FILES_URL of the Dify server (or its file storage)."
	})
}

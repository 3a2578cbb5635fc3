package dify

import (
	"errors"
	"mime"
	"net/http"
	"path"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// linkAnswer is where the file of a document is.
type linkAnswer struct {
	URL rest.Str `json:"url"`
}

// accept implements payload.
func (l *linkAnswer) accept(http.Header) bool { return l.URL != "" }

// fileName is the name that a file's answer gives it; "" when it gives none.
func fileName(h http.Header) string {
	_, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	name := path.Base(strings.ReplaceAll(params["filename"], `\`, "/"))
	if name == "." || name == "/" || name == ".." {
		return ""
	}
	return rest.Text(name)
}

// noFile says of a file's own address what went wrong: another server answered
// there, so that a refusal is not about this connection's key.
func noFile(err error) error {
	var e *vendors.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	if c.HTTPStatus >= 400 && c.HTTPStatus < 500 && c.Kind != vendors.RateLimited {
		c.Kind = vendors.BadResponse
	}
	c.Message = "Dify gave an address for the file, but reading it failed: " + c.Message
	c.Hint = "Try again; if it stays, make sure that kb-mcp can reach the address in FILES_URL of the Dify server (or its file storage)."
	return &c
}

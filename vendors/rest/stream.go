package rest

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
)

// Form is a multipart/form-data body with one file, streamed: the file is never
// whole in memory.
type Form struct {
	Fields [][2]string // name, value; before the file
	Field  string      // the file part's name; "" for a form of fields alone
	Name   string      // the file's name
	File   vendors.File
}

// untimed marks the context of a request that may take as long as its call: a
// large body takes longer than a try may.
type untimed struct{}

// body opens the form as a request body of known length.
func (f *Form) body() (body io.ReadCloser, length int64, contentType string, err error) {
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	for _, field := range f.Fields {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return nil, 0, "", err
		}
	}
	if f.Field == "" { // no file part
		if err := w.Close(); err != nil {
			return nil, 0, "", err
		}
		return io.NopCloser(&head), int64(head.Len()), w.FormDataContentType(), nil
	}
	if _, err := w.CreateFormFile(f.Field, f.Name); err != nil {
		return nil, 0, "", err
	}
	start := head.Len()
	if err := w.Close(); err != nil {
		return nil, 0, "", err
	}
	file, err := f.File.Open()
	if err != nil {
		return nil, 0, "", err
	}
	before, after := head.Bytes()[:start], head.Bytes()[start:]
	exact := io.LimitReader(file, f.File.Size) // a file that grows in the meantime must not break the length
	return formBody{io.MultiReader(bytes.NewReader(before), exact, bytes.NewReader(after)), file},
		int64(head.Len()) + f.File.Size, w.FormDataContentType(), nil
}

// formBody closes the file with the body.
type formBody struct {
	io.Reader
	io.Closer
}

// Stream is an answer whose body is a file.
type Stream struct {
	Header http.Header
	Size   int64 // -1: not said
	// Framed says that the protocol distinguishes an end from a break. Without
	// it, only the file's size can: see Expect.
	Framed bool
	// Body is bounded. Its errors are *vendors.Error.
	Body io.ReadCloser
}

// Stream makes a call whose answer is a file when isFile says so, and a
// dialect's error otherwise. It may take as long as ctx allows.
func (c *Client) Stream(ctx context.Context, call Call, isFile func(status int, h http.Header) bool) (Stream, error) {
	u, err := c.url(call)
	if err != nil {
		return Stream{}, err
	}
	var out Stream
	ctx = context.WithValue(paced(ctx), untimed{}, true)
	err = ratelimit.Do(ctx, c.conn.Backoff, func() error {
		req, err := http.NewRequestWithContext(ctx, call.Method, u, nil)
		if err != nil {
			return &vendors.Error{Kind: vendors.Internal, Message: "The request could not be made.", Err: err}
		}
		s, failure := c.open(ctx, c.paced, req, isFile)
		if failure != nil {
			c.shareRefusal(ctx, false, failure)
			return failure
		}
		out = s
		return nil
	})
	return out, err
}

// open sends req and judges the head of the answer.
func (c *Client) open(ctx context.Context, via http.RoundTripper, req *http.Request, isFile func(int, http.Header) bool) (Stream, *vendors.Error) {
	resp, err := via.RoundTrip(req)
	if err != nil {
		return Stream{}, c.unread(ctx, inHead(err), Answer{})
	}
	if isFile(resp.StatusCode, resp.Header) {
		return c.file(ctx, resp)
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode, Header: resp.Header}
	if a.Body, err = io.ReadAll(io.LimitReader(resp.Body, c.conn.MaxBody)); err != nil {
		return Stream{}, c.unread(ctx, err, a)
	}
	if a.Status >= 300 && a.Status < 400 {
		return Stream{}, c.clean(redirected(), a)
	}
	if via != c.paced { // another service's words
		return Stream{}, c.clean(ByStatus(a), a)
	}
	if err := c.dialect.Decode(a, nil); err != nil {
		return Stream{}, c.clean(err, a)
	}
	return Stream{}, c.clean(NotJSON(a, nil), a)
}

// FileName is the name that a file's answer gives it, without any path; ""
// when it gives none.
func FileName(h http.Header) string {
	_, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	name := Text(path.Base(strings.ReplaceAll(params["filename"], `\`, "/"))) // " . " too is none
	if name == "." || name == "/" || name == ".." {
		return ""
	}
	return name
}

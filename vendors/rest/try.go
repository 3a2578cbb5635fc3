package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"time"

	"kb-mcp/vendors"
)

// largeBody is a JSON body (a file in base64) that may need more than one
// answer's time on its way.
const largeBody = 1 << 20

// request makes the request of one try.
func (c *Client) request(ctx context.Context, call Call, u string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, call.Method, u, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range call.Header {
		req.Header[name] = values
	}
	if call.Form != nil || len(body) > largeBody {
		req = req.WithContext(context.WithValue(ctx, untimed{}, true))
	}
	if call.Form == nil {
		return req, nil
	}
	form, length, contentType, err := call.Form.body()
	if err != nil {
		return nil, err
	}
	req.Body, req.GetBody, req.ContentLength = form, nil, length
	req.Header.Set("Content-Type", contentType)
	return req, nil
}

// try is one request and its judgement. The answer is whole, or empty.
func (c *Client) try(ctx context.Context, call Call, u string, body []byte, out any) (Answer, *vendors.Error) {
	req, err := c.request(ctx, call, u, body)
	if err != nil {
		return Answer{}, &vendors.Error{Kind: vendors.Internal, Message: "The request could not be made.", Err: err}
	}
	a, err := c.roundTrip(req, call)
	if err != nil {
		return Answer{}, c.clean(networkError(ctx, err, c.conn.Timeout), a)
	}
	if a.Status >= 300 && a.Status < 400 {
		return Answer{}, c.answered(redirected(), a)
	}
	if err := wrongScheme(c.dialect.Base, a); err != nil {
		return Answer{}, c.clean(err, a)
	}
	if v := reflect.ValueOf(out); v.Kind() == reflect.Pointer && !v.IsNil() {
		v.Elem().SetZero() // a try before may have left something
	}
	if err := c.dialect.Decode(a, out); err != nil {
		return a, c.answered(err, a)
	}
	return a, nil
}

// unread is the error of a read whose answer did not come.
func (c *Client) unread(ctx context.Context, err error, a Answer) *vendors.Error {
	e := c.clean(networkError(ctx, err, c.conn.Timeout), a)
	e.Effect = vendors.NoEffect
	return e
}

// answered completes the error of an answer, with its effect.
func (c *Client) answered(err error, a Answer) *vendors.Error {
	e := c.clean(err, a)
	if e.Effect == vendors.NoEffect {
		e.Effect = effectOf(e)
	}
	return e
}

// roundTrip sends the request and reads the whole answer up to the bound.
func (c *Client) roundTrip(req *http.Request, call Call) (Answer, error) {
	via := c.paced
	if call.Search {
		via = c.search
	}
	resp, err := via.RoundTrip(req)
	if err != nil {
		return Answer{}, inHead(err)
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode, Header: resp.Header, rows: call.Rows}
	a.Body, err = c.whole(resp.Body)
	return a, err
}

// keptBuffer is up to which size a buffer serves again.
const keptBuffer = 256 << 10

// whole reads a body up to the bound, through a buffer that serves again:
// io.ReadAll allocates two and a half times what it returns.
func (c *Client) whole(body io.Reader) ([]byte, error) {
	buf, _ := c.buffers.Get().(*bytes.Buffer)
	if buf == nil {
		buf = &bytes.Buffer{}
	}
	buf.Reset()
	n, err := buf.ReadFrom(io.LimitReader(body, c.conn.MaxBody+1))
	if err == nil && n > c.conn.MaxBody {
		err = errTooLarge
	}
	all := bytes.Clone(buf.Bytes())
	if buf.Cap() <= keptBuffer {
		c.buffers.Put(buf)
	}
	return all, err
}

var errTooLarge = fmt.Errorf("response body: %w", vendors.ErrTooLarge)

// maxCode caps a platform's code or log id.
const maxCode = 128

// clean completes an error with what every answer says and takes out secrets.
func (c *Client) clean(err error, a Answer) *vendors.Error {
	var e *vendors.Error
	if !errors.As(err, &e) {
		e = &vendors.Error{Kind: vendors.Internal, Message: "The answer could not be judged.", Err: err}
	}
	if e.HTTPStatus == 0 {
		e.HTTPStatus = a.Status
	}
	if after := retryAfter(a.Header, c.now()); after > 0 && (e.Kind == vendors.RateLimited || e.Kind == vendors.Unavailable) {
		e.After = after
	}
	e.Message = c.conn.Secrets.Clean(e.Message)
	e.VendorMessage = c.said(e.VendorMessage, maxText)
	e.VendorCode = c.said(e.VendorCode, maxCode)
	e.RequestID = c.said(e.RequestID, maxCode)
	return e
}

// said makes a platform's text fit to show. Secrets go before the cut, which
// would leave the greater part of one; those that a driver has cut go after it.
func (c *Client) said(s string, most int) string {
	return c.conn.Secrets.Clean(shorten(Text(c.conn.Secrets.Clean(shorten(s, mostWords))), most))
}

// mostWords is how much of a platform's text is read: far more than is shown.
const mostWords = 64 << 10

func (c *Client) now() time.Time {
	if c.conn.Now != nil {
		return c.conn.Now()
	}
	return time.Now()
}
